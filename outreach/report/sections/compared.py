"""This month against another, like for like: on the channels complete in both, and no others."""

from collections.abc import Iterable, Sequence

from outreach.measure import months
from outreach.report.arithmetic import (
    BREAK,
    NOT_APPLICABLE,
    comparable,
    is_complete,
    like_for_like,
    pooled_rates,
)
from outreach.report.facts import MonthFacts
from outreach.report.paper import (
    NOT_PERSONS,
    RATE,
    Notes,
    Paper,
    changed,
    nil,
    number,
    rate_cell,
    times,
)
from outreach.report.value import Cell, Column, Comparison, Line, Row, Section, Table
from outreach.report.words import count, listing, plural


def comparisons(paper: Paper) -> tuple[Comparison, ...]:
    """With the month before, and with the same month of the year before."""
    return tuple(comparison(paper, title, other) for _, title, other in _others(paper))


def sections(paper: Paper) -> Iterable[Section]:
    """What displays are and are not, and one part for each comparison."""
    yield Section(
        "reach",
        "Reach and engagement",
        (
            "Displays say how often posts were shown, not how many persons saw them, and what "
            "counts as shown differs by channel.",
            "How many persons were reached on all channels together cannot be known, since one "
            "person may use several of them. No such sum is given.",
        ),
    )
    for name, title, other in _others(paper):
        shared = comparable(paper.facts.this, other)
        lines = like_for_like(paper.facts.this, other, paper.facts.metrics)
        titles = tuple(one.title for one in paper.channels if one.channel in shared)
        yield Section(
            name,
            title,
            tuple(_words(paper, other, titles, shared, lines)),
            tables=_table(paper, name, other, shared, lines) if lines else (),
            level=2,
        )


def _others(paper: Paper) -> Iterable[tuple[str, str, MonthFacts]]:
    facts = paper.facts
    yield "month-before", "Compared with the month before", facts.before
    yield "year-before", "Compared with the same month of the year before", facts.year_ago


def comparison(paper: Paper, title: str, other: MonthFacts) -> Comparison:
    """The two months as figures."""
    facts = paper.facts
    shared = comparable(facts.this, other)
    lines = like_for_like(facts.this, other, facts.metrics)
    rates = pooled_rates(facts.this, other, facts.metrics)
    titles = tuple(one.title for one in paper.channels if one.channel in shared)
    names = _names(paper, other)
    return Comparison(
        title=title,
        month=facts.month,
        with_month=other.month,
        channels=titles,
        left_out=tuple(
            sorted((name for key, name in names.items() if key not in shared), key=str.casefold)
        ),
        lines=lines,
        rate=None if rates[0] is None else str(rates[0]),
        rate_before=None if rates[1] is None else str(rates[1]),
    )


def _words(
    paper: Paper,
    other: MonthFacts,
    titles: Sequence[str],
    shared: Sequence[str],
    lines: Sequence[Line],
) -> Iterable[str]:
    then = months.named(other.month)
    if not lines:
        yield (
            f"No channel has complete figures for both {paper.month} and {then}, and the two "
            "months are therefore not compared."
        )
        return
    posts, displays, engagements, clicks = lines
    if len(titles) == 1:
        where = f"{titles[0]}, the one channel with complete figures in both months,"
    else:
        where = f"the {count(len(titles))} channels with complete figures in both months"
    subject = "posts" if posts.this is None else f"the {plural(posts.this, 'post')}"
    were = "was" if posts.this == 1 else "were"
    if any(line.without for line in lines):
        yield f"In {paper.month}, {subject} on {where} {were} published."
        for line in lines[1:]:
            label = paper.facts.metrics[line.metric].label
            if line.this is not None:
                yield f"{label}: {nil(line.this)}, compared with {nil(line.before)} in {then}."
            if line.without:
                yield _without(paper, other, line)
    else:
        yield (
            f"In {paper.month}, {subject} on {where} {were} displayed {times(displays.this)} "
            f"and drew {nil(engagements.this)} engagements, and links were followed "
            f"{times(clicks.this)}, compared with {nil(displays.before)}, "
            f"{nil(engagements.before)} and {nil(clicks.before)}, respectively, on the same "
            f"{'channel' if len(titles) == 1 else 'channels'} in {then}."
        )
    whys: dict[str, list[str]] = {}
    for key, name in sorted(
        _names(paper, other).items(), key=lambda item: (item[1].casefold(), item[0])
    ):
        if key not in shared:
            lacking = [
                months.named(month.month)
                for month in (paper.facts.this, other)
                if not is_complete(month.get(key))
            ]
            whys.setdefault(" and ".join(lacking), []).append(name)
    covered = f"The comparison covers {listing(titles)} only."
    for lacking_in, names in whys.items():
        are, their = ("is", "its") if len(names) == 1 else ("are", "their")
        covered += (
            f" {listing(names)} {are} left out, since {their} figures for {lacking_in} are not "
            "complete."
        )
    yield covered


def _without(paper: Paper, other: MonthFacts, line: Line) -> str:
    """Which channels a measure is compared without, and why; empty where it is compared on all."""
    if not line.without:
        return ""
    names = listing([_names(paper, other).get(one, one) for one in line.without])
    return f"{paper.facts.metrics[line.metric].label} on {names}: {BREAK}."


def _names(paper: Paper, other: MonthFacts) -> dict[str, str]:
    """Titles of the channels of both months that can be compared at all."""
    both = (*other.channels, *paper.facts.this.channels)
    return {one.channel: one.title for one in both if one.shown}


def _table(
    paper: Paper,
    name: str,
    other: MonthFacts,
    shared: Sequence[str],
    lines: Sequence[Line],
) -> tuple[Table, ...]:
    facts = paper.facts
    notes = Notes()
    rates = pooled_rates(facts.this, other, facts.metrics)
    heads = {"posts": "Posts", "displays": NOT_PERSONS}
    rows = [
        Row(
            heads.get(line.metric) or facts.metrics[line.metric].label,
            (number(line.before), number(line.this), changed(line)),
            note=notes(_without(paper, other, line)),
        )
        for line in lines
    ]
    pooled = notes("Pooled: all engagements for every hundred of all displays.")
    displays = lines[1]
    rows.append(
        Row(
            f"{facts.metrics[RATE].label} (per cent)",
            (
                rate_cell(rates[1], displays.before),
                rate_cell(rates[0], displays.this),
                Cell(NOT_APPLICABLE),
            ),
            note=pooled,
        )
    )
    sample = any(
        one.sample
        for month in (facts.this, other)
        for one in month.channels
        if one.channel in shared
    )
    return paper.table(
        name,
        f"{paper.month} and {months.named(other.month)}, on channels complete in both",
        (
            Column("Measure", 43),
            Column(months.named(other.month), 16),
            Column(paper.month, 17),
            Column("Change (per cent)", 24),
        ),
        rows,
        notes,
        sample=sample,
    )
