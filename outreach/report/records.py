"""From a number of a frozen report to the records that it was read from.

The report itself says of every figure where it was read; only how many posts a person typed for a
month is looked up, in a table to which lines are only ever added.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.delivery import Delivery
from outreach.measure.latest import of_month
from outreach.measure.metrics import Metric
from outreach.platforms import Channel
from outreach.report.paragraph import Number
from outreach.report.value import Report, Traced
from outreach.store.tables import Snapshot


def promoted(session: Session, report: Report) -> frozenset[str]:
    """The campaigns whose posts were published in the report's period."""
    asked = select(Delivery.campaign).where(
        Delivery.published_at >= report.starts, Delivery.published_at < report.ends
    )
    return frozenset(session.scalars(asked.distinct()))


def records(
    session: Session,
    report: Report,
    number: Number,
    *,
    channels: Mapping[str, Channel],
    metrics: Mapping[str, Metric],
) -> tuple[str, ...]:
    """What a number was read from: "X: snapshot 12", "web: posts forum-2025/recap/en@web"."""
    period = number.period.removeprefix("som:")
    its = [one for one in report.traced if one.period == period]
    found = []
    for name, channel in channels.items():
        if channel.title not in number.channels:
            continue
        posts = [one for one in its if one.subject.endswith(f"@{name}")]
        told = _typed(session, name, number.metric, period, report) or _of(
            number.metric, name, posts, its, _names(number.metric, channel, metrics)
        )
        if told:
            found.append(f"{channel.title}: {told}")
    return tuple(found)


def _typed(session: Session, channel: str, metric: str, period: str, report: Report) -> str:
    """A month's total that a person typed, or a file had."""
    found = session.scalar(
        select(func.max(Snapshot.id)).where(
            Snapshot.channel == channel,
            *of_month(period, by=report.made_at),
            Snapshot.metric == metric,
            Snapshot.taken_at <= report.made_at,
        )
    )
    return f"snapshot {found}" if found else ""


def _of(
    metric: str,
    channel: str,
    posts: Sequence[Traced],
    its: Sequence[Traced],
    names: Sequence[str],
) -> str:
    """What the channel's figure was added up from."""
    if metric == "posts":
        keys = [one.subject for one in posts if one.metric == "posts"]
        return f"posts {', '.join(keys)}" if keys else ""
    if metric == "clicks":
        count = next((o.value for o in its if (o.subject, o.metric) == (channel, metric)), None)
        return "" if count is None else f"{count:,} visits of its posts' short links"
    found = (one.snapshot for one in posts if one.metric in names)
    ids = sorted({one for one in found if one is not None})
    return f"snapshots {ranges(ids)}" if ids else ""


def _names(metric: str, channel: Channel, metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """The measure, and what it is made of on this network."""
    known = metrics.get(metric)
    return (metric, *(known.parts(channel.platform) if known else ()))


def ranges(ids: Sequence[int]) -> str:
    """ "101-140, 152" """
    pieces: list[list[int]] = []
    for one in ids:
        if pieces and one == pieces[-1][1] + 1:
            pieces[-1][1] = one
        else:
            pieces.append([one, one])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in pieces)
