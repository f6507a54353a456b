"""The annexes: every post, every figure with its source, and what the measures mean."""

from collections.abc import Iterable, Mapping, Sequence

from outreach.measure import months
from outreach.measure.metrics import Reason
from outreach.report.arithmetic import CORE, NOT_APPLICABLE, NOT_AVAILABLE
from outreach.report.facts import Figure, MonthFacts, PostLine
from outreach.report.paper import NO_RECORD, RATE, Notes, Paper, cell, number, order, uncounted, why
from outreach.report.value import Cell, Column, Row, Section, Table


def sections(paper: Paper) -> Iterable[Section]:
    """One annex for each table that has something in it."""
    every = paper.facts.every
    for title, tables in (
        ("Posts", _posts(paper)),
        ("Posts by others", _others(paper)),
        ("Gaps", _gaps(paper)),
        ("Figures entered by hand", _typed(paper)),
        ("Figures and their sources", _figures(paper, every)),
        ("Definitions", _definitions(paper, every)),
    ):
        if tables:
            yield Section(f"annex-{tables[0].name}", title, tables=tables, annex=True)


def _posts(paper: Paper) -> tuple[Table, ...]:
    notes = Notes()
    rows = []
    for post in sorted(paper.facts.posts, key=lambda one: (one.published_at, one.key)):
        withdrawn = ""
        if post.withdrawn_at is not None:
            withdrawn = notes(f"Withdrawn on {paper.moment(post.withdrawn_at)}.")
        rows.append(
            Row(
                post.title,
                (
                    Cell(post.channel),
                    Cell(post.language),
                    paper.at(post.published_at),
                    *(
                        cell(
                            _of_post(paper, post, name),
                            notes,
                            shown=post.linked
                            if name == "clicks"
                            else post.channel not in paper.unshown,
                        )
                        for name in CORE
                    ),
                ),
                note=withdrawn,
            )
        )
    return paper.table(
        "posts",
        f"Posts published {paper.within}",
        (
            Column("Post", 22),
            Column("Channel", 14, words=True),
            Column("Language", 11, words=True),
            Column(f"Published ({paper.facts.zone})", 20, words=True),
            *paper.heads("displays", width=10),
            *paper.heads("engagements", width=13),
            *paper.heads("clicks", width=10),
        ),
        rows,
        notes,
        small=True,
    )


def _of_post(paper: Paper, post: PostLine, name: str) -> Figure | None:
    """A post's figure; where its network gives it in parts, their sum; and where its network gives
    none, that reason."""
    if (total := post.totals.get(name)) is not None and name not in post.figures:
        return Figure(name, total, source="network")
    channel = paper.facts.this.get(post.channel)
    told = channel.figures.get(name) if channel else None
    never = told if told and told.reason == Reason.NOT_OFFERED else None
    return post.figures.get(name) or never


def _others(paper: Paper) -> tuple[Table, ...]:
    """What others published: listed by itself, and never added to what is ours."""
    notes = Notes()
    shown = [name for name in CORE if name != "clicks"]  # counted on our own links alone
    apart = notes("Published by others on accounts that are not ours. In no sum of this report.")
    rows = [
        Row(
            one.url,
            (
                Cell(one.whose or NOT_AVAILABLE),
                Cell(one.channel),
                Cell(one.campaign),
                Cell(months.day(one.published_at, paper.facts.zone)),
                *(cell(one.figures.get(name), notes) for name in shown),
            ),
            note=apart,
        )
        for one in paper.facts.others
    ]
    return paper.table(
        "others",
        f"Posts by others about our campaigns, published {paper.within}",
        (
            Column("Post", 24),
            Column("By", 15, words=True),
            Column("Channel", 12, words=True),
            Column("Campaign", 13, words=True),
            Column("Published", 12, words=True),
            *paper.heads("displays", width=10),
            *paper.heads("engagements", width=14),
        ),
        rows,
        notes,
        small=True,
    )


