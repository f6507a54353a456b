"""The first page in words: what the period brought, and how much of it is known."""

from collections.abc import Iterable
from decimal import Decimal

from outreach.report.arithmetic import BREAK, CORE, complete_sums
from outreach.report.facts import ChannelMonth
from outreach.report.paper import NO_RECORD, Paper, nil, opening, the_channels, times, why
from outreach.report.value import Comparison
from outreach.report.words import listing


def summary(paper: Paper, previous: Comparison | None) -> Iterable[str]:
    """One paragraph with at most three numbers, and what is missing."""
    if not _recorded(paper):
        yield f"No figures were recorded for {paper.title}."
        return
    if not paper.complete:
        yield (
            f"No channel has complete figures for {paper.title}, so that no sum and no "
            "comparison can be given."
        )
    elif previous and previous.channels:
        yield _compared(previous, paper.period.word)
    else:
        sums = complete_sums(paper.facts.this, paper.facts.metrics)
        yield (
            f"{opening(paper.within)}, posts on {the_channels(len(paper.complete))} with complete "
            f"figures were displayed {times(sums['displays'])}, and their links were followed "
            f"{times(sums['clicks'])}. {_alone(paper)}"
        )
    if paper.complete and paper.incomplete:
        names = listing([one.title for one in paper.incomplete])
        are = "is" if len(paper.incomplete) == 1 else "are"
        yield (f"{names} {are} left out of every sum, since complete figures are not available.")


def completeness(paper: Paper) -> Iterable[str]:
    """How much of the month is known, since when, and in which zone."""
    facts = paper.facts
    of = f"{len(paper.complete)} of {len(paper.complete) + len(paper.incomplete)} channels"
    if paper.complete or paper.incomplete:
        names = f": {listing(paper.complete)}" if paper.complete else ""
        yield f"Figures are complete for {of}{names}."
    elif not paper.channels:
        yield f"No channel was kept {paper.within}."
    for channel in paper.incomplete:
        yield f"Not complete: {channel.title}. {' '.join(_missing(channel))}"
    if paper.unshown:
        are = "is" if len(paper.unshown) == 1 else "are"
        unseen = [one for one in paper.channels if not one.shown]
        counted = any(one.value("clicks") is not None for one in unseen)
        yield (
            f"{listing(list(paper.unshown.values()))} {are} not among these channels: how often "
            "posts are displayed there cannot be known."
            f"{' Clicks are counted.' if counted else ''}"
        )
    period = paper.period
    if period.campaign:
        told = f"Only posts of the campaign “{period.called}”, and their clicks, are counted"
        if period.kind == "event":
            told += f"; T is {period.day}, the day of its event “{period.event}”"
        yield f"{told}."
    if facts.made_at < period.ends:
        yield (
            f"{period.subject} was not over when this report was made: posts and figures up to "
            f"{paper.moment(facts.made_at)}, in the time zone {facts.zone}."
        )
    yield (
        f"{period.subject} is counted from {paper.moment(period.starts)}, to "
        f"{paper.moment(period.ends)}, in the time zone {facts.zone}. Figures collected "
        f"before {paper.moment(facts.cut_off)}, in that zone are taken into "
        "account."
    )


def _missing(channel: ChannelMonth) -> list[str]:
    """Why the channel is not complete: its reasons, each said once."""
    found = [channel.figures.get(name) for name in CORE]
    whys = [why(one) if one else f"{NO_RECORD}." for one in found if not one or one.value is None]
    return list(dict.fromkeys(whys))


def _alone(paper: Paper) -> str:
    """Why they are compared with nothing."""
    if not paper.facts.against:
        return f"No earlier {paper.period.kind} is named to compare them with."
    if paper.period.kind == "month":
        return "There are no complete figures for the month before to compare them with."
    then = paper.facts.against[0].facts.period.title
    return f"There are no complete figures for {then} to compare them with."


def _compared(comparison: Comparison, word: str) -> str:
    """One sentence on displays and clicks with three numbers at most."""
    displays, clicks = comparison.line("displays"), comparison.line("clicks")
    then = comparison.with_within
    whole = len(comparison.channels) - len(displays.without)
    if not whole:
        return (
            f"Displays {comparison.within} cannot be compared with those {then}: {BREAK}. The "
            f"links of posts were followed {times(clicks.this)}."
        )
    told = (
        f"{opening(comparison.within)}, posts on {the_channels(whole)} with complete figures "
        f"in both {word}s{' and no break in series' if displays.without else ''} were displayed "
        f"{times(displays.this)}, "
    )
    if displays.change is None:
        against = f"compared with {nil(displays.before)} {then}"
    else:
        percent = Decimal(displays.change)
        if percent:
            size = f"{abs(percent):,} per cent {'more' if percent > 0 else 'less'} than"
        else:
            size = "about as often as"
        against = f"{size} on the same channels {then}"
    return f"{told}{against}. Their links were followed {times(clicks.this)}."


def _recorded(paper: Paper) -> bool:
    return any(
        one.value is not None for channel in paper.channels for one in channel.figures.values()
    )
