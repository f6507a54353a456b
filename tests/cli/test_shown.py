"""What each command shows, asks and leaves undone."""

import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from urllib.request import urlopen

import pytest

from outreach.store import Store
from tests.cli.conftest import CAMPAIGN, KEY, TEXT, Shell, applied, declined
from tests.conftest import REPOSITORY


class TestPlanAndApply:
    def test_a_changed_text_is_shown_line_by_line_and_the_end_of_its_clearance(self, cleared):
        cleared.write("templates/posts/forum/reminder.md", TEXT.replace("25 August", "26 August"))
        plan = cleared("plan").out
        assert "~ web, wechat: what the public would see changes" in plan
        assert "- The forum opens in Bangkok on 25 August." in plan
        assert "+ The forum opens in Bangkok on 26 August." in plan
        assert "! the clearance ends; somebody has to read it again" in plan
        assert "2 clearances would end" in plan

    def test_a_move_and_a_drop(self, cleared):
        cleared.write("campaigns/forum.yaml", CAMPAIGN.replace("- 3 days", "- 4 days"))
        assert "it moves from 2025-08-22 10:00 Asia/Seoul, outside" in cleared("plan").out
        cleared.write("campaigns/forum.yaml", CAMPAIGN.replace("reminder: {", "again: {"))
        cleared.write("templates/posts/forum/again.md", TEXT)
        plan = cleared("plan")
        assert "- web, wechat: it is no longer in the campaign file" in plan.out
        assert "it drops 2 of 2 cleared posts" in plan.out
        assert plan.out.rstrip().endswith(" --really")
        hash_ = re.search(r"outreach apply (\w+)", plan.out)[1]
        declined(cleared("apply", hash_, who="ana"), 2, f"outreach apply {hash_} --really")
        assert cleared("apply", hash_, "--really", who="ana").code == 0

    def test_what_waits_is_grouped_with_what_it_waits_for(self, shell):
        shell.write("templates/posts/forum/reminder.md", TEXT + "\n{{ links.programme }}\n")
        plan = shell("plan").out
        assert "new, and it waits: links.programme is to be confirmed" in plan
        assert "→ when it is known, write it in campaigns/forum.yaml:8" in plan
        assert "forum/reminder/en on web, wechat" in plan

    def test_alone_on_a_terminal_it_shows_the_plan_and_takes_no_for_an_answer(self, shell):
        said = shell("apply", who="ana", types="n\n", terminal=True)
        assert said.code == 0
        assert "Record this plan? [y/N]: n" in said.out
        assert said.out.endswith("Nothing was recorded.\n")
        said = shell("apply", who="ana", types="y\n", terminal=True)
        assert "Recorded: 2 changes." in said.out

    def test_with_nothing_to_do_it_says_so(self, cleared):
        assert "Nothing to apply" in cleared("apply", who="ana").out

    def test_mistakes_are_mentioned_and_the_rest_is_planned(self, shell):
        shell.write("campaigns/other.yaml", "campaign: other\n")
        plan = shell("plan")
        assert plan.code == 0
        assert "2 posts: 2 to add" in plan.out
        assert "left out of this plan; see outreach check" in plan.out


