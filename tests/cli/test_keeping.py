"""Backups as whoever looks after the machine meets them: two commands, and what doctor says."""

import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import CHANNELS, KEY, Shell, declined
from tests.conftest import Clock

AFTER = "2025-08-22T03:00Z"  # two hours after the post was due


def backup(shell: Shell, *words: str) -> Path:
    said = shell("backup", *words)
    assert said.code == 0, said
    return Path(said.out.splitlines()[0].removeprefix("wrote "))


def doctor(shell: Shell) -> str:
    return "\n".join(line for line in shell("doctor").out.splitlines() if "backup" in line)


class TestBackup:
    def test_it_says_what_was_written_and_what_is_in_it(self, cleared: Shell, tmp_path):
        said = cleared("backup", str(tmp_path / "elsewhere"))
        [file] = (tmp_path / "elsewhere").iterdir()
        assert (said.code, said.err) == (0, "")
        assert said.out.splitlines()[0] == f"wrote {file}"
        assert "MB: 2 posts, " in said.out
        assert file.name.startswith("office-20")

    def test_it_needs_nobody_to_be_signed_in(self, cleared: Shell):
        assert backup(cleared).parent == cleared.home / "data" / "backups"

    def test_those_that_made_room_are_named(self, cleared: Shell, tmp_path):
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        old = folder / "office-2020-01-01-000000Z.zip"
        old.write_text("")
        said = cleared("backup", str(folder), "--keep", "1")
        assert "removed office-2020-01-01-000000Z.zip" in said.out
        assert not old.exists()

    def test_a_file_with_a_secret_in_it_is_named_and_not_shown(self, cleared: Shell):
        cleared.write(".env", "OUTREACH_X_ACCESS_TOKEN=secret-of-x\n")
        cleared.write("config/notes.txt", "secret-of-x")
        said = cleared("backup")
        assert said.code == 0
        assert said.err == (
            "not in it: config/notes.txt: it holds a secret, and those belong in .env\n"
        )

    def test_where_nothing_can_be_written_it_ends_with_3(self, cleared: Shell, tmp_path):
        (tmp_path / "a").write_text("a file")
        declined(cleared("backup", str(tmp_path / "a" / "b")), 3, "nothing can be written to")

    def test_a_taken_name_is_declined(self, cleared: Shell):
        file = backup(cleared)
        declined(cleared("backup", str(file)), 2, "is there already", "→ choose another name")


class TestDoctor:
    def test_it_says_when_the_last_one_was_made(self, cleared: Shell):
        assert "outreach has made none of this office" in doctor(cleared)
        backup(cleared)
        assert "ok    backup: the last one was made within the last day" in doctor(cleared)
        cleared.clock.forward(days=8)
        assert "?     backup: the last one was made 8 days ago" in doctor(cleared)

    def test_an_office_with_no_post_yet_is_not_told_to_make_one(self, shell: Shell):
        assert doctor(shell) == ""


