"""What a report is computed from: figures with their provenance, and what happened.

These values are filled from the database, or by hand in a test; the arithmetic needs no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from outreach.measure.metrics import Metric, Reason
from outreach.report.periods import Period
from outreach.report.som import SOM, Promoted, SomFacts
from outreach.report.value import Report


@dataclass(frozen=True)
class Figure:
    """One figure: a value, or none with the reason why. Raises ValueError for neither or both.

    `source`: network, link (our own short links) or import. `taken_at`: aware, UTC. `snapshot`:
    the row it was read from. `by`: who typed it. `note`: a sentence for the footnote. `series`:
    what its network counted; figures of two series are never compared.
    """

    metric: str
    value: int | None
    reason: str = ""
    taken_at: datetime | None = None
    source: str = "network"
    snapshot: int | None = None
    by: str = ""
    note: str = ""
    series: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.reason):
            raise ValueError(f"{self.metric}: a figure is a value, or none with a reason")
        if self.reason and self.reason not in set(Reason):
            raise ValueError(f"{self.metric}: {self.reason!r} is no reason")


@dataclass(frozen=True)
class ChannelMonth:
    """One channel's month, or other period. `figures` by metric; `sample`: nobody measured them.

    `shown` is False where neither displays nor engagements can ever be known (a web feed): such a
    channel is not one of those whose figures are complete or not.
    """

    channel: str
    title: str
    posts: int | None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    sample: bool = False
    shown: bool = True

    def value(self, metric: str) -> int | None:
        """The figure's value; None where there is none."""
        figure = self.figures.get(metric)
        return None if figure is None else figure.value


@dataclass(frozen=True)
class MonthFacts:
    """All channels of one month, or other period. Raises ValueError where one is there twice."""

    period: Period
    channels: tuple[ChannelMonth, ...] = ()

    def __post_init__(self) -> None:
        names = [one.channel for one in self.channels]
        if len(names) != len(set(names)):
            raise ValueError(
                f"{self.period.name}: a channel is there twice: {', '.join(sorted(names))}"
            )

    def get(self, channel: str) -> ChannelMonth | None:
        """The channel's month, or None."""
        return next((one for one in self.channels if one.channel == channel), None)


@dataclass(frozen=True)
class PostLine:
    """One post of the period. `title`: its message, or its first words. Times aware, UTC.

    `linked`: whether it prints an address; without one there is nothing to click. `week`: what is
    known of its figures as they were seven days after it was published, and `series` what its
    network counted then. `totals`: the figures that its network gives in parts, added up.
    """

    key: str
    title: str
    channel: str
    language: str
    published_at: datetime
    url: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    withdrawn_at: datetime | None = None
    linked: bool = True
    campaign: str = ""
    week: Mapping[str, int] = field(default_factory=dict)
    series: Mapping[str, str] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)

    def value(self, metric: str) -> int | None:
        """The figure's value; None where there is none. Clicks are 0 where nothing is linked."""
        if metric == "clicks" and not self.linked:
            return 0
        figure = self.figures.get(metric)
        return self.totals.get(metric, figure.value if figure else None)


@dataclass(frozen=True)
class Others:
    """A post that others made about a campaign of ours. `channel`: its title. Times aware, UTC."""

    url: str
    campaign: str
    channel: str
    whose: str
    published_at: datetime
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Override:
    """A post cleared (at `at`) by an emergency override, without a colleague's clearance."""

    key: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Withdrawn:
    """One post of an incident. `state`: down, by hand, refused, never live, open; `reason` why.

    Its figures are as last read while it was live; they are in no sum.
    """

    key: str
    title: str
    channel: str
    language: str
    state: str
    reason: str = ""
    url: str = ""
    published_at: datetime | None = None
    ended_at: datetime | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class IncidentFacts:
    """Something wrong was ordered to be taken down, by whom, when and why."""

    number: int
    at: datetime
    by: str
    why: str
    posts: tuple[Withdrawn, ...]


@dataclass(frozen=True)
class Corrected:
    """A post whose text was replaced where it stood, at `at`; `why` as its officer gave it."""

    key: str
    title: str
    channel: str
    at: datetime
    why: str


@dataclass(frozen=True)
class Planned:
    """A post of the time to come. `state` as the desk calls it: proposed, cleared."""

    at: datetime
    title: str
    channel: str
    language: str
    state: str


@dataclass(frozen=True)
class PartnerClicks:
    """How often the addresses in one partner's kits were followed in the period.

    `counted` by our own short links; `imported` as somebody read it elsewhere by the partner's
    utm_source, None where nobody did. They are two counts of the same visits, and never added.
    """

    name: str
    counted: int | None
    imported: int | None = None

    @property
    def clicks(self) -> int | None:
        """The one that is taken: our own, where there is one."""
        return self.imported if self.counted is None else self.counted


@dataclass(frozen=True)
class Masthead:
    """What stands above the title. A report is internal: it has a symbol only if given one."""

    programme: str = (
        "North-East Asian Subregional Programme for Environmental Cooperation (NEASPEC)"
    )
    distribution: str = "For internal use"
    languages: str = "English only"
    symbol: str = ""


@dataclass(frozen=True)
class Against:
    """What the period is compared with. `name` is for programs: "month-before"."""

    name: str
    title: str
    facts: MonthFacts
    posts: tuple[PostLine, ...] = ()


@dataclass(frozen=True)
class Audience:
    """Who follows one channel. `before` the period and `after` it: the last reading of each.

    `over`: month by month, as printed, up to the period's end; None where nothing was read.
    """

    channel: str
    title: str
    before: Figure | None
    after: Figure | None
    gained: Figure | None = None
    lost: Figure | None = None
    over: tuple[tuple[str, int | None], ...] = ()
    sample: bool = False


@dataclass(frozen=True)
class ReportInput:
    """Everything that a report is computed from; see `compute`.

    `cut_off`: only figures collected before it were taken. `office`: who speaks, "the NEASPEC
    secretariat" in running text. `notes`: lessons and remarks, written by an officer. `edition`: 0
    for what is not to be kept; `earlier`: the version before it. `titles`: of campaigns, by name.
    """

    zone: str
    cut_off: datetime
    made_at: datetime
    office: str
    metrics: Mapping[str, Metric]
    this: MonthFacts
    against: tuple[Against, ...] = ()
    posts: tuple[PostLine, ...] = ()
    others: tuple[Others, ...] = ()
    overrides: tuple[Override, ...] = ()
    incidents: tuple[IncidentFacts, ...] = ()
    corrected: tuple[Corrected, ...] = ()
    missed: int = 0
    failed: int = 0
    uncertain: int = 0
    plan_next: tuple[Planned, ...] = ()
    plan_within: str = ""  # "in September 2025"
    partners: tuple[PartnerClicks, ...] = ()
    audience: tuple[Audience, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    edition: int = 0
    earlier: Report | None = None
    draft: bool = False
    by: str = ""
    masthead: Masthead = Masthead()
    campaigns: tuple[Promoted, ...] = ()  # what came of each; the meeting's report has its own
    som: SomFacts | None = None  # where it is for the Senior Officials Meeting

    @property
    def name(self) -> str:
        """What the report is kept under: that of its period, "som:2025-08" for the meeting's."""
        return f"{SOM}:{self.period.name}" if self.som else self.period.name

    @property
    def period(self) -> Period:
        """What the report is about."""
        return self.this.period

    @property
    def every(self) -> tuple[MonthFacts, ...]:
        """The period, and those that it is compared with."""
        return (self.this, *(one.facts for one in self.against))
