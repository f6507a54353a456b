"""Rehearsals: of a small office that a test writes, and once of this repository's own forum."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

import pytest

from outreach.rehearsal import Rehearsal, page, rehearse
from outreach.rehearsal.value import Shown
from tests.conftest import REPOSITORY, Office

MADE = date(2025, 7, 1)
FORUM = "campaigns/forum-2025.yaml"

CAMPAIGN = """\
campaign: c
programme: p
title: The forum
written-by: ana
languages: {source: en, also: [ko]}
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
links: {register: tbc}
audiences: {main: {en: [net]}}
defaults: {time: "10:00 Asia/Seoul", to: main}
messages:
"""

CHANNELS = """
[net]
platform = "memory"
title = "The net"
languages = ["en", "ko"]

[hand]
platform = "manual"
title = "By hand"
name = "WeChat official account"
languages = ["en", "ko"]

[x]
platform = "x"
title = "X"
handle = "example"

[tg]
platform = "telegram"
title = "Telegram"
chat = "@example"

[web]
platform = "feed"
title = "Web"
"""


@dataclass
class Page(HTMLParser):
    """What a browser would make of a page: its elements, its text, and what it points to."""

    html: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._styled = False
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._styled = tag == "style"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._styled = False

    def handle_data(self, data: str) -> None:
        if not self._styled:
            self.words.append(data)

    @cached_property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


def read(rehearsal: Rehearsal) -> Page:
    return Page(page.write(rehearsal).decode())


class Rehearsing:
    """An office with one campaign `c`, and what a rehearsal shows of it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        office.write("config/channels.toml", CHANNELS)

    def write(self, messages: str, *changes: tuple[str, str], **texts: str) -> None:
        """The campaign's messages, with lines of its head replaced; and their texts."""
        head = CAMPAIGN
        for was, becomes in changes:
            assert was in head
            head = head.replace(was, becomes)
        self.office.campaign(head + messages, **texts)

    def __call__(self, *, as_if_confirmed: bool = True, made: date = MADE) -> Rehearsal:
        return rehearse(self.office.home, [], made=made, as_if_confirmed=as_if_confirmed)

    def outcomes(self, **options: bool) -> dict[str, tuple[str, str]]:
        """State and reason of each post, by "message/language@channel"."""
        shown = self(**options)
        return {short(one): (one.state, one.reason) for one in shown.posts}


def short(one: Shown) -> str:
    return one.key.partition("/")[2]


@pytest.fixture
def rehearsing(office: Office, monkeypatch: pytest.MonkeyPatch) -> Rehearsing:
    monkeypatch.delenv("OUTREACH_DATABASE", raising=False)
    return Rehearsing(office)


@pytest.fixture(scope="session")
def forum() -> Rehearsal:
    """This repository's forum campaign, rehearsed."""
    return rehearse(REPOSITORY, [Path(FORUM)], made=MADE)


@pytest.fixture(scope="session")
def forum_page(forum: Rehearsal) -> Page:
    return read(forum)


@pytest.fixture
def picture() -> Iterator[Callable[[str], bytes]]:
    """A small PNG of one colour."""
    import io

    from PIL import Image

    def made(colour: str) -> bytes:
        kept = io.BytesIO()
        Image.new("RGB", (120, 80), colour).save(kept, "PNG")
        return kept.getvalue()

    yield made
