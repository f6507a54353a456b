"""The arithmetic of a report: exact, rounded half up, and never on too little.

Rates are pooled (the sum of the parts over the sum of the wholes), never averaged. A percentage
needs a base of 30; from nothing, or from zero, there is none.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from outreach.measure.metrics import Metric, add
from outreach.report.facts import ChannelMonth, MonthFacts
from outreach.report.value import Line

CORE = ("displays", "engagements", "clicks")
"""A channel is complete in a month when it has a value for each of these."""

LEAST_BASE = 30  # below it a percentage says more than was seen
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


def like_for_like(
    this: MonthFacts, before: MonthFacts, metrics: Mapping[str, Metric]
) -> tuple[Line, ...]:
    """Posts, displays, engagements and clicks of both months on the channels they share.

    It takes whole months and selects the channels itself, so that no caller can compare five
    channels with four. Empty where no channel is complete in both.
    """
    shared = comparable(this, before)
    if not shared:
        return ()
    now, then = _chosen(this, shared), _chosen(before, shared)
    counted = {"posts": (_posts(now), _posts(then))}
    counted |= {name: (_total(metrics[name], now), _total(metrics[name], then)) for name in CORE}
    lines = []
    for name, (new, old) in counted.items():
        percent, why = _change(new, old)
        lines.append(Line(name, new, old, None if percent is None else str(percent), why))
    return tuple(lines)


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
