"""An officer's first day through the real command: from an empty folder to the month's report."""

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.app import open_desk
from outreach.cli import Door, app
from tests.conftest import Clock

ANA = "ana:Ana Example:ana@example.org:officer,administrator"
BO = "bo:Bo Example:bo@example.org:clearer,officer,administrator"
CY = "cy:Cy Example:cy@example.org:guest"

COMMAND = [sys.executable, "-c", "from outreach.cli import main; main()"]


@dataclass(frozen=True)
class Said:
    """What one call of the command said, and how it ended."""

    code: int
    out: str
    err: str


class Desk:
    """An office in a folder, and a shell to type `outreach ...` in. Nobody is signed in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "office"
        self.clock = Clock()  # 20 July 2025, 08:00 in Bangkok
        self.tokens: dict[str, str] = {}

    def environment(self, who: str = "") -> dict[str, str]:
        """Of a person at their own account: signed in once they have logged in."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OUTREACH_")}
        return {**kept, "XDG_CONFIG_HOME": str(self.folder / "accounts" / (who or "nobody"))}

    def run(self, *args: str, who: str = "", stdin: str = "", **environment: str) -> Said:
        """As a process of its own, on the machine's clock, without a terminal."""
        done = subprocess.run(
            [*COMMAND, *args],
            cwd=self.home if self.home.is_dir() else self.folder,
            env={**self.environment(who), **environment},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def __call__(
        self, *args: str, who: str = "", stdin: str = "", terminal: bool | None = None
    ) -> Said:
        """In this process, at the time of `clock`; with `terminal`, `stdin` answers questions."""
        done = CliRunner().invoke(
            app,
            list(args),
            input=stdin,
            env={
                **{name: None for name in os.environ if name.startswith("OUTREACH_")},
                **self.environment(who),
            },
            obj=Door(
                home=self.home,
                open=lambda home, *, prepare: open_desk(home, now=self.clock, prepare=prepare),
                terminal=terminal,
            ),
        )
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def write(self, name: str, text: str) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def found(self, *people: str) -> Said:
        """Make the office, with no example, and sign everybody in."""
        named = [word for person in people for word in ("--person", person)]
        said = self("init", str(self.home), *named)
        assert (said.code, said.err) == (0, ""), said
        names = [person.split(":")[0] for person in people]
        lines = said.out.splitlines()
        for name in names:
            self.tokens[name] = lines[
                lines.index(f"The token of {name}, shown this once:") + 1
            ].strip()
            login = self("login", "--token-stdin", who=name, stdin=self.tokens[name] + "\n")
            assert login.code == 0, login
        (self.home / "campaigns" / "example.yaml").unlink()
        self.write("config/channels.toml", CHANNELS)
        return said


CHANNELS = """\
[web]
platform = "feed"

[wechat]
platform = "manual"
name = "WeChat official account"
"""

FORUM = """\
campaign: forum
programme: low-carbon-cities
title: A forum
written-by: ana
languages: {source: en}
audiences:
  main: {en: [web, wechat]}
messages:
  reminder: {at: "2025-07-20 10:00 Asia/Bangkok", to: main}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder with no office in it yet."""
    return Desk(tmp_path)


@pytest.fixture
def office(desk: Desk) -> Desk:
    """Ana writes, Bo clears, Cy reads; one message on two channels, due in two hours."""
    desk.found(ANA, BO, CY)
    desk.write("campaigns/forum.yaml", FORUM)
    desk.write("templates/posts/forum/reminder.md", "## en\n\nThe forum begins tomorrow.\n")
    return desk


def applied(desk: Desk) -> str:
    """The plan recorded by Ana; the fingerprint that Bo reads."""
    made = json.loads(desk("plan", "--json", who="ana").out)
    said = desk("apply", made["hash"], who="ana")
    assert said.code == 0, said
    (reading,) = json.loads(desk("review", "--json", who="bo").out)
    return str(reading["fingerprint"])


AUGUST = """\
channel,month,posts,displays
wechat,2025-07,3,1200
"""


def test_from_an_empty_folder_to_the_months_report(desk: Desk):
    made = desk.run("init", str(desk.home), "--person", ANA, "--person", BO)
    assert (made.code, made.err) == (0, "")
    assert "made  config/people.toml" in made.out
    tokens = dict(re.findall(r"The token of (\w+), shown this once:\n  (\S+)", made.out))
    assert set(tokens) == {"ana", "bo"}

    for name, told in (
        ("ana", "You are Ana Example: administrator, officer."),
        ("bo", "You are Bo Example: administrator, clearer, officer."),
    ):
        said = desk.run("login", "--token-stdin", who=name, stdin=tokens[name] + "\n")
        assert said.code == 0, said
        assert told in said.out
        assert tokens[name] not in said.out
        (kept,) = (desk.folder / "accounts" / name / "outreach").iterdir()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert kept.read_text().strip() == tokens[name]

    # The example's slots lie a month ahead of the machine's clock: it can be planned at once.
    checked = desk.run("check", who="ana")
    assert (checked.code, checked.err) == (0, "")
    assert "to be confirmed" in checked.out
    assert "No mistakes in 3 posts." in checked.out

    planned = desk.run("plan", who="ana")
    assert (planned.code, planned.err) == (0, "")
    (command,) = re.findall(r"To record exactly this: outreach (apply \w+)", planned.out)
    recorded = desk.run(*command.split(), who="ana")
    assert (recorded.code, recorded.err) == (0, "")
    assert "1 message waits for a colleague: outreach review" in recorded.out

    mine = desk.run("review", who="ana")
    assert "You are an author: a colleague clears it" in mine.out
    assert "outreach clear" not in mine.out
    read = desk.run("review", who="bo")
    (command,) = re.findall(r"To clear it:  outreach (clear \S+ \S+)", read.out)
    cleared = desk.run(*command.split(), who="bo")
    assert (cleared.code, cleared.err) == (0, "")
    assert cleared.out.startswith("Cleared example/save-the-date/en@web, due ")

    status = desk.run("status", who="ana")
    assert status.code == 0
    assert "1 cleared" in status.out
    ticked = desk.run("tick", who="ana")
    assert (ticked.code, ticked.err) == (0, "")
    again = desk.run("init", str(desk.home))
    assert again.code == 0
    assert "left  config/outreach.toml (it was there already)" in again.out
    assert "token" not in again.out


def test_a_cleared_post_goes_out_at_its_time_and_a_task_is_settled_by_a_person(office: Desk):
    fingerprint = applied(office)
    cleared = office("clear", "forum/reminder/en", fingerprint, who="bo")
    assert cleared.out == (
        "Cleared forum/reminder/en@web, due Sun 20 Jul 2025, 10:00 Bangkok (12:00 Seoul).\n"
        "Cleared forum/reminder/en@wechat, due Sun 20 Jul 2025, 10:00 Bangkok (12:00 Seoul).\n"
    )
    office.clock.to("2025-07-20T02:59:30Z")
    early = office("tick", who="ana")
    assert "published" not in early.out
    office.clock.to("2025-07-20T03:00:05Z")
    ticked = office("tick", who="ana")
    assert ticked.code == 0
    status = json.loads(office("status", "--json", who="ana").out)
    assert status["counts"] == {"published": 1, "handed": 1}
    (task,) = status["attention"]
    assert task["key"] == "forum/reminder/en@wechat"
    shown = office("status", who="ana").out
    assert "→ outreach settle forum/reminder/en@wechat --live ADDRESS" in shown

    settled = office(
        "settle", "forum/reminder/en@wechat", "--live", "https://example.org/w/1", who="ana"
    )
    assert (settled.code, settled.err) == (0, "")
    assert "published forum/reminder/en@wechat" in settled.out
    assert "https://example.org/w/1" in settled.out

    trail = json.loads(office("trail", "forum/reminder/en@wechat", "--json", who="ana").out)
    assert all(set(line) == {"at", "who", "what", "why"} for line in trail)
    told = [(line["who"], line["what"].strip()) for line in trail]
    assert ("bo", "cleared") in told
    assert ("ana", "settled: live") in told
    assert "settled: live" in office("trail", "forum/reminder/en@wechat", who="ana").out
    assert office("tick", who="ana").code == 0
    assert json.loads(office("status", "--json").out)["counts"] == {"published": 2}


def test_figures_are_shown_kept_and_reported_in_three_formats(office: Desk, tmp_path: Path):
    file = tmp_path / "july.csv"
    file.write_text(AUGUST)
    shown = office("import", str(file), who="ana")
    assert shown.code == 2  # nobody to ask: shown, and not kept
    assert "1,200" in shown.out or "1200" in shown.out
    assert f"→ outreach import {file} --yes" in shown.err
    kept = office("import", str(file), "--yes", who="ana")
    assert (kept.code, kept.err) == (0, "")
    assert kept.out.endswith("Kept: 1 row.\n")
    assert json.loads(office("import", str(file), "--json", who="ana").out)["months"]

    office.clock.to("2025-08-07T02:00Z")
    made = office("report", "2025-07", who="ana")
    assert (made.code, made.err) == (0, "")
    names = sorted(path.name for path in (office.home / "reports").iterdir())
    assert names == [f"outreach-2025-07.{kind}" for kind in ("docx", "html", "json")]
    assert (office.home / "reports" / "outreach-2025-07.docx").read_bytes()[:2] == b"PK"
    printed = json.loads(office("report", "2025-07", "--json", who="ana").out)
    written = json.loads((office.home / "reports" / "outreach-2025-07.json").read_text())
    assert printed["month"] == written["month"]
    assert "1,200" in json.dumps(written) or "1200" in json.dumps(written)


def test_the_doctor_says_what_fails_before_the_day_for_people_and_for_machines(office: Desk):
    said = office("doctor", "--json", who="ana")
    found = {one["name"]: one for one in json.loads(said.out)}
    assert found["channel web"]["ok"] is True
    assert found["people"]["ok"] is None  # Bo is the only clearer, and an officer as well
    assert "nobody can clear what bo writes" in found["people"]["sentence"]
    assert found["mail"]["ok"] is None
    assert said.code == (1 if any(one["ok"] is False for one in found.values()) else 0)

    (office.home / "config/channels.toml").write_text('[x]\nplatform = "x"\nhandle = "tbc"\n')
    said = office("doctor", who="ana")
    assert said.code == 1
    assert "channel x: its handle is still to be confirmed in config/channels.toml" in said.out


def test_a_hold_stops_a_channel_and_a_release_lists_what_became_late(office: Desk):
    office("clear", "forum/reminder/en", applied(office), who="bo")
    held = office("hold", "channel:web", "--why", "the page is being moved", who="bo")
    assert held.out == "On hold: channel:web. To go on: outreach release channel:web\n"
    office.clock.to("2025-07-20T03:40:00Z")
    office("tick", who="ana")
    status = office("status", who="ana").out
    assert "On hold" in status
    assert "the page is being moved" in status
    released = office("release", "channel:web", who="ana")
    assert released.code == 0
    assert "1 post became late meanwhile:" in released.out
    assert "→ outreach settle forum/reminder/en@web --send-now   or --skip" in released.out
    sent = office("settle", "forum/reminder/en@web", "--send-now", who="ana")
    assert sent.code == 0, sent


def test_on_a_terminal_apply_and_clear_ask_first(office: Desk):
    asked = office("apply", who="ana", terminal=True, stdin="n\n")
    assert asked.code == 0
    assert "Record this plan? [y/N]: n" in asked.out
    assert asked.out.endswith("Nothing was recorded.\n")
    assert "Recorded: 2 changes." in office("apply", who="ana", terminal=True, stdin="y\n").out
    walked = office("clear", who="bo", terminal=True, stdin="y\n")
    assert "1 of 1" in walked.out
    assert "Cleared forum/reminder/en." in walked.out
    assert office("clear", who="bo", terminal=True).out == "Nothing waits for you.\n"


def test_what_is_returned_on_a_terminal_waits_for_its_authors(office: Desk):
    applied(office)
    walked = office("clear", who="bo", terminal=True, stdin="r\nsay where\n")
    assert "Returned forum/reminder/en to its authors." in walked.out
    assert office("clear", who="bo", terminal=True).out == "Nothing waits for you.\n"


def test_a_token_is_renewed_and_the_one_before_ends(office: Desk):
    said = office("people", "token", "bo", who="ana")
    token = said.out.splitlines()[1].strip()
    assert office("hold", "all", "--why", "a try", who="bo").code == 2
    assert office("login", "--token-stdin", who="bo", stdin=token).code == 0
    assert office("hold", "all", "--why", "a try", who="bo").code == 0
    assert "cy           Cy Example <cy@example.org>: guest" in office("people").out


def declined(said: Said, code: int, *words: str) -> None:
    """It ended with this code, said these words on stderr, and showed no stack trace."""
    assert said.code == code, said
    assert "Traceback" not in said.out + said.err
    for word in words:
        assert word in said.err, said


def test_outside_an_office_it_says_how_to_make_one(desk: Desk):
    declined(desk.run("status"), 2, "is not an office's folder", "→ make one with: outreach init")


def test_every_mistake_of_wrong_files_is_listed(office: Desk):
    office.write("config/channels.toml", '[web]\nplatform = "fed"\n\n[net]\nplatfrom = "memory"\n')
    declined(
        office.run("status"),
        1,
        "config/channels.toml:2",
        "config/channels.toml:4: platform is missing",
    )


def test_apply_without_a_hash_needs_a_terminal_and_an_old_hash_is_refused(office: Desk):
    declined(office("apply", who="ana"), 2, "no terminal to ask on", "outreach apply ")
    declined(office("apply", "000000000000", who="ana"), 2, "no longer 000000000000")


def test_who_may_not_is_told_why(office: Desk):
    token = office("login", "--token-stdin", who="ana", stdin="nonsense\n")
    declined(token, 2, "this token is not known", "outreach login")
    declined(office("hold", "all", "--why", "a try"), 2, "nobody is signed in")
    declined(office("hold", "all", "--why", "a try", "--as", "bo"), 2, "in a demo only")
    made = json.loads(office("plan", "--json").out)
    declined(office("apply", made["hash"], who="cy"), 2)
    fingerprint = applied(office)
    declined(office("clear", "forum/reminder/en", fingerprint, who="ana"), 2)


def test_an_unknown_post_names_the_nearest_and_a_hold_needs_a_reason(office: Desk):
    applied(office)
    declined(office("trail", "forum/remider/en@web"), 2, "did you mean forum/reminder/en@web?")
    declined(office("hold", "all", who="bo"), 2, "--why")
    declined(office("hold", "all", "--why", " ", who="bo"), 2, "reason")


def test_a_damaged_and_a_newer_database_end_with_3_and_a_way_out(office: Desk):
    file = office.home / "data" / "outreach.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    declined(office.run("status"), 3, "written by a newer version", "→ install the newer version")
    for beside in file.parent.glob("outreach.db-*"):
        beside.unlink()
    file.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    declined(office.run("status"), 3, "is damaged or is no database", "→ restore the last backup")
