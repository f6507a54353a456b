"""What a file whose every value is right may still get wrong: names and times that must agree.

Each check is one function that yields the Problems it finds; `CHECKS` runs them all.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime, time
from typing import Final

from outreach.campaign.models import Campaign, When
from outreach.campaign.reader import Path
from outreach.campaign.when import (
    HoursUnknown,
    did_you_mean,
    instant,
    notes,
    said,
    short,
    slots,
    stop,
)
from outreach.errors import Problem
from outreach.post import Slot


def check(campaign: Campaign) -> list[Problem]:
    """Everything that does not fit together, and (open) what nothing acts upon yet."""
    return [problem for one in CHECKS for problem in one(campaign)]


def check_channels(campaign: Campaign, channels: Collection[str]) -> list[Problem]:
    """The audiences' channels that are none of `channels`, each with the nearest known one."""
    return [
        Problem(
            campaign.where("audiences", audience, language, place),
            f"the audience {audience} names the channel {short(channel)}, and there is none",
            did_you_mean(channel, channels) or "add it to config/channels.toml",
        )
        for audience, languages in campaign.audiences.items()
        for language, named in languages.items()
        for place, channel in enumerate(named)
        if channel not in channels
    ]


def _languages_fit(campaign: Campaign) -> Iterator[Problem]:
    own = (campaign.languages.source, *campaign.languages.also)
    for language in dict.fromkeys(own):
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", language, re.ASCII):
            what = f"“{short(language)}” is not a language"
            yield Problem(campaign.where("languages"), what, "write its code: en, ko, zh-Hans")
    for language in campaign.languages.unofficial:
        if language not in own:
            what = f"unofficial names {short(language)}, which is none of the campaign's languages"
            yield Problem(
                campaign.where("languages", "unofficial"), what, f"known: {', '.join(own)}"
            )
    for audience, languages in campaign.audiences.items():
        for language, named in languages.items():
            where = campaign.where("audiences", audience, language)
            if language not in own:
                what = f"{audience} has the language {short(language)}, which the campaign has not"
                yield Problem(where, what, f"add it under languages, or use {', '.join(own)}")
            if len(set(named)) < len(named):
                yield Problem(where, f"{audience} names a channel twice", "keep one of them")


def _messages_have_an_audience(campaign: Campaign) -> Iterator[Problem]:
    known, usual = campaign.audiences, campaign.defaults.to
    hint = f"known: {', '.join(known)}" if known else "write one under audiences"
    if usual and usual not in known:
        what = f"there is no audience {short(usual)}"
        yield Problem(campaign.where("defaults", "to"), what, did_you_mean(usual, known) or hint)
    for name, message in campaign.messages.items():
        if message.to and message.to not in known:
            what = f"{name}: there is no audience {short(message.to)}"
            near = did_you_mean(message.to, known)
            yield Problem(campaign.where("messages", name, "to"), what, near or hint)
        elif not (message.to or usual) and (message.at or message.every):
            what = f"{name} goes to nobody: it has no to, and defaults has none"
            yield Problem(campaign.where("messages", name), what, f"write to: …; {hint}")


def _times_can_be_met(campaign: Campaign) -> Iterator[Problem]:
    for name, event in campaign.events.items():
        starts, ends = event.starts, event.ends
        if isinstance(starts, time) and isinstance(ends, time) and ends <= starts:
            what = f"{name} ends before it starts"
            yield Problem(campaign.where("events", name, "ends"), what, "put one of them right")
    moments: dict[Path, When | None] = {("defaults", "not-after"): campaign.defaults.not_after}
    moments |= {("goals", name, "by"): goal.by for name, goal in campaign.goals.items()}
    for name, message in campaign.messages.items():
        moments["messages", name, "not-after"] = message.not_after
        if message.every:
            moments["messages", name, "every", "from"] = message.every.from_
            moments["messages", name, "every", "until"] = message.every.until
    wrong: set[Path] = set()
    for path, when in moments.items():
        try:
            _ = when and instant(when, campaign)
        except ValueError as error:
            wrong.add(path)
            if path[0] == "goals" and isinstance(error, HoursUnknown):
                continue  # a goal is for a day, and nothing is sent at its hour
            what, hint = said(error)
            yield Problem(campaign.where(*path), f"{'.'.join(map(str, path))}: {what}", hint)
    for name, slot in slots(campaign).items():
        own: Path = ("messages", name, "not-after")
        last: Path = own if campaign.messages[name].not_after else ("defaults", "not-after")
        if isinstance(slot, Problem) and not slot.open:
            yield Problem(slot.where, f"{name}: {slot.what}", slot.hint)
        elif isinstance(slot, Slot) and last not in wrong:
            until = stop(campaign, name)
            if until and until < slot.at:
                yield _never(campaign, name, slot, until, last)


def _never(campaign: Campaign, name: str, slot: Slot, until: datetime, last: Path) -> Problem:
    ended = until.isoformat(timespec="minutes").replace("T", " ").replace("+00:00", " UTC")
    return Problem(
        campaign.where(*last) if last[0] == "messages" else campaign.where("messages", name, "at"),
        f"{name} would never be sent: it is due at {slot.wall.replace('T', ' ')} {slot.zone}, "
        f"and its not-after ({ended}) has passed by then",
        f"give {name} a not-after of its own that is later",
    )


def _links_are_addresses(campaign: Campaign) -> Iterator[Problem]:
    for name, link in campaign.links.items():
        if isinstance(link, str) and link and not re.match(r"https?://[^\s/]+", link):
            what = f"the link {name} is not an address: “{short(link)}”"
            yield Problem(campaign.where("links", name), what, "write https://…, or tbc")


CHECKS: Final = (
    _languages_fit,
    _messages_have_an_audience,
    _times_can_be_met,
    _links_are_addresses,
    notes,
)
