"""Posts of the same age: what each had reached seven days after it was published.

Figures keep growing, so that a post of the 30th seems weak beside one of the 2nd. At seven days
all are alike. Posts are compared within their channel, by the median: one that went round the
world moves it little. A channel with fewer than five such posts says nothing, nor does one whose
network began to count otherwise in between: neither of it alone nor beside the other period.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import median

from outreach.report.arithmetic import BREAK, LEAST_BASE, no_percentage, rounded
from outreach.report.facts import Against, PostLine
from outreach.report.paper import NO_RECORD, Notes, Paper, number
from outreach.report.value import Cell, Column, Row, Section, Table
from outreach.report.words import count, figure, signed

LEAST_POSTS = 5  # on a channel, below which a median is anybody's
MOST_NAMED = 3  # posts on top, and as many weak ones
MEASURES = ("displays", "engagements")  # the first that a channel gives


def sections(paper: Paper) -> Iterable[Section]:
    """The medians beside those of the compared period, and the posts on top and below."""
    posts = [post for post in paper.facts.posts if post.withdrawn_at is None]
    if not posts:
        return
    read = sum(any(metric in post.week for metric in MEASURES) for post in posts)
    words = [
        "Figures of posts grow with time. Each post is taken here as it was seven days after it "
        f"was published; {figure(read)} of {figure(len(posts))} posts were read at that age. The "
        f"median of a channel is given from {count(LEAST_POSTS)} such posts on."
    ]
    tables = _medians(paper, posts)
    ranked, why = _ranked(posts)
    named = _named(paper, ranked)
    if not named:
        words.append(f"No post is named as strong or weak: {why}.")
    yield Section("ages", "Posts at the same age", tuple(words), tables=(*tables, *named))


def _values(posts: Iterable[PostLine], channel: str, metric: str) -> list[int]:
    return [
        post.week[metric]
        for post in posts
        if post.channel == channel and post.withdrawn_at is None and metric in post.week
    ]


def _series(posts: Iterable[PostLine], channel: str, metric: str) -> set[str]:
    """What was counted in these posts' figures at that age."""
    return {
        post.series.get(metric, "")
        for post in posts
        if post.channel == channel and post.withdrawn_at is None and metric in post.week
    }


def _middle(values: Sequence[int]) -> Fraction | None:
    """The median, exact; None of too few."""
    return Fraction(median(map(Fraction, values))) if len(values) >= LEAST_POSTS else None


def _medians(paper: Paper, posts: Sequence[PostLine]) -> tuple[Table, ...]:
    facts = paper.facts
    against: Against | None = facts.against[0] if facts.against else None
    notes = Notes()
    rows = []
    for channel in paper.channels:
        for metric in MEASURES:
            now = _values(posts, channel.channel, metric)
            then = _values(against.posts, channel.channel, metric) if against else []
            if not now:
                continue
            counted = _series(posts, channel.channel, metric)
            earlier = _series(against.posts, channel.channel, metric) if against else set()
            whole = len(counted | earlier) == 1
            rows.append(
                Row(
                    channel.title,
                    (
                        Cell(facts.metrics[metric].label, metric),
                        number(len(then)),
                        _median(then, notes, broken=len(earlier) > 1),
                        number(len(now)),
                        _median(now, notes, broken=len(counted) > 1),
                        _change(_middle(now), _middle(then), len(then))
                        if whole
                        else Cell(f"n/a ({BREAK})"),
                    ),
                )
            )
    before = against.facts.period.title if against else "before"
    return paper.table(
        "ages",
        f"Medians seven days after publishing, posts {paper.within}",
        (
            Column("Channel", 18),
            Column("Measure", 16, words=True),
            Column(f"Posts, {before}", 14),
            Column("Median", 11),
            Column(f"Posts, {paper.title}", 14),
            Column("Median", 11),
            Column("Change (per cent)", 16),
        ),
        rows,
        notes,
        sample=paper.sampled,
        small=True,
    )


def _median(values: Sequence[int], notes: Notes, *, broken: bool) -> Cell:
    if broken:
        return Cell("..", note=notes(f"{BREAK[0].upper()}{BREAK[1:]}."))
    middle = _middle(values)
    if middle is None:
        why = f"Fewer than {count(LEAST_POSTS)} posts." if values else f"{NO_RECORD} at that age."
        return Cell("..", note=notes(why))
    whole, half = divmod(middle, 1)
    return Cell(
        f"{figure(int(whole))}{'.5' if half else ''}" if middle else "—",
        str(Decimal(int(whole)) + (Decimal("0.5") if half else 0)),
    )


def _change(now: Fraction | None, then: Fraction | None, posts: int) -> Cell:
    if now is None or then is None:
        return Cell("n/a (too few posts)" if posts else "n/a (base not available)")
    if why := no_percentage(int(then)):
        return Cell(f"n/a ({why})")
    change = rounded(int(2 * (now - then)), int(2 * then), 1)
    return Cell(signed(change), str(change))


def _ranked(
    posts: Sequence[PostLine],
) -> tuple[list[tuple[Fraction, str, Fraction, PostLine]], str]:
    """(times its channel's median, measure, median, post), the strongest first; or why none."""
    found = []
    for channel in sorted({post.channel for post in posts}):
        for metric in MEASURES:
            values = _values(posts, channel, metric)
            if not values:
                continue
            middle = _middle(values)
            whole = len(_series(posts, channel, metric)) < 2
            if whole and middle is not None and middle >= LEAST_BASE:
                found += [
                    (Fraction(post.week[metric]) / middle, metric, middle, post)
                    for post in posts
                    if post.channel == channel and metric in post.week
                ]
            break
    return (
        sorted(found, key=lambda one: (-one[0], one[3].key)),
        f"no channel has {count(LEAST_POSTS)} posts that were read at that age and a median of "
        f"{LEAST_BASE}",
    )


def _named(
    paper: Paper, ranked: Sequence[tuple[Fraction, str, Fraction, PostLine]]
) -> tuple[Table, ...]:
    """The strongest above their median, and the weakest below it."""
    top = [one for one in ranked if one[0] > 1][:MOST_NAMED]
    weak = [one for one in ranked if one[0] < 1][-MOST_NAMED:]
    rows = [
        Row(
            post.title,
            (
                Cell(word),
                Cell(paper.titles.get(post.channel, post.channel)),
                Cell(post.language),
                Cell(paper.facts.metrics[metric].label, metric),
                number(post.week[metric]),
                Cell(f"{rounded(times.numerator, 100 * times.denominator, 1)}"),
            ),
        )
        for word, those in (("Strong", top), ("Weak", weak))
        for times, metric, _, post in those
    ]
    notes = Notes()
    if rows:
        notes(
            "Ranked by how many times the median of its own channel a post had reached after seven "
            "days, so that channels that count differently can stand in one table."
        )
    return paper.table(
        "strong-and-weak",
        f"Strong and weak posts {paper.within}, seven days after publishing",
        (
            Column("Post", 26),
            Column("", 9, words=True),
            Column("Channel", 15, words=True),
            Column("Language", 10, words=True),
            Column("Measure", 14, words=True),
            Column("Figure", 11),
            Column("Times the median", 15),
        ),
        rows,
        notes,
        sample=paper.sampled,
        small=True,
    )
