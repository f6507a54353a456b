"""What is counted of a campaign, in the order of AMEC's framework: outputs, out-takes, outcomes.

Each measure is defined once: reports print its definition, goals are set in it, files and people
enter it. Figures of networks (displays, reach, engagements) are in config/metrics.toml.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Stage = Literal["output", "out-take", "outcome"]
STAGES: Final[tuple[Stage, ...]] = ("output", "out-take", "outcome")


@dataclass(frozen=True)
class Measure:
    """One thing that is counted. `people`: who they are must not be told from a small count.

    `adds`: days and sessions may be added; of those that do not, the same person is in several.
    `entered`: people enter it; else the desk counts it.
    """

    name: str
    label: str
    stage: Stage
    definition: str
    people: bool = False
    adds: bool = True
    entered: bool = True


MEASURES: Final[Mapping[str, Measure]] = {
    one.name: one
    for one in (
        Measure(
            "mails-sent",
            "Newsletter mails sent",
            "output",
            "mails that the office's mail server took, one for each reader",
            entered=False,
        ),
        Measure(
            "mails-delivered",
            "Newsletter mails delivered",
            "output",
            "mails sent that did not come back; delivered is not read",
            entered=False,
        ),
        Measure(
            "mails-bounced",
            "Newsletter mails that came back",
            "output",
            "mails that a server refused, at once or later",
            entered=False,
        ),
        Measure(
            "unsubscribed",
            "Readers who left by a newsletter",
            "out-take",
            "readers who unsubscribed from within a mail of the campaign",
            entered=False,
        ),
        Measure(
            "clicks",
            "Visits through short links",
            "out-take",
            "visits by people through our own short links, partners' and printed ones included; "
            "previews and bots are left out",
            entered=False,
        ),
        Measure(
            "subscribers",
            "Readers of the newsletters",
            "out-take",
            "confirmed subscribers of all newsletters of the office",
            entered=False,
        ),
        Measure(
            "registrations",
            "Registrations",
            "outcome",
            "people who registered and did not withdraw",
            people=True,
        ),
        Measure(
            "attendance",
            "Attendance in the room",
            "outcome",
            "people who came to the place of the event",
            people=True,
            adds=False,
        ),
        Measure(
            "attendance-online",
            "Attendance online",
            "outcome",
            "people who joined the meeting from elsewhere; not added to those in the room",
            people=True,
            adds=False,
        ),
        Measure("downloads", "Downloads", "outcome", "downloads of a document; not readers"),
        Measure(
            "offers-to-host", "Offers to host", "outcome", "cities or States that offered to host"
        ),
        Measure(
            "cities-joining", "Cities joining", "outcome", "cities that joined, or said they will"
        ),
    )
}

ENTERED: Final = tuple(one.name for one in MEASURES.values() if one.entered)

COSTS: Final[Mapping[str, str]] = {
    "network-fees": "Fees of networks",
    "promotion": "Paid promotion",
    "staff-days": "Days of staff",
}
"""What a campaign may cost, by kind; the last is counted in days."""

AREAS: Final[Mapping[str, str]] = {
    "air-pollution": "Air Pollution",
    "biodiversity": "Biodiversity and Nature Conservation",
    "marine-protected-areas": "Marine Protected Areas",
    "low-carbon-cities": "Low Carbon Cities",
    "desertification": "Desertification and Land Degradation",
}
"""The programme areas of NEASPEC, as the agenda of its meetings names and orders them."""