class TestClearing:
    def test_a_reading_shows_alike_channels_once_and_pictures_with_their_description(self, shell):
        applied(shell)
        review = shell("review", who="bo").out
        assert review.count("The forum opens in Bangkok") == 1
        assert "as on web" in review
        assert "by ana" in review

    def test_an_author_is_told_that_a_colleague_clears(self, shell):
        applied(shell)
        review = shell("review", who="ana").out
        assert "You are an author: a colleague clears it" in review
        assert "outreach clear" not in review

    def test_marks_that_hide_or_turn_text_are_spelled_out(self, shell):
        shell.write("templates/posts/forum/reminder.md", "## en\n\nOpen\u202egnihton\u200b here\n")
        applied(shell)
        assert "Open⟨U+202E⟩gnihton⟨U+200B⟩ here" in shell("review").out

    def test_alone_it_walks_through_what_waits(self, shell):
        two = CAMPAIGN + "  day-of: {at: forum}\n"
        shell.write("campaigns/forum.yaml", two)
        shell.write("templates/posts/forum/day-of.md", "## en\n\nIt opens today.\n")
        applied(shell)
        said = shell("clear", who="bo", types="y\nr\ntoo short\n", terminal=True)
        assert "1 of 2" in said.out
        assert "Cleared forum/reminder/en." in said.out
        assert "Returned forum/day-of/en to its authors." in said.out
        assert "What should change? too short" in said.out
        assert shell("clear", who="bo", terminal=True).out == "Nothing waits for you.\n"
        assert "returned by Bo Example: too short" in shell("status").out

    def test_a_window_until_a_day_holds_to_its_end_in_the_office_zone(self, shell):
        [reading] = applied(shell)
        typed = ("clear", reading["name"], reading["fingerprint"], "--window")
        assert shell(*typed, "until=2025-08-21", who="bo").code == 2
        assert shell(*typed, "until=2025-08-24", who="bo").code == 0
        shell.write("campaigns/forum.yaml", CAMPAIGN.replace("- 3 days", "- 1 days"))
        assert "within what was cleared" in shell("plan").out

    def test_an_emergency_is_in_the_trail(self, shell):
        [reading] = applied(shell)
        typed = ("clear", reading["name"], reading["fingerprint"])
        assert shell(*typed, who="ana").code == 2
        assert shell(*typed, "--emergency", "the venue is closed", who="ana").code == 0
        trail = json.loads(shell("trail", KEY, "--json").out)
        assert ("cleared in an emergency", "the venue is closed") in [
            (line["what"], line["why"]) for line in trail
        ]

    def test_one_post_alone_can_be_returned(self, cleared):
        said = cleared("return", KEY, "--why", "the picture is old", who="bo")
        assert said.out == f"Returned {KEY}.\n"


