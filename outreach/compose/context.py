"""What a text may name: `campaign`, `facts`, `links`, `events`, `hashtags`, `mention(…)`, ….

All of it is plain data, ready for the sandbox; what is to be confirmed is a marker there, which
blocks the text that names it. Dates and hours are written out in the language of the text.
"""

from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_timezone_location

from outreach.campaign.directory import TBC, Boilerplate, Directory, Partner
from outreach.campaign.models import Campaign, Event, Session, Speaker, Tbc, in_language
from outreach.campaign.when import spoken
from outreach.compose import languages
from outreach.platforms import Channel

Known = Mapping[str, Any]


def shared_context(
    campaign: Campaign, channel: Channel, language: str, directory: Directory
) -> dict[str, Any]:
    """The names that are the same for every text of a campaign in a language on a platform.

    `directory` holds whom it may `mention`, and boilerplate.
    """
    return {
        "campaign": {
            "id": campaign.campaign,
            "title": campaign.title,
            "programme": campaign.programme,
        },
        "facts": _spelled(
            {
                name: _value(campaign, in_language(fact.value, language), "facts", name, "value")
                for name, fact in campaign.facts.items()
            }
        ),
        "events": _spelled(
            {
                name: _event(campaign, name, event, language)
                for name, event in campaign.events.items()
            }
        ),
        "hashtags": _hashtags(campaign, language),
        "unofficial": languages.UNOFFICIAL.get(language.partition("-")[0], "")
        if language in campaign.languages.unofficial
        else "",
        "boilerplate": _spelled(
            {name: _approved(name, one, language) for name, one in directory.boilerplate.items()}
        ),
        "mention": {
            "__mentions__": {
                name: _mention(name, partner, channel.platform, campaign, language)
                for name, partner in directory.partners.items()
            }
        },
        "language": language,
    }


def own_context(
    campaign: Campaign,
    channel: Channel,
    language: str,
    links: Mapping[str, str],
    item: tuple[str | int, ...] = (),
) -> dict[str, Any]:
    """The names of one text alone; `links` holds the addresses as they are to be printed.

    `item` is where the speaker or session of one occasion of an `each` stands in the file; it is
    called `speaker` or `session`.
    """
    return {
        **_item(campaign, language, *item),
        "links": _spelled(
            {
                name: links.get(name) or _value(campaign, url, "links", name)
                for name, url in campaign.links.items()
            }
        ),
        "channel": {"name": channel.name, "title": channel.title},
    }


def _hashtags(campaign: Campaign, language: str) -> Any:
    if language in campaign.hashtags:
        return campaign.hashtags[language]
    hint = f"write those of {language} in {campaign.where('hashtags')}"
    return {"__tbc__": {"name": f"hashtags.{language}", "who": "", "hint": hint}}


def _approved(name: str, one: Boilerplate, language: str) -> Any:
    """The text, or its marker while nobody has approved it, or there is none in that language."""
    if one.approved_by == "open" or language not in one.texts:
        hint = f"when it is approved, write by whom, and the text in {language}, in {one.where}"
        return {"__tbc__": {"name": f"boilerplate.{name}", "who": "", "hint": hint}}
    return one.texts[language]


def _mention(name: str, partner: Partner, platform: str, campaign: Campaign, language: str) -> Any:
    """The partner's name on that network, where it has one there; else in that language."""
    handle = partner.handles.get(platform, "")
    if handle == TBC:
        hint = f"write its name on {platform} in config/partners.toml, or take it out there"
        return {"__tbc__": {"name": f"the handle of {name} on {platform}", "who": "", "hint": hint}}
    return handle or partner.called(language, campaign.languages.source)


def look_up(context: Known, name: str) -> Any:
    """What a dotted name stands for ("facts.theme"); None where there is no such thing.

    A marker's data where it is to be confirmed: see `open_fact`.
    """
    here: Any = context
    for step in name.split("."):
        if not isinstance(here, dict) or step not in here:
            return None
        here = here[step]
    return here


def open_fact(value: Any) -> Mapping[str, str] | None:
    """The name, who and hint of a value that is to be confirmed; None where it is known."""
    return value["__tbc__"] if isinstance(value, dict) and "__tbc__" in value else None


def _spelled(values: dict[str, Any]) -> dict[str, Any]:
    """The same, with `x_y` beside `x-y`: after a dot Jinja2 reads a hyphen as a minus."""
    return {**{name.replace("-", "_"): value for name, value in values.items()}, **values}


def _tbc(campaign: Campaign, who: str, *path: str | int) -> dict[str, Any]:
    name = spoken(step for step in path if step != "value")
    hint = f"when it is known, write it in {campaign.where(*path)}"
    return {"__tbc__": {"name": name, "who": who, "hint": hint}}


