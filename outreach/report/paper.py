"""What every section of a report is written on: its facts, its symbols, and the tables' numbers.

`..` is not available, `—` nil, `-` not applicable. They are decided here, once, so that Word, web
page and JSON cannot differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from outreach.measure import months
from outreach.measure.metrics import Reason
from outreach.report.arithmetic import (
    NIL,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    is_complete,
    no_percentage,
)
from outreach.report.facts import ChannelMonth, Figure, ReportInput
from outreach.report.value import Cell, Chart, Column, Line, Note, Row, Series, Table
from outreach.report.words import figure, letter, plural, sentence, signed

SAMPLE = "Sample figures: examples, not measured."
SAMPLE_BANNER = (
    "SAMPLE FIGURES. Figures in this report are examples that nobody measured. They show what "
    "a report looks like, and must not be quoted."
)
NOT_PERSONS = "Displays (definitions differ by channel), not persons"
NO_RECORD = "No figure was recorded"
RATE = "engagement-rate"


class Paper:
    """One report in the making: it counts the tables and the charts."""

    def __init__(self, facts: ReportInput) -> None:
        self.facts = facts
        self.tables = self.charts = 0
        self.period = facts.period
        self.title, self.within = self.period.title, self.period.within
        self.channels = sorted(facts.this.channels, key=order)
        self.complete = [one.title for one in self.channels if is_complete(one)]
        self.incomplete = [one for one in self.channels if one.shown and not is_complete(one)]
        self.titles = {one.channel: one.title for of in facts.every for one in of.channels}
        self.unshown = {one.channel: one.title for one in self.channels if not one.shown}

    @property
    def sampled(self) -> bool:
        """Whether any figure of the period's channels is a sample."""
        return any(one.sample for one in self.channels)

    def table(
        self,
        name: str,
        title: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        notes: "Notes | None" = None,
        *,
        sample: bool = False,
        sourced: bool = True,
        small: bool = False,
        empty: bool = False,
    ) -> tuple[Table, ...]:
        """The report's next table; none where it has no rows, unless it may be `empty`."""
        if not rows and not empty:
            return ()
        self.tables += 1
        facts = self.facts
        source = (
            f"Source: {facts.office}; figures collected before "
            f"{self.moment(facts.cut_off)} ({facts.zone})."
        )
        made = Table(
            name=name,
            number=self.tables,
            title=title,
            columns=tuple(columns),
            rows=tuple(rows),
            notes=notes.all() if notes else (),
            source=source if sourced else "",
            sample=SAMPLE if sample else "",
            small=small,
        )
        return (made,)

    def chart(
        self,
        name: str,
        title: str,
        unit: str,
        labels: Sequence[str],
        series: Sequence[Series],
        alt: str,
        table: Table,
        *,
        kind: str = "bars",
    ) -> Chart:
        """The report's next chart, of figures that stand in this table."""
        self.charts += 1
        return Chart(
            name=name,
            number=self.charts,
            title=title,
            kind=kind,
            unit=unit,
            labels=tuple(labels),
            series=tuple(series),
            alt=alt,
            table=table.number,
            sample=table.sample,
        )

    def moment(self, at: datetime) -> str:
        """An instant as it is printed, in the report's zone."""
        return months.moment(at, self.facts.zone)

    def at(self, instant: datetime) -> Cell:
        """An instant as a cell: printed, and for machines, in the report's zone."""
        here = instant.astimezone(ZoneInfo(self.facts.zone))
        return Cell(self.moment(instant), here.isoformat(timespec="minutes"))

    def when(self, one: Figure) -> Cell:
        """When a figure was read, as a cell."""
        return Cell(self.collected(one)) if one.taken_at is None else self.at(one.taken_at)

    def collected(self, one: Figure) -> str:
        """When a figure was read."""
        if one.taken_at is None:
            return NOT_AVAILABLE if one.value is None else NOT_APPLICABLE
        return self.moment(one.taken_at)

    def heads(self, *names: str, width: int) -> tuple[Column, ...]:
        """The heads of these measures."""
        return tuple(Column(self.facts.metrics[name].label, width) for name in names)


@dataclass
class Notes:
    """The notes of one table: the same words share a letter."""

    texts: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> str:
        if not text:
            return ""
        if text not in self.texts:
            self.texts.append(text)
        return letter(self.texts.index(text))

    def all(self) -> tuple[Note, ...]:
        return tuple(Note(letter(index), text) for index, text in enumerate(self.texts))


def order(channel: ChannelMonth) -> tuple[bool, bool, int, str, str]:
    """Complete channels first, the most displayed on top; the others by name, unshown ones last."""
    complete = is_complete(channel)
    displays = (channel.value("displays") or 0) if complete else 0
    return (
        not channel.shown,
        not complete,
        -displays,
        channel.title.casefold(),
        channel.channel,
    )


def cell(one: Figure | None, notes: Notes, *, shown: bool = True) -> Cell:
    """A figure as printed, with a note of why it is not there. Not `shown`: there can be none."""
    if not shown and (one is None or one.value is None):
        return Cell(NOT_APPLICABLE)
    if one is None:
        return Cell(NOT_AVAILABLE, note=notes(f"{NO_RECORD}."))
    if one.value is None:
        return Cell(NOT_AVAILABLE, note=notes(why(one)))
    return Cell(number(one.value).text, one.value, notes(sentence(one.note)))


def number(value: int | None) -> Cell:
    """A whole number."""
    if value is None:
        return Cell(NOT_AVAILABLE)
    return Cell(figure(value) if value else NIL, value)


def changed(line: Line) -> Cell:
    """A change in per cent, or why there is none."""
    if line.change is None:
        return Cell(f"n/a ({line.why})")
    return Cell(signed(Decimal(line.change)), line.change)


def rate_cell(value: Decimal | None, base: int | None) -> Cell:
    """A rate on `base`; a base that is missing makes it not available, a small one n/a."""
    if base is None:
        return Cell(NOT_AVAILABLE)
    if value is None:
        return Cell(f"n/a ({no_percentage(base)})")
    return Cell(str(value) if value else NIL, str(value))


def why(one: Figure) -> str:
    """Why there is no figure, in sentences."""
    return f"{sentence(Reason(one.reason).sentence)} {sentence(one.note)}".strip()


def times(value: int | None) -> str:
    """As in "1,204 times", within a sentence."""
    if value is None:
        return "an unknown number of times"
    return {0: "not once", 1: "once"}.get(value) or f"{figure(value)} times"


def nil(value: int | None) -> str:
    """A number in a sentence; "no" for zero."""
    return NOT_AVAILABLE if value is None else {0: "no"}.get(value) or figure(value)


def opening(text: str) -> str:
    """With a capital first: "In August 2025"."""
    return text[:1].upper() + text[1:]


def the_channels(number: int) -> str:
    """As in "the three channels"."""
    return f"the {plural(number, 'channel')}"


def uncounted(one: Figure | None) -> bool:
    """Whether there was something to count, and nobody did."""
    return one is not None and one.reason == Reason.DIRECT_LINKS
