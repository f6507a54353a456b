"""Who follows each channel: before the period and after it, and what was gained and lost.

Followers of several channels are never added: one person may follow all of them.
"""

from collections.abc import Iterable

from outreach.report.arithmetic import (
    BREAK,
    NOT_APPLICABLE,
    NOT_AVAILABLE,
    no_percentage,
    rounded,
)
from outreach.report.facts import Audience
from outreach.report.paper import Notes, Paper, cell, number
from outreach.report.value import Cell, Chart, Column, Row, Section, Series, Table
from outreach.report.words import figure, listing, signed


def sections(paper: Paper) -> Iterable[Section]:
    """The audience, where anybody has read it."""
    those = sorted(paper.facts.audience, key=lambda one: (one.title.casefold(), one.channel))
    if not those:
        return
    tables: tuple[Table, ...] = _table(paper, those)
    charts: tuple[Chart, ...] = ()
    if over := _over(paper, those):
        charts, tables = _chart(paper, those, over[0]), (*tables, *over)
    yield Section(
        "audience",
        "Audience",
        ("Followers are those of each channel alone: one person may follow several.",),
        charts,
        tables,
    )


def _table(paper: Paper, those: Iterable[Audience]) -> tuple[Table, ...]:
    notes = Notes()
    rows = [
        Row(
            one.title,
            (
                cell(one.before, notes),
                cell(one.after, notes),
                *_change(one),
                cell(one.gained, notes) if one.gained else Cell(NOT_APPLICABLE),
                cell(one.lost, notes) if one.lost else Cell(NOT_APPLICABLE),
            ),
        )
        for one in those
    ]
    return paper.table(
        "audience",
        f"Followers, {paper.title}",
        (
            Column("Channel", 22),
            Column("Before", 13),
            Column("At the end", 13),
            Column("Change", 12),
            Column("Change (per cent)", 18),
            Column("Gained", 11),
            Column("Lost", 11),
        ),
        rows,
        notes,
        sample=any(one.sample for one in paper.facts.audience),
        small=True,
    )


def _change(one: Audience) -> tuple[Cell, Cell]:
    before = one.before.value if one.before else None
    after = one.after.value if one.after else None
    if before is None or after is None:
        return Cell(NOT_AVAILABLE), Cell("n/a (figure not available)")
    if one.before and one.after and one.before.series != one.after.series:
        return Cell("n/a"), Cell(f"n/a ({BREAK})")
    difference = after - before
    told = Cell(f"{'+' if difference > 0 else ''}{figure(difference)}", difference)
    if why := no_percentage(before):
        return told, Cell(f"n/a ({why})")
    percent = rounded(difference, before, 1)
    return told, Cell(signed(percent), str(percent))


def _over(paper: Paper, those: Iterable[Audience]) -> tuple[Table, ...]:
    """Month by month, where at least two readings of a channel make a line."""
    drawn = [one for one in those if sum(value is not None for _, value in one.over) > 1]
    if not drawn:
        return ()
    labels = [label for label, _ in drawn[0].over]
    width = 78 // len(labels)
    rows = [Row(one.title, tuple(number(value) for _, value in one.over)) for one in drawn]
    return paper.table(
        "followers",
        "Followers at the end of each month",
        (
            Column("Channel", 100 - width * len(labels)),
            *(Column(label, width) for label in labels),
        ),
        rows,
        sample=any(one.sample for one in drawn),
        small=True,
    )


def _chart(paper: Paper, those: Iterable[Audience], table: Table) -> tuple[Chart, ...]:
    drawn = [one for one in those if sum(value is not None for _, value in one.over) > 1]
    told = []
    for one in drawn:
        known = [(label, value) for label, value in one.over if value is not None]
        (first, then), (last, now) = known[0], known[-1]
        told.append(f"{one.title} from {figure(then)} in {first} to {figure(now)} in {last}")
    return (
        paper.chart(
            "followers",
            "Followers at the end of each month",
            "followers",
            [label for label, _ in drawn[0].over],
            [Series(one.title, tuple(value for _, value in one.over)) for one in drawn],
            f"Followers of each channel: {listing(told)}.",
            table,
            kind="lines",
        ),
    )
