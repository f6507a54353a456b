"""From the database and the office's files to what the meeting's report has of its own."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from outreach.campaign.models import Campaign
from outreach.campaign.values import Loaded
from outreach.delivery import Delivery, State
from outreach.errors import NotFound
from outreach.measure import goals, outcomes
from outreach.measure.amec import AREAS, COSTS
from outreach.measure.months import Period
from outreach.measure.som import Meeting, last_meeting, since
from outreach.platforms import Channel
from outreach.report import periods
from outreach.report.som import Aim, Promoted, Request, SomFacts, Spent, Spoken, Tally
from outreach.report.words import figure, listing, plural
from outreach.words import in_full


def since_last(meetings: Sequence[Meeting], today: date, zone: str) -> str:
    """The days since the last meeting, up to today, as a report's period is written.

    Raises NotFound where the days of none are known.
    """
    last = last_meeting(meetings, today)
    if last is None:
        raise NotFound(
            "the days of no past Senior Officials Meeting are known",
            "write starts and ends in config/som.toml, or name the days: "
            "outreach report som 2025-01-01..2025-12-31",
        )
    return f"{since(last, today, zone).first}..{today}"


def som_facts(
    session: Session,
    period: periods.Period,
    *,
    zone: str,
    cut_off: datetime,
    campaigns: tuple[Promoted, ...],
    unreadable: Iterable[str],
    meetings: Sequence[Meeting],
) -> SomFacts:
    """What the meeting's report prints of this period, as it was known at the cut-off.

    `unreadable`: the campaigns whose files cannot be read, and which are in no other list.
    """
    days = Period(period.starts, period.ends, zone)
    first, after = date.fromisoformat(days.first), date.fromisoformat(days.after)
    meeting = last_meeting(meetings, first) or last_meeting(meetings, after)
    return SomFacts(
        meeting=meeting.title if meeting else "",
        asked=tuple(
            Request(one.what, one.source, one.answer, one.by)
            for one in (meeting.asked if meeting else ())
        ),
        areas=tuple(AREAS.values()),
        campaigns=campaigns,
        spent=tuple(_spent(outcomes.costs(session, days, cut_off=cut_off))),
        unreadable=tuple(sorted(unreadable)),
    )


def promoted(
    session: Session,
    period: periods.Period,
    *,
    zone: str,
    cut_off: datetime,
    loaded: Loaded,
    channels: Mapping[str, Channel],
    broken_down: bool,
) -> tuple[Promoted, ...]:
    """The campaigns that had a post, or a figure, in the period, by programme area."""
    days = Period(period.starts, period.ends, zone)
    return tuple(
        made
        for one in sorted(loaded.campaigns, key=lambda one: (_place(one), one.campaign))
        if not period.campaign or one.campaign == period.campaign
        if (made := _promoted(session, one, days, cut_off, channels, broken_down)) is not None
    )


def _place(campaign: Campaign) -> int:
    order = list(AREAS)
    return order.index(campaign.programme) if campaign.programme in order else len(order)


def _promoted(
    session: Session,
    campaign: Campaign,
    days: Period,
    cut_off: datetime,
    channels: Mapping[str, Channel],
    broken_down: bool,
) -> Promoted | None:
    """One campaign; None where nothing of it is of the period."""
    name = campaign.campaign
    counted = outcomes.outcomes_of(
        session, days, cut_off=cut_off, campaigns=[name], broken_down=broken_down
    )
    tallies = tuple(_tally(one) for one in counted if one.campaign == name)
    posts = session.execute(
        select(Delivery.language, Delivery.channel, Delivery.state, func.count())
        .where(Delivery.campaign == name)
        .where(Delivery.at >= days.starts, Delivery.at < days.ends)
        .group_by(Delivery.language, Delivery.channel, Delivery.state)
    ).all()
    live = sum(number for _, _, state, number in posts if state is State.PUBLISHED)
    if not posts and all(one.value is None for one in tallies):
        return None
    aims = goals.results(session, name, goals.goals_of(campaign), days, cut_off)
    audience = _audience(campaign)
    return Promoted(
        campaign=name,
        title=campaign.title,
        area=goals.area(campaign),
        posts=live,
        languages=tuple(
            _spoken(campaign, language, audience.get(language, ()), posts, channels)
            for language in campaign.languages.all
        ),
        tallies=tallies,
        aims=tuple(_aim(one) for one in aims),
    )


def _tally(one: outcomes.Outcome) -> Tally:
    by = {"state": one.by_state, "sex": one.by_sex, "youth": one.by_youth}
    return Tally(
        measure=one.measure,
        label=one.label,
        value=one.value,
        reason=one.reason,
        by={
            what: tuple((cell.label, cell.value) for cell in cells)
            for what, cells in by.items()
            if cells
        },
        withheld=tuple(what.removeprefix("by_") for what in one.withheld),
        sources=one.sources,
    )


def _aim(one: goals.Result) -> Aim:
    goal = one.goal
    return Aim(
        label=goal.label,
        target=goal.target,
        baseline=goal.baseline,
        source=goal.source,
        value=one.value,
        reason=one.reason,
        until=in_full(one.until),
        over=one.over,
    )


def _audience(campaign: Campaign) -> dict[str, tuple[str, ...]]:
    """The channels that the campaign has for each language."""
    found: dict[str, dict[str, None]] = {}
    for audience in campaign.audiences.values():
        for language, names in audience.items():
            found.setdefault(language, {}).update(dict.fromkeys(names))
    return {language: tuple(names) for language, names in found.items()}


def _spoken(
    campaign: Campaign,
    language: str,
    named: Sequence[str],
    posts: Sequence[tuple[str, str, State, int]],
    channels: Mapping[str, Channel],
) -> Spoken:
    """What was published in one language, and what hindered it."""
    its = [row for row in posts if row[0] == language]
    live = [(channel, number) for _, channel, state, number in its if state is State.PUBLISHED]
    used = dict.fromkeys(_title(channel, channels) for channel, _ in live)
    return Spoken(
        name=_in_english(language),
        posts=sum(number for _, number in live),
        channels=tuple(used),
        why="" if live else _why(named, its, channels),
        official=language not in campaign.languages.unofficial,
    )


def _why(
    named: Sequence[str],
    its: Sequence[tuple[str, str, State, int]],
    channels: Mapping[str, Channel],
) -> str:
    """Why nothing was published in a language."""
    if not named:
        return "the campaign names no channel for it"
    if not any(one in channels for one in named):
        return f"the office has no account on {listing(named)}"
    if not its:
        return "no post was planned in it"
    counts: dict[str, int] = {}
    for _, _, state, number in its:
        words = _HINDERED.get(state, "not published")
        counts[words] = counts.get(words, 0) + number
    return listing([f"{plural(number, 'post')} {words}" for words, number in counts.items()])


_HINDERED = {
    State.PROPOSED: "not cleared",
    State.CLEARED: "cleared and not sent",
    State.MISSED: "past the time",
    State.FAILED: "refused by the network",
    State.UNCERTAIN: "of unknown outcome",
    State.TAKEN_DOWN: "withdrawn",
    State.HANDED: "given to people, without an address yet",
}


def _title(channel: str, channels: Mapping[str, Channel]) -> str:
    return channels[channel].title if channel in channels else channel


def _in_english(language: str) -> str:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language, sep="-").get_display_name("en") or language
    except (UnknownLocaleError, ValueError):
        return language


def _spent(costs: Iterable[outcomes.Cost]) -> Iterable[Spent]:
    """Each kind, each unit by itself: amounts of different units are not added."""
    found: dict[tuple[str, str], list[outcomes.Cost]] = {}
    for one in costs:
        found.setdefault((one.kind, one.unit), []).append(one)
    for kind, label in COSTS.items():
        units = [unit for (of, unit) in found if of == kind]
        for unit in units:
            its = found[kind, unit]
            amount = _decimal(sum((one.amount for one in its), Decimal(0)))
            sources = tuple(dict.fromkeys(one.source for one in its))
            yield Spent(label, f"{amount} {unit}", sources)
        if not units:
            yield Spent(label, None)


def _decimal(amount: Decimal) -> str:
    whole = amount == amount.to_integral_value()
    return figure(int(amount)) if whole else f"{amount:,.2f}"
