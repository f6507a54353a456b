"""The outreach paragraph of a note to the Senior Officials Meeting, composed from a frozen report.

Sixty to 120 words, of numbers that the report has and of what it does not have; nothing praises.
Every number says from which cell of which table it comes, so that an officer who is asked can show
it. Sentences that are always said come first; others follow, until there are words enough.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from outreach.errors import NotAllowed
from outreach.measure import months
from outreach.report.paper import Notes
from outreach.report.value import Cell, Column, Comparison, Report, Row, Table
from outreach.report.words import count, figure, listing, plural

FEWEST, MOST = 60, 120  # words
CORE: Final = ("displays", "engagements", "clicks")
_HEADS: Final = {
    "posts": "Posts",
    "displays": "Displays",
    "engagements": "Engagements",
    "clicks": "Links followed",
}
_ORDINALS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
)


@dataclass(frozen=True)
class Number:
    """One number of the text, and the cell that it was read from, or the cells it is the sum of.

    `channels` are titles as the report prints them; `period` is that of the number: "2025-07" for
    the month before.
    """

    text: str
    metric: str  # "posts", "displays", "engagements", "clicks"
    channels: tuple[str, ...]
    period: str
    where: str


@dataclass(frozen=True)
class Paragraph:
    """The paragraph, where its numbers come from, and its annex table."""

    text: str
    numbers: tuple[Number, ...]
    table: Table
    period: str
    sample: str = ""

    @property
    def words(self) -> int:
        return len(self.text.split())


def compose(report: Report, campaigns: Sequence[str] = ()) -> Paragraph:
    """The paragraph on the report's period. `campaigns` are the titles of what was promoted.

    Pure. Raises NotAllowed for a report that has no channel: there is nothing to say.
    """
    made = _written(_Facts.of(report), campaigns)
    if made.words > MOST:
        made = _written(_Facts.of(report), [plural(len(campaigns), "campaign")], counted=True)
    return made


def named(title: str) -> str:
    """A title within a sentence: "the Fifth International Forum on Low Carbon Cities"."""
    article = title.split(" ", 1)[0].casefold() in ("the", "a", "an")
    return title if article else f"the {title}"


@dataclass(frozen=True)
class _Channel:
    title: str
    values: Mapping[str, int | None]
    row: Row


@dataclass(frozen=True)
class _Facts:
    """What the paragraph is about, read from the report's own tables."""

    report: Report
    channels: tuple[_Channel, ...]
    table: Table
    compared: Comparison | None

    @classmethod
    def of(cls, report: Report) -> "_Facts":
        table = report.table("channels")
        if table is None or not any(not row.total for row in table.rows):
            raise NotAllowed(
                f"no channel was kept {report.within}: there is nothing to say",
                "ask for another period, or import its figures first: outreach import",
            )
        found = tuple(
            _Channel(
                row.head,
                {
                    name: one.value if isinstance(one.value, int) else None
                    for name, one in zip(_HEADS, row.cells, strict=False)
                },
                row,
            )
            for row in table.rows
            if not row.total
        )
        return cls(report, found, table, next(iter(report.comparisons), None))

    @property
    def within(self) -> str:
        """ "in August 2025" """
        return self.report.within

    @property
    def then(self) -> str:
        """ "in July 2025", or "" where it is compared with nothing."""
        return self.compared.with_within if self.compared else ""

    @property
    def shared(self) -> tuple["_Channel", ...]:
        """The channels that are complete in both periods."""
        return self.among(self.compared.channels) if self.compared else ()

    def before(self, metric: str) -> int:
        """The sum of the shared channels in the other period, of a measure that is complete."""
        return (self.compared.line(metric).before or 0) if self.compared else 0

    def among(self, titles: Iterable[str]) -> tuple[_Channel, ...]:
        wanted = set(titles)
        return tuple(one for one in self.channels if one.title in wanted)

    def sum(self, metric: str, channels: Sequence[_Channel]) -> int | None:
        values = [one.values[metric] for one in channels]
        known = [one for one in values if one is not None]
        return sum(known) if known and len(known) == len(values) else None


class _Text:
    """Sentences in the making, with the numbers that they print."""

    def __init__(self, facts: _Facts) -> None:
        self.facts = facts
        self.said: list[str] = []
        self.numbers: list[Number] = []

    @property
    def words(self) -> int:
        return len(" ".join(self.said).split())

    def cell(self, value: int, metric: str, channels: Sequence[_Channel], shown: str = "") -> str:
        """A number of this month, traced to the table of channels."""
        table = self.facts.table
        rows = ", ".join(f"{one.title} {_shown(one.values[metric])}" for one in channels)
        head = table.columns[1 + list(_HEADS).index(metric)].head
        where = f"table {table.number}, column {head}: {rows}"
        text = shown or count(value)
        self._keep(text, metric, channels, self.facts.report.period, where)
        return text

    def before(self, metric: str) -> str:
        """A number of the other period, traced to the table that compares the two."""
        facts, value = self.facts, self.facts.before(metric)
        other = facts.compared.with_period if facts.compared else ""
        table = facts.report.table(facts.compared.name) if facts.compared else None
        head = facts.table.columns[1 + list(_HEADS).index(metric)].head
        place = f"table {table.number}" if table else "the comparison"
        text = count(value) if value else "none"
        where = f"{place}, column {_bare(facts.then)}, row {head}"
        self._keep(text, metric, facts.shared, other, where)
        return text

    def _keep(
        self, text: str, metric: str, channels: Sequence[_Channel], period: str, where: str
    ) -> None:
        titles = tuple(one.title for one in channels)
        self.numbers.append(Number(text, metric, titles, period, where))