def _figures(paper: Paper, every: Sequence[MonthFacts]) -> tuple[Table, ...]:
    """Every figure that went into the report, so that each number can be traced."""
    notes = Notes()
    rows = [
        Row(
            channel.title,
            (
                Cell(of.period.title, of.period.name),
                Cell(metric.label, metric.name),
                Cell(_from(channel.figures[metric.name])),
                paper.when(channel.figures[metric.name]),
                _identity(channel.figures[metric.name].snapshot),
                cell(channel.figures[metric.name], notes),
            ),
        )
        for of in every
        for channel in sorted(of.channels, key=order)
        for metric in paper.facts.metrics.values()
        if metric.name in channel.figures
        and (channel.shown or channel.value(metric.name) is not None)
    ]
    return paper.table(
        "figures",
        "Figures that this report is made from",
        (
            Column("Channel", 14),
            Column("Period", 15, words=True),
            Column("Measure", 15, words=True),
            Column("Source", 17, words=True),
            Column("Collected", 20, words=True),
            Column("Record", 8),
            Column("Figure", 11),
        ),
        rows,
        notes,
        sample=any(one.sample for of in every for one in of.channels),
        small=True,
    )


def _gaps(paper: Paper) -> tuple[Table, ...]:
    """What is not known, and why: channel by channel, and of how many of its posts."""
    facts = paper.facts
    rows = []
    for of in facts.every:
        for channel in sorted(of.channels, key=order):
            for name in (*CORE, *(n for n in facts.metrics if n not in CORE)):
                one = channel.figures.get(name)
                needed = name in CORE and channel.shown
                if (one is None and not needed) or (one and one.value is not None):
                    continue
                if not channel.shown and not uncounted(one):
                    continue  # nobody can know it there
                rows.append(
                    Row(
                        channel.title,
                        (
                            Cell(facts.metrics[name].label, name),
                            Cell(of.period.title, of.period.name),
                            Cell(why(one) if one else f"{NO_RECORD}."),
                        ),
                    )
                )
    return paper.table(
        "gaps",
        "Figures that are not available, and why",
        (
            Column("Channel", 18),
            Column("Measure", 17, words=True),
            Column("Period", 17, words=True),
            Column("Why", 48, words=True),
        ),
        rows,
        small=True,
    )


def _typed(paper: Paper) -> tuple[Table, ...]:
    """Every value that a person entered, with who did it and when."""
    facts = paper.facts
    shown = {post.key: f"{post.title}, {post.language}" for post in facts.posts}
    subjects = [
        (channel.title, of.period, figure)
        for of in facts.every
        for channel in sorted(of.channels, key=order)
        for figure in _in_order(paper, channel.figures)
    ]
    subjects += [
        (f"{paper.titles.get(post.channel, post.channel)}: {shown[post.key]}", facts.period, figure)
        for post in sorted(facts.posts, key=lambda one: (one.published_at, one.key))
        for figure in _in_order(paper, post.figures)
    ]
    rows = [
        Row(
            subject,
            (
                Cell(facts.metrics[one.metric].label, one.metric),
                Cell(period.title, period.name),
                Cell(one.by or NOT_AVAILABLE),
                Cell(paper.collected(one)),
                _identity(one.snapshot),
                Cell(number(one.value).text, one.value),
            ),
        )
        for subject, period, one in subjects
        if one.source == "import" and one.value is not None and one.by
    ]
    return paper.table(
        "typed",
        "Figures that a person entered",
        (
            Column("Channel or post", 20),
            Column("Measure", 15, words=True),
            Column("Period", 14, words=True),
            Column("By", 13, words=True),
            Column("When", 19, words=True),
            Column("Record", 8),
            Column("Figure", 11),
        ),
        rows,
        sample=any(one.sample for of in facts.every for one in of.channels),
        small=True,
    )


def _in_order(paper: Paper, figures: Mapping[str, Figure]) -> list[Figure]:
    return [figures[name] for name in paper.facts.metrics if name in figures]


def _definitions(paper: Paper, every: Sequence[MonthFacts]) -> tuple[Table, ...]:
    used = {name for of in every for one in of.channels for name in one.figures}
    rows = [
        Row(metric.label, (Cell(metric.unit), Cell(metric.definition)))
        for metric in paper.facts.metrics.values()
        if metric.name in used | {*CORE, RATE}
    ]
    return paper.table(
        "definitions",
        "What the measures mean",
        (
            Column("Measure", 18),
            Column("Unit", 14, words=True),
            Column("Definition", 68, words=True),
        ),
        rows,
        sourced=False,
        small=True,
    )


def _from(one: Figure) -> str:
    by = f" by {one.by}" if one.by else ""
    return {
        "network": "Network",
        "link": "Short links",
        "import": f"Typed{by}" if by else "Imported file",
    }.get(one.source, one.source) + (by if by and one.source != "import" else "")


def _identity(snapshot: int | None) -> Cell:
    return Cell(NOT_APPLICABLE) if snapshot is None else Cell(str(snapshot), snapshot)
