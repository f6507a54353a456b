"""The report as an Excel workbook, for who calculates on: one sheet a kind, a head and then rows.

Numbers and instants are real ones; every text is written as text, whatever it begins with.
"""

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from outreach.report.documents import tidy
from outreach.report.documents.tidy import Value
from outreach.report.value import Report

LONGEST = 32_767  # letters that Excel takes in one cell
_BROADEST = 60  # letters of a column's width


def write(report: Report, *, template_folder: Path) -> bytes:
    """An .xlsx file; it needs no template, and the same report gives the same bytes."""
    import xlsxwriter  # type: ignore[import-untyped,unused-ignore] # it has no types

    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(out, {"in_memory": True})
    workbook.set_properties(
        {
            "title": report.title,
            "author": report.office,
            "company": report.programme,
            "comments": report.sample,
            "created": report.made_at.replace(tzinfo=None, microsecond=0),
        }
    )
    sheets = _Sheets(workbook)
    for _, title, rows in tidy.sheets(report):
        sheets.add(title, rows)
    workbook.close()
    return out.getvalue()


class _Sheets:
    """The sheets of one workbook."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._names: set[str] = set()
        look = {"font_name": "Times New Roman", "font_size": 11, "valign": "top"}
        self._head = workbook.add_format({**look, "bold": True, "bottom": 1, "text_wrap": True})
        self._text = workbook.add_format({**look, "text_wrap": True})
        self._whole = workbook.add_format({**look, "num_format": "#,##0"})
        self._decimal = workbook.add_format({**look, "num_format": "#,##0.0#"})
        self._instant = workbook.add_format(
            {**look, "num_format": "d mmm yyyy hh:mm", "align": "left"}
        )

    def add(self, title: str, rows: Iterator[Sequence[Value]]) -> None:
        """A sheet: the heads stay in sight, can be filtered by, and are printed on each page."""
        heads = [tidy.text(one) for one in next(rows)]
        sheet = self._workbook.add_worksheet(self._name(title))
        broad = [len(head) + 3 for head in heads]
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, self._head)
        last = 0
        for last, row in enumerate(rows, start=1):
            for column, one in enumerate(row):
                broad[column] = max(broad[column], self._write(sheet, last, column, one) + 2)
        for column, letters in enumerate(broad):
            sheet.set_column(column, column, min(letters, _BROADEST))
        sheet.freeze_panes(1, 1)
        if last:
            sheet.autofilter(0, 0, last, len(heads) - 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)

    def _write(self, sheet: Any, row: int, column: int, one: Value) -> int:
        """One cell; how many letters it takes."""
        if one is None or one == "":
            return 0
        if isinstance(one, datetime):
            sheet.write_datetime(row, column, one, self._instant)
            return 18
        if isinstance(one, str):
            text = tidy.text(one)[:LONGEST]
            sheet.write_string(row, column, text, self._text)
            return len(text)
        sheet.write_number(row, column, one, self._whole if isinstance(one, int) else self._decimal)
        return len(f"{one:,}") + 1

    def _name(self, title: str) -> str:
        """A name that Excel takes: short, without its own signs, and not there already."""
        name = re.sub(r"[\[\]:*?/\\']", " ", title).strip()[:31] or "Table"
        number = 1
        while name.casefold() in self._names:
            number += 1
            name = f"{name[:27]} {number}"
        self._names.add(name.casefold())
        return name
