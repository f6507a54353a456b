"""What can go wrong, and what an officer then sees: words, a way out, an exit code; no trace."""

import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from outreach.store import Store
from tests.cli.conftest import CAMPAIGN, Shell, declined

DATABASE = "data/outreach.db"


class TestTheDatabase:
    def test_a_damaged_one(self, shell: Shell):
        (shell.home / DATABASE).write_bytes(b"this is no database" * 100)
        for suffix in ("-wal", "-shm"):
            (shell.home / f"{DATABASE}{suffix}").unlink(missing_ok=True)
        said = shell("status")
        words = "the database file is damaged or is no database"
        declined(said, 3, words, "→ restore the last backup")

    def test_one_of_a_newer_version(self, shell: Shell):
        with closing(sqlite3.connect(shell.home / DATABASE)) as database, database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        said = shell("plan")
        declined(said, 3, "written by a newer version of outreach", "→ install the newer version")

    def test_a_read_only_one(self, shell: Shell):
        with closing(sqlite3.connect(shell.home / DATABASE)) as database:
            database.execute("PRAGMA journal_mode = DELETE")
        # A "file format write version" that SQLite does not know makes it read-only, also for
        # root: https://www.sqlite.org/fileformat2.html#file_format_version_numbers
        with (shell.home / DATABASE).open("r+b") as file:
            file.seek(18)
            file.write(b"\x09")
        said = shell("hold", "all", "--why", "a test", who="ana")
        declined(said, 3, "the database is read-only")

    def test_one_that_another_program_has_locked(self, shell: Shell, monkeypatch):
        monkeypatch.setitem(Store.__init__.__kwdefaults__, "busy", 0.05)
        with closing(sqlite3.connect(shell.home / DATABASE)) as other:
            other.execute("BEGIN IMMEDIATE")
            said = shell("hold", "all", "--why", "a test", who="ana")
        declined(said, 3, "locked by another program")


class TestFiles:
    def test_every_mistake_of_every_file_at_once_and_exit_code_1(self, shell: Shell):
        shell.write("campaigns/forum.yaml", CAMPAIGN.replace("messages:", "mesages:"))
        shell.write("campaigns/other.yaml", "campaign: [")
        shell.write("config/bots.txt", "bot\n")
        said = shell("check")
        assert said.code == 1
        assert str(shell.home) not in said.out
        for place in ("campaigns/forum.yaml:12", "campaigns/other.yaml:", "config/bots.txt:1"):
            assert place in said.out

    def test_a_mistake_of_the_configuration_hides_none_in_campaigns(self, shell: Shell):
        shell.write("config/channels.toml", '[web]\nplatform = "fed"\n')
        shell.write("campaigns/forum.yaml", CAMPAIGN.replace("messages:", "mesages:"))
        said = shell("check")
        assert said.code == 1
        assert "did you mean feed?" in said.out
        assert "campaigns/forum.yaml:12" in said.out

    def test_other_commands_list_them_too_and_end_with_1(self, shell: Shell):
        shell.write("config/outreach.toml", '[office]\nzone = "Asia/Bankok"\n')
        channels = '[web]\nplatform = "fed"\n\n[net]\nplatfrom = "memory"\n'
        shell.write("config/channels.toml", channels)
        declined(
            shell("status"),
            1,
            "did you mean Asia/Bangkok?",
            "config/channels.toml:2",
            "did you mean feed?",
            "config/channels.toml:4: platform is missing",
        )

    def test_outside_an_office(self, shell: Shell, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        said = shell("--home", str(tmp_path / "elsewhere"), "status")
        declined(said, 2, "is not an office's folder", "→ make one with: outreach init DIR")


class TestDeclined:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            (("apply", "0123456789ab"), "no longer 0123456789ab"),
            (("apply", "0123456789ab"), "look at it again: outreach plan"),
            (("apply",), "there is no terminal to ask on"),
            (("apply",), "outreach apply "),
            (("clear",), "outreach review shows each message"),
            (
                ("clear", "forum/reminder/en", "00000000"),
                "nothing of forum/reminder/en waits for clearance",
            ),
            (("clear", "forum/reminder/en@web", "0"), "is not a message in one language, on all"),
            (("clear", "forum/reminder~x/en@web", "0"), "review does: forum/reminder/en\n"),
            (("clear", "forum/reminder", "0"), "review does: CAMPAIGN/MESSAGE/LANGUAGE"),
            (("people", "token", "zz"), "there is no person 'zz' in force"),
            (("clear", "--emergency", "x"), "needs the message's NAME and FINGERPRINT"),
            (("clear", "a", "b", "--window", "soon"), "'soon' is no window"),
            (("return", "forum/reminder/en", "--why", " "), "a reason is needed"),
            (("review", "other"), "nothing of other waits"),
            (("trail", "forum/remainder/en@web"), "there is no post"),
            (("hold", "everything", "--why", "x"), "there is nothing to hold called"),
            (("hold", "all", "--why", " "), "a reason is needed"),
            (("release", "all"), "all is not on hold"),
            (("settle", "forum/reminder/en@web"), "say what became of it"),
            (("settle", "x", "--skip", "--absent"), "say one thing about it"),
            (("report", "August"), "'August' is no month"),
            (("import", "nowhere.csv"), "'nowhere.csv' does not exist"),
            (("people", "dance"), "dance is nothing to do with people"),
            (("aply",), "Did you mean 'apply'?"),
            (("hold", "all"), "Missing option '--why'"),
        ],
    )
    def test_each_ends_with_2_and_says_why(self, shell: Shell, typed, words):
        declined(shell(*typed, who="bo"), 2, words)

    def test_nobody_is_shown_a_token_that_was_not_made(self, shell: Shell):
        assert shell("people", "token", "zz", who="ana").out == ""

    def test_what_is_cleared_already_says_by_whom(self, cleared: Shell):
        said = cleared("clear", "forum/reminder/en", "00000000", who="bo")
        declined(said, 2, "forum/reminder/en is cleared already, by Bo Example", "outreach return")

    def test_what_was_returned_says_what_its_authors_do(self, cleared: Shell):
        cleared("return", "forum/reminder/en", "--why", "too long", who="bo")
        said = cleared("clear", "forum/reminder/en", "00000000", who="bo")
        declined(said, 2, "returned by Bo Example: too long", "→ its authors change it, then: out")

    def test_an_unknown_post_names_the_nearest(self, cleared: Shell):
        said = cleared("trail", "forum/remider/en@web")
        declined(said, 2, "did you mean forum/reminder/en@web?")

    def test_a_guest_applies_nothing(self, shell: Shell):
        plan = json.loads(shell("plan", "--json").out)
        declined(
            shell("apply", plan["hash"], who="cy"),
            2,
            "Cy Example may not do this: it needs the role",
        )


