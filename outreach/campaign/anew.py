"""New campaigns and messages: the next forum's from the last one's, or a message more.

Nothing is invented. Of the last campaign stays what was decided about talking (messages, slots,
audiences, texts); what was true of the last event only becomes *to be confirmed*, and whatever has
to be looked at carries a comment that ends with "check". Translations are stale: they were made
from texts of another year.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from outreach.campaign.edit import Document, Place
from outreach.campaign.models import Campaign, Event, Message, Tbc
from outreach.campaign.occasions import occasions
from outreach.campaign.when import parse_day
from outreach.compose.texts import Section, read_texts
from outreach.compose.texts_edit import set_section
from outreach.errors import NotAllowed
from outreach.post import Slot

NEVER: Final = ("0000", "ffff")  # hashes of no source text: what was made from them is stale
FOR_PEOPLE: Final = (
    "What stands above the first heading is for people, and is not printed.\n"
    "Write the text below each heading. {{ campaign.title }} prints the campaign's title;\n"
    "campaign-files.md says what else a text can print.\n"
)

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEAR: Final = re.compile(r"\b(?:19|20)\d{2}\b")


@dataclass(frozen=True)
class Anew:
    """Files to be made, by name below the office's folder, and what a person looks at then."""

    files: Mapping[str, bytes]
    look_at: tuple[str, ...] = field(default=())


# --- the next campaign --------------------------------------------------------------------


def next_campaign(
    document: Document, campaign: Campaign, *, name: str, on: date | None, office: Path
) -> Anew:
    """The campaign `name` from an earlier one, its first event on another day.

    `document` is the earlier one's file and becomes the new one's. Other events, and times that
    are no event's, move by as many days. Raises NotAllowed for a day too many, or too few.
    """
    if campaign.events and on is None:
        raise NotAllowed("the next campaign needs the day of its event", "add: --event 2026-09-01")
    if on and not campaign.events:
        raise NotAllowed(f"{campaign.campaign} has no event to be moved", "leave --event out")
    new = f"posts/{name}"
    looks: list[str] = []
    document.set("campaign", value=name)
    document.note("title", text=f"was {campaign.campaign}'s: check")
    if campaign.templates:
        document.set("templates", value=new)
    _events(document, campaign, on)
    _unknown(document, campaign)
    days = _days(campaign, on)
    for path in _moments(campaign):
        _shift(document, path, days)
    due = _last_days(campaign, days)
    files: dict[str, bytes] = {}
    for called, message in campaign.messages.items():
        old = campaign.text_file(called, message.template)
        copy = f"{new}/{old.removeprefix(campaign.folder + '/').replace('/', '-')}"
        if message.template:
            document.set("messages", called, "template", value=copy)
        _pictures(document, called, message, office / "media", due.get(called, on))
        text = _texts(office / "templates" / old, campaign.languages.source)
        if text is None:
            looks.append(f"templates/{old} is not there: {called} has no text yet")
            continue
        files[f"templates/{copy}"] = text
        looks += _named_years(f"templates/{copy}", text)
    document.head(
        f"Made from {document.shown}: find out what is tbc; the comments below are that file's."
    )
    return Anew({**files, f"campaigns/{name}.yaml": document.data()}, tuple(looks))


def _days(campaign: Campaign, on: date | None) -> int | None:
    """By how many days it all moves; None where there is no event, or it had no day."""
    first = next(iter(campaign.events.values()), None)
    return (on - first.day).days if on and first and first.day else None


def _events(document: Document, campaign: Campaign, on: date | None) -> None:
    days = _days(campaign, on)
    for number, (name, event) in enumerate(campaign.events.items()):
        path = ("events", name)
        if number == 0 and on:
            document.set(*path, "date", value=on.isoformat())
        else:
            known = isinstance(document.get(*path, "date"), str)
            _shift(document, (*path, "date") if known else (*path, "date", "plan-with"), days)
        for key, value in (("starts", event.starts), ("ends", event.ends)):
            if not isinstance(value, Tbc):
                hour = f"{value:%H:%M}"
                document.set(*path, key, value={"tbc": campaign.written_by, "plan-with": hour})
        _no_longer_known(document, path, event)


def _no_longer_known(document: Document, path: Place, event: Event) -> None:
    for key, value in (
        ("place", event.place),
        ("sessions", event.sessions),
        ("speakers", event.speakers),
    ):
        if value and not isinstance(value, Tbc):
            document.set(*path, key, value="tbc")


def _unknown(document: Document, campaign: Campaign) -> None:
    """Facts, links and figures of the last event are not those of the next."""
    for name in campaign.facts:
        document.set("facts", name, "value", value="tbc")
        document.set("facts", name, "source", value="to be confirmed")
    for name, link in campaign.links.items():
        if not isinstance(link, Tbc):
            document.set("links", name, value="tbc")
    for name, goal in campaign.goals.items():
        given = (("target", goal.target), ("baseline", goal.baseline), ("source", goal.source))
        for key, value in given:
            if value != "" and not isinstance(value, Tbc):
                document.set("goals", name, key, value="tbc")


def _moments(campaign: Campaign) -> Iterator[Place]:
    """Where a time may stand that is no event's."""
    yield from (("goals", name, "by") for name in campaign.goals)
    yield from (("defaults", key) for key in ("embargo", "not-after", "clear-by"))
    for name in campaign.messages:
        yield from (("messages", name, key) for key in ("at", "embargo", "not-after"))
        yield from (("messages", name, "every", key) for key in ("from", "until"))


def _shift(document: Document, path: Place, days: int | None) -> None:
    """Move a date that is written out, and say so beside it."""
    written = document.get(*path)
    found = _DATE.match(written.strip()) if isinstance(written, str) else None
    if not found:
        return
    if days is None:
        document.note(*path, text="as it was: check")
        return
    moved = (parse_day(found[0]) + timedelta(days=days)).isoformat()
    document.set(*path, value=written.strip().replace(found[0], moved, 1))
    document.note(*path, text=f"moved by {days} days: check")