class TestRestore:
    def test_rows_are_replaced_only_where_that_is_said(self, cleared: Shell):
        file = backup(cleared)
        cleared("hold", "all", "--why", "later", who="ana")
        said = cleared("restore", str(file))
        declined(said, 2, "this office has a database: 2 posts", "--replace")
        assert "On hold" in cleared("status").out
        said = cleared("restore", str(file), "--replace", who="ana")
        assert (said.code, said.err) == (0, "")
        assert "On hold" not in cleared("status").out

    def test_it_says_of_when_it_is_what_is_looked_for_and_what_to_do_next(self, cleared: Shell):
        file = backup(cleared)
        cleared.clock.to(AFTER)
        said = cleared("restore", str(file), "--replace", who="ana")
        assert said.out.startswith("Restored the database of The secretariat as it was 33 days ago")
        assert str(cleared.home / "data/backups/office-replaced-2025-08-22-030000Z.zip") in said.out
        assert "2 posts are due by now, and may be live without its knowing." in said.out
        assert "web 1, wechat 1" in said.out
        assert "outreach status" in said.out
        lines = [line for line in cleared("trail").out.splitlines() if "database restored" in line]
        assert len(lines) == 1
        assert "ana: database restored" in lines[0]

    def test_it_names_what_goes_out_later_where_nobody_can_look(self, cleared: Shell):
        said = cleared("restore", str(backup(cleared)), "--replace", who="ana")
        told, _, next_ = said.out.partition("Clearances, holds")
        assert "1 post cannot be looked for, and goes out at the time that this backup has:" in told
        assert KEY.replace("web", "wechat") in told
        assert KEY not in told
        assert 'outreach return CAMPAIGN/MESSAGE/LANGUAGE --why "it is out"' in " ".join(
            told.split()
        )
        assert next_

    def test_the_trail_names_the_program_where_nobody_is_signed_in(self, cleared: Shell):
        cleared("restore", str(backup(cleared)), "--replace")
        assert "outreach: database restored" in cleared("trail").out

    def test_a_desk_that_then_runs_asks_about_what_nobody_can_look_for(self, cleared: Shell):
        file = backup(cleared)
        cleared.clock.to(AFTER)
        cleared("restore", str(file), "--replace")
        cleared("tick")
        now = cleared("status").out
        assert f"uncertain {KEY.replace('web', 'wechat')}" in now
        assert "it may have gone out after this copy was made" in now

    def test_beside_a_desk_on_duty_it_ends_with_3(self, cleared: Shell):
        file = backup(cleared)
        script = (
            "import sys; from outreach.store import Store\n"
            "with Store(sys.argv[1]).duty.begin(): print(flush=True); sys.stdin.read()"
        )
        address = f"sqlite:///{cleared.home}/data/outreach.db"
        with subprocess.Popen(
            [sys.executable, "-c", script, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as desk:
            desk.stdout.readline()
            declined(cleared("restore", str(file), "--replace"), 3, "is publishing", "→ end that")
            desk.kill()

    def test_a_damaged_one_ends_with_3_and_a_wrong_name_with_2(self, cleared: Shell):
        file = backup(cleared)
        declined(cleared("restore", "nothing.zip"), 2, "there is no file nothing.zip")
        file.write_bytes(file.read_bytes()[:5000])
        declined(cleared("restore", str(file)), 3, f"{file} is damaged")

    def test_without_a_database_the_way_out_of_every_command_works(self, cleared: Shell):
        file = backup(cleared)
        for path in (cleared.home / "data").glob("outreach.db*"):
            path.unlink()
        declined(cleared("status"), 3, "→ restore the last backup: outreach restore FILE")
        assert cleared("restore", str(file)).code == 0
        assert cleared("status").code == 0


class TestAMachineThatIsLost:
    def test_two_commands_make_the_office_anew(self, cleared: Shell, tmp_path):
        """The folder first, then its database; tokens of then work, and nothing has to be done."""
        file = backup(cleared, str(tmp_path / "away" / "office.zip"))
        other = Shell(tmp_path / "new", Clock(cleared.clock.at), cleared.tokens)
        said = other("restore", str(file))
        declined(said, 2, "is not an office's folder", f"outreach restore {file} --files DIR")
        said = other("restore", str(file), "--files", str(other.home))
        assert (said.code, said.err) == (0, "")
        assert f"outreach --home {other.home} restore {file}" in said.out
        assert other("restore", str(file)).code == 0
        assert other("hold", "all", "--why", "a test", who="ana").code == 0
        assert "0 posts" not in other("plan").out
        assert (other.home / "config/channels.toml").read_text() == CHANNELS

    def test_files_are_never_written_over(self, cleared: Shell):
        file = backup(cleared)
        said = cleared("restore", str(file), "--files", str(cleared.home))
        declined(said, 2, "there is something in", "→ name a folder that is new, or empty")
        declined(
            cleared("restore", str(file), "--files", "x", "--replace"),
            2,
            "--files replaces nothing",
        )
