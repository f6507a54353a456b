"""When a message is due: what an officer writes about time, and the instant that it means.

    2025-08-18 10:00 Asia/Seoul          absolute
    forum - 7 days, 10:00 Asia/Seoul     counted from the event's date, then read on that clock
    forum - 7 days                       the campaign's usual time, or else the event's own
    forum - 5 working days               weekends and the campaign's holidays are not counted
    working days from forum - 12 days    for `each`: one working day after another
    forum.ends + 1 hour                  counted from the instant

A day is counted in the event's zone and the time is read in its own, so a move within the day
changes texts and a move to another day changes slots. Hours are counted from the instant: the
same clock time on another day is a matter of days, never of 24 hours.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from outreach.campaign.calendar import Calendar, known_countries
from outreach.campaign.models import Campaign, Event, Tbc, When
from outreach.campaign.values import Late
from outreach.hints import did_you_mean, nearest
from outreach.post import Slot

EXAMPLES: Final = (
    "write it as 2025-08-18 10:00 Asia/Seoul, forum - 7 days, 10:00 Asia/Seoul, "
    "forum - 2 hours or forum.ends + 30 minutes"
)

AT_ONCE: Final = timedelta(minutes=1)
"""What is sent at its time is found by a tick after it, and waits its turn on a busy channel."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_CLOCK: Final = r"\d{1,2}:\d{2}"
_ABSOLUTE: Final = re.compile(
    rf"(?P<on>\d{{4}}-\d{{2}}-\d{{2}})(?:,?\s+(?P<wall>{_CLOCK})(?:\s+(?P<zone>\S+))?)?", re.ASCII
)
_RELATIVE: Final = re.compile(
    r"(?P<working>working days from\s+)?"
    r"(?P<anchor>[a-z0-9]+(?:-[a-z0-9]+)*)(?:\.(?P<edge>starts|ends))?"
    r"(?:\s+(?P<sign>[+\-−–])\s*(?P<count>\d{1,5})\s*(?P<unit>minute|hour|working day|day|week)s?)?"
    rf"(?:,?\s+(?P<wall>{_CLOCK})(?:\s+(?P<zone>\S+))?)?",
    re.ASCII,
)
_LATE: Final = re.compile(
    r"send within (?P<count>\d{1,4}) (?P<unit>minute|hour)s?, then ask", re.ASCII
)


# What is written -------------------------------------------------------------------------------


def parse_when(text: object) -> When:
    """The moment that `text` describes. ValueError, in a sentence for officers, if it does not."""
    if isinstance(text, When):
        return text
    written = " ".join(text.split()) if isinstance(text, str) else ""
    if found := _ABSOLUTE.fullmatch(written):
        if not found["zone"]:
            raise ValueError(f"“{written}” lacks its time or zone; {EXAMPLES}")
        return When(
            written, on=parse_day(found["on"]), wall=parse_clock(found["wall"]), zone=_zone(found)
        )
    found = _RELATIVE.fullmatch(written)
    if not found:
        raise ValueError(f"“{short(written or text)}” is not a time; {EXAMPLES}")
    count = int(found["count"] or 0) * (1 if found["sign"] == "+" else -1)
    unit = found["unit"] or ""
    if found["wall"] and not found["zone"]:
        raise ValueError(f"“{written}” lacks a zone after {found['wall']}: 10:00 Asia/Seoul")
    if found["wall"] and unit in ("minute", "hour"):
        raise ValueError(
            f"“{written}” counts {unit}s and names a time as well; count days before a time"
        )
    offset = None
    if unit in ("minute", "hour"):
        offset = timedelta(minutes=count * (60 if unit == "hour" else 1))
    elif found["edge"] and not found["wall"]:
        offset = timedelta(0)  # forum.starts is that instant, whatever the campaign's usual time
    return When(
        written,
        anchor=found["anchor"],
        edge="ends" if found["edge"] == "ends" else "starts",
        days=count * {"day": 1, "week": 7}.get(unit, 0),
        working_days=count if unit == "working day" else 0,
        series=bool(found["working"]),
        offset=offset,
        wall=parse_clock(found["wall"]) if found["wall"] else None,
        zone=_zone(found),
    )


def parse_late(text: object) -> Late:
    """ "send within 15 minutes, then ask", or "ask": within AT_ONCE. ValueError otherwise."""
    if isinstance(text, Late):
        return text
    written = " ".join(text.split()) if isinstance(text, str) else ""
    if written == "ask":
        return Late(AT_ONCE, written)
    found = _LATE.fullmatch(written)
    if not found:
        raise ValueError(
            f"“{short(written or text)}” is not a rule for late posts; "
            "write send within 15 minutes, then ask, or only ask"
        )
    minutes = int(found["count"]) * (60 if found["unit"] == "hour" else 1)
    return Late(max(timedelta(minutes=minutes), AT_ONCE), written)