def _last_days(campaign: Campaign, days: int | None) -> dict[str, date]:
    """By message, the last day on which it is due after the move; those that have a time."""
    due: dict[str, date] = {}
    for one in occasions(campaign) if days is not None else ():
        if isinstance(one.slot, Slot):
            day = date.fromisoformat(one.slot.wall[:10]) + timedelta(days=days or 0)
            due[one.of] = max(day, due.get(one.of, day))
    return due


def _pictures(
    document: Document, name: str, message: Message, media: Path, due: date | None
) -> None:
    """Flag what is gone, and what may no longer be used on the day on which the message is due."""
    for number, picture in enumerate(message.media):
        path = ("messages", name, "media", number)
        if not (media / picture.file).is_file():
            document.note(*path, text=f"{picture.file} is not in media/: check")
        elif isinstance(picture.expires, date):
            if due is None or picture.expires <= due:
                what = f"{picture.file} may not be used from {picture.expires} on: check"
                document.note(*path, text=what)
        elif "expires" in document.line(*path) or "expires" in str(picture.credit):
            document.note(*path, text=f"may {picture.file} still be used? check")


def _texts(file: Path, source: str) -> bytes | None:
    """A text file with its translations made stale; None where there is none."""
    try:
        data = file.read_bytes()
        text = data.decode("utf-8")  # a mark at the beginning stays
    except (OSError, UnicodeDecodeError):
        return None
    sections = read_texts(file, file.name).sections
    for section in sections:
        if section.language != source:
            text = set_section(
                text,
                section.language,
                section.target,
                section.number,
                source=section.source,
                notes=_stale(section, sections),
            )
    return text.encode("utf-8")


def _stale(section: Section, sections: tuple[Section, ...]) -> dict[str, str]:
    never = next(n for n in NEVER if not any(one.hash.startswith(n) for one in sections))
    return {"from": never, "translator": section.translator, "reviewer": "open"}


def _named_years(shown: str, text: bytes) -> Iterator[str]:
    for number, line in enumerate(text.decode("utf-8").splitlines(), start=1):
        if years := _YEAR.findall(line):
            yield f"{shown}:{number} names {' and '.join(dict.fromkeys(years))}"


# --- a campaign from nothing --------------------------------------------------------------


def first_campaign(
    name: str, *, author: str, channel: str, event: date | None, plan_with: date
) -> Anew:
    """A small commented campaign to start from, and its texts."""
    day = event.isoformat() if event else f"{{tbc: {author}, plan-with: {plan_with}}}"
    file = _CAMPAIGN.format(name=name, author=author, channel=channel, day=day)
    texts = {f"templates/posts/{name}/{message}.md": text for message, text in _TEXTS.items()}
    files = {**texts, f"campaigns/{name}.yaml": file}
    return Anew({path: text.encode() for path, text in files.items()})


_CAMPAIGN: Final = """\
# A campaign to start from. Nothing goes out by itself: outreach plan shows what it asks for,
# and a colleague has to clear it. What is tbc is to be confirmed: a text that prints it waits.
# The format is described in campaign-files.md of the documentation: outreach --help says where.

campaign: {name}
programme: low-carbon-cities   # the programme area it belongs to: check
title: The full title of {name}   # as texts print it: check
written-by: {author}
languages: {{source: en}}   # translations: {{source: en, also: [ko, ru]}}

events:
  event:
    date: {day}   # move it, and every message moves with it
    starts: {{tbc: {author}, plan-with: "09:00"}}
    ends: {{tbc: {author}, plan-with: "17:00"}}
    zone: Asia/Bangkok   # where it takes place: check
    place: tbc

links:
  programme: tbc

audiences:
  main: {{en: [{channel}]}}   # channels of config/channels.toml, by language

defaults:
  time: "10:00 Asia/Bangkok"   # the time of day of messages that name none
  if-late: "send within 15 minutes, then ask"
  not-after: event.starts
  to: main

messages:   # their texts are in templates/posts/{name}/
  save-the-date: {{at: event - 30 days}}
  programme: {{at: event - 14 days}}
  thank-you: {{}}   # no time yet: an idea, listed and never sent
"""

_TEXTS: Final = {
    "save-the-date": (
        "## en\n\n"
        "Save the date: {{ campaign.title }}\n\n"
        "{{ campaign.title }} takes place on {{ events.event.weekday }}, "
        "{{ events.event.date }}, at {{ events.event.place }}.\n"
    ),
    "programme": "## en\n\nThe programme of {{ campaign.title }} is out: {{ links.programme }}\n",
    "thank-you": "## en\n\nThank you to everybody who took part in {{ campaign.title }}.\n",
}


# --- one message more ---------------------------------------------------------------------


def new_message(
    document: Document, campaign: Campaign, *, name: str, at: str, to: str
) -> dict[str, str]:
    """Add a message to the document; returns its text file: one heading for each language.

    The headings stand above nothing yet, which `outreach check` says until somebody writes.
    """
    keys = ({"at": at} if at else {}) | ({"to": to} if to else {})
    document.set("messages", name, value=keys)
    audience = campaign.audiences.get(to or campaign.defaults.to, {})
    source = campaign.languages.source
    translations = [language for language in audience if language != source]
    headings = [f"## {source}\n"] + [
        f"## {language} (from {NEVER[0]}; translator: open; reviewer: open)\n"
        for language in translations
    ]
    file = f"templates/{campaign.text_file(name)}"
    return {file: FOR_PEOPLE + "".join("\n" + heading for heading in headings)}
