"""What the report to the Senior Officials Meeting has beside a period's report: plain values.

What was not counted is None with its reason, never nought. A suppressed count of people is None in
a breakdown that is there; a breakdown that is not there was not collected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SOM = "som"
"""How the names of reports to the meeting begin, "som:2025-09-24..2026-08-31"."""

COUNTED = {
    "registrations": "Registrations",
    "attendance": "In the room",
    "attendance-online": "Online",
    "downloads": "Downloads",
}
"""What is told by member State, sex and youth: measures, and the heads of their columns."""

PROMISED = {"offers-to-host": "Offers to host", "cities-joining": "Cities joining"}
"""What the meeting had asked for: measures, and what they are called."""


@dataclass(frozen=True)
class Tally:
    """One figure of a campaign in the period. `by` has its breakdowns, "state", "sex", "youth":
    label and count, None for a suppressed one. `withheld` names those that would tell who."""

    measure: str
    label: str
    value: int | None
    reason: str = ""
    by: Mapping[str, tuple[tuple[str, int | None], ...]] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aim:
    """A goal of a campaign file, and how far it was reached by `until`. None: to be confirmed."""

    label: str
    target: int | None
    baseline: int | None
    source: str
    value: int | None
    reason: str
    until: str  # "25 August 2025"
    over: bool  # it was due by then

    @property
    def missed(self) -> bool:
        """Due, known, and not reached."""
        return self.over and None not in (self.value, self.target) and not self.reached

    @property
    def reached(self) -> bool:
        return self.value is not None and self.target is not None and self.value >= self.target


@dataclass(frozen=True)
class Spoken:
    """A language of a campaign's audience: how many posts it had, and why none, where it had none.

    `official`: whether texts in it are official; others are courtesy translations.
    """

    name: str
    posts: int
    channels: tuple[str, ...]
    why: str = ""
    official: bool = True


@dataclass(frozen=True)
class Promoted:
    """One campaign in the period. `area` is its programme area, as the meeting names it."""

    campaign: str
    title: str
    area: str
    posts: int
    languages: tuple[Spoken, ...] = ()
    tallies: tuple[Tally, ...] = ()
    aims: tuple[Aim, ...] = ()

    def tally(self, measure: str) -> Tally | None:
        """Its figure of this measure, or None."""
        return next((one for one in self.tallies if one.measure == measure), None)


@dataclass(frozen=True)
class Spent:
    """What was spent of one kind, in one unit: "1,204.50 USD". None where nobody entered it."""

    label: str
    amount: str | None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What the meeting asked, and what was done; "" while nobody has answered."""

    what: str
    source: str
    answer: str
    by: str = ""


@dataclass(frozen=True)
class SomFacts:
    """Everything that the sections for the meeting print. `areas`: all of them, in the meeting's
    order. `meeting` is the title of the last one, "" where none is known. `unreadable`: campaigns
    whose files cannot be read."""

    meeting: str
    asked: tuple[Request, ...]
    areas: tuple[str, ...]
    campaigns: tuple[Promoted, ...]
    spent: tuple[Spent, ...]
    unreadable: tuple[str, ...] = ()
