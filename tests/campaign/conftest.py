"""A campaign file as an officer would write it, for tests that change one line of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outreach.campaign.load import load_campaigns
from outreach.campaign.models import Campaign
from outreach.campaign.values import Loaded

FORUM = """\
campaign: lcc5
programme: low-carbon-cities
title: Fifth International Forum on Low Carbon Cities
written-by: officer
events:
  forum:
    date: 2025-08-25
    starts: "09:00"
    ends: "17:00"
    zone: Asia/Bangkok
facts:
  theme: {value: Rethinking Urban Climate Actions, source: note}
links: {register: tbc}
audiences: {main: {en: [web, x]}}
defaults:
  time: "10:00 Asia/Seoul"
  to: main
messages:
  reminder: {at: forum - 7 days}
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Loaded]:
    """Loads files given by name; a text stands for one file, campaigns/a.yaml."""

    def loaded(text: str | bytes = b"", **files: str) -> Loaded:
        folder = tmp_path / "campaigns"
        folder.mkdir(exist_ok=True)
        given = {name: body.encode() for name, body in files.items()}
        if text or not files:
            given["a"] = text.encode() if isinstance(text, str) else text
        for name, body in given.items():
            (folder / f"{name}.yaml").write_bytes(body)
        return load_campaigns(folder, root=tmp_path)

    return loaded


@pytest.fixture
def forum(load: Callable[..., Loaded]) -> Callable[..., Campaign]:
    """US-1's campaign with these messages, or with lines of it replaced: forum(("was", "is"))."""

    def made(*changes: tuple[str, str], messages: str = "") -> Campaign:
        text = FORUM
        if messages:
            text = text[: text.index("messages:")] + "messages:\n" + messages
        for was, becomes in changes:
            assert was in text
            text = text.replace(was, becomes)
        loaded = load(text)
        assert [p for p in loaded.problems if p.mistake] == []
        return loaded.campaigns[0]

    return made
