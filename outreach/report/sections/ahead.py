"""What an officer remarks on the period, and what is planned after it."""

from collections.abc import Iterable

from outreach.report.paper import Paper
from outreach.report.value import Cell, Column, Row, Section, Table


def sections(paper: Paper) -> Iterable[Section]:
    """Remarks and plan, where there are any."""
    if paper.facts.notes:
        yield Section("remarks", "Remarks", paper.facts.notes)
    if plan := _plan(paper):
        yield Section("plan", f"Planned {paper.facts.plan_within}", tables=plan)


def _plan(paper: Paper) -> tuple[Table, ...]:
    rows = [
        Row(
            paper.moment(one.at),
            (Cell(one.title), Cell(one.channel), Cell(one.language), Cell(one.state)),
        )
        for one in sorted(
            paper.facts.plan_next, key=lambda one: (one.at, one.title, one.channel, one.language)
        )
    ]
    return paper.table(
        "plan",
        f"Posts planned {paper.facts.plan_within}",
        (
            Column(f"Time ({paper.facts.zone})", 27),
            Column("Post", 30, words=True),
            Column("Channel", 17, words=True),
            Column("Language", 12, words=True),
            Column("State", 14, words=True),
        ),
        rows,
        sourced=False,
    )
