"""When each message is due: once, once for each speaker or session, or again and again.

    at                one occasion
    each              one for every speaker, or session, of an event: `speakers-an-example`
    every             weekdays at a wall time, between two days; told apart by their *local* slot

A recurring time that the clocks of its zone skip is due when they have moved on (02:30 becomes
03:30); one that they show twice is due the first time. An occasion that a day off moves keeps
the local slot it is known by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from outreach.campaign.models import Campaign, Event, Every, Message, Session, Speaker, Tbc, When
from outreach.campaign.when import (
    instant,
    parse_wall,
    resolve,
    said,
    short,
)
from outreach.errors import Problem
from outreach.hints import did_you_mean
from outreach.post import Slot

MOST: Final = 500  # occasions of one message; a daily one for a year has 365
_WEEKS: Final = {"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "last": "last"}
LISTS: Final = ("sessions", "speakers")


@dataclass(frozen=True, slots=True)
class Occasion:
    """One time at which a message is due.

    `message` is its name in posts' keys, and `of` its name in the file: they differ for `each`.
    `slot` is None for an idea, and a Problem where there is no time: an open one where that
    waits for something. `local` is the local slot of a recurring message ("2025-08-18T10:00"),
    and `number` its place in the series, from 0. `item` is where the speaker or session of this
    occasion stands in the file: ("events", "forum", "speakers", 0).
    """

    message: str
    of: str
    slot: Slot | Problem | None
    local: str = ""
    number: int = 0
    item: tuple[str | int, ...] = field(default=())


def occasions(campaign: Campaign, *, until: datetime | None = None) -> list[Occasion]:
    """Every occasion of every message, in the file's order; recurring ones up to `until` (aware).

    Without `until`, all that the file asks for, MOST of one message at the most.
    """
    return [
        one
        for name, message in campaign.messages.items()
        for one in _of(name, message, campaign, until)
    ]


def slots(campaign: Campaign) -> dict[str, Slot | Problem | None]:
    """The slot of each occasion, by message and local slot: "reminder", "news~2025-08-18T10:00"."""
    return {
        f"{one.message}~{one.local}" if one.local else one.message: one.slot
        for one in occasions(campaign)
    }


def stop(campaign: Campaign, message: str, slot: Slot | None = None) -> datetime | None:
    """The absolute stop (UTC) of a message, its own or the campaign's; None if there is none.

    Where its slot is given, it also stops when a picture of it may no longer be used.
    """
    when = campaign.messages[message].not_after or campaign.defaults.not_after
    stops = [instant(when, campaign)] if when else []
    for media in campaign.messages[message].media:
        if slot and isinstance(media.expires, date):
            stops.append(begins(media.expires, slot.zone))
    return min(stops, default=None)


def begins(day: date, zone: str) -> datetime:
    """The moment (UTC) at which a day begins there."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def embargo(campaign: Campaign, message: str) -> datetime | None:
    """The moment (UTC) before which nothing of a message may go out; None if there is none."""
    when = campaign.messages[message].embargo or campaign.defaults.embargo
    return instant(when, campaign) if when else None


def waits(campaign: Campaign, one: Occasion) -> Problem | None:
    """What keeps an occasion waiting though it has a slot: its event has no sure date yet."""
    message = campaign.messages[one.of]
    written = [message.at] if message.at else []
    written += [message.every.from_, message.every.until] if message.every else []
    for when in written:
        event = campaign.events.get(when.anchor or "")
        if event and isinstance(event.date, Tbc):
            by = f" by {event.date.who}" if event.date.who else ""
            where = campaign.where("events", when.anchor or "", "date")
            what = f"events.{when.anchor}.date is to be confirmed{by}"
            return Problem(where, what, "until then its slot serves to plan with", open=True)
    return None


def days_off(campaign: Campaign, message: Message) -> str:
    """What becomes of a day off: "before", "after" or "keep"."""
    return message.days_off or campaign.defaults.days_off


def _of(
    name: str, message: Message, campaign: Campaign, until: datetime | None
) -> Iterator[Occasion]:
    try:
        if message.every is not None:
            yield from _every(name, message, message.every, campaign, until)
        elif message.each is not None:
            yield from _each(name, message, message.each, campaign)
        else:
            at = message.at
            yield Occasion(name, name, None if at is None else _slot(at, message, campaign))
    except _Unclear as error:
        key = "every" if message.every else "each" if message.each else "at"
        where = campaign.where("messages", name, key)
        what, hint = said(error)
        yield Occasion(name, name, Problem(where, what, hint, open=error.open))


class _Unclear(ValueError):
    """Why a message has no occasion; `open` where it waits for something to be confirmed."""

    def __init__(self, words: str, *, open_: bool = False) -> None:
        super().__init__(words)
        self.open = open_


def _slot(at: When, message: Message, campaign: Campaign, position: int = 0) -> Slot:
    try:
        return resolve(
            at,
            campaign,
            default_time=campaign.defaults.time,
            days_off=days_off(campaign, message),
            position=position,
        )
    except ValueError as error:
        raise _Unclear(str(error)) from error


# --- each ---------------------------------------------------------------------------------


