"""One Report, written in several formats. One more format is one module and one line here.

A writer takes the report and the folder of the office's templates (`templates/reports`), and
returns the file's bytes. It computes nothing: what is printed is in the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from outreach.report.value import Report


@dataclass(frozen=True)
class Format:
    """A way to write a report. Its module, and its library, are imported on first use."""

    module: str
    suffix: str
    media_type: str

    def write(self, report: Report, *, template_folder: Path) -> bytes:
        """The document. Raises WrongFiles where the office's template cannot be used."""
        written = import_module(f"{__name__}.{self.module}").write(
            report, template_folder=template_folder
        )
        assert isinstance(written, bytes)  # noqa: S101 -- narrows what import_module cannot type
        return written


FORMATS: Mapping[str, Format] = {
    "docx": Format(
        "word",
        ".docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "pdf": Format("pdf", ".pdf", "application/pdf"),
    "html": Format("page", ".html", "text/html; charset=utf-8"),
    "xlsx": Format(
        "sheet", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
    "csv": Format("text", ".csv.zip", "application/zip"),
    "json": Format("data", ".json", "application/json"),
}
