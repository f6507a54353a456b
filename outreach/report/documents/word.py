"""The report as a Word document, from a template that officers edit in Word.

The template prints `{{ report.title }}` and the like; word_template.py makes the one that comes
with the program. docxtpl is given our own environment: its default one is no sandbox.
"""

import io
from pathlib import Path
from zipfile import BadZipFile

from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from lxml.etree import XMLSyntaxError

from outreach.errors import Problem, WrongFiles
from outreach.report.documents.template import environment, missing, readable
from outreach.report.value import Report

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
    # Set here and not by tags, which docxtpl would escape twice. Word keeps 255 characters.
    properties = document.docx.core_properties
    properties.title = report.title[:255]
    properties.author = properties.last_modified_by = report.office[:255]
    properties.created = properties.modified = report.made_at.replace(microsecond=0)
    properties.language = "en-GB"
    output = io.BytesIO()
    document.save(output)
    return output.getvalue()
