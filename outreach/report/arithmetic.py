"""The arithmetic of a report: exact, rounded half up, and never on too little.

Rates are pooled (the sum of the parts over the sum of the wholes), never averaged. A percentage
needs a base of 30; from nothing, or from zero, there is none. Nor across a break in series: what a
network counted otherwise in the other month is left out of that measure's comparison.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from outreach.measure.metrics import Metric, add
from outreach.report.facts import ChannelMonth, MonthFacts
from outreach.report.value import Line

CORE = ("displays", "engagements", "clicks")
"""A channel is complete in a month when it has a value for each of these."""

LEAST_BASE = 30  # below it a percentage says more than was seen
BREAK = "break in series, not comparable"
NOT_AVAILABLE, NIL, NOT_APPLICABLE = "..", "—", "-"


def rounded(part: int, whole: int, places: int) -> Decimal:
    """part / whole in per cent, half rounded away from zero; exact at every size. whole > 0."""
    scale = 100 * 10**places
    size = (2 * abs(part) * scale + whole) // (2 * whole)
    return Decimal(size if part >= 0 else -size).scaleb(-places)


def no_percentage(base: int | None) -> str:
    """Why there can be no percentage on this base; empty where there can."""
    if base is None:
        return "base not available"
    if base == 0:
        return "base zero"
    return f"base under {LEAST_BASE}" if base < LEAST_BASE else ""


def rate(part: int | None, whole: int | None) -> Decimal | None:
    """part for every hundred of whole, to two decimals; None without a base of 30."""
    if part is None or whole is None or no_percentage(whole):
        return None
    return rounded(part, whole, 2)


def is_complete(month: ChannelMonth | None) -> bool:
    """Whether the channel has a value for displays, engagements and clicks."""
    return month is not None and all(month.value(metric) is not None for metric in CORE)


def comparable(this: MonthFacts, before: MonthFacts) -> tuple[str, ...]:
    """The channels that are complete in both months, in alphabetical order."""
    return tuple(
        sorted(
            one.channel
            for one in this.channels
            if is_complete(one) and is_complete(before.get(one.channel))
        )
    )


def broken(this: MonthFacts, before: MonthFacts, metric: str) -> tuple[str, ...]:
    """The comparable channels whose network counts this otherwise than in the other month."""
    return tuple(
        name
        for name in comparable(this, before)
        if _series(this, name, metric) != _series(before, name, metric)
    )


def _series(month: MonthFacts, channel: str, metric: str) -> str:
    one = month.get(channel)
    return one.figures[metric].series if one and metric in one.figures else ""


def like_for_like(
    this: MonthFacts, before: MonthFacts, metrics: Mapping[str, Metric]
) -> tuple[Line, ...]:
    """Posts, displays, engagements and clicks of both months on the channels they share.

    It takes whole months and selects the channels itself, so that no caller can compare five
    channels with four. Empty where no channel is complete in both. A channel whose series breaks
    between the months is left out of that measure's line, which names it.
    """
    shared = comparable(this, before)
    if not shared:
        return ()
    new, old = _posts(_chosen(this, shared)), _posts(_chosen(before, shared))
    percent, why = _change(new, old)
    lines = [Line("posts", new, old, None if percent is None else str(percent), why)]
    for name in CORE:
        without = broken(this, before, name)
        if len(without) == len(shared):
            lines.append(Line(name, None, None, None, BREAK, without))
            continue
        one = [channel for channel in shared if channel not in without]
        new, old = (_total(metrics[name], _chosen(month, one)) for month in (this, before))
        percent, why = _change(new, old)
        change = None if percent is None else str(percent)
        lines.append(Line(name, new, old, change, why, without))
    return tuple(lines)


def pooled_rates(
    this: MonthFacts, before: MonthFacts, metrics: Mapping[str, Metric]
) -> tuple[Decimal | None, Decimal | None]:
    """Engagements for every hundred displays in both months, on the channels that both compare."""
    gone = {name for metric in CORE[:2] for name in broken(this, before, metric)}
    shared = [name for name in comparable(this, before) if name not in gone]
    sums = [
        [_total(metrics[name], _chosen(month, shared)) for name in ("engagements", "displays")]
        for month in (this, before)
    ]
    return rate(*sums[0]), rate(*sums[1])


def complete_sums(month: MonthFacts, metrics: Mapping[str, Metric]) -> Mapping[str, int | None]:
    """Posts, displays, engagements and clicks on the month's complete channels.

    For printing one month alone; two of these must never be compared: see `like_for_like`.
    """
    complete = [one for one in month.channels if is_complete(one)]
    return {"posts": _posts(complete)} | {name: _total(metrics[name], complete) for name in CORE}


def _total(metric: Metric, channels: Sequence[ChannelMonth]) -> int | None:
    return add(metric, [one.value(metric.name) for one in channels], over="channels")


def _change(this: int | None, before: int | None) -> tuple[Decimal | None, str]:
    # In per cent to one decimal; or None, and why. Not public: whoever has two months compares
    # them with like_for_like, which takes the same channels from both.
    why = no_percentage(before)
    if this is None or before is None or why:
        return None, why or "figure not available"
    return rounded(this - before, before, 1), ""


def _chosen(month: MonthFacts, names: Sequence[str]) -> list[ChannelMonth]:
    return [one for one in month.channels if one.channel in names]


def _posts(channels: Sequence[ChannelMonth]) -> int | None:
    counts = [one.posts for one in channels if one.posts is not None]
    return sum(counts) if counts and len(counts) == len(channels) else None
