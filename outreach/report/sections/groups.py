"""What posts brought, campaign by campaign and language by language.

A campaign's posts stand on several channels, and what is complete differs by channel: so posts are
added only on channels that are complete, and where one of them lacks a figure there is no sum.
"""

from collections.abc import Callable, Iterable, Sequence

from outreach.measure.metrics import add
from outreach.report.arithmetic import CORE, NOT_AVAILABLE, is_complete, rate
from outreach.report.facts import PostLine
from outreach.report.paper import NOT_PERSONS, RATE, Notes, Paper, number, rate_cell
from outreach.report.value import Cell, Column, Row, Section, Table
from outreach.report.words import figure, listing


def sections(paper: Paper) -> Iterable[Section]:
    """By campaign, and by language, where this desk published anything that can be added."""
    complete = {one.channel: one.title for one in paper.channels if is_complete(one)}
    posts = [post for post in paper.facts.posts if post.withdrawn_at is None]
    if not complete or not any(post.channel in complete for post in posts):
        return
    titles = paper.facts.titles
    parts = (
        _table(
            paper,
            complete,
            posts,
            "campaigns",
            "Campaign",
            lambda p: titles.get(p.campaign, p.campaign),
        ),
        _table(paper, complete, posts, "languages", "Language", lambda post: post.language),
    )
    yield Section(
        "groups",
        "Campaigns and languages",
        (
            "Posts that this desk published are added on the channels with complete figures only: "
            f"{listing(sorted(complete.values(), key=str.casefold))}. Clicks here are those of "
            "these posts up to the cut-off, whereas a channel’s clicks are the visits within the "
            f"{paper.period.word}, by posts of before as well.",
        ),
        tables=tuple(table for tables in parts for table in tables),
    )


def _table(
    paper: Paper,
    complete: dict[str, str],
    posts: Sequence[PostLine],
    name: str,
    head: str,
    of: Callable[[PostLine], str],
) -> tuple[Table, ...]:
    facts, notes = paper.facts, Notes()
    groups: dict[str, list[PostLine]] = {}
    for post in sorted(posts, key=lambda post: (of(post).casefold(), of(post), post.key)):
        groups.setdefault(of(post), []).append(post)
    rows = []
    for title, its in groups.items():
        counted = [post for post in its if post.channel in complete]
        sums = {metric: _sum(paper, metric, counted) for metric in CORE}
        rows.append(
            Row(
                title or NOT_AVAILABLE,
                (
                    number(len(its)),
                    number(len(counted)),
                    *(_cell(sums[metric], metric, counted, notes) for metric in CORE),
                    rate_cell(rate(sums["engagements"], sums["displays"]), sums["displays"]),
                ),
                note=notes(f"{NOT_PERSONS}."),
            )
        )
    return paper.table(
        name,
        f"{head}s {paper.within}, on channels with complete figures",
        (
            Column(head, 29),
            Column("Posts", 8),
            Column("Of these added", 10),
            *paper.heads("displays", width=12),
            *paper.heads("engagements", width=15),
            *paper.heads("clicks", width=9),
            Column(f"{facts.metrics[RATE].label} (per cent)", 17),
        ),
        rows,
        notes,
        sample=paper.sampled,
        small=True,
    )


def _sum(paper: Paper, metric: str, posts: Sequence[PostLine]) -> int | None:
    """Over the posts of each channel, and then over the channels."""
    word = paper.facts.metrics[metric]
    by: dict[str, list[int | None]] = {}
    for post in posts:
        by.setdefault(post.channel, []).append(post.value(metric))
    return add(word, [add(word, values, over="posts") for values in by.values()], over="channels")


def _cell(total: int | None, metric: str, posts: Sequence[PostLine], notes: Notes) -> Cell:
    if total is not None:
        return number(total)
    missing = sum(post.value(metric) is None for post in posts)
    if not missing:
        return Cell(NOT_AVAILABLE, note=notes("None of these posts is on a channel that is added."))
    return Cell(
        NOT_AVAILABLE, note=notes(f"Missing for {figure(missing)} of {figure(len(posts))} posts.")
    )
