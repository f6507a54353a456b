"""The report's tables as lines for programs: a line a cell, and the annexes' tables as they are.

Excel and CSV are written from these. A missing figure is empty here, with its reason beside it;
never zero. Values are integers, decimals, instants (in the report's zone, which Excel cannot tell)
or None.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from outreach.report.documents.template import printable
from outreach.report.value import Cell, Report, Table

Value = int | Decimal | datetime | str | None

_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


_CELLS = (
    "Table", "Name", "Title", "Row", "Row head", "Total", "Column", "Printed", "Value", "Note",
    "Row note", "Sample",
)  # fmt: skip
_COMPARED = (
    "Comparison", "Period", "With", "Measure", "This", "Before", "Change (per cent)",
    "Why there is no change", "Channels compared", "Channels left out",
)  # fmt: skip


def sheets(report: Report) -> Iterator[tuple[str, str, Iterator[Sequence[Value]]]]:
    """Each kind by its name and title, with its rows; the first of them are heads."""
    yield "summary", "Summary", _summary(report)
    yield "comparisons", "Comparisons", _comparisons(report)
    yield "cells", "Cells", _cells(report)
    for section in report.sections:
        for table in section.tables if section.annex else ():
            yield table.name, section.title, _lines(table)


def _cells(report: Report) -> Iterator[tuple[Value, ...]]:
    """Every cell of every table but its rows' heads, in the report's order."""
    yield _CELLS
    for table in (table for section in report.sections for table in section.tables):
        notes = {note.letter: note.text for note in table.notes}
        for number, row in enumerate(table.rows, start=1):
            for column, cell in zip(table.columns[1:], row.cells, strict=True):
                yield (
                    table.number, table.name, table.title, number, row.head,
                    "yes" if row.total else "", column.head, cell.text, _value(cell),
                    notes.get(cell.note, ""), notes.get(row.note, ""), table.sample,
                )  # fmt: skip


def _lines(table: Table) -> Iterator[Sequence[Value]]:
    """A table's heads, then its rows: figures by value, what is missing empty, notes at the end."""
    notes = {note.letter: note.text for note in table.notes}
    yield [*(column.head for column in table.columns), "Notes", *_sample(table, "Sample")]
    for row in table.rows:
        shown = [
            (_value(cell) if not column.words else _instant(cell) or cell.text)
            for column, cell in zip(table.columns[1:], row.cells, strict=True)
        ]
        noted = [("", row.note)] + [
            (column.head, cell.note)
            for column, cell in zip(table.columns[1:], row.cells, strict=True)
        ]
        said = " ".join(_noted(head, notes, letter) for head, letter in noted if letter)
        yield [row.head, *shown, said, *_sample(table, table.sample)]


def text(one: Value) -> str:
    """A value as a text file has it: instants in ISO 8601, without a zone."""
    if isinstance(one, datetime):
        return one.isoformat(sep=" ", timespec="minutes")
    return "" if one is None else printable(str(one))


def _value(cell: Cell) -> Value:
    """What a cell holds for machines."""
    if not isinstance(cell.value, str):
        return cell.value
    if _DECIMAL.fullmatch(cell.value):
        return Decimal(cell.value)
    return _instant(cell) or cell.value


def _instant(cell: Cell) -> datetime | None:
    if isinstance(cell.value, str) and _INSTANT.match(cell.value):
        return datetime.fromisoformat(cell.value).replace(tzinfo=None)
    return None


def _noted(head: str, notes: Mapping[str, str], letter: str) -> str:
    return f"{head}: {notes[letter]}" if head else notes[letter]


def _sample(table: Table, what: str) -> list[str]:
    return [what] if table.sample else []


def _summary(report: Report) -> Iterator[tuple[Value, ...]]:
    """What the report is about, and every sentence of it."""

    def local(at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(report.zone)).replace(tzinfo=None)

    yield "Item", "Value"
    yield "Title", report.title
    yield "Subtitle", report.subtitle
    yield "Period", report.period
    yield "Version", report.edition or "draft"
    yield "Prepared by", report.office
    yield "Programme", report.programme
    yield "Symbol", report.symbol
    yield "Distribution", report.distribution
    yield "Languages", report.languages
    yield "Dated", report.dated
    yield "Time zone of every time here", report.zone
    yield "Counted from", local(report.starts)
    yield "Counted to", local(report.ends)
    yield "Figures collected before", local(report.cut_off)
    yield "Made", local(report.made_at)
    if report.sample:
        yield "Sample figures", report.sample
    yield from (("Complete channel", one) for one in report.complete)
    yield from (("Incomplete channel", one) for one in report.incomplete)
    yield from (("Summary", one) for one in report.summary)
    yield from (("Completeness", one) for one in report.completeness)
    for section in report.sections:
        yield from ((section.title, one) for one in section.paragraphs)


def _comparisons(report: Report) -> Iterator[tuple[Value, ...]]:
    """A line a measure of each comparison."""

    def number(one: str | None) -> Decimal | None:
        return None if one is None else Decimal(one)

    yield _COMPARED
    for one in report.comparisons:
        about = (one.title, one.period, one.with_period)
        channels = ("; ".join(one.channels), "; ".join(one.left_out))
        for line in one.lines:
            figures = (line.this, line.before, number(line.change))
            yield (*about, line.metric, *figures, line.why, *channels)
        if one.rate is not None or one.rate_before is not None:
            rates = (number(one.rate), number(one.rate_before), None)
            yield (*about, "engagements for every hundred displays", *rates, "", *channels)
