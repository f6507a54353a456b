"""The report as one page of HTML: no file beside it, printable, readable on a phone."""

from pathlib import Path

from outreach.report.documents.template import environment, missing, readable
from outreach.report.value import Report

NAME = "monthly.html"


def write(report: Report, *, template_folder: Path) -> bytes:
    """UTF-8. Raises WrongFiles where the template is missing or wrong."""
    file = template_folder / NAME
    try:
        source = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise missing(file) from error
    with readable(file):
        return environment().from_string(source).render(report=report.as_data()).encode()
