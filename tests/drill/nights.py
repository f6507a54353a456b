"""The nights in which a zone's clocks change: slots that its clocks skip, or show twice.

The office's files ask for posts across such a night, a series and hours counted from an event, and
the program's clock is taken through it, fast, at the days around it too. What has to go out, and
not before when, is written here by hand, in UTC: nothing of the program says it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.conftest import apply, clear_all

if TYPE_CHECKING:
    from tests.drill.field import Field

OFFICE = "Europe/Berlin"
SERIES = {OFFICE: "02:30", "Europe/Helsinki": "03:30", "Atlantic/Azores": "00:30"}
"""Zones whose clocks change at 01:00 UTC, and the time there that is skipped, or comes twice."""

SOON = timedelta(seconds=1)  # of the program's clock, which goes on between two settings
STEP = 0.1  # seconds of ours between two settings of the clock


@dataclass(frozen=True)
class Night:
    """A night at whose 01:00 UTC Europe's clocks change, with the one before and the one after.

    `series` is when the time of SERIES comes in each of them; in the night itself, once.
    """

    sunday: datetime
    series: tuple[str, str, str]
    event: str  # the event's own hour in Berlin, which is 22:00 UTC the evening before

    def nights(self) -> Iterator[tuple[datetime, datetime]]:
        """Midnight, UTC, of each night, and when the series is due in it."""
        for n, wall in enumerate(self.series):
            midnight = self.sunday + timedelta(days=n - 1)
            yield midnight, datetime.fromisoformat(f"{midnight:%Y-%m-%d}T{wall}Z")


AUTUMN = Night(datetime(2026, 10, 25, tzinfo=UTC), ("00:30", "00:30", "01:30"), "00:00")
"""03:00 becomes 02:00: 02:30 comes twice in Berlin, and a series means the first."""

SPRING = Night(datetime(2026, 3, 29, tzinfo=UTC), ("01:30", "01:30", "00:30"), "23:00")
"""02:00 becomes 03:00: there is no 02:30 in Berlin, and a series is due at 03:30."""


def put(field: "Field", night: Night) -> None:
    """A campaign as an officer writes one, applied and cleared on the Saturday's midnight.

    A series on every channel, in one of the zones, and as many single posts as are wanted beside
    it, spread over the hours before and after the change.
    """
    _set(field, night.sunday - timedelta(days=1))
    zones, single = list(SERIES), max(field.posts - 3 * field.channels, field.channels)
    evening = night.sunday - timedelta(hours=2)  # when the event begins, in UTC
    on = evening if night.event == "23:00" else night.sunday
    messages, texts = [], {}
    for n, channel in enumerate(field.names):
        wall = f"{SERIES[zones[n // 3 % 3]]} {zones[n // 3 % 3]}"
        first, last = (night.sunday + timedelta(days=days) for days in (-1, 1))
        messages.append(
            f'  s{n}: {{to: {channel}, every: {{days: [sat, sun, mon], time: "{wall}", '
            f'from: "{first:%Y-%m-%d} 00:00 UTC", until: "{last:%Y-%m-%d} 23:00 UTC"}}}}\n'
        )
        words = [f"Night {turn} of {channel}, first words." for turn in (1, 2, 3)]
        texts[f"s{n}"] = "".join(f"## en {turn}\n{said}\n" for turn, said in enumerate(words, 1))
        for said, (_, at) in zip(words, night.nights(), strict=True):
            field.wanted[channel, said] = at
    taken = {(channel, at) for (channel, _), at in field.wanted.items()}
    for n in range(single):
        channel, minutes = field.names[n % field.channels], 145 + 70 * n // single
        while (channel, evening + timedelta(minutes=minutes)) in taken:
            minutes += 1  # one account posts one thing at a time
        taken.add((channel, evening + timedelta(minutes=minutes)))
        messages.append(f'  m{n}: {{to: {channel}, at: "night + {minutes} minutes"}}\n')
        texts[f"m{n}"] = f"## en\nPost {n}, first words.\n"
        at = evening + timedelta(minutes=minutes)
        field.wanted[channel, f"Post {n}, first words."] = at
    audiences = ", ".join(f"{name}: {{en: [{name}]}}" for name in field.names)
    (field.home / "campaigns/c.yaml").write_text(
        "campaign: c\nprogramme: nights\ntitle: Nights\nwritten-by: ana\n"
        f"audiences: {{{audiences}}}\n"
        f'events: {{night: {{date: {on:%Y-%m-%d}, starts: "{night.event}", '
        f'ends: "23:59", zone: {OFFICE}}}}}\n'
        "defaults: {if-late: 'send within 2 hours, then ask'}\n"
        f"messages:\n{''.join(messages)}"
    )
    folder = field.home / "templates/posts/c"
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)
    apply(field.desk)
    clear_all(field.desk)
    assert {(row.channel, row.post.parts[0].text) for row in field.rows()} == set(field.wanted)
    field.cleared = {text for _, text in field.wanted}
    field.posts = len(field.wanted)


def through(field: "Field", night: Night) -> None:
    """Three nights, each from 00:20 to 01:40 UTC; after the change a worker is killed."""
    field.start_all()
    before = set(field.wanted)
    for midnight, _ in night.nights():
        seconds = 5.0 if midnight == night.sunday else 1.5
        _set(field, midnight + timedelta(minutes=20))
        if midnight < night.sunday:  # the processes have begun before anything is due
            field.until(lambda: field.pulsed(midnight), 30)  # noqa: B023 - asked at once
        for n in range(steps := int(seconds / STEP)):
            now = midnight + timedelta(minutes=20 + 80 * n / steps)
            for one in [one for one in before if field.wanted[one] <= now + SOON]:
                before.discard(one)
                field.not_before(*one)
            _set(field, now)
            if midnight == night.sunday and n == 5 * steps // 8:  # 01:10 UTC
                field.kill()
                field.start()
            time.sleep(STEP)
        field.until(lambda: not field.waiting(now), 20)  # noqa: B023 - asked at once
    field.faulted()


def _set(field: "Field", now: datetime) -> None:
    field.set_clock((now - datetime.now(UTC)).total_seconds())
