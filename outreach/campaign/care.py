"""What a person should think about before a slot: days off, quiet hours, dates that call for care.

Nothing here stops a post. Each concern is advice with a better slot, where there is one; the
officer who writes `days-off: before` or `after` has it moved instead.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from outreach.campaign.calendar import Calendar
from outreach.campaign.models import Campaign
from outreach.campaign.occasions import Occasion, days_off, embargo, stop
from outreach.campaign.when import WEEKDAYS
from outreach.errors import Problem, WrongFiles
from outreach.post import Slot
from outreach.toml import read_toml
from outreach.words import MONTHS

Quiet = tuple[time, time]
"""From when until when an audience is asleep, on its own clocks: (22:00, 07:00)."""


@dataclass(frozen=True)
class Remembrance:
    """A day on which a cheerful post would hurt: each year, or once where `year` is given."""

    month: int
    day: int
    what: str
    year: int | None = None

    def falls_on(self, day: date) -> bool:
        return (self.month, self.day) == (day.month, day.day) and self.year in (None, day.year)


def load_dates(file: Path) -> tuple[Remembrance, ...]:
    """The dates of config/dates.toml; none where there is no such file.

    Raises WrongFiles with every mistake and its line.
    """
    try:
        tables, text = read_toml(file, str(file))
    except FileNotFoundError:
        return ()
    problems: list[Problem] = []
    found: list[Remembrance] = []
    for name, what in tables.items():
        line = next((n for n, one in enumerate(text.splitlines(), 1) if name in one), 1)
        if one := _remembrance(name, what):
            found.append(one)
        else:
            problems.append(
                Problem(
                    f"{file}:{line}",
                    f"{name[:60]} is not a date with what it is",
                    'write "08-06" = "a day of remembrance in …", or "2025-10-29" = "…"',
                )
            )
    if problems:
        raise WrongFiles(problems)
    return tuple(found)


def _remembrance(name: str, what: object) -> Remembrance | None:
    """ "08-06" or "2025-10-29", and what it is; None for anything else."""
    read = re.fullmatch(r"(?:(\d{4})-)?(\d{2})-(\d{2})", name)
    if not read or not isinstance(what, str):
        return None
    year, month, day = int(read[1]) if read[1] else None, int(read[2]), int(read[3])
    with suppress(ValueError):
        date(year or 2000, month, day)  # 2000 has a 29 February
        return Remembrance(month, day, what, year)
    return None


def concerns(
    campaign: Campaign, one: Occasion, slot: Slot, dates: Sequence[Remembrance]
) -> Iterator[Problem]:
    """What to think about at this slot, whatever the channel."""
    day = datetime.fromisoformat(slot.wall).date()
    where = campaign.where("messages", one.of, "every" if one.local else "at")
    about = f"{one.message} is due on {_day(day)}"
    if days_off(campaign, campaign.messages[one.of]) == "keep":
        why = Calendar(campaign.defaults.holidays).why_off(day)
        better = why and _better(campaign, one, day)
        if why:
            hint = "days-off: before, or after, moves it"
            if better and better != day:
                hint = f"better {_day(better)}, {slot.wall[11:]} {slot.zone}; {hint}"
            yield Problem(where, f"{about}: {why}", hint, advice=True)
    for one_day in dates:
        if one_day.falls_on(day):
            hint = "read its text again with that in mind, or choose another day"
            yield Problem(where, f"{about}: {one_day.what}", hint, advice=True)


def quiet(
    where: str, name: str, slot: Slot, channel: str, zone: str, hours: Quiet | None
) -> Iterator[Problem]:
    """Whether the audience of a channel sleeps at this slot, and when it next does not."""
    if hours is None:
        return
    there = slot.at.astimezone(ZoneInfo(zone))
    begins, ends = hours
    clock = there.time()
    asleep = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if asleep:
        day = there.date() + timedelta(days=1 if begins > ends and clock >= begins else 0)
        awake = datetime.combine(day, ends, there.tzinfo).astimezone(UTC)
        better = awake.astimezone(ZoneInfo(slot.zone))
        yield Problem(
            where,
            f"{name} is due at {there:%H:%M} {zone}, in the quiet hours of {channel} "
            f"({begins:%H:%M}-{ends:%H:%M})",
            f"better {_day(better.date())}, {better:%H:%M} {slot.zone}",
            advice=True,
        )


def _better(campaign: Campaign, one: Occasion, day: date) -> date:
    """The nearest working day that is on the same side of the event, its embargo and its stop."""
    at = campaign.messages[one.of].at
    first = last = None
    if at is not None and at.anchor and at.anchor in campaign.events:
        event = campaign.events[at.anchor].day or day
        first, last = (None, event - timedelta(1)) if day < event else (event + timedelta(1), None)
    zone = ZoneInfo(one.slot.zone) if isinstance(one.slot, Slot) else UTC
    if since := embargo(campaign, one.of):
        begins = since.astimezone(zone).date()
        first = max(first, begins) if first else begins
    if until := stop(campaign, one.of):
        ends = until.astimezone(zone).date()
        last = min(last, ends) if last else ends
    return Calendar(campaign.defaults.holidays).better(day, first=first, last=last)


def _day(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()].capitalize()} {day.day} {MONTHS[day.month - 1]} {day.year}"