def _each(name: str, message: Message, each: str, campaign: Campaign) -> Iterator[Occasion]:
    event_name, which, items = _listed(each, campaign)
    if isinstance(items, Tbc):
        by = f" by {items.who}" if items.who else ""
        raise _Unclear(f"{each} is to be confirmed{by}; {name} waits for it", open_=True)
    event = campaign.events[event_name]
    for number, item in enumerate(items):
        path = ("events", event_name, which, number)
        called = f"{name}-{item.id}"
        if message.at is None:
            yield Occasion(called, name, None, item=path)
            continue
        here = _with_session(campaign, event, item)
        yield Occasion(called, name, _slot(message.at, message, here, number), item=path)


def _listed(
    each: str, campaign: Campaign
) -> tuple[str, str, Sequence[Session | Speaker] | Tbc[str]]:
    """ "events.forum.speakers" -> the event, which list, and the list."""
    events, _, rest = each.partition(".")
    event, _, which = rest.partition(".")
    if events != "events" or event not in campaign.events or which not in LISTS:
        known = [f"events.{name}.{one}" for name in campaign.events for one in LISTS]
        hint = did_you_mean(each, known) or f"write one of {', '.join(known) or 'its events'}"
        raise _Unclear(f"there is no list {short(each)}; {hint}")
    found = campaign.events[event]
    return event, which, found.sessions if which == "sessions" else found.speakers


def _with_session(campaign: Campaign, event: Event, item: Session | Speaker) -> Campaign:
    """The campaign with an event called `session`: `at: session.starts - 15 minutes`."""
    if not isinstance(item, Session):
        return campaign
    session = event.model_copy(update={"starts": item.starts, "ends": item.ends})
    return campaign.model_copy(update={"events": {**campaign.events, "session": session}})


# --- every --------------------------------------------------------------------------------


def _every(
    name: str, message: Message, every: Every, campaign: Campaign, until: datetime | None
) -> Iterator[Occasion]:
    wall, zone = parse_wall(every.time)
    first = _edge(every.from_, campaign, zone, last=False)
    last = _edge(every.until, campaign, zone, last=True)
    if last < first:
        raise _Unclear(f"{name} ends before it begins; put from and until right")
    number = 0
    for nominal in _nominal(every, wall, zone, first, min(last, until or last)):
        at = _instant(nominal, zone)
        if at is None or not first <= at <= last:
            continue
        if number == MOST:
            raise _Unclear(f"{name} would be due more than {MOST} times; narrow from and until")
        slot = _kept(at, zone, message, campaign)
        yield Occasion(name, name, slot, nominal.isoformat(timespec="minutes"), number)
        number += 1


def _nominal(
    every: Every, wall: time, zone: str, first: datetime, last: datetime
) -> Iterator[datetime]:
    """The local times asked for, as a calendar has them and whatever the clocks do. Naive."""
    from apscheduler.triggers.cron import CronTrigger

    # In UTC, which skips nothing: in a zone it forgets the midnight after the clocks have moved
    # (APScheduler 3.11.3, Berlin, Mondays at 00:00: none on 26 March 2012).
    days = tuple(dict.fromkeys(every.days))
    trigger = CronTrigger(
        hour=wall.hour,
        minute=wall.minute,
        timezone=UTC,
        **(
            {"day": ",".join(f"{_WEEKS[every.week]} {day}" for day in days)}
            if every.week
            else {"day_of_week": ",".join(days)}
        ),
    )
    begin, end = (at.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC) for at in (first, last))
    at = trigger.get_next_fire_time(None, begin - timedelta(days=1))
    while at is not None and at <= end + timedelta(days=1):
        yield at.replace(tzinfo=None)
        at = trigger.get_next_fire_time(at, at)


def _instant(nominal: datetime, zone: str) -> datetime | None:
    """When the clocks of the zone show it: the first time; or once they have moved past it.

    None for a day that a zone left out (30 December 2011 in Samoa).
    """
    at = nominal.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return at if abs(shown - nominal) < timedelta(hours=12) else None


def _edge(when: When, campaign: Campaign, zone: str, *, last: bool) -> datetime:
    """From when, or until when: whole days in the message's zone, unless a time is written."""
    try:
        at = instant(when, campaign)
    except ValueError as error:
        raise _Unclear(str(error)) from error
    if when.wall is not None or when.offset is not None:
        return at
    own = campaign.events[when.anchor].zone if when.anchor else zone
    day = at.astimezone(ZoneInfo(own)).date()
    return datetime.combine(day, time.max if last else time.min, ZoneInfo(zone))


def _kept(at: datetime, zone: str, message: Message, campaign: Campaign) -> Slot:
    """The slot of one occasion, moved off a day off where the file says so."""
    local = at.astimezone(ZoneInfo(zone))
    rule = days_off(campaign, message)
    if rule == "keep":
        return Slot(
            at.astimezone(UTC), local.replace(tzinfo=None).isoformat(timespec="minutes"), zone
        )
    there = When(
        written=message.every.time if message.every else "",
        on=local.date(),
        wall=local.time(),
        zone=zone,
    )
    return _slot(there, message, campaign)