def _shown(value: int | None) -> str:
    return ".." if value is None else figure(value)


def _written(facts: _Facts, campaigns: Sequence[str], *, counted: bool = False) -> Paragraph:
    text = _Text(facts)
    about = campaigns if counted else [named(title) for title in campaigns]
    for sentence in _always(text, about):
        text.said.append(sentence)
    for more in _FURTHER:
        if text.words < FEWEST and (told := more(text)):
            text.said.append(told)
    return Paragraph(
        " ".join(text.said),
        tuple(text.numbers),
        _table(facts),
        facts.report.period,
        facts.report.sample,
    )


def _always(text: _Text, about: Sequence[str]) -> Iterator[str]:
    """What was published, what is known of it, and what is not."""
    facts = text.facts
    yield _published(text, about)
    complete = facts.among(facts.report.complete)
    shared = facts.shared
    told = shared or complete
    if told:
        yield _displayed(text, told, compared=bool(shared))
    lacking = facts.among(facts.report.incomplete)
    left = [one for one in complete if one not in told]
    if left:
        yield (
            f"Data on {_the_channels(text, left, of=told)} were complete {facts.within} only, "
            "and are left out of the comparison."
        )
    if lacking:
        yield _gap(text, lacking, of=(*told, *left))
    unseen = [one for one in facts.channels if one not in (*complete, *lacking)]
    if unseen:
        names = "a further channel" if len(unseen) == 1 else f"{count(len(unseen))} other channels"
        yield f"How often posts were displayed on {names} cannot be known."
    if complete and not shared:
        then = f" {facts.then}" if facts.then else ""
        yield f"Complete data were not available for a comparison{then}."
    if gone := _withdrawn(facts.report):
        were = "post was" if gone == 1 else "posts were"
        yield f"{count(gone).capitalize()} further {were} published and withdrawn."


def _published(text: _Text, about: Sequence[str]) -> str:
    """How many posts, on how many channels, to promote what."""
    facts = text.facts
    known = [one for one in facts.channels if one.values["posts"] is not None]
    used = [one for one in known if one.values["posts"]]
    posts = facts.sum("posts", known)
    within = facts.within[:1].upper() + facts.within[1:]
    opening = f"{within}, the secretariat published"
    promoted = f" to promote {listing(about)}" if about else ""
    if posts is None:
        return f"How many posts the secretariat published {facts.within} was not recorded."
    if not posts:
        return f"{opening} no post{promoted}."
    number = text.cell(posts, "posts", used)
    said = (
        f"{opening} {number} {'post' if posts == 1 else 'posts'} on "
        f"{plural(len(used), 'channel')}{promoted}."
    )
    if uncounted := len(facts.channels) - len(known):
        said += (
            f" Posts on {count(uncounted)} further {'channel' if uncounted == 1 else 'channels'}"
        )
        said += " were not counted."
    return said


def _displayed(text: _Text, told: Sequence[_Channel], *, compared: bool) -> str:
    """Displays and links followed, of the channels that are complete, and no others."""
    facts = text.facts
    posts = facts.sum("posts", told)
    number = f"{text.cell(posts, 'posts', told)} " if posts else ""
    one = posts == 1
    noun = "post" if one else "posts"
    alone = len(told) == len(facts.channels)
    if alone:
        where = f"The {noun}" if len(facts.channels) == len(_used(facts)) else f"The {number}{noun}"
    else:
        data = "for which complete data were available"
        both = " in both months" if compared and len(told) < len(facts.report.complete) else ""
        on = f"the {plural(len(told), 'channel')}" if len(told) > 1 else "the one channel"
        where = f"The {number}{noun} on {on} {data}{both}"
    shown, followed = facts.sum("displays", told) or 0, facts.sum("clicks", told) or 0
    were = "was" if one else "were"
    displayed = f"{were} {_times(text, shown, 'displays', told, 'displayed')}"
    their = "its" if one else "their"
    links = f"{their} links were {_times(text, followed, 'clicks', told, 'followed')}"
    said = f"{where} {displayed} and {links}"
    if not compared:
        return f"{said}."
    # None of the two is missing: the channels are complete in both periods.
    numbers = f"{text.before('displays')} and {text.before('clicks')}, respectively,"
    on = "channels" if len(told) > 1 else "channel"
    return f"{said}, compared with {numbers} on the same {on} {facts.then}."


def _used(facts: _Facts) -> list[_Channel]:
    return [one for one in facts.channels if one.values["posts"]]


