"""The report as a Word document, from a template that officers edit in Word.

The template prints `{{ report.title }}` and the like; word_template.py makes the one that comes
with the program. docxtpl is given our own environment: its default one is no sandbox.
"""

import io
from pathlib import Path
from zipfile import BadZipFile

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tbl
from docx.shared import Twips
from docxtpl import DocxTemplate
from lxml.etree import XMLSyntaxError

from outreach.errors import Problem, WrongFiles
from outreach.report.documents.template import environment, missing, readable
from outreach.report.value import Report, Table

NAME = "monthly.docx"


def write(report: Report, *, template_folder: Path) -> bytes:
    """A .docx file. Raises WrongFiles where the template is missing or wrong."""
    file = template_folder / NAME
    try:
        source = io.BytesIO(file.read_bytes())
    except OSError as error:
        raise missing(file) from error
    try:
        with readable(file):
            document = DocxTemplate(source)
            document.render({"report": report.as_data()}, environment())
    except (BadZipFile, PackageNotFoundError, KeyError, ValueError, XMLSyntaxError) as error:
        problem = Problem(str(file), f"is not a Word document that can be filled in: {error}")
        raise WrongFiles([problem]) from error
    _fit(document.docx, report)
    # Set here and not by tags, which docxtpl would escape twice. Word keeps 255 characters.
    properties = document.docx.core_properties
    properties.title = report.title[:255]
    properties.author = properties.last_modified_by = report.office[:255]
    properties.created = properties.modified = report.made_at.replace(microsecond=0)
    properties.language = "en-GB"
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()


def _fit(document: Document, report: Report) -> None:
    """Give each of the report's tables its columns' widths, and figures their own style."""
    known = {style.style_id for style in document.styles if style.type == WD_STYLE_TYPE.PARAGRAPH}
    tables = {
        f"Table {table.number}": table for section in report.sections for table in section.tables
    }
    for made in document.element.body.iter(qn("w:tbl")):
        described = made.tblPr.find(qn("w:tblDescription"))
        if described is not None and (table := tables.get(described.get(qn("w:val")))):
            _fit_table(made, table, known)


def _fit_table(made: CT_Tbl, table: Table, known: set[str]) -> None:
    whole = made.tblPr.find(qn("w:tblW"))
    width = int(whole.get(qn("w:w"))) if whole is not None else 0
    widths = [Twips(width * column.width // 100) for column in table.columns]
    for column, its in zip(made.tblGrid.gridCol_lst, widths, strict=True):
        column.w = its
    for row in made.tr_lst:
        for index, cell in enumerate(row.tc_lst):
            cell.width = widths[index]
            words = index == 0 or table.columns[index].words
            style = f"Table{'Text' if words else 'Figure'}{'Small' if table.small else ''}"
            if style in known:  # an officer may have taken it out of the template
                for paragraph in cell.p_lst:
                    paragraph.style = style
