"""A campaign as its file says it: frozen values, each of which knows its file and line.

The format is described for officers in docs/campaign-files.md. Keys are written with hyphens
(`if-late`), attributes with underscores.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from outreach.campaign.values import Late

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

T = TypeVar("T")
Date = date  # an event has a `date` of its own


def _hyphens(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


class Frozen(BaseModel):
    """A value of a campaign file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=_hyphens,
        populate_by_name=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # what was kept is not validated again, and needs no validators
    )


@dataclass(frozen=True)
class Tbc(Generic[T]):
    """To be confirmed by `who`. `plan_with` serves to compute slots, and is never printed."""

    who: str = ""
    plan_with: T | None = None


@dataclass(frozen=True, slots=True)
class When:
    """When a message is due, as written: absolute, or counted from an event.

    `anchor` is an event's id, or None for an absolute time. `edge` is the instant of the event
    that `offset` counts from. `days` are counted from the event's date in the event's zone, and
    `wall` is then read in `zone`; both may be None: the event's own time and zone. `written` is
    the text of the file.
    """

    written: str
    anchor: str | None = None
    edge: Literal["starts", "ends"] = "starts"
    days: int = 0
    working_days: int = 0  # counted after `days`
    series: bool = False  # "working days from forum - 12 days": one working day after another
    offset: timedelta | None = None  # "forum - 2 hours", or 0: from the instant, and wall is None
    on: date | None = None  # the date of an absolute time
    wall: time | None = None
    zone: str | None = None


def _when(value: Any) -> Any:
    from outreach.campaign.when import parse_when

    return parse_when(value)


def _late(value: Any) -> Any:
    from outreach.campaign.when import parse_late

    return parse_late(value)


def _known(value: Any) -> Any:
    """`tbc`, `{tbc: organizers, plan-with: "09:00"}`, or the value itself."""
    if isinstance(value, str) and value.strip().casefold() == "tbc":
        return Tbc()
    if isinstance(value, Mapping):
        if "tbc" not in value:
            raise ValueError("a mapping {…} stands here; write one value, tbc or {tbc: who}")
        extra = set(value) - {"tbc", "plan-with"}
        if extra:
            raise ValueError(
                f"beside tbc there may be plan-with only, not {', '.join(map(str, extra))}; "
                "quote a text that has commas"
            )
        return Tbc(who=value["tbc"] or "", plan_with=value.get("plan-with"))
    return value


def _worded(value: Any) -> Any:
    if isinstance(value, Mapping) and "tbc" not in value:
        if all(isinstance(name, str) and _LANGUAGE.fullmatch(name) for name in value) and value:
            return value
        raise ValueError(
            "a mapping {…} stands here; write one value, tbc, {tbc: who}, or a text for each "
            "language: {en: …, ko: …}; quote a text that has commas"
        )
    return _known(value)


def _day(value: Any) -> Any:
    from outreach.campaign.when import parse_day

    known = _known(value) if isinstance(value, str | Mapping) else value
    if isinstance(known, Tbc) and isinstance(known.plan_with, str):
        parse_day(known.plan_with)
    return parse_day(known) if isinstance(known, str) else known


def _clock(value: Any) -> Any:
    """A wall time as typed, or to be confirmed with a wall time to plan with."""
    from outreach.campaign.when import parse_clock

    known = _known(value)
    if isinstance(known, Tbc) and isinstance(known.plan_with, str):
        parse_clock(known.plan_with)
    return parse_clock(known) if isinstance(known, str) else known


def _zone(value: str) -> str:
    from outreach.campaign.when import zone

    return zone(value).key


def _wall(value: str) -> str:
    from outreach.campaign.when import parse_wall

    parse_wall(value)
    return value


def _weekday(value: Any) -> Any:
    from outreach.campaign.when import parse_weekday

    return parse_weekday(value) if isinstance(value, str) else value


def _country(value: Any) -> Any:
    from outreach.campaign.when import parse_country

    return parse_country(value) if isinstance(value, str) else value


DaysOff = Literal["before", "after", "keep"]
Thread = Literal["split", "numbered", "as-written"]
Focus = Literal[
    "top", "bottom", "left", "right", "top left", "top right", "bottom left", "bottom right"
]
Weekday = Annotated[
    Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], BeforeValidator(_weekday)
]
Country = Annotated[str, BeforeValidator(_country)]  # ISO 3166: "TH"
Moment = Annotated[When, PlainValidator(_when)]
Lateness = Annotated[Late, PlainValidator(_late)]
Text = Annotated[str | Tbc[str], BeforeValidator(_known)]
Worded = Annotated[str | Tbc[str] | Mapping[str, str], BeforeValidator(_worded)]
"""One text for every language, or one for each: {en: Opening, ko: 개회}."""
Day = Annotated[date | Tbc[str], BeforeValidator(_day)]
Clock = Annotated[time | Tbc[str], BeforeValidator(_clock)]
Zone = Annotated[str, AfterValidator(_zone)]
Wall = Annotated[str, AfterValidator(_wall)]  # "10:00 Asia/Seoul"
Count = Annotated[int | Tbc[str], BeforeValidator(_known)]
Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


def in_language(value: str | Tbc[str] | Mapping[str, str], language: str) -> str | Tbc[str]:
    """A text in a language; to be confirmed by a translator where there is none in it."""
    if isinstance(value, Mapping):
        return value.get(language) or Tbc(who=f"a translator of {language}")
    return value


class Languages(Frozen):
    """The source language, its translations, and which of those are not official."""

    source: str = "en"
    also: tuple[str, ...] = ()
    unofficial: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """The source first."""
        return (self.source, *self.also)


