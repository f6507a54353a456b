"""The report as a Word document, from a template that officers edit in Word.

The template prints `{{ report.title }}` and the like; word_template.py makes the one that comes
with the program. docxtpl is given our own environment: its default one is no sandbox.
"""

import io
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.image.image import Image
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tbl
from docx.shared import Emu, Mm, Twips
from docxtpl import DocxTemplate, InlineImage
from lxml.etree import XMLSyntaxError

from outreach.errors import Problem, WrongFiles
from outreach.report.documents import charts
from outreach.report.documents.template import environment, missing, readable
from outreach.report.documents.widths import widths
from outreach.report.value import Chart, Report, Table

NAME = "monthly.docx"
_PIXEL = 914_400 // 96 // charts.SCALE  # of a chart's picture, in English Metric Units
_TEXT_WIDTH = int(Mm(160))


def write(report: Report, *, template_folder: Path) -> bytes:
    """A .docx file. Raises WrongFiles where the template is missing or wrong."""
    file = template_folder / NAME
    try:
        source = io.BytesIO(file.read_bytes())
    except OSError as error:
        raise missing(file) from error
    charts.also(template_folder / "fonts")
    try:
        with readable(file):
            document = DocxTemplate(source)
            document.render({"report": _with_pictures(report, document)}, environment())
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


def _with_pictures(report: Report, template: DocxTemplate) -> dict[str, Any]:
    data = report.as_data()
    for section, its in zip(report.sections, data["sections"], strict=True):
        for chart, one in zip(section.charts, its["charts"], strict=True):
            one["picture"] = _Picture(template, chart)
    return data


class _Picture(InlineImage):  # type: ignore[misc]  # docxtpl has no types
    """A chart, drawn where the template prints it, with the text that is read out for it."""

    def __init__(self, template: DocxTemplate, chart: Chart) -> None:
        super().__init__(template, None)
        self.chart = chart

    def _insert_image(self) -> str:
        picture = charts.png(self.chart)
        width = min(Image.from_blob(picture).px_width * _PIXEL, _TEXT_WIDTH)
        part = self.tpl.current_rendering_part
        inline = part.new_pic_inline(io.BytesIO(picture), width=Emu(width))
        for described in inline.iter(qn("wp:docPr"), qn("pic:cNvPr")):
            described.set("name", f"Figure {self.chart.number}")
            described.set("descr", self.chart.alt)
        # As in template.py: a brace in finished text is a tag to docxtpl.
        drawn = inline.xml.replace("{", "&#123;").replace("}", "&#125;")
        return (
            f'</w:t></w:r><w:r><w:drawing>{drawn}</w:drawing></w:r><w:r><w:t xml:space="preserve">'
        )


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
    broad = [Twips(int(width * part)) for part in widths(table)]
    for column, its in zip(made.tblGrid.gridCol_lst, broad, strict=True):
        column.w = its
    for row in made.tr_lst:
        for index, cell in enumerate(row.tc_lst):
            cell.width = broad[index]
            words = index == 0 or table.columns[index].words
            style = f"Table{'Text' if words else 'Figure'}{'Small' if table.small else ''}"
            if style in known:  # an officer may have taken it out of the template
                for paragraph in cell.p_lst:
                    paragraph.style = style
