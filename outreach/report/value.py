"""A Report: everything that its documents print, frozen, and the same as JSON.

`Report.of(report.as_data()) == report`, so that what was reported can be kept and written again,
in every format, long after figures have changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from outreach.errors import Unusable

VERSION = 3  # of this format; raised when a field changes its meaning

T = TypeVar("T")


@dataclass(frozen=True)
class Cell:
    """One cell as printed, its exact value for machines, and its note's letter.

    `value` is an integer, a decimal as text ("59.9"), an instant in the report's zone (ISO 8601), a
    name ("displays"), or None where there is no figure.
    """

    text: str
    value: int | str | None = None
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a table. `head` names it; `note` is the letter beside its name."""

    head: str
    cells: tuple[Cell, ...]
    total: bool = False
    note: str = ""


@dataclass(frozen=True)
class Note:
    """A note below a table: a lower-case letter and what it says."""

    letter: str
    text: str


@dataclass(frozen=True)
class Column:
    """One column's head. `width` in hundredths of the text's width; `words`: no figures in it."""

    head: str
    width: int
    words: bool = False


@dataclass(frozen=True)
class Table:
    """A table as printed. The first of `columns` is the head of the rows' names.

    `name` is for programs ("channels"); `small`: a long or broad one, printed small.
    """

    name: str
    number: int
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...] = ()
    source: str = ""
    sample: str = ""  # what marks it, where its figures are samples
    small: bool = False


@dataclass(frozen=True)
class Series:
    """One line or one set of bars of a chart; None where there is no figure, and no mark."""

    name: str
    values: tuple[int | str | None, ...]


@dataclass(frozen=True)
class Chart:
    """A chart as data: `labels` along its axis, one value of each series for each of them.

    `kind`: "bars" or "lines". `alt` says what it shows; `table` is the number of the table that
    has its figures.
    """

    name: str
    number: int
    title: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    alt: str
    table: int
    sample: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it: paragraphs, then charts, then tables.

    `name` is for programs ("channels"). `level` 1 or 2; one of level 2 belongs to the last one of
    level 1. An `annex` comes after everything that is none.
    """

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    level: int = 1
    annex: bool = False


@dataclass(frozen=True)
class Line:
    """One measure compared, like for like. `change`: per cent to one decimal, or None."""

    metric: str
    this: int | None
    before: int | None
    change: str | None
    why: str = ""  # why there is no change: "base under 30"
    without: tuple[str, ...] = ()  # channels left out of it alone: a break in their series


@dataclass(frozen=True)
class Comparison:
    """Two periods, on the channels that are complete in both, and on no others.

    `name` is for programs ("month-before"). `period` and `with_period` are the names of the two,
    `within` and `with_within` say them in a sentence: "in July 2025".
    """

    name: str
    title: str
    period: str
    with_period: str
    within: str
    with_within: str
    channels: tuple[str, ...]  # compared
    left_out: tuple[str, ...]
    lines: tuple[Line, ...]
    rate: str | None  # engagements for every hundred displays, pooled: "4.45"
    rate_before: str | None

    def line(self, metric: str) -> Line:
        """The line of one measure."""
        return next(line for line in self.lines if line.metric == metric)


@dataclass(frozen=True)
class Traced:
    """One figure that a report is made from, for programs: no number without its origin.

    `subject` is a channel, or a post's key. `period` is the one whose figure it is. `snapshot` is
    the record it was read from; None for a sum and for what is counted in our own links.
    """

    subject: str
    period: str
    metric: str
    value: int | None
    reason: str
    source: str
    by: str
    taken_at: datetime | None
    snapshot: int | None


@dataclass(frozen=True)
class Report:
    """A report. Instants are aware UTC; texts are in the report's zone.

    `period` is the name of what it is about ("2025-08", "2025-07-26..2025-09-01",
    "campaign:forum-2025", "event:forum-2025/forum:T-30..T+7") and `kind` its kind: month, days,
    campaign, event. `about` names it, `within` says it in a sentence: "in August 2025".
    `edition` is 1 for the first that was kept of a period and 0 for what is not kept (`draft` says
    so in words); it supersedes `supersedes`, where that is not 0. `by` had it made.
    `file_name` is what its files are called, without what they end on.

    What is printed stands in `summary`, `completeness` and `sections`, in their order; the rest
    says what it is about. `comparisons` are the same figures once more, for programs.
    """

    version: int
    period: str
    kind: str
    about: str
    within: str
    file_name: str
    edition: int
    supersedes: int
    by: str
    draft: str  # the banner of a draft, else empty
    title: str
    subtitle: str
    office: str
    programme: str
    distribution: str
    languages: str
    dated: str
    zone: str
    starts: datetime
    ends: datetime
    cut_off: datetime
    made_at: datetime
    sample: str  # the banner where any figure is a sample, else empty
    summary: tuple[str, ...]
    completeness: tuple[str, ...]
    complete: tuple[str, ...]  # channels with all figures of the period
    incomplete: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    sections: tuple[Section, ...]
    traced: tuple[Traced, ...]
    symbol: str = ""  # of a document that has been given one; never made up

    def section(self, name: str) -> Section | None:
        """The section of this name, where the report has one."""
        return next((one for one in self.sections if one.name == name), None)

    def words(self, name: str) -> tuple[str, ...]:
        """The paragraphs of this section; none where there is no such section."""
        section = self.section(name)
        return section.paragraphs if section else ()

    def table(self, name: str) -> Table | None:
        """The table of this name, where the report has one."""
        tables = (table for section in self.sections for table in section.tables)
        return next((one for one in tables if one.name == name), None)

    def as_data(self) -> dict[str, Any]:
        """The report as JSON holds it; `Report.of` reads it back."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Report":
        """The report that `as_data` wrote. Raises Unusable for one of another version."""
        if data.get("version") != VERSION:
            raise Unusable(
                f"this report has version {data.get('version')}, and we read {VERSION}",
                "write the report again, or use the program that wrote it",
            )
        return _read(cls, data)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def _read(kind: type[T], data: Mapping[str, Any]) -> T:
    hints = get_type_hints(kind)
    return kind(**{name: _typed(hints[name], value) for name, value in data.items()})


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) is UnionType:
        known = (one for one in get_args(hint) if is_dataclass(one) or one is datetime)
        hint = next(known, object)
    if get_origin(hint) is tuple:
        return tuple(_typed(get_args(hint)[0], item) for item in value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and is_dataclass(hint):
        return _read(hint, value)
    return value
