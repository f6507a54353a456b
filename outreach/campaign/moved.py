"""An event that has moved: what it was before, and which texts still say so in free words.

A text that prints `{{ events.forum.starts }}` follows its event. One that says "9.00 a.m." does
not, and nobody would see it in a plan: so what was applied before is kept, and whatever still
says it waits until it is rewritten. Only numbers are looked for, as the six languages write
hours and dates; "in the morning" is for a person to find.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any

from outreach.errors import Problem

if TYPE_CHECKING:
    from outreach.campaign.models import Campaign, Event


@dataclass(frozen=True)
class Held:
    """When and where an event was to be held, as far as that was known. Hours are its zone's."""

    event: str
    date: str  # ISO 8601
    starts: str  # "09:00", or "" while it is to be confirmed
    ends: str
    zone: str

    def __str__(self) -> str:
        hours = (
            f", {self.starts}" + (f" to {self.ends}" if self.ends else "") if self.starts else ""
        )
        return f"{self.date}{hours} {self.zone}"


def held(campaign: "Campaign") -> list[Held]:
    """When each event of a campaign is to be held, as its file has it now."""
    return [
        Held(
            name,
            event.day.isoformat() if event.day else "",
            _hour(event.starts),
            _hour(event.ends),
            event.zone,
        )
        for name, event in campaign.events.items()
    ]


def as_data(those: Iterable[Held]) -> list[dict[str, str]]:
    return [vars(one) for one in those]


def of_data(data: Iterable[Mapping[str, Any]]) -> list[Held]:
    return [Held(**one) for one in data]


def moves(held: Iterable[Held], before: Sequence[Held]) -> Iterator[tuple[Held, Held]]:
    """(was, is) of each event that is not where it was when its campaign was last applied."""
    last = {one.event: one for one in before}
    for now in held:
        was = last.get(now.event)
        if was and was != now:
            yield was, now


def outdated(text: str, campaign: "Campaign", before: Sequence[Held]) -> str:
    """What a text still says of an event that has moved, as a sentence; "" where nothing."""
    now = {one.event: one for one in held(campaign)}
    current = _said_now(campaign)
    for was in before:
        event = now.get(was.event)
        if event is None:
            continue
        for value, is_now, spoken in (
            (was.starts, event.starts, _hours),
            (was.ends, event.ends, _hours),
            (was.date, event.date, _dates),
        ):
            if value and value != is_now and value not in current:
                found = spoken(value).search(text)
                if found:
                    moved = f"is {is_now} now" if is_now else "is to be confirmed now"
                    return f"it says “{found[0]}” in free words, and {was.event} {moved}"
    return ""


def problem(where: str, said: str) -> Problem:
    """What keeps such a text from being cleared."""
    return Problem(where, said, "write {{ events.….starts }} or .date instead, or other words")


def _hour(value: object) -> str:
    return f"{value:%H:%M}" if isinstance(value, time) else ""


def _said_now(campaign: "Campaign") -> set[str]:
    """Every hour and date that is right somewhere in the campaign."""
    found: set[str] = set()
    for event in campaign.events.values():
        found |= {str(event.day or ""), _hour(event.starts), _hour(event.ends)}
        found |= {_hour(at) for one in _sessions(event) for at in (one.starts, one.ends)}
    return found - {""}


def _sessions(event: "Event") -> Sequence[Any]:
    return event.sessions if isinstance(event.sessions, tuple) else ()


def _hours(value: str) -> re.Pattern[str]:
    """ "09:00" as people write it: 09:00, 9.00 a.m., 9 am, 오전 9시, 午前9時, 上午9点, 9 цаг."""
    at = time.fromisoformat(value)
    twelve, half = at.hour % 12 or 12, rf"\s*{'a' if at.hour < 12 else 'p'}\.?\s?m\b\.?"
    hour = rf"(?:0?{at.hour})"
    ways = [
        rf"0?{twelve}[:.]{at.minute:02}{half}",
        rf"{hour}[:.：]{at.minute:02}(?!\d|\s*[ap]\.?\s?m\b)",
    ]
    minutes = rf"\s*{at.minute}\s*[분分]" if at.minute else r"(?!\s*\d)"
    for number in {at.hour, twelve}:
        ways.append(rf"(?:오전|오후|午前|午後|上午|下午)?\s*0?{number}\s*[시時点點]{minutes}")
    if not at.minute:
        ways += [rf"0?{twelve}{half}", rf"{at.hour}\s*(?:цаг|час)"]
    return re.compile(rf"(?<![\d:.])(?:{'|'.join(ways)})", re.IGNORECASE)


def _dates(value: str) -> re.Pattern[str]:
    """ "2025-08-25" as people write it, in English and the languages of the six States."""
    day = date.fromisoformat(value)
    english = f"{day:%B}", f"{day:%b}"
    russian = _RUSSIAN[day.month - 1]
    ways = [
        rf"{day.day}(?:st|nd|rd|th)?\s+(?:{'|'.join(english)})\b",
        rf"(?:{'|'.join(english)})\s+{day.day}(?!\d)",
        rf"{day.month}\s*[月월]\s*{day.day}\s*[日일]",
        rf"{day.day}\s+{russian}",
        rf"{day.month}(?:-р|\s*дүгээр|\s*дугаар)?\s*сарын\s*{day.day}",
        re.escape(value),
    ]
    return re.compile(rf"(?<!\d)(?:{'|'.join(ways)})", re.IGNORECASE)


_RUSSIAN = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)
