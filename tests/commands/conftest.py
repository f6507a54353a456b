"""An office as officers meet it: commands typed into the real program, at a clock that we hold."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.app import Outreach, open_desk
from outreach.cli import Door, app
from tests.conftest import Clock, Office

TWO = [
    "--person",
    "ana:Ana Example:ana@example.org:officer,administrator",
    "--person",
    "bo:Bo Example:bo@example.org:clearer,officer,administrator",
]

CAMPAIGN = """
campaign: forum
programme: low-carbon-cities
title: The forum
written-by: ana
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
links: {programme: tbc}
audiences:
  main: {en: [web, wechat]}
defaults: {time: "10:00 Asia/Seoul", to: main}
messages:
  reminder: {at: forum - 3 days}
"""

CHANNELS = """
[web]
platform = "feed"

[wechat]
platform = "manual"
name = "WeChat official account"
"""

TEXT = "## en\n\nThe forum opens in Bangkok on 25 August.\n"


@dataclass
class Answer:
    """What one command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass
class Shell:
    """Where commands are typed: one folder, one clock, and a person's token."""

    home: Path
    clock: Clock
    tokens: dict[str, str]
    open: Callable[..., Outreach] | None = None

    def __call__(
        self, *args: str, who: str = "", types: str | None = None, terminal: bool = False
    ) -> Answer:
        """Type `outreach args...`; `who` acts; `types` is what stdin has."""
        door = Door(home=self.home, open=self.open or self._open, terminal=terminal)
        env = {"OUTREACH_TOKEN": self.tokens.get(who, ""), "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(args), input=types, obj=door, env=env)
        assert "Traceback" not in result.output
        return Answer(result.exit_code, result.stdout, result.stderr)

    def _open(self, home: Path | None, *, prepare: bool) -> Outreach:
        return open_desk(home, now=self.clock, prepare=prepare)

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture(autouse=True)
def _nobody_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    for name in ("OUTREACH_HOME", "OUTREACH_TOKEN", "OUTREACH_DATABASE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shell(office: Office) -> Shell:
    """An office with a feed and a manual channel, a campaign, and people with tokens."""
    office.write("config/channels.toml", CHANNELS)
    office.campaign(CAMPAIGN, reminder=TEXT)
    desk = office.open()
    tokens = {name: desk.token_for(name, by=None) for name in ("ana", "bo", "cy")}
    desk.close()
    return Shell(office.home, office.clock, tokens)


@pytest.fixture
def cleared(shell: Shell) -> Shell:
    """The same, with its campaign applied by Ana and cleared by Bo."""
    plan = json.loads(shell("plan", "--json").out)
    assert shell("apply", plan["hash"], who="ana").code == 0
    for reading in json.loads(shell("review", "--json").out):
        assert shell("clear", reading["name"], reading["fingerprint"], who="bo").code == 0
    return shell
