"""An office as officers meet it: commands typed into the real program, at a clock that we hold."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.app import Outreach, open_desk
from outreach.cli import Door, app
from tests.conftest import Clock, Office

KEY = "forum/reminder/en@web"

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


@dataclass(frozen=True)
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
    """Where commands are typed: one folder, one clock, and each person's token and account."""

    home: Path
    clock: Clock = field(default_factory=Clock)
    tokens: dict[str, str] = field(default_factory=dict)
    open: Callable[..., Outreach] | None = None

    def __call__(
        self, *args: str, who: str = "", types: str | None = None, terminal: bool | None = None
    ) -> Answer:
        """Type `outreach args...` at the time of `clock`; `types` is what stdin has.

        `terminal` says whether somebody can be asked; without it the program looks by itself.
        """
        door = Door(home=self.home, open=self.open or self._open, terminal=terminal)
        env = {**self._environment(who), "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(args), input=types, obj=door, env=env)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return self._answer(result.exit_code, result.stdout, result.stderr)

    def run(self, *args: str, who: str = "", types: str = "") -> Answer:
        """The same as a process of its own in the folder, on the machine's clock."""
        done = subprocess.run(
            [sys.executable, "-m", "outreach", *args],
            cwd=self.home if self.home.is_dir() else self.home.parent,
            env={**os.environ, **self._environment(who)},
            input=types,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        return self._answer(done.returncode, done.stdout, done.stderr)

    def account(self, who: str) -> Path:
        """What `outreach login` keeps for whoever acts."""
        return self.home.parent / "accounts" / (who or "nobody")

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _environment(self, who: str) -> dict[str, str]:
        return {
            "OUTREACH_TOKEN": self.tokens.get(who, ""),
            "XDG_CONFIG_HOME": str(self.account(who)),
        }

    def _open(self, home: Path | None, *, prepare: bool, make: bool) -> Outreach:
        return open_desk(home, now=self.clock, prepare=prepare, make=make)

    def _answer(self, code: int, out: str, err: str) -> Answer:
        assert "Traceback" not in out + err
        return Answer(code, out, err)


@pytest.fixture(autouse=True)
def _nobody_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OUTREACH_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "accounts" / "nobody"))


@pytest.fixture
def new(tmp_path: Path) -> Shell:
    """A folder with no office in it yet."""
    return Shell(tmp_path / "office")


@pytest.fixture
def shell(office: Office) -> Shell:
    """An office with a feed and a manual channel, a campaign, and people with tokens."""
    office.write("config/channels.toml", CHANNELS)
    office.campaign(CAMPAIGN, reminder=TEXT)
    desk = office.open()
    tokens = {name: desk.token_for(name, by=None) for name in ("ana", "bo", "cy")}
    desk.close()
    return Shell(office.home, office.clock, tokens)


def applied(shell: Shell) -> list[dict[str, str]]:
    """The office's plan as Ana applies it; the readings that wait for Bo then."""
    plan = json.loads(shell("plan", "--json").out)
    said = shell("apply", plan["hash"], who="ana")
    assert said.code == 0, said
    return json.loads(shell("review", "--json").out)


@pytest.fixture
def cleared(shell: Shell) -> Shell:
    """The same, with its campaign applied by Ana and cleared by Bo."""
    for reading in applied(shell):
        assert shell("clear", reading["name"], reading["fingerprint"], who="bo").code == 0
    return shell


def declined(said: Answer, code: int, *words: str) -> None:
    """It ended with this code, and said these words on stderr."""
    assert said.code == code, said
    for word in words:
        assert word in said.err, said
