"""What a rehearsal has shown: values from which its page is made, and nothing of the desk."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from outreach.campaign.models import Campaign
from outreach.compose.languages import Translation
from outreach.errors import Problem
from outreach.platforms import Channel
from outreach.post import Post, Slot
from outreach.report.value import Report


@dataclass(frozen=True)
class Shown:
    """One post, and what became of it on the fast clock.

    `post` is what the public would see, with what is to be confirmed marked in it; None where
    there is no text. `state` is where the desk has left it ("published", "missed"), at `at`
    (aware) where it went out; "" where it has no time. `blocked`, `advice` and `questions` are
    what its files say as they are written. `network` is the platform that its channel stood in
    for, and `by_hand` whether a person posts it there. From `late_after` on it is not sent without
    asking. `same_as` is the channel whose text it shares.
    """

    key: str
    campaign: str
    message: str
    language: str
    channel: Channel
    network: str
    slot: Slot | None
    post: Post | None
    state: str
    at: datetime | None = None
    reason: str = ""
    blocked: tuple[Problem, ...] = ()
    advice: tuple[Problem, ...] = ()
    questions: tuple[Problem, ...] = ()
    translation: Translation = Translation.SOURCE
    translator: str = ""
    reviewer: str = ""
    late_after: datetime | None = None
    by_hand: bool = False
    series: bool = False
    together: bool = False
    same_as: str = ""
    wanted: Slot | None = None  # for when another office is asked; `slot` is when its package goes

    @property
    def waits(self) -> tuple[Problem, ...]:
        """What is to be confirmed, or reviewed, before it can be cleared."""
        return tuple(problem for problem in self.blocked if problem.open)

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.blocked if problem.mistake)

    @property
    def published(self) -> bool:
        return self.state == "published"


@dataclass(frozen=True)
class Needed:
    """One clearance: a message in one language, read by one of `who`, by the end of `by`.

    `who` are people's names; none where nobody of the office may clear it. `slots` are its
    dates, more than one for a series. `waits` is what has to be known before it can be read.
    """

    campaign: str
    message: str
    language: str
    channels: tuple[str, ...]
    slots: tuple[Slot, ...]
    by: date
    who: tuple[str, ...]
    authors: tuple[str, ...]
    waits: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotReady:
    """A channel that could not publish today, and what to do about it."""

    channel: str
    why: str
    remedy: str


@dataclass(frozen=True)
class Rehearsal:
    """Everything that the page shows. `zones` are the office's two; the second may be ""."""

    office: str
    zones: tuple[str, str]
    made: date
    as_if_confirmed: bool
    files: tuple[str, ...]
    campaigns: tuple[Campaign, ...] = ()
    posts: tuple[Shown, ...] = ()  # in the order of their slots; those without one at the end
    problems: tuple[Problem, ...] = ()
    needed: tuple[Needed, ...] = ()
    reports: tuple[Report, ...] = ()
    holds: tuple[str, ...] = ()
    unready: tuple[NotReady, ...] = ()
    remarks: tuple[str, ...] = ()
    max_age_days: int | None = None

    @property
    def mistakes(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.mistake)

    @cached_property
    def titles(self) -> dict[str, str]:
        """Each channel's title, by its name."""
        return {one.channel.name: one.channel.title for one in self.posts}

    @property
    def title(self) -> str:
        return " · ".join(campaign.title for campaign in self.campaigns) or ", ".join(self.files)
