"""Days and hours in words, in the office's two zones."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Not strftime's names: they follow the machine's locale.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def day(of: date) -> str:
    """ "Sat 26 Jul 2025" """
    return f"{_short(of)} {of.year}"


def _short(of: date) -> str:
    return f"{WEEKDAYS[of.weekday()]} {of.day} {MONTHS[of.month - 1][:3]}"


def place(zone: str) -> str:
    """ "Bangkok", of Asia/Bangkok."""
    return zone.rpartition("/")[2].replace("_", " ")


def counted(number: int, word: str, many: str = "") -> str:
    """ "1 post", "28 posts" """
    return f"{number:,} {word if number == 1 else many or word + 's'}"


@dataclass(frozen=True)
class Zones:
    """The office's two zones; `also` may be ""."""

    office: str
    also: str = ""

    def date(self, at: datetime) -> date:
        """The day of an instant, where the office is."""
        return at.astimezone(ZoneInfo(self.office)).date()

    def hours(self, at: datetime) -> str:
        """ "08:00 Bangkok (10:00 Seoul)", with the day of the second where it is another."""
        here = at.astimezone(ZoneInfo(self.office))
        told = f"{here:%H:%M} {place(self.office)}"
        if not self.also or self.also == self.office:
            return told
        there = at.astimezone(ZoneInfo(self.also))
        other = "" if there.date() == here.date() else f"{_short(there.date())}, "
        return f"{told} ({other}{there:%H:%M} {place(self.also)})"

    def show(self, at: datetime) -> str:
        """ "Sat 26 Jul 2025, 08:00 Bangkok (10:00 Seoul)" """
        return f"{day(self.date(at))}, {self.hours(at)}"