class Session(Frozen):
    """One session of an event."""

    id: Identifier
    title: Text | Mapping[str, str]
    starts: Clock
    ends: Clock
    speakers: tuple[str, ...] = ()


class Speaker(Frozen):
    """A person who speaks at an event; nothing is printed without `consent`."""

    id: Identifier
    names: Mapping[str, str]
    title: Text = ""
    organization: Text = ""
    session: str = ""
    photo: str = ""
    consent: bool = False


class Event(Frozen):
    """A dated thing that a campaign is anchored to: move it and every message moves with it."""

    date: Day
    starts: Clock
    ends: Clock = Tbc()
    zone: Zone
    place: Text = Tbc()
    sessions: Annotated[tuple[Session, ...] | Tbc[str], BeforeValidator(_known)] = ()
    speakers: Annotated[tuple[Speaker, ...] | Tbc[str], BeforeValidator(_known)] = ()

    @property
    def day(self) -> Date | None:
        """Its date, or the one to plan with; None where there is neither."""
        if not isinstance(self.date, Tbc):
            return self.date
        return Date.fromisoformat(self.date.plan_with) if self.date.plan_with else None


class Fact(Frozen):
    """Something the texts may print, and where it comes from."""

    value: Worded
    source: str


class Goal(Frozen):
    """What a campaign is for, in a number.

    It is counted in `measure`, one of `outreach/measure/amec.py`; in that of its own name unless
    said. `source` is where the target stands.
    """

    target: Count
    baseline: Count = Tbc()
    by: Moment
    from_: str
    measure: str = ""
    source: Text = ""


class Media(Frozen):
    """A picture of a message, a document or a video. `file` is a name in the media folder.

    `only` names the channels or platforms that get it; all do where it is empty. `focus` is what
    should stay in view where a network cuts it; `thumbnail` the picture that stands for a document.
    `captions` are a video's: a file whose name ends with its language (`talk.en.vtt`), files by
    language, or `burnt-in`; with `no_speech` nobody speaks in it.
    From the day of `expires` on, where the post is due, it may no longer be used. What is said of
    it in media/assets.toml holds where the message does not say it.
    """

    file: str
    alt: Worded
    credit: Text = ""
    licence: Text = ""
    consent: Text = ""
    expires: Day | None = None
    contains_map: bool = False
    co_branded: bool = False
    only: tuple[str, ...] = ()
    focus: Focus | None = None
    thumbnail: str = ""
    captions: Worded = ""
    no_speech: bool = False


class Every(Frozen):
    """A recurring message: on these weekdays, at this wall time, from and until (both included).

    With `week` only the first, second, third, fourth or last of a month.
    """

    week: Literal["first", "second", "third", "fourth", "last"] | None = None
    days: tuple[Weekday, ...] = Field(min_length=1)
    time: Wall
    from_: Moment
    until: Moment


class Defaults(Frozen):
    """What every message of the campaign has unless it says otherwise."""

    time: Wall | None = None
    days_off: DaysOff = "keep"
    holidays: tuple[Country, ...] = ()
    if_late: Lateness = Late()
    embargo: Moment | None = None
    not_after: Moment | None = None
    thread: Thread | None = None
    to: str = ""
    clear_by: str = ""


class Message(Frozen):
    """One thing to say. Its texts are in the template file, never here."""

    at: Moment | None = None  # without one it is an idea: listed, never sent
    every: Every | None = None
    each: str | None = None
    to: str | None = None
    template: str | None = None  # "posts/forum/save-the-date.md" below templates/
    media: tuple[Media, ...] = ()
    release: Literal["together", "as-ready"] = "together"
    days_off: DaysOff | None = None  # a day off moves to the working day before or after, or stays
    if_late: Lateness | None = None
    embargo: Moment | None = None  # nothing before
    not_after: Moment | None = None
    thread: Thread | None = None  # what becomes of a text that is too long for one part
    needs: tuple[str, ...] = ()
    if_cancelled: Literal["drop", "keep"] = "keep"


Links = Mapping[str, Text]
Audiences = Mapping[str, Mapping[str, tuple[str, ...]]]


class Campaign(Frozen):
    """What should be said, to whom, where, in which languages and when."""

    campaign: Identifier
    programme: str
    title: str
    written_by: str
    templates: str = ""  # the folder of its texts below templates/; "posts/<campaign>" unless said
    languages: Languages = Languages()
    events: Mapping[Identifier, Event] = {}
    facts: Mapping[Identifier, Fact] = {}
    links: Links = {}
    hashtags: Mapping[str, str] = {}  # by language: "#LowCarbonCities #ClimateAction"
    goals: Mapping[Identifier, Goal] = {}
    compared_with: str = ""  # an earlier campaign, beside which reports set this one
    audiences: Audiences
    defaults: Defaults = Defaults()
    messages: Mapping[Identifier, Message]

    # Filled by the loader, not by the file.
    file: str = Field(default="", exclude=True)  # "campaigns/forum-2025.yaml"
    lines: Mapping[tuple[str | int, ...], int] = Field(default={}, exclude=True, repr=False)

    def where(self, *path: str | int) -> str:
        """`file:line` of a value, or of the nearest thing around it: where("messages", "recap")."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.file}:{self.lines.get(path, 1)}"

    @property
    def folder(self) -> str:
        """Where its texts are, below templates/."""
        return self.templates or f"posts/{self.campaign}"

    def text_file(self, name: str, template: str | None = None) -> str:
        """The text file of a message, below templates/; `template` is what the message names."""
        return template or f"{self.folder}/{name}.md"