def parse_clock(text: str) -> time:
    """A wall time, "09:00". ValueError for anything else: pydantic alone would take 630."""
    if text.strip() == "24:00":
        raise ValueError("a day ends before 24:00; write 00:00 of the next day")
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip(), re.ASCII)
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise ValueError(f"“{short(text)}” is not a time of day; write it as 09:00")
    return time(int(found[1]), int(found[2]))


def parse_day(text: str) -> date:
    """A date, "2025-08-25". ValueError for anything else: pydantic alone would take 1756080000."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip(), re.ASCII):
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(f"there is no {text.strip()} in the calendar") from None
    raise ValueError(f"“{short(text)}” is not a date; write it as 2025-08-25")


def parse_weekday(text: str) -> str:
    """ "mon" from "mon" or "Monday": spelled out, never a number. ValueError for anything else."""
    word = text.strip().casefold()
    for day in WEEKDAYS:
        if word in (day, day[:3]):
            return day[:3]
    near = did_you_mean(word, WEEKDAYS)
    raise ValueError(f"“{short(text)}” is not a weekday; {near or 'write mon, tue … sun'}")


def parse_country(text: str) -> str:
    """An ISO 3166 code whose holidays are known, "TH". ValueError for anything else."""
    code = text.strip().upper()
    if code not in known_countries():
        raise ValueError(
            f"the holidays of “{short(text)}” are not known; write a country's two letters: "
            "CN, JP, KP, KR, MN, RU, TH"
        )
    return code


def parse_wall(text: str) -> tuple[time, str]:
    """A wall time with its zone, "10:00 Asia/Seoul". ValueError for anything else."""
    clock, _, name = text.strip().partition(" ")
    if not name.strip():
        raise ValueError(
            f"“{short(text)}” is not a time with its zone; write it as 10:00 Asia/Seoul"
        )
    return parse_clock(clock), zone(name.strip()).key


class HoursUnknown(ValueError):
    """It counts from an event's hour that is to be confirmed, and has no plan-with."""


# What officers write for a zone, and the zone that it is in.
PLACES: Final = {
    "beijing": "Asia/Shanghai",
    "bonn": "Europe/Berlin",
    "geneva": "Europe/Zurich",
    "ict": "Asia/Bangkok",
    "incheon": "Asia/Seoul",
    "jst": "Asia/Tokyo",
    "kst": "Asia/Seoul",
    "msk": "Europe/Moscow",
}


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. ValueError, naming the nearest one, if there is none."""
    names = _zones()
    if name in names:
        return ZoneInfo(name)
    by_city = {one.rpartition("/")[2].casefold(): one for one in sorted(names)} | PLACES
    city = name.rpartition("/")[2].casefold().replace(" ", "_")
    near = by_city.get(city) or nearest(name, names)
    hint = f"did you mean {near}?" if near else "write a name such as Asia/Seoul"
    raise ValueError(f"{short(name)} is not a zone; {hint}")


@cache
def _zones() -> frozenset[str]:
    # "localtime" and "Factory" would mean something else on every machine.
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def _zone(found: re.Match[str]) -> str | None:
    return zone(found["zone"]).key if found["zone"] else None


# What it means ---------------------------------------------------------------------------------


def resolve(
    when: When,
    campaign: Campaign,
    *,
    default_time: str | None,
    days_off: str = "keep",
    position: int = 0,
) -> Slot:
    """The slot that `when` means in `campaign`; `default_time` is "10:00 Asia/Seoul", or None.

    `days_off` ("before", "after", "keep") is what becomes of a day off; hours counted from an
    instant stay where they are. `position` is the place in a series of working days.
    ValueError, in a sentence for officers: an unknown event, an hour that is to be confirmed
    and has no plan-with, a wall time that its zone skips or has twice, no working day near.
    """
    try:
        calendar = Calendar(campaign.defaults.holidays)
        event = None if when.anchor is None else _event(when.anchor, campaign)
        if event is not None and when.offset is not None:
            day = _date_of(event, when) + timedelta(days=when.days)
            start = _slot(day, _own_time(event, when), event.zone)
            return _local(start.at + when.offset, event.zone)
        day = _day_of(when, event, calendar, position)
        if days_off != "keep":
            day = calendar.moved(day, -1 if days_off == "before" else 1)
        if when.wall is not None and when.zone is not None:
            return _slot(day, when.wall, when.zone)
        if event is None:
            raise ValueError(f"“{when.written}” is not a time; {EXAMPLES}")
        if default_time:
            return _slot(day, *parse_wall(default_time))
        return _slot(day, _own_time(event, when), event.zone)
    except OverflowError:
        raise ValueError(f"“{when.written}” lies outside the calendar") from None


def _day_of(when: When, event: Event | None, calendar: Calendar, position: int) -> date:
    """The date that is meant, in the event's zone."""
    if event is None and when.on is None:
        raise ValueError(f"“{when.written}” is not a time; {EXAMPLES}")
    day = when.on or (_date_of(event, when) if event else date.min)
    day = calendar.counted(day + timedelta(days=when.days), when.working_days)
    if when.series:
        return calendar.counted(calendar.moved(day, 1), position)
    return day