class TestPublishing:
    def test_status_says_what_comes_next_and_what_is_on_hold(self, cleared):
        cleared("hold", "channel:web", "--why", "the page moves", who="bo")
        status = cleared("status").out
        assert "On hold" in status
        assert "channel:web by bo: the page moves" in status
        assert "forum/reminder/en on wechat  Fri 22 Aug 2025, 08:00 Bangkok (10:00 Seoul)" in status
        assert "Nothing has ticked yet" in status
        assert json.loads(cleared("status", "--json").out)["counts"] == {"cleared": 2}

    def test_status_says_what_was_returned_and_how_much_waits_for_clearance(self, shell):
        two = CAMPAIGN + "  day-of: {at: forum}\n"
        shell.write("campaigns/forum.yaml", two)
        shell.write("templates/posts/forum/day-of.md", "## en\n\nIt opens today.\n")
        applied(shell)
        assert "2 messages wait for clearance   → outreach review" in shell("status").out
        shell("return", "forum/day-of/en", "--why", "too short", who="bo")
        person, _, coming = shell("status").out.partition("\n\n1 message waits for clearance")
        assert "Needs a person\n  returned  forum/day-of/en on web, wechat  Mon 25" in person
        assert (
            "            returned by Bo Example: too short\n"
            "            → change it as the reason says, then: outreach plan, outreach apply"
        ) in person
        assert "proposed  forum/reminder/en on web, wechat" in coming
        assert "day-of" not in coming
        data = json.loads(shell("status", "--json").out)
        assert (data["waiting"], len(data["attention"])) == (1, 2)

    def test_what_a_person_settles_stands_in_the_trail_in_its_order(self, cleared):
        self.tick_at(cleared, "2025-08-22T00:59Z", "2025-08-22T01:00Z")
        task = "forum/reminder/en@wechat"
        address = "https://wechat.example.org/1"
        assert cleared("settle", task, "--live", address, who="ana").code == 0
        told = [line["what"] for line in json.loads(cleared("trail", task, "--json").out)]
        assert [what for what in told if not what.startswith("call")][-4:] == [
            "handed",
            "settled: live",
            "found live",
            "published",
        ]

    def test_what_became_late_during_a_hold_is_asked_about(self, cleared):
        self.tick_at(cleared, "2025-08-22T00:59Z")
        cleared("hold", "all", "--why", "the venue is closed", who="bo")
        self.tick_at(cleared, "2025-08-22T01:02Z", "2025-08-22T01:06Z", "2025-08-22T01:10Z")
        self.tick_at(cleared, "2025-08-22T01:14Z", "2025-08-22T01:18Z")
        said = cleared("release", "all", who="bo", types="n\ns\n", terminal=True)
        assert "2 posts became late meanwhile:" in said.out
        self.tick_at(cleared, "2025-08-22T01:20Z")
        counts = json.loads(cleared("status", "--json").out)["counts"]
        assert counts == {"published": 1, "skipped": 1}

    def test_without_a_terminal_the_commands_are_shown(self, cleared):
        self.tick_at(cleared, "2025-08-22T00:59Z")
        held = cleared("hold", "channel:web", "--why", "the page moves", who="bo")
        assert held.out == "On hold: channel:web. To go on: outreach release channel:web\n"
        self.tick_at(cleared, "2025-08-22T01:03Z", "2025-08-22T01:07Z", "2025-08-22T01:11Z")
        self.tick_at(cleared, "2025-08-22T01:15Z", "2025-08-22T01:19Z")
        said = cleared("release", "channel:web", who="bo")
        assert said.code == 0
        assert "1 post became late meanwhile:" in said.out
        assert "it was on hold (channel:web) by bo: the page moves, when its time pass" in said.out
        assert f"→ outreach settle {KEY} --send-now   or --skip" in said.out
        sent = cleared("settle", KEY, "--send-now", who="ana")
        assert sent.code == 0, sent

    def tick_at(self, shell: Shell, *times: str) -> None:
        for time in times:
            shell.clock.to(time)
            assert shell("tick").code == 0

    def test_only_one_may_publish(self, shell):
        store = Store(f"sqlite:///{shell.home}/data/outreach.db")
        with store.duty.begin():
            said = shell("tick")
        store.close()
        assert said.code == 3
        assert "is publishing" in said.err

    def test_a_taken_address_is_said_before_anything_runs(self, shell):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            shell.write("config/outreach.toml", f'[web]\nlisten = "127.0.0.1:{port}"\n')
            said = shell("run")
        assert said.code == 3
        assert f"the pages cannot be served on 127.0.0.1:{port}" in said.err

    def test_run_on_a_newer_database_says_that_and_nothing_else(self, shell):
        with closing(sqlite3.connect(shell.home / "data/outreach.db")) as database, database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        said = shell.run("run", "--no-web")
        assert said.code == 3
        assert said.err.startswith("the database is of revision 9999")

    def test_run_serves_and_ticks_until_it_is_told_to_stop(self, shell):
        shell.write("config/outreach.toml", '[web]\nlisten = "127.0.0.1:0"\n')
        running = subprocess.Popen(
            [sys.executable, "-m", "outreach", "run", "--home", shell.home],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            said = ""
            while "public pages are on" not in said:
                said = running.stderr.readline()
                assert said, "it ended"
            address = re.search(r"http://\S+", said)[0]
            with urlopen(f"{address}healthz", timeout=10) as answer:
                assert answer.read() == b"ok\n"
            running.send_signal(signal.SIGTERM)
            rest = running.communicate(timeout=20)[1]
        finally:
            running.kill()
            running.wait()
            running.stderr.close()
        assert running.returncode == 0, rest
        assert "Traceback" not in rest


class TestFigures:
    GOOD = "channel,month,posts,displays\nwechat,2025-06,1,77\n"

    def test_an_import_is_shown_and_asked_about_and_no_keeps_nothing(self, shell):
        shell.write("august.csv", self.GOOD)
        typed = ("import", str(shell.home / "august.csv"))
        declined(shell(*typed, who="ana"), 2, "--yes")
        said = shell(*typed, who="ana", types="n\n", terminal=True)
        assert said.out.endswith("Nothing was kept.\n")
        assert "figures imported" not in shell("trail").out
        assert "Kept: 1 row." in shell(*typed, who="ana", types="y\n", terminal=True).out
        assert "figures imported: august.csv" in shell("trail").out

    def test_for_machines_it_is_a_preview_unless_yes(self, shell):
        shell.write("august.csv", self.GOOD)
        typed = ("import", str(shell.home / "august.csv"), "--json")
        preview = json.loads(shell(*typed, who="ana").out)
        assert preview["months"][0]["figures"]["displays"]["value"] == 77
        assert "figures imported" not in shell("trail").out
        assert json.loads(shell(*typed, "--yes", who="ana").out) == preview
        assert "figures imported" in shell("trail").out

    def test_a_wrong_file_shows_all_that_is_wrong_and_keeps_nothing(self, shell):
        shell.write("bad.csv", "channel,month,posts,displays\nwechet,2025-13,1,many\n")
        said = shell("import", str(shell.home / "bad.csv"), "--yes", who="ana")
        assert said.code == 1
        assert "wechet" in said.out
        assert "2025-13" in said.out

    def test_what_would_be_shown_is_what_would_be_kept(self, shell):
        post = "post,displays\nforum/reminder/en@webb,3\n"
        month = "channel,month,posts\nwechat,2027-08,5\n"
        for text, told in (
            (post, "bad.csv:2: post: forum/reminder/en@webb is no published post"),
            (month, "bad.csv:2: month: August 2027 lies ahead"),
        ):
            shell.write("bad.csv", text)
            for typed in ((), ("--yes",)):
                said = shell("import", str(shell.home / "bad.csv"), *typed, who="ana")
                assert said.code == 1
                assert told in said.out

    def test_a_report_goes_where_it_is_wanted(self, shell, tmp_path):
        # The office of these tests has no templates of its own: that is said, with its file.
        said = shell("report", "2025-07", "--out", str(tmp_path / "out"), who="ana")
        assert said.code == 1
        for name in ("monthly.docx", "monthly.html", "monthly.typ"):
            assert f"templates/reports/{name}: the report's template is not there" in said.err
        # What needs none is written all the same.
        made = sorted(file.suffix for file in (tmp_path / "out").iterdir())
        assert made == [".json", ".xlsx", ".zip"]
        assert shell("init").code == 0
        said = shell("report", "2025-07", "--out", str(tmp_path / "out"), who="ana")
        assert said.code == 0
        assert said.err == "2025-07 is not over: the report has what is known up to now.\n"
        assert len(list((tmp_path / "out").iterdir())) == 6
        one = ("report", "2025-07", "--out", str(tmp_path / "one"), "--format")
        assert shell(*one, "pdf", "--format", "json", who="ana").code == 0
        made = sorted(file.suffix for file in (tmp_path / "one").iterdir())
        assert made == [".json", ".pdf"]
        kept = (shell.home / "config/outreach.toml").read_text()
        heads = 'distribution = "Limited"\nlanguages = "English and Russian"\n'
        heads += 'programme = "A programme"\nsymbol = "EXAMPLE/1"\n'
        shell.write("config/outreach.toml", f"{kept}\n[report]\n{heads}")
        printed = json.loads(shell("report", "2025-07", "--json", who="ana").out)
        masthead = [printed[one] for one in ("distribution", "languages", "programme", "symbol")]
        assert masthead == ["Limited", "English and Russian", "A programme", "EXAMPLE/1"]
        declined(shell(*one, "odt", who="ana"), 2, "'odt' is no format", "→ --format docx or pdf")
        declined(shell("report", "2031-01", who="ana"), 2, "January 2031 has not begun", "→ make")


class TestDoctor:
    def test_it_says_which_account_will_fail_and_what_is_due_on_it(self, shell):
        channels = (shell.home / "config/channels.toml").read_text()
        shell.write(
            "config/channels.toml",
            channels + '\n[telegram]\nplatform = "telegram"\nchat = "@example"\n',
        )
        campaign = CAMPAIGN.replace("[web, wechat]", "[web, telegram]")
        shell.write("campaigns/forum.yaml", campaign)
        applied(shell)
        shell.clock.to("2025-08-20T00:00Z")
        said = shell("doctor")
        assert said.code == 1
        assert "fails channel telegram: its secrets are missing: OUTREACH_TELEGRAM" in said.out
        assert "forum/reminder/en@telegram is due 2025-08-22 10:00 Asia/Seoul, and its" in said.out
        assert "ok    channel web: feed web: 0 entries" in said.out

    def test_for_machines(self, shell):
        said = shell("doctor", "--json")
        found = {one["name"]: one["ok"] for one in json.loads(said.out)}
        assert found["database"] is True
        assert found["channel web"] is True
        assert found["people"] is None  # Bo is the only clearer, and an officer as well
        assert found["clock"] is None
        assert found["mail"] is None
        assert said.code == (1 if False in found.values() else 0)

    def test_a_channel_whose_handle_is_open_fails(self, shell):
        shell.write("config/channels.toml", '[x]\nplatform = "x"\nhandle = "tbc"\n')
        said = shell("doctor")
        assert said.code == 1
        assert "channel x: its handle is still to be confirmed in config/channels.toml" in said.out

    def test_a_channel_that_waits_for_the_public_address_says_where_that_is_written(self, shell):
        shell.write("config/outreach.toml", '[web]\npublic-url = "http://127.0.0.1:8025"\n')
        said = shell("doctor").out
        assert (
            "fails channel wechat: the public-url http://127.0.0.1:8025 leads to this machine only"
        ) in said
        assert "→ in config/outreach.toml, at [web]: write the https address of this desk" in said

    def test_a_clock_that_stopped_and_a_mail_server_that_is_not_there(self, shell):
        with socket.create_server(("127.0.0.1", 0)) as once:
            port = once.getsockname()[1]
        shell.write(
            "config/outreach.toml",
            f'[mail]\nhost = "127.0.0.1"\nport = {port}\nfrom = "desk@example.org"\n',
        )
        shell("tick")
        shell.clock.forward(hours=2)
        said = shell("doctor")
        assert said.code == 1
        assert "fails clock: the last tick was 120 minutes ago" in said.out
        assert f"fails mail: 127.0.0.1:{port} does not serve us: nothing listens there" in said.out
        assert "→ put host, port and security right: [mail] in config/outreach.toml" in said.out
        text = (shell.home / "config/outreach.toml").read_text()
        shell.write("config/outreach.toml", text.replace("127.0.0.1", "mail.invalid"))
        said = shell("doctor").out
        assert "mail.invalid" in said
        assert "there is no server of that name" in said
        assert "Errno" not in said

    def test_wrong_files_and_a_wrong_database_are_findings(self, shell):
        good = (shell.home / "config/channels.toml").read_text()
        shell.write("config/channels.toml", '[web]\nplatform = "fed"\n')
        said = shell("doctor")
        assert (said.code, "fails configuration" in said.out) == (1, True)
        shell.write("config/channels.toml", good)
        for file in (shell.home / "data").glob("outreach.db*"):
            file.unlink()
        (shell.home / "data/outreach.db").write_bytes(b"no database" * 100)
        said = shell("doctor", "--json")
        assert said.code == 1
        assert [one["name"] for one in json.loads(said.out)] == ["database"]

    def test_who_cannot_be_cleared_by_anybody_is_said(self, shell):
        assert "nobody can clear what bo writes" in shell("doctor").out
        told = {one["name"]: one["sentence"] for one in json.loads(shell("doctor", "--json").out)}
        assert "nobody can clear what bo writes" in told["people"]

    def test_whose_rules_nobody_has_signed_off(self, shell):
        assert "?     house style: there are no rules in config/house-style" in shell("doctor").out
        shutil.copytree(REPOSITORY / "config/house-style", shell.home / "config/house-style")
        said = shell("doctor").out
        assert (
            "?     house style: nobody has signed off the rules for en, ja, ko, mn, ru, zh yet"
            in said
        )
        for file in (shell.home / "config/house-style").glob("*.yaml"):
            for key in ("signed-off-by", "reviewer"):
                text = file.read_text(encoding="utf-8")
                file.write_text(text.replace(f"{key}: open", f"{key}: An Editor"), encoding="utf-8")
        assert "ok    house style: signed off: en, ja, ko, mn, ru, zh" in shell("doctor").out
        shell.write("config/house-style/ko.yaml", "version: 1\nlanguage: ko\nrulez: []\n")
        said = shell("doctor")
        assert "fails house style: config/house-style/ko.yaml:3: there is no key rulez" in said.out
        assert said.code == 1

    def test_which_extras_are_there_and_how_to_get_one(self, shell, monkeypatch):
        assert "ok    extra languages: it is here: a text" in shell("doctor").out
        monkeypatch.setitem(sys.modules, "lingua", None)
        said = shell("doctor").out
        assert "?     extra languages: it is not installed; with it a" in said
        assert f"wanted: {sys.executable} -m pip install lingua-language-detector" in said

    def test_an_env_file_that_others_can_read(self, shell):
        shell.write(".env", "OUTREACH_X_ACCESS_TOKEN=1\n")
        (shell.home / ".env").chmod(0o644)
        said = shell("doctor")
        assert "others on this machine may read .env" in said.out
        (shell.home / ".env").chmod(0o600)
        assert "others on this machine" not in shell("doctor").out


@pytest.mark.parametrize("typed", [("check",), ("plan",), ("review",), ("trail",), ("status",)])
def test_what_machines_read_is_json(cleared, typed):
    json.loads(cleared(*typed, "--json").out)


def test_the_version(shell):
    assert re.fullmatch(r"outreach \d+\.\d+\.\d+\n", shell("--version").out)
