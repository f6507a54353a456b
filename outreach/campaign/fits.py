"""What a file whose every value is right may still get wrong: names and times that must agree.

Each check is one function that yields the Problems it finds; `CHECKS` runs them all.
"""

import re
from collections.abc import Collection, Iterator
from datetime import datetime, time
from typing import Final

from outreach.campaign.models import Campaign, When
from outreach.campaign.occasions import embargo, occasions, stop
from outreach.campaign.reader import Path
from outreach.campaign.when import (
    HoursUnknown,
    instant,
    said,
    short,
)
from outreach.errors import Problem
from outreach.hints import did_you_mean
from outreach.measure.amec import MEASURES
from outreach.platforms import nearest
from outreach.post import Slot


def check(campaign: Campaign) -> list[Problem]:
    """Everything that does not fit together, and (advice) what nothing acts upon yet."""
    return [problem for one in CHECKS for problem in one(campaign)]


def check_channels(campaign: Campaign, channels: Collection[str]) -> list[Problem]:
    """The audiences' channels that are none of `channels`, each with the nearest known one."""
    return [
        no_channel(campaign, audience, language, place, channels)
        for audience, languages in campaign.audiences.items()
        for language, named in languages.items()
        for place, channel in enumerate(named)
        if channel not in channels
    ]


def no_channel(
    campaign: Campaign, audience: str, language: str, place: int, channels: Collection[str]
) -> Problem:
    """That the channel at this place of an audience is none of `channels`."""
    channel = campaign.audiences[audience][language][place]
    near = nearest(channel, channels)
    return Problem(
        campaign.where("audiences", audience, language, place),
        f"the audience {audience} names the channel {short(channel)}, and there is none",
        f"did you mean {near}?" if near else "describe it in config/channels.toml",
    )


def check_people(campaign: Campaign, people: Collection[str]) -> list[Problem]:
    """Whoever wrote the texts must be somebody of the office: they may not clear them."""
    if campaign.written_by in people:
        return []
    return [
        Problem(
            campaign.where("written-by"),
            f"written-by names {short(campaign.written_by)}, who is not in config/people.toml",
            did_you_mean(campaign.written_by, people) or f"known: {', '.join(people)}",
        )
    ]


def _languages_fit(campaign: Campaign) -> Iterator[Problem]:
    own = campaign.languages.all
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
                what = (
                    f"{audience} has the language {short(language)}, which is none of the "
                    "campaign's languages"
                )
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
    moments: dict[Path, When | None] = {
        ("defaults", "not-after"): campaign.defaults.not_after,
        ("defaults", "embargo"): campaign.defaults.embargo,
    }
    moments |= {("goals", name, "by"): goal.by for name, goal in campaign.goals.items()}
    for name, message in campaign.messages.items():
        moments["messages", name, "not-after"] = message.not_after
        moments["messages", name, "embargo"] = message.embargo
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
    told: set[tuple[str, str]] = set()  # of a series, the first that goes wrong
    for one in occasions(campaign):
        slot, message = one.slot, campaign.messages[one.of]
        if isinstance(slot, Problem) and slot.mistake:
            yield Problem(slot.where, f"{one.message}: {slot.what}", slot.hint)
        if not isinstance(slot, Slot):
            continue
        stopped = _source_of("not-after", one.of, message.not_after)
        begins = _source_of("embargo", one.of, message.embargo)
        until = None if stopped in wrong else stop(campaign, one.of)
        since = None if begins in wrong else embargo(campaign, one.of)
        if until and until < slot.at and (one.of, "not-after") not in told:
            told.add((one.of, "not-after"))
            yield _never(campaign, one.of, slot, until, stopped)
        if since and slot.at < since and (one.of, "embargo") not in told:
            told.add((one.of, "embargo"))
            yield Problem(
                campaign.where("messages", one.of, "at"),
                f"{one.of} is due at {slot.written}, before its embargo ends ({_utc(since)})",
                "move it, or put the embargo right",
            )


def _source_of(key: str, message: str, own: When | None) -> Path:
    """Where a message's own rule stands, or else the campaign's."""
    return ("messages", message, key) if own else ("defaults", key)


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="minutes").replace("T", " ").replace("+00:00", " UTC")


def _never(campaign: Campaign, name: str, slot: Slot, until: datetime, last: Path) -> Problem:
    return Problem(
        campaign.where(*last) if last[0] == "messages" else campaign.where("messages", name, "at"),
        f"{name} would never be sent: it is due at {slot.written}, "
        f"and its not-after ({_utc(until)}) has passed by then",
        f"give {name} a not-after of its own that is later",
    )


def _each_has_one_time(campaign: Campaign) -> Iterator[Problem]:
    """`every` says when by itself; `each` makes names that no other message may have."""
    for name, message in campaign.messages.items():
        if message.every and (message.at or message.each):
            other = "at" if message.at else "each"
            what = f"{name} has every and {other}: every says by itself when it is due"
            yield Problem(campaign.where("messages", name, other), what, f"take {other} out")
        if message.at and message.at.series and not message.each:
            what = f"{name} is one message, and “working days from” is for each"
            hint = "write forum - 12 days with days-off: after, or forum - 9 working days"
            yield Problem(campaign.where("messages", name, "at"), what, hint)
    made: dict[str, str] = {}
    for one in occasions(campaign):
        if one.item:
            taken = made.setdefault(one.message, one.of) != one.of
            if taken or one.message in campaign.messages:
                what = f"{one.of} makes a message called {one.message}, and there is one already"
                yield Problem(campaign.where("messages", one.of), what, "rename one of them")


def _links_are_addresses(campaign: Campaign) -> Iterator[Problem]:
    for name, link in campaign.links.items():
        if isinstance(link, str) and link and not re.match(r"https?://[^\s/]+", link):
            what = f"the link {name} is not an address: “{short(link)}”"
            yield Problem(campaign.where("links", name), what, "write https://…, or tbc")


def _goals_are_counted(campaign: Campaign) -> Iterator[Problem]:
    for name, goal in campaign.goals.items():
        if (goal.measure or name) not in MEASURES:
            what = f"the goal {name} is counted in nothing: there is no {goal.measure or name!r}"
            known = f"measure: one of {', '.join(MEASURES)}"
            hint = did_you_mean(goal.measure or name, MEASURES) or known
            path = ("measure",) if goal.measure else ()
            yield Problem(campaign.where("goals", name, *path), what, hint)
        for key, number in (("target", goal.target), ("baseline", goal.baseline)):
            if isinstance(number, int) and number < 0:
                what = f"the {key} of {name} is below zero"
                yield Problem(campaign.where("goals", name, key), what, "write how many there are")


def _nobody_counts_on_it(campaign: Campaign) -> Iterator[Problem]:
    """Keys that are read and not acted upon yet: said, so that no one relies on them."""
    asked: list[tuple[Path, object, str]] = [
        (("defaults", "clear-by"), campaign.defaults.clear_by, "nobody is reminded of it"),
    ]
    for name, message in campaign.messages.items():
        own: Path = ("messages", name)
        cancelled = message.if_cancelled == "drop"
        asked.append(((*own, "if-cancelled"), cancelled, "if the event is off, take it out here"))
    for path, value, hint in asked:
        if value:
            what = f"{path[-1]} is read, and nothing acts upon it yet"
            yield Problem(campaign.where(*path), what, hint, advice=True)


CHECKS: Final = (
    _languages_fit,
    _messages_have_an_audience,
    _times_can_be_met,
    _links_are_addresses,
    _each_has_one_time,
    _goals_are_counted,
    _nobody_counts_on_it,
)