class TestOurOwnMistakes:
    def test_no_trace_on_the_screen_and_no_secret_in_the_log(self, shell: Shell, monkeypatch):
        secret = "1234567890:a-token-that-opens-a-channel"
        monkeypatch.setenv("OUTREACH_TELEGRAM_TOKEN", secret)

        def breaks(home, *, prepare, make):
            raise RuntimeError(f"https://api.example.org/bot{secret}/send did not answer")

        shell.open = breaks
        said = shell("status")
        log = shell.home / "data/outreach.log"
        assert said.code == 70
        assert "something went wrong inside outreach; nothing was half-done" in said.err
        assert f"details are in {log}" in said.err
        assert "RuntimeError" not in said.said
        assert "RuntimeError: https://api.example.org/bot***/send" in log.read_text()
        assert secret not in log.read_text()
        assert stat.S_IMODE(log.stat().st_mode) == 0o600

    def test_ctrl_c_ends_quietly(self, shell: Shell):
        def interrupted(home, *, prepare, make):
            raise KeyboardInterrupt

        shell.open = interrupted
        said = shell("status")
        assert (said.code, said.said) == (130, "")

    def test_an_end_of_input_at_a_question_changes_nothing(self, shell: Shell):
        said = shell("apply", who="ana", types="", terminal=True)
        assert said.code == 130
        assert "+ web, wechat: new" in said.out
        assert shell("trail").out.count("applied") == 0

    def test_warnings_go_to_the_log_and_not_to_the_screen(self, cleared: Shell):
        assert cleared("tick").out == "Nothing was due.\n"
        cleared.clock.to("2025-08-22T01:05Z")  # nothing ticked meanwhile
        said = cleared("tick")
        assert said.out == "Nothing was due.\n"
        assert said.err == ""
        assert "looking before sending" in (cleared.home / "data/outreach.log").read_text()


class TestAsAProcess:
    @pytest.mark.parametrize("typed", [("plan",), ("plan", "--json"), ("check",)])
    def test_a_reader_who_goes_away_is_no_error(self, shell: Shell, typed):
        started = subprocess.Popen(
            [sys.executable, "-m", "outreach", "--home", shell.home, *typed],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.stdout.close()
        with started:
            said = started.stderr.read()
        assert (started.returncode, said) == (141, b"")

    def test_outside_an_office(self, new: Shell):
        declined(
            new.run("status"), 2, "is not an office's folder", "→ make one with: outreach init"
        )
