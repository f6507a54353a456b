"""Days, hours, counts and strange characters as every door writes them."""

import re
from dataclasses import dataclass
from datetime import date, datetime

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Not strftime's names: they follow the machine's locale.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# Escapes would reach a terminal; the others turn text around or hide letters, and a person
# clears what they see.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2060\u202a-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """The text with what a terminal or a browser would obey, or hide, spelled out: ⟨U+202E⟩."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def day(of: date) -> str:
    """ "Sat 26 Jul 2025" """
    return f"{_short(of)} {of.year}"


def in_full(of: date) -> str:
    """ "26 July 2025" """
    return f"{of.day} {MONTHS[of.month - 1]} {of.year}"


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
        return _read(at, self.office).date()

    def hours(self, at: datetime) -> str:
        """ "08:00 Bangkok (10:00 Seoul)", with the day of the second where it is another."""
        here = _read(at, self.office)
        told = f"{here:%H:%M} {place(self.office)}"
        if not self.also or self.also == self.office:
            return told
        there = _read(at, self.also)
        other = "" if there.date() == here.date() else f"{_short(there.date())}, "
        return f"{told} ({other}{there:%H:%M} {place(self.also)})"

    def show(self, at: datetime) -> str:
        """ "Sat 26 Jul 2025, 08:00 Bangkok (10:00 Seoul)" """
        return f"{day(self.date(at))}, {self.hours(at)}"


def _read(at: datetime, zone: str) -> datetime:
    from zoneinfo import ZoneInfo  # help comes at once, and needs no zone

    return at.astimezone(ZoneInfo(zone))