def _value(campaign: Campaign, value: Any, *path: str | int) -> Any:
    """A text, or its marker."""
    return _tbc(campaign, value.who, *path) if isinstance(value, Tbc) else value


def _in(language: str, source: str, texts: Mapping[str, str]) -> str:
    """The text in this language, else in the campaign's own, else the first there is."""
    return texts.get(language) or texts.get(source) or next(iter(texts.values()), "")


def _event(campaign: Campaign, name: str, event: Event, language: str) -> dict[str, Any]:
    path = ("events", name)

    def listed(value: Any, what: str, of: Iterable[Any]) -> Any:
        return _tbc(campaign, value.who, *path, what) if isinstance(value, Tbc) else list(of)

    sessions = (
        _session(campaign, event, session, language, *path, "sessions", number)
        for number, session in enumerate(() if isinstance(event.sessions, Tbc) else event.sessions)
    )
    speakers = (
        _speaker(campaign, speaker, language, *path, "speakers", number)
        for number, speaker in enumerate(() if isinstance(event.speakers, Tbc) else event.speakers)
    )
    return {
        **_on(campaign, event, language, *path),
        "starts": _clock(campaign, event, event.starts, language, *path, "starts"),
        "ends": _clock(campaign, event, event.ends, language, *path, "ends"),
        "place": _value(campaign, event.place, *path, "place"),
        "sessions": listed(event.sessions, "sessions", sessions),
        "speakers": listed(event.speakers, "speakers", speakers),
    }


def _item(campaign: Campaign, language: str, *path: str | int) -> dict[str, Any]:
    if not path:
        return {}
    _, event_name, which, number = path
    event = campaign.events[str(event_name)]
    if which == "speakers" and not isinstance(event.speakers, Tbc):
        return {"speaker": _speaker(campaign, event.speakers[int(number)], language, *path)}
    if isinstance(event.sessions, Tbc):
        return {}
    return {"session": _session(campaign, event, event.sessions[int(number)], language, *path)}


def _session(
    campaign: Campaign, event: Event, session: Session, language: str, *path: str | int
) -> dict[str, Any]:
    return {
        "id": session.id,
        "title": _in(language, campaign.languages.source, session.title)
        if isinstance(session.title, Mapping)
        else _value(campaign, session.title, *path, "title"),
        "starts": _clock(campaign, event, session.starts, language, *path, "starts"),
        "ends": _clock(campaign, event, session.ends, language, *path, "ends"),
        "speakers": list(session.speakers),
    }


def _clock(
    campaign: Campaign, event: Event, value: time | Tbc[str], language: str, *path: str | int
) -> Any:
    """An hour as it is printed, "09:00 (Bangkok time)", or its marker."""
    if isinstance(value, Tbc):
        return _tbc(campaign, value.who, *path)
    return f"{value:%H:%M} ({_place_of(event.zone, language)})"


def _on(campaign: Campaign, event: Event, language: str, *path: str | int) -> dict[str, Any]:
    """The date, in words; or markers, for a date to plan with is never printed."""
    if isinstance(event.date, Tbc):
        marker = _tbc(campaign, event.date.who, *path, "date")
        return dict.fromkeys(("date", "weekday", "year"), marker)
    return {
        "date": _date(event.date, language),
        "weekday": format_date(event.date, "EEEE", locale=_locale(language)),
        "year": str(event.date.year),
    }


def _speaker(
    campaign: Campaign, speaker: Speaker, language: str, *path: str | int
) -> dict[str, Any]:
    """Nothing of a person is printed without their consent, which is a fact like any other."""
    if not speaker.consent:
        name = f"the consent of speaker {speaker.id}"
        hint = f"when it is given, write `consent: true` in {campaign.where(*path)}"
        return {"__tbc__": {"name": name, "who": "", "hint": hint}}
    return {
        "id": speaker.id,
        "name": _in(language, campaign.languages.source, speaker.names),
        "title": _value(campaign, speaker.title, *path, "title"),
        "organization": _value(campaign, speaker.organization, *path, "organization"),
        "session": speaker.session,
    }


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")  # a language without data: plain English dates, for a person to see


@lru_cache(maxsize=256)
def _date(day: date, language: str) -> str:
    """ "25 August 2025" as the United Nations write it; elsewhere the language's own long form."""
    locale = _locale(language)
    return format_date(day, "d MMMM y" if locale.language == "en" else "long", locale=locale)


@lru_cache(maxsize=256)
def _place_of(zone: str, language: str) -> str:
    """ "Bangkok time"; in other languages the city alone, for not all have a form for "time"."""
    locale = _locale(language)
    city: str = get_timezone_location(zone, locale=locale, return_city=True)
    return f"{city} time" if locale.language == "en" else city
