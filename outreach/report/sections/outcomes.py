"""What came of each campaign: its figures in AMEC's order, and how far its goals were reached.

No goal of a campaign is a goal of a channel, and nothing here is added over campaigns.
"""

from collections.abc import Iterable, Iterator

from outreach.measure.amec import MEASURES
from outreach.report.arithmetic import NOT_AVAILABLE
from outreach.report.paper import Notes, Paper, number
from outreach.report.sections.som import goals
from outreach.report.som import Promoted
from outreach.report.value import Cell, Column, Row, Section, Table
from outreach.report.words import listing, sentence

STAGE = {"output": "Output", "out-take": "Out-take", "outcome": "Outcome"}


def sections(paper: Paper) -> Iterable[Section]:
    """One part for each campaign that has a figure or a goal; none in the meeting's report."""
    known = [
        one
        for one in paper.facts.campaigns
        if one.aims or any(tally.value is not None for tally in one.tallies)
    ]
    if not known:
        return
    yield Section(
        "outcomes",
        "What came of it",
        (
            "Outputs are what was sent, out-takes what people did with it, and outcomes what came "
            "of the campaign itself. They are not added to each other, nor over campaigns.",
        ),
    )
    for one in known:
        yield Section(
            f"outcomes-{one.campaign}",
            one.title,
            tuple(_missing(one)),
            tables=(*_tallies(paper, one), *goals(paper, one.campaign, one.title, (one,))),
            level=2,
        )


def _tallies(paper: Paper, campaign: Promoted) -> tuple[Table, ...]:
    notes = Notes()
    rows = [
        Row(
            tally.label,
            (
                Cell(STAGE[MEASURES[tally.measure].stage]),
                Cell(listing(tally.sources) or NOT_AVAILABLE),
                number(tally.value),
            ),
            note=notes(sentence(MEASURES[tally.measure].definition)),
        )
        for tally in campaign.tallies
        if tally.value is not None
    ]
    return paper.table(
        f"outcomes-{campaign.campaign}",
        f"What was counted of {campaign.title} {paper.within}",
        (
            Column("Measure", 38),
            Column("Kind", 16, words=True),
            Column("Source", 30, words=True),
            Column("Figure", 16),
        ),
        rows,
        notes,
    )


def _missing(campaign: Promoted) -> Iterator[str]:
    whys: dict[str, list[str]] = {}
    for tally in campaign.tallies:
        if tally.value is None:
            whys.setdefault(tally.reason, []).append(tally.label.lower())
    for reason, labels in whys.items():
        yield f"Not available: {listing(labels)}. {sentence(reason)}".strip()