def _times(text: _Text, value: int, metric: str, channels: Sequence[_Channel], done: str) -> str:
    """ "displayed 79,896 times", "displayed once", "not displayed"."""
    if value == 0:
        text.cell(0, metric, channels, "not")
        return f"not {done}"
    if value == 1:
        return f"{done} {text.cell(1, metric, channels, 'once')}"
    return f"{done} {text.cell(value, metric, channels)} times"


def _gap(text: _Text, lacking: Sequence[_Channel], *, of: Sequence[_Channel]) -> str:
    """What the sums are without."""
    facts = text.facts
    some = any(one.values[name] is not None for one in lacking for name in CORE)
    data = "Complete data" if some else "Data"
    if not of:
        every = plural(len(lacking), "channel")
        on = {1: "the channel", 2: "either of the two channels"}.get(
            len(lacking), f"any of the {every}"
        )
        return f"{data} on displays and on links followed were not available for {on}."
    posts = facts.sum("posts", lacking)
    number = f" ({_posts(text, posts, lacking)})" if posts else ""
    return f"{data} for {_the_channels(text, lacking, of=of)}{number} were not available."


def _posts(text: _Text, posts: int, channels: Sequence[_Channel]) -> str:
    return f"{text.cell(posts, 'posts', channels)} {'post' if posts == 1 else 'posts'}"


def _the_channels(text: _Text, some: Sequence[_Channel], *, of: Sequence[_Channel]) -> str:
    """ "the fifth channel", "the other two channels"."""
    if len(some) == 1:
        place = len(of) + 1
        last = place == len(text.facts.channels) and place <= len(_ORDINALS)
        return f"the {_ORDINALS[place - 1]} channel" if last else "one other channel"
    return f"{'the other ' if of else ''}{plural(len(some), 'channel')}"


def _withdrawn(report: Report) -> int:
    """How many posts of the month were published and taken down again."""
    table = report.table("posts")
    if table is None:
        return 0
    gone = {note.letter for note in table.notes if note.text.startswith("Withdrawn on ")}
    return sum(row.note in gone for row in table.rows)


# --- what is said where there is room ---------------------------------------------------------


def _engagements(text: _Text) -> str:
    facts = text.facts
    told = facts.shared
    sums = facts.sum("engagements", told)
    if not told or not sums:
        return ""
    number = text.cell(sums, "engagements", told)
    of = "engagement" if sums == 1 else "engagements"
    then = f"compared with {text.before('engagements')} {facts.then}"
    return f"Readers responded with {number} {of}, {then}."


def _not_persons(text: _Text) -> str:
    return (
        "Displays are counted by each network in its own way, and they do not show how many "
        "persons were reached."
    )


def _cut_off(text: _Text) -> str:
    report = text.facts.report
    until = months.day(report.cut_off, report.zone)
    return f"Data collected until {until} were taken into account."


def _counted_in(text: _Text) -> str:
    return (
        f"Days were counted in the time zone {text.facts.report.zone}, and the data are set "
        "out by channel in the annexed table."
    )


def _absent(text: _Text) -> str:
    return (
        "A figure that a network did not give is shown as not available, is never counted as nil, "
        "and is left out of every sum."
    )


_FURTHER = (_engagements, _not_persons, _cut_off, _counted_in, _absent)


# --- the annex --------------------------------------------------------------------------------


def _table(facts: _Facts) -> Table:
    """The channels, and the sums that the paragraph quotes: a table that stands alone."""
    notes, texts = Notes(), {one.letter: one.text for one in facts.table.notes}
    # The paragraph's notes keep their words; their letters are counted anew.
    rows = [
        replace(
            channel.row,
            cells=tuple(
                replace(one, note=notes(texts.get(one.note, "")))
                for one in channel.row.cells[: len(_HEADS)]
            ),
            note=notes(texts.get(channel.row.note, "")),
        )
        for channel in facts.channels
    ]
    if facts.shared and facts.compared:
        sums = [facts.sum(name, facts.shared) for name in _HEADS]
        line = {one.metric: one.before for one in facts.compared.lines}
        before = [line.get(name) for name in _HEADS]
        which = notes("Sum of the channels for which complete data were available in both.")
        rows.append(Row(f"Compared, {_bare(facts.within)}", tuple(map(_cell, sums)), True, which))
        rows.append(Row(f"Compared, {_bare(facts.then)}", tuple(map(_cell, before)), True, which))
    return Table(
        name="som-paragraph",
        number=1,
        title=f"Outreach on social media, {_bare(facts.within)}",
        columns=(
            Column("Channel", 32),
            *(
                Column(head, width)
                for head, width in zip(_HEADS.values(), (12, 17, 21, 18), strict=True)
            ),
        ),
        rows=tuple(rows),
        notes=notes.all(),
        source=facts.table.source,
        sample=facts.table.sample,
    )


def _bare(within: str) -> str:
    """ "August 2025", of "in August 2025"."""
    return within.removeprefix("in ")


def _cell(value: int | None) -> Cell:
    return Cell("..") if value is None else Cell(figure(value) if value else "—", value)
