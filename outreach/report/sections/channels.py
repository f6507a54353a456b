"""Each channel by itself. What is summed is summed over complete channels only."""

from collections.abc import Iterable

from outreach.report.arithmetic import CORE, NOT_APPLICABLE, NOT_AVAILABLE, complete_sums, rate
from outreach.report.paper import (
    NOT_PERSONS,
    RATE,
    Notes,
    Paper,
    cell,
    number,
    rate_cell,
    uncounted,
)
from outreach.report.value import Cell, Chart, Column, Row, Section, Series, Table
from outreach.report.words import figure, listing


def sections(paper: Paper) -> Iterable[Section]:
    """The channels, further figures of each, and what partners' readers followed."""
    [shown] = _channels(paper)
    tables = (shown, *_further(paper), *_partners(paper))
    yield Section("channels", "Channels", charts=_followed(paper, shown), tables=tables)


def _followed(paper: Paper, table: Table) -> tuple[Chart, ...]:
    """Clicks channel by channel: one definition for all of them."""
    known = [one for one in paper.channels if one.value("clicks") is not None]
    if len(known) < 2:
        return ()
    told = listing([f"{one.title} {figure(one.value('clicks') or 0)}" for one in known])
    return (
        paper.chart(
            "clicks",
            f"How often links were followed {paper.within}",
            "clicks",
            [one.title for one in known],
            [Series(paper.title, tuple(one.value("clicks") for one in known))],
            f"Clicks {paper.within}: {told}.",
            table,
        ),
    )


def _channels(paper: Paper) -> tuple[Table, ...]:
    facts = paper.facts
    notes = Notes()
    rows = []
    for channel in paper.channels:
        displays, engagements = channel.value("displays"), channel.value("engagements")
        cells = [
            cell(one, notes, shown=channel.shown or uncounted(one))
            for one in (channel.figures.get(name) for name in CORE)
        ]
        if not channel.shown:
            cells.append(Cell(NOT_APPLICABLE))
        elif displays is None or engagements is None:
            lacking = cells[0] if displays is None else cells[1]
            cells.append(Cell(NOT_AVAILABLE, note=lacking.note))
        else:
            cells.append(rate_cell(rate(engagements, displays), displays))
        rows.append(Row(channel.title, (number(channel.posts), *cells)))
    if len(paper.complete) > 1:
        sums = complete_sums(facts.this, facts.metrics)
        pooled = rate(sums["engagements"], sums["displays"])
        rows.append(
            Row(
                "Complete channels",
                (
                    number(sums["posts"]),
                    *(number(sums[name]) for name in CORE),
                    rate_cell(pooled, sums["displays"]),
                ),
                total=True,
                note=notes(
                    "Sum of the channels with complete figures. "
                    f"{NOT_PERSONS}. {facts.metrics[RATE].label} is pooled from the sums."
                ),
            )
        )
    return paper.table(
        "channels",
        f"Channels {paper.within}",
        (
            Column("Channel", 24),
            Column("Posts", 11),
            Column(facts.metrics["displays"].label, 15),
            Column(facts.metrics["engagements"].label, 17),
            Column(facts.metrics["clicks"].label, 12),
            Column(f"{facts.metrics[RATE].label} (per cent)", 21),
        ),
        rows,
        notes,
        sample=paper.sampled,
        empty=True,
    )


def _further(paper: Paper) -> tuple[Table, ...]:
    """Figures beyond the three, each for one channel: nothing here is ever added."""
    notes = Notes()
    rows = [
        Row(
            channel.title,
            (
                Cell(metric.label, metric.name),
                Cell(paper.collected(channel.figures[metric.name])),
                cell(channel.figures[metric.name], notes),
            ),
        )
        for channel in paper.channels
        for metric in paper.facts.metrics.values()
        if metric.name in channel.figures and metric.name not in CORE
    ]
    return paper.table(
        "further",
        f"Further figures {paper.within}, each for its channel alone",
        (
            Column("Channel", 26),
            Column("Measure", 26, words=True),
            Column("Collected", 30, words=True),
            Column("Figure", 18),
        ),
        rows,
        notes,
        sample=paper.sampled,
    )


def _partners(paper: Paper) -> tuple[Table, ...]:
    """Clicks that partners' readers made; none of them is in a channel's figures."""
    rows = [
        Row(
            one.name,
            (
                Cell("utm_source, imported" if one.counted is None else "short links"),
                Cell(NOT_AVAILABLE) if one.clicks is None else number(one.clicks),
            ),
        )
        for one in paper.facts.partners
    ]
    columns = (Column("Partner", 44), Column("Counted by", 34, words=True), Column("Clicks", 22))
    return paper.table("partners", f"Partner-driven clicks {paper.within}", columns, rows)