def instant(when: When, campaign: Campaign) -> datetime:
    """The aware UTC instant of a `not-after` or `by`; without a wall time, the event's own."""
    return resolve(when, campaign, default_time=None).at


def said(error: ValueError) -> tuple[str, str]:
    """What is wrong and what to do, from one of this module's sentences."""
    what, _, hint = str(error).partition("; ")
    return what, hint


def spoken(path: Iterable[str | int]) -> str:
    """A place in a file as people name it: "alt in item 1 of messages.recap.media"."""
    named: list[str] = []
    inside = ""
    for part in path:
        if isinstance(part, int):
            inside = f"item {part + 1} of {'.'.join(named)}{inside}"
            inside, named = f" in {inside}", []
        else:
            named.append(short(part))
    return ".".join(named) + inside if named else inside.removeprefix(" in ")


def short(text: object) -> str:
    """A value as an error quotes it: a misplaced paragraph is cut."""
    written = str(text)
    return written if len(written) <= 60 else written[:59] + "…"


def _event(name: str, campaign: Campaign) -> Event:
    if name in campaign.events:
        return campaign.events[name]
    known = ", ".join(campaign.events) or "none"
    hint = did_you_mean(name, campaign.events) or f"this campaign's events: {known}"
    raise ValueError(f"there is no event {short(name)} in this campaign; {hint}")


def _date_of(event: Event, when: When) -> date:
    if event.day is None:
        raise HoursUnknown(
            f"“{when.written}” needs the date of {when.anchor}, which is to be confirmed; "
            "plan with one: date: {tbc: secretariat, plan-with: 2025-10-01}"
        )
    return event.day


def _own_time(event: Event, when: When) -> time:
    value = event.starts if when.edge == "starts" else event.ends
    if isinstance(value, time):
        return value
    if isinstance(value, Tbc) and value.plan_with:
        return parse_clock(value.plan_with)
    raise HoursUnknown(
        f"“{when.written}” needs the hour at which {when.anchor} {when.edge}, which is to be "
        f'confirmed; plan with one: {when.edge}: {{tbc: organizers, plan-with: "09:00"}}'
    )


def _slot(day: date, wall: time, name: str) -> Slot:
    """The instant at which the clocks of that zone show `wall`; refused if never, or twice."""
    local, there = datetime.combine(day, wall), zone(name)
    shown = _shown(local, there)
    if shown != 1:
        why = "does not exist" if shown == 0 else "comes twice"
        before, after = (_nearest(local, there, minutes) for minutes in (-1, 1))
        raise ValueError(
            f"{wall:%H:%M} on {day.day} {day:%B %Y} {why} in {name}, since the clocks change; "
            f"write {before:%H:%M} or {after:%H:%M}"
        )
    return _local(local.replace(tzinfo=there).astimezone(UTC), name)


def _shown(local: datetime, there: ZoneInfo) -> int:
    """How often the clocks of a zone show a time: once, or never or twice when they change."""
    instants = {local.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sum(one.astimezone(there).replace(tzinfo=None, fold=0) == local for one in instants)


def _nearest(local: datetime, there: ZoneInfo, minutes: int) -> datetime:
    # Samoa skipped a whole day in 2011, the longest change there has been.
    for _ in range(24 * 60 + 1):
        local += timedelta(minutes=minutes)
        if _shown(local, there) == 1:
            break
    return local


def _local(at: datetime, name: str) -> Slot:
    wall = at.astimezone(zone(name)).replace(tzinfo=None)
    return Slot(at.astimezone(UTC), wall.isoformat(timespec="minutes"), name)
