"""Months, as reports count them: from midnight to midnight in the report's own zone.

August 2025 is 2025-07-31T17:00Z to 2025-08-31T17:00Z in Bangkok, and starts and ends two hours
earlier in Seoul. A month is written "2025-08" everywhere.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outreach.errors import OutreachError
from outreach.words import MONTHS, in_full


class NoSuchMonth(OutreachError):
    """It is no month, or no month that a calendar here can hold."""


@dataclass(frozen=True)
class Period:
    """From an instant to before another, aware; days are those of `zone`."""

    starts: datetime
    ends: datetime
    zone: str

    @classmethod
    def month(cls, month: str, zone: str) -> "Period":
        return cls(*bounds(month, zone), zone)

    @classmethod
    def of_days(cls, first: date, last: date, zone: str) -> "Period":
        """Both days included."""
        here = _zone(zone)
        begins = datetime.combine(first, datetime.min.time(), here)
        ends = datetime.combine(last + timedelta(days=1), datetime.min.time(), here)
        return cls(begins.astimezone(UTC), ends.astimezone(UTC), zone)

    @property
    def first(self) -> str:
        return self.starts.astimezone(ZoneInfo(self.zone)).date().isoformat()

    @property
    def after(self) -> str:
        """The day after its last."""
        return self.ends.astimezone(ZoneInfo(self.zone)).date().isoformat()

    def has(self, day: str) -> bool:
        return self.first <= day < self.after


def parse_month(text: str) -> str:
    """The month as written, "2025-08"; or NoSuchMonth, which says how to write it."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text.strip())
    if not match:
        raise NoSuchMonth(f"{text!r} is no month", "write year and month, like 2025-08")
    year, month = int(match[1]), int(match[2])
    if not 1 <= month <= 12:
        raise NoSuchMonth(f"{text!r}: there is no month {match[2]}", "months go from 01 to 12")
    if not 2000 <= year <= 2999:
        raise NoSuchMonth(f"{text!r}: the year {match[1]} cannot be meant", "write it like 2025-08")
    return match[0]


def bounds(month: str, zone: str) -> tuple[datetime, datetime]:
    """The first instant of the month and the first one after it: aware, UTC.

    Raises NoSuchMonth for a month or a zone that does not exist.
    """
    local = _zone(zone)
    return _midnight(month, local), _midnight(following(month), local)


def default_cut_off(month: str, zone: str) -> datetime:
    """Midnight five days after the month's end, in its zone: aware, UTC.

    Figures keep growing after a month has ended, so every report says when it stopped looking.
    """
    end = bounds(month, zone)[1].astimezone(_zone(zone))
    return (end + timedelta(days=5)).astimezone(UTC)


def following(month: str) -> str:
    """The month after it."""
    return _shifted(month, 1)


def before(month: str) -> str:
    """The month before it."""
    return _shifted(month, -1)


def year_before(month: str) -> str:
    """The same month of the year before."""
    return _shifted(month, -12)


def named(month: str) -> str:
    """ "August 2025" """
    year, number = _numbers(month)
    return f"{MONTHS[number - 1]} {year}"


def day(at: datetime, zone: str) -> str:
    """ "25 August 2025", the day of an instant in the zone."""
    return in_full(at.astimezone(_zone(zone)))


def moment(at: datetime, zone: str) -> str:
    """ "25 August 2025, 09:00", the wall time of an instant in the zone."""
    return f"{day(at, zone)}, {at.astimezone(_zone(zone)):%H:%M}"


def _numbers(month: str) -> tuple[int, int]:
    year, _, number = parse_month(month).partition("-")
    return int(year), int(number)


def _shifted(month: str, by: int) -> str:
    year, number = _numbers(month)
    year, index = divmod(year * 12 + number - 1 + by, 12)
    return f"{year:04}-{index + 1:02}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NoSuchMonth(
            f"there is no time zone {name!r}", "write an IANA name, like Asia/Bangkok"
        ) from error


def _midnight(month: str, zone: ZoneInfo) -> datetime:
    # Where clocks jump over midnight, fold 0 reads it with the offset from before the jump:
    # that is the instant of the jump, and so the first of the day.
    year, number = _numbers(month)
    return datetime(year, number, 1, tzinfo=zone).astimezone(UTC)
