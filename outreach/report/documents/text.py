"""The report as CSV, in one .zip: a file a kind, of which `cells` has a line a cell.

UTF-8 with a mark, so that Excel reads it rightly; commas; a missing figure is empty. A text that a
spreadsheet would take for a formula has an apostrophe before it.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from outreach.report.documents import tidy
from outreach.report.documents.tidy import Value
from outreach.report.value import Report

_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?[\d,.]*")  # "+59.9", and "-" for not applicable: no formula


def write(report: Report, *, template_folder: Path) -> bytes:
    """A .zip file; it needs no template, and the same report gives the same bytes."""
    out = io.BytesIO()
    made = report.made_at.timetuple()[:6]
    with ZipFile(out, "w") as package:
        for name, _, rows in tidy.sheets(report):
            entry = ZipInfo(f"{report.file_name}-{name}.csv", date_time=made)
            entry.compress_type = ZIP_DEFLATED
            package.writestr(entry, _csv(rows))
    return out.getvalue()


def _csv(rows: Iterable[Sequence[Value]]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows([_cell(one) for one in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _cell(one: Value) -> str:
    text = tidy.text(one)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
