"""What a version prints otherwise than the one that it supersedes, and why.

Both reports name every figure that they were made from, and its record. What differs is read off
these: a sum has changed where its posts have, and a post where a record came, or was taken back.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from outreach.measure import months
from outreach.report.arithmetic import NOT_AVAILABLE, like_for_like
from outreach.report.facts import Figure
from outreach.report.paper import NO_RECORD, Paper, number
from outreach.report.value import Cell, Column, Report, Row, Section, Table, Traced
from outreach.report.words import listing, plural, sentence, signed

Key = tuple[str, str, str]  # period, subject, metric


def sections(paper: Paper) -> Iterable[Section]:
    """The revision, where a version was kept before."""
    earlier = paper.facts.earlier
    if earlier is None:
        return
    told = [_since(paper, earlier)]
    if earlier.cut_off != paper.facts.cut_off:
        told.append(
            f"Version {earlier.edition} counted figures collected before "
            f"{paper.moment(earlier.cut_off)}; this one counts those before "
            f"{paper.moment(paper.facts.cut_off)}."
        )
    rows = [*_figures(paper, earlier), *_compared(paper, earlier)]
    if not rows:
        told.append("No figure has changed.")
    yield Section(
        "revised",
        f"Revised since version {earlier.edition}",
        tuple(told),
        tables=_table(paper, earlier, rows),
    )


def _since(paper: Paper, earlier: Report) -> str:
    of = months.moment(earlier.made_at, paper.facts.zone)
    return f"This report supersedes version {earlier.edition}, made on {of}."


def _table(paper: Paper, earlier: Report, rows: list[Row]) -> tuple[Table, ...]:
    return paper.table(
        "revised",
        f"What has changed since version {earlier.edition}",
        (
            Column("Channel", 18),
            Column("Measure", 16, words=True),
            Column("Period", 15, words=True),
            Column(f"Version {earlier.edition}", 11),
            Column("Now", 11),
            Column("Why", 29, words=True),
        ),
        rows,
        small=True,
    )


def _figures(paper: Paper, earlier: Report) -> Iterable[Row]:
    """Each channel's figure that is another one now."""
    facts = paper.facts
    old = {(one.period, one.subject, one.metric): one for one in earlier.traced}
    heads = {name: metric.label for name, metric in facts.metrics.items()} | {"posts": "Posts"}
    order = {name: place for place, name in enumerate(("posts", *facts.metrics))}
    for of in facts.every:
        period = of.period.name
        if period not in {one.period for one in earlier.traced} and period != earlier.period:
            continue  # it was not compared with this then
        now: dict[Key, Figure | int | None] = {}
        for channel in of.channels:
            now[period, channel.channel, "posts"] = channel.posts
            now |= {(period, channel.channel, name): f for name, f in channel.figures.items()}
        channels = {key[1] for key in now} | {
            one.subject for one in earlier.traced if one.period == period and not _is_post(one)
        }
        keys = now.keys() | {key for key in old if key[0] == period and key[1] in channels}
        for key in sorted(
            keys,
            key=lambda key: (
                paper.titles.get(key[1], key[1]).casefold(),
                key[1],
                order.get(key[2], len(order)),
            ),
        ):
            was, one = old.get(key), now.get(key)
            value = one.value if isinstance(one, Figure) else one
            if (was.value if was else None) == value:
                continue
            yield Row(
                paper.titles.get(key[1], key[1]),
                (
                    Cell(heads.get(key[2], key[2]), key[2]),
                    Cell(of.period.title, period),
                    number(was.value if was else None),
                    number(value),
                    Cell(_why(paper, old, key, was, one if isinstance(one, Figure) else None)),
                ),
            )


def _is_post(one: Traced) -> bool:
    return "@" in one.subject


def _why(
    paper: Paper, old: Mapping[Key, Traced], key: Key, was: Traced | None, one: Figure | None
) -> str:
    """Why a channel's figure is another one."""
    record = one.snapshot if one and one.source == "import" else None
    then = was.snapshot if was and was.source == "import" else None
    if then is not None and (record is None or record < then):
        return f"The import (record {then}) was taken back."
    if one is not None and record is not None and record != then:
        by = f" by {one.by}" if one.by else ""
        on = f" on {months.day(one.taken_at, paper.facts.zone)}" if one.taken_at else ""
        return f"Imported{by}{on} (record {record})."
    return sentence(_of_posts(paper, old, key)) or _computed(paper, key, one)


def _computed(paper: Paper, key: Key, one: Figure | None) -> str:
    if key[2] == "clicks" and one is not None and one.source == "link":
        return "Visits were counted since."
    if one is None:
        return f"{NO_RECORD} any more."
    return "It was read again, or what it is added up from was."


def _of_posts(paper: Paper, old: Mapping[Key, Traced], key: Key) -> str:
    """What has become of the posts that the figure is added up from."""
    period, channel, metric = key
    facts = paper.facts
    against = {one.facts.period.name: one.posts for one in facts.against}
    posts = facts.posts if period == facts.period.name else against.get(period, ())
    now = {one.key: one for one in posts if one.channel == channel and one.withdrawn_at is None}
    then = {
        k[1] for k in old if k[0] == period and k[2] == "posts" and k[1].endswith(f"@{channel}")
    }
    withdrawn = {one.key for one in posts if one.withdrawn_at is not None} & then
    told = []
    if withdrawn:
        were = "was" if len(withdrawn) == 1 else "were"
        told.append(f"{plural(len(withdrawn), 'post')} {were} withdrawn")
    if fresh := now.keys() - then:
        told.append(f"{plural(len(fresh), 'post')} became known")
    if metric != "posts":
        again = typed = 0
        for name in now.keys() & then:
            for figure in now[name].figures.values():
                was = old.get((period, name, figure.metric))
                if (was.snapshot if was else None) != figure.snapshot:
                    typed += figure.source == "import"
                    again += figure.source != "import"
                    break
        if again:
            told.append(f"figures of {plural(again, 'post')} were read later")
        if typed:
            told.append(f"figures of {plural(typed, 'post')} were imported")
    return listing(told)


def _compared(paper: Paper, earlier: Report) -> Iterable[Row]:
    """What is compared like for like, where that has changed in consequence."""
    before = {one.name: one for one in earlier.comparisons}
    for against in paper.facts.against:
        old = before.get(against.name)
        if old is None or old.with_period != against.facts.period.name:
            continue
        was = {line.metric: line.change for line in old.lines}
        lines = like_for_like(paper.facts.this, against.facts, paper.facts.metrics)
        now = {line.metric: line.change for line in lines}
        for metric in dict.fromkeys((*was, *now)):
            if was.get(metric) != now.get(metric):
                label = "Posts" if metric == "posts" else paper.facts.metrics[metric].label
                yield Row(
                    "Compared",
                    (
                        Cell(f"{label}, change (per cent)", metric),
                        Cell(f"{paper.title} and {against.facts.period.title}"),
                        _change(was.get(metric)),
                        _change(now.get(metric)),
                        Cell("It follows from the figures above."),
                    ),
                )


def _change(value: str | None) -> Cell:
    return Cell(NOT_AVAILABLE) if value is None else Cell(signed(Decimal(value)), value)
