"""What holds of a picture wherever it is used: media/assets.toml, so that no message repeats it.

    ["forum/card.png"]
    credit = "ESCAP"
    licence = "CC BY 4.0"
    consent = "tbc"
    expires = 2026-08-01
    contains-map = true

A message that says something else of the picture is believed. Every mistake is a Problem with its
line; a picture that is described and not there is one.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from outreach.campaign.models import Campaign, Media, Tbc
from outreach.errors import Problem, WrongFiles
from outreach.hints import did_you_mean, known_as
from outreach.toml import line_of, read_toml

Assets = Mapping[str, Mapping[str, Any]]
"""By a picture's name in the media folder: attributes of `Media`."""

NAME: Final = "assets.toml"
_TEXTS: Final = ("credit", "licence", "consent")
_SWITCHES: Final = ("contains-map", "co-branded", "no-speech")
_KNOWN: Final = (*_TEXTS, "expires", *_SWITCHES, "captions")


def load_assets(media: Path, *, root: Path) -> tuple[Assets, list[Problem]]:
    """What the office's media folder says of its pictures, and every mistake in that."""
    shown = known_as(media / NAME, root)
    try:
        tables, text = read_toml(media / NAME, shown)
    except FileNotFoundError:
        return {}, []
    except WrongFiles as error:
        return {}, list(error.problems)
    assets: dict[str, Mapping[str, Any]] = {}
    problems: list[Problem] = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            where = f"{shown}:{line_of(text, (name,))}"
            problems.append(Problem(where, f"{name} is not a table", f'write ["{name}"] above it'))
            continue
        if not (media / name).is_file():
            there = [path.relative_to(media).as_posix() for path in media.rglob("*.*")]
            hint = did_you_mean(name, there) or "put it into the media folder, or take this out"
            where = f"{shown}:{line_of(text, (name,))}"
            problems.append(Problem(where, f"there is no picture {name}", hint))
        for key, what, hint in _mistakes(table):
            where = f"{shown}:{line_of(text, (name, key))}"
            problems.append(Problem(where, f"{name}: {what}", hint))
        assets[name] = {key.replace("-", "_"): _value(value) for key, value in table.items()}
    return ({} if problems else assets), problems


def with_assets(campaign: Campaign, assets: Assets) -> Campaign:
    """The campaign, each of its pictures with what holds of it everywhere."""
    messages = {
        name: message.model_copy(
            update={"media": tuple(_known(media, assets) for media in message.media)}
        )
        for name, message in campaign.messages.items()
        if any(media.file in assets for media in message.media)
    }
    if not messages:
        return campaign
    return campaign.model_copy(update={"messages": {**campaign.messages, **messages}})


def _known(media: Media, assets: Assets) -> Media:
    own = media.model_fields_set
    told = assets.get(media.file, {})
    return media.model_copy(update={key: one for key, one in told.items() if key not in own})


def _mistakes(table: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Key, what is wrong, and what to do."""
    for key, value in table.items():
        if key not in _KNOWN:
            hint = did_you_mean(key, _KNOWN) or f"known are: {', '.join(_KNOWN)}"
            yield key, f"{key} is not a key here", hint
        elif key in _TEXTS and not isinstance(value, str):
            yield key, f"{key} should be a text", f'write {key} = "…", or {key} = "tbc"'
        elif key in _SWITCHES and not isinstance(value, bool):
            yield key, f"{key} should be yes or no", f"write {key} = true, or false"
        elif key == "expires" and value != "tbc" and type(value) is not date:
            yield key, "expires should be a day", "write expires = 2026-08-01"
        elif key == "captions" and not _captions(value):
            hint = 'write captions = "talk.en.vtt", {en = "a.vtt", ko = "b.vtt"} or "burnt-in"'
            yield key, "captions should be a file, or one for each language", hint


def _captions(value: Any) -> bool:
    given = value.values() if isinstance(value, dict) else [value]
    return all(isinstance(one, str) for one in given)


def _value(value: Any) -> Any:
    return Tbc() if value == "tbc" else value
