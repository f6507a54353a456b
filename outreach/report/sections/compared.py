"""This period against another, like for like: on the channels complete in both, and no others."""

from collections.abc import Iterable, Sequence

from outreach.report.arithmetic import (
    BREAK,
    NOT_APPLICABLE,
    broken,
    comparable,
    is_complete,
    like_for_like,
    pooled_rates,
)
from outreach.report.facts import Against, MonthFacts
from outreach.report.paper import (
    NOT_PERSONS,
    RATE,
    Notes,
    Paper,
    changed,
    nil,
    number,
    opening,
    rate_cell,
    times,
)
from outreach.report.value import Cell, Chart, Column, Comparison, Line, Row, Section, Series, Table
from outreach.report.words import count, listing, plural


def comparisons(paper: Paper) -> tuple[Comparison, ...]:
    """With each of the periods that this one is compared with."""
    return tuple(comparison(paper, other) for other in paper.facts.against)


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
    if not paper.facts.against:
        yield Section(
            "not-compared",
            "Compared with an earlier one",
            (f"No earlier {paper.period.kind} is named to compare this one with.",),
            level=2,
        )
    for against in paper.facts.against:
        name, other = against.name, against.facts
        shared = comparable(paper.facts.this, other)
        lines = like_for_like(paper.facts.this, other, paper.facts.metrics)
        titles = tuple(one.title for one in paper.channels if one.channel in shared)
        whole = _table(paper, name, other, shared, lines) if lines else ()
        each = _each(paper, name, other, shared)
        yield Section(
            name,
            against.title,
            tuple(_words(paper, other, titles, shared, lines)),
            _charts(paper, name, other, each),
            (*whole, *each),
            level=2,
        )


def _each(paper: Paper, name: str, other: MonthFacts, shared: Sequence[str]) -> tuple[Table, ...]:
    """Displays and clicks of each channel that is compared, side by side."""
    rows = []
    for channel in paper.channels:
        before = other.get(channel.channel)
        if channel.channel not in shared or before is None:
            continue
        # One channel alone is as comparable as all that are complete.
        lines = like_for_like(
            MonthFacts(paper.period, (channel,)),
            MonthFacts(other.period, (before,)),
            paper.facts.metrics,
        )
        by = {line.metric: line for line in lines}
        cells = [
            (number(before.value(metric)), number(channel.value(metric)), changed(by[metric]))
            for metric in ("displays", "clicks")
        ]
        rows.append(Row(channel.title, (*cells[0], *cells[1])))
    then, now = other.period.title, paper.title
    return paper.table(
        f"{name}-channels",
        f"{now} and {then}, channel by channel",
        (
            Column("Channel", 16),
            Column(f"Displays, {then}", 13),
            Column(f"Displays, {now}", 13),
            Column("Change (per cent)", 16),
            Column(f"Clicks, {then}", 13),
            Column(f"Clicks, {now}", 13),
            Column("Change (per cent)", 16),
        ),
        rows,
        sample=_sampled(paper, other, shared),
        small=True,
    )


def _charts(paper: Paper, name: str, other: MonthFacts, each: Sequence[Table]) -> tuple[Chart, ...]:
    """Displays of each channel that is compared, and has no break in their series."""
    gone = {_names(paper, other)[one] for one in broken(paper.facts.this, other, "displays")}
    rows = [row for table in each for row in table.rows if row.head not in gone]
    if not rows:
        return ()
    then, now = other.period.title, paper.title
    told = listing([f"{row.head} {row.cells[1].text} after {row.cells[0].text}" for row in rows])
    return (
        paper.chart(
            f"{name}-displays",
            f"Displays on channels complete in both, {now} and {then}",
            "displays",
            [row.head for row in rows],
            [
                Series(then, tuple(row.cells[0].value for row in rows)),
                Series(now, tuple(row.cells[1].value for row in rows)),
            ],
            f"Displays, {now} after {then}: {told}.",
            each[0],
        ),
    )


def _sampled(paper: Paper, other: MonthFacts, shared: Sequence[str]) -> bool:
    """Whether any figure of the channels that are compared is a sample."""
    return any(
        one.sample
        for of in (paper.facts.this, other)
        for one in of.channels
        if one.channel in shared
    )


def comparison(paper: Paper, against: Against) -> Comparison:
    """The two periods as figures."""
    facts, other = paper.facts, against.facts
    shared = comparable(facts.this, other)
    lines = like_for_like(facts.this, other, facts.metrics)
    rates = pooled_rates(facts.this, other, facts.metrics)
    titles = tuple(one.title for one in paper.channels if one.channel in shared)
    names = _names(paper, other)
    return Comparison(
        name=against.name,
        title=against.title,
        period=paper.period.name,
        with_period=other.period.name,
        within=paper.within,
        with_within=other.period.within,
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
    word = _word(paper, other)
    if not lines:
        yield (
            f"No channel has complete figures for both {paper.title} and "
            f"{other.period.title}, and the two {word}s are therefore not compared."
        )
        return
    posts, displays, engagements, clicks = lines
    if len(titles) == 1:
        where = f"{titles[0]}, the one channel with complete figures in both {word}s,"
    else:
        where = f"the {count(len(titles))} channels with complete figures in both {word}s"
    subject = "posts" if posts.this is None else f"the {plural(posts.this, 'post')}"
    were = "was" if posts.this == 1 else "were"
    then = other.period.within
    if any(line.without for line in lines):
        yield f"{opening(paper.within)}, {subject} on {where} {were} published."
        for line in lines[1:]:
            label = paper.facts.metrics[line.metric].label
            if line.this is not None:
                yield f"{label}: {nil(line.this)}, compared with {nil(line.before)} {then}."
            if line.without:
                yield _without(paper, other, line)
    else:
        yield (
            f"{opening(paper.within)}, {subject} on {where} {were} displayed "
            f"{times(displays.this)} and drew {nil(engagements.this)} engagements, and links "
            f"were followed {times(clicks.this)}, compared with {nil(displays.before)}, "
            f"{nil(engagements.before)} and {nil(clicks.before)}, respectively, on the same "
            f"{'channel' if len(titles) == 1 else 'channels'} {then}."
        )
    whys: dict[str, list[str]] = {}
    for key, name in sorted(
        _names(paper, other).items(), key=lambda item: (item[1].casefold(), item[0])
    ):
        if key not in shared:
            lacking = [
                of.period.title for of in (paper.facts.this, other) if not is_complete(of.get(key))
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


def _word(paper: Paper, other: MonthFacts) -> str:
    """What both are."""
    return "month" if {paper.period.kind, other.period.kind} == {"month"} else "period"


def _names(paper: Paper, other: MonthFacts) -> dict[str, str]:
    """Titles of the channels of both periods that can be compared at all."""
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
    return paper.table(
        name,
        f"{paper.title} and {other.period.title}, on channels complete in both",
        (
            Column("Measure", 43),
            Column(other.period.title, 16),
            Column(paper.title, 17),
            Column("Change (per cent)", 24),
        ),
        rows,
        notes,
        sample=_sampled(paper, other, shared),
    )
