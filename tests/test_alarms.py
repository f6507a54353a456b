"""Alarms: what is one and what is none; told once, again while it lasts, and when it is over."""

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from outreach import alarms, credentials
from outreach.alarms import GONE, RETRY, Process, decide
from outreach.delivery import Delivery
from outreach.errors import NotNow, Refused
from outreach.store.tables import AccountCheck, AlarmRow
from tests.conftest import Office
from tests.drafts import KEY, SOON, put, put_cleared, run_to, soon
from tests.mail import mail_server
from tests.platforms.servers import TelegramNetwork, serving

CHAT = "-1001234567890"


def found(desk) -> dict[str, str]:
    """What is an alarm now: what, by kind and place."""
    return {one.about.removesuffix(f" {one.host}"): one.what for one in desk.watch.look()}


def todo(desk) -> str:
    [one] = desk.watch.look()
    return one.todo


class TestWhatIsOne:
    def test_a_desk_that_runs_and_has_nothing_due_has_none(self, desk):
        put_cleared(desk, soon())
        assert found(desk) == {}

    def test_a_clock_that_stopped_and_not_one_that_never_began(self, office):
        desk = office.open()
        office.clock.forward(days=1)
        assert found(desk) == {}
        desk.tick()
        office.clock.forward(minutes=2)
        assert found(desk) == {}
        office.clock.forward(seconds=1)
        assert found(desk) == {"clock": "the clock does not tick: nothing is published"}
        [alarm] = desk.watch.look()
        assert alarm.since == office.clock() - timedelta(seconds=121)
        assert "systemctl status outreach" in alarm.todo

    def test_a_worker_that_stopped_and_not_one_that_beats(self, desk, office):
        living = Process("worker-1 on b", office.clock() - timedelta(seconds=20))
        dead = Process("worker-2 on b", office.clock() - timedelta(minutes=3))
        desk.watch._processes = lambda: [living, dead]
        assert found(desk) == {"worker worker-2 on b": "the process worker-2 on b is silent"}

    def test_a_post_that_is_due_and_not_sent(self, desk, office):
        put_cleared(desk, soon(), soon("more"))
        office.clock.to("2025-07-20T01:08Z")  # four minutes late, and nothing ticked
        assert "unsent net" not in found(desk)
        office.clock.to("2025-07-20T01:09Z")
        assert found(desk)["unsent net"] == (
            "2 posts on net are due and were not sent: first c/more/en@net"
        )
        run_to(office, desk, office.clock())
        assert found(desk) == {}

    def test_also_where_its_network_puts_it_off_again_and_again_and_why(self, desk, office):
        put_cleared(desk, soon())
        office.clock.to(SOON)
        desk.platforms["net"].publish = raising(NotNow("Telegram cannot be reached"))
        for _ in range(6):
            desk.tick()
            office.clock.forward(minutes=1)
        assert found(desk) == {
            "unsent net": f"{KEY} is due and was not sent (Telegram cannot be reached)"
        }
        assert "outreach status" in todo(desk)

    def test_not_where_somebody_stopped_it_or_it_waits_for_its_other_language(self, desk, office):
        put_cleared(desk, soon("news"))
        put_cleared(
            desk,
            soon("news"),
            soon("held"),
            soon("both", release="together"),
            soon("later"),
        )
        put(
            desk,
            *(soon("news"), soon("held"), soon("both", release="together"), soon("later")),
            soon("both", language="ko", release="together"),
        )
        desk.hold("message:c/held", "the venue", by=desk.person("ana"))
        with desk.store.writing() as session:
            later = session.get_one(Delivery, "c/later/en@net")
            later.retry_at = office.clock() + timedelta(hours=1)  # its network asked for an hour
        office.clock.to("2025-07-20T01:10Z")
        assert found(desk)["unsent net"].startswith(f"{KEY} is due")

    def test_not_where_its_file_was_changed_and_not_applied(self, desk, office):
        put_cleared(desk, soon())
        desk.watch._differs = lambda: {KEY: "its file has changed and was not applied yet"}
        office.clock.to("2025-07-20T01:10Z")
        assert "unsent net" not in found(desk)

    def test_a_call_that_takes_longer_than_its_network_may(self, desk, office):
        put_cleared(desk, soon())
        office.clock.to(SOON)
        claim = desk.publisher._claim("net")
        assert claim is not None
        office.clock.forward(minutes=6)  # five, and the sixty seconds of a call
        assert "sending net" not in found(desk)
        office.clock.forward(seconds=1)
        assert found(desk)["sending net"] == f"{KEY} is being sent, and no answer comes"

    def test_a_post_in_doubt_for_longer_than_its_network_hides_one(self, desk, office):
        put_cleared(desk, soon())
        office.clock.to(SOON)
        desk.platforms["net"].blind = True
        desk.platforms["net"].next_fault = "lost after"
        desk.tick()
        for _ in range(20):  # 15 minutes, and 5
            office.clock.forward(minutes=1)
            desk.tick()
        assert found(desk) == {}
        office.clock.forward(seconds=1)
        assert found(desk) == {"uncertain net": f"{KEY} may or may not be live"}
        assert f"outreach settle {KEY} --live ADDRESS, or --absent" in todo(desk)

    def test_a_disk_with_little_room_once_for_each_file_system(self, office):
        text = (office.home / "config/outreach.toml").read_text()
        office.write("config/outreach.toml", text + "\n[alarms]\nfree-mb = 1_000_000_000\n")
        [alarm] = office.open().watch.look()
        assert alarm.kind == "disk"
        assert "the disk is nearly full" in alarm.what
        assert "make room" in alarm.todo

    def test_a_database_that_cannot_be_read(self, desk, office):
        desk.store.close()
        for file in (office.home / "data").glob("outreach.db-*"):
            file.unlink()
        (office.home / "data/outreach.db").write_bytes(b"This was a database once. " * 500)
        [alarm] = desk.watch.look()
        assert (alarm.kind, alarm.todo) == (
            "database",
            "restore the last backup: outreach restore FILE --replace",
        )

    def test_notices_that_nobody_gets_where_there_is_a_mail_server(self, office):
        with_mail(office, 9)
        desk = office.open()
        desk.tick()
        put(desk, soon(at="2025-08-25T00:00Z"))
        desk.mail()
        run_to(office, desk, office.clock() + timedelta(minutes=59))
        assert found(desk) == {}
        run_to(office, desk, office.clock() + timedelta(minutes=1))
        assert found(desk)["mail"].startswith("1 notice could not be mailed: the mail server")
        run_to(office, desk, office.clock() + timedelta(days=7))
        assert found(desk) == {}  # overtaken long ago

    def test_a_rule_that_breaks_hides_none_of_the_others(self, desk, office, monkeypatch, caplog):
        def broken(sight):
            yield 1 / 0

        monkeypatch.setattr(alarms, "RULES", (broken, alarms.clock))
        office.clock.forward(minutes=3)
        assert found(desk).keys() == {"clock"}
        assert "the alarms of 'broken' cannot be looked for" in caplog.text


class TestAccounts:
    def test_one_that_refuses_us_is_found_out_within_a_day_and_is_over_within_an_hour(
        self, desk, office
    ):
        assert desk.ask_accounts() == 2
        desk.platforms["net"].check = raising(Refused("withdrawn"))
        office.clock.forward(hours=23)
        assert desk.ask_accounts() == 2
        desk.tick()
        assert found(desk) == {"refused net": "the account net refuses us: withdrawn"}
        assert "outreach doctor" in todo(desk)
        del desk.platforms["net"].check
        office.clock.forward(minutes=50)
        assert desk.ask_accounts() == 1  # only that one
        desk.tick()
        assert found(desk) == {}

    def test_one_that_cannot_be_asked_stays_what_it_was(self, desk, office):
        desk.platforms["net"].check = raising(Refused("withdrawn"))
        desk.ask_account("net")
        office.clock.forward(hours=1)
        desk.platforms["net"].check = raising(NotNow("no connection"))
        desk.ask_account("net")
        desk.tick()
        assert found(desk) == {"refused net": "the account net refuses us: withdrawn"}

    def test_an_account_that_is_not_the_office_s_any_more_is_none(self, desk, office):
        desk.platforms["net"].check = raising(Refused("withdrawn"))
        desk.ask_account("net")
        office.write("config/channels.toml", '[web]\nplatform = "feed"\n')
        assert found(office.open()) == {}

    def test_a_token_that_ends_within_two_weeks_where_its_network_knows(self, desk, office):
        desk.platforms["net"].expires = lambda: datetime(2025, 8, 10, tzinfo=UTC)
        desk.ask_account("net")
        run_to(office, desk, datetime(2025, 7, 26, 23, tzinfo=UTC))
        assert found(desk) == {}
        run_to(office, desk, datetime(2025, 7, 27, 1, tzinfo=UTC))
        assert found(desk) == {"expires net": "the token of net ends on 2025-08-10"}

    def test_the_doctor_s_question_counts_as_asking(self, desk, office):
        from outreach.doctor import examine

        desk.platforms["net"].check = raising(Refused("withdrawn"))
        told = {finding.name: finding.ok for finding in examine(desk)}
        assert told["channel net"] is False
        assert found(desk).keys() == {"refused net"}
        with desk.store.reading() as session:
            due = credentials.due(session, desk.platforms, office.clock())
            assert due == []
            assert session.get_one(AccountCheck, "web").ok is True


class TestWhenItIsTold:
    """A look each half minute, as the clock has it, at a disk that fills and is made empty."""

    full = alarms.Alarm("disk", "/srv", "the disk is full", "make room", host="a")

    @pytest.fixture
    def looks(self, office):
        rows: dict[str, AlarmRow] = {}
        repeat = timedelta(hours=6)

        def look(times, *found, host="a", reached=True) -> list[str]:
            """What was told, with the minute, counted from the first look."""
            told = []
            for _ in range(times):
                now = office.clock()
                news = decide(rows, {one.about: one for one in found}, host=host, now=now)
                told += [(minutes(now), str(one.turn)) for one in news]
                if reached:
                    alarms.told(rows, news, now=now, repeat=repeat)
                office.clock.forward(seconds=30)
            return told

        began = office.clock()

        def minutes(now: datetime) -> float:
            return (now - began).total_seconds() / 60

        return look

    def test_once_it_has_lasted_a_minute_again_each_six_hours_and_when_it_is_over(self, looks):
        assert looks(800, self.full) == [(1.0, "alarm"), (361.0, "still")]
        assert looks(200) == [(400.5, "over")]

    def test_what_comes_and_goes_within_a_minute_is_nobody_s_alarm(self, looks):
        for _ in range(20):
            assert looks(2, self.full) == []
            assert looks(3) == []

    def test_what_flickers_after_it_was_told_is_one_alarm(self, looks):
        looks(3, self.full)
        for _ in range(20):
            assert looks(1) == []
            assert looks(1, self.full) == []

    def test_what_reached_nobody_is_tried_again_soon_the_end_as_well(self, looks):
        assert looks(13, self.full, reached=False) == [(1.0, "alarm"), (6.0, "alarm")]
        assert looks(10, self.full) == [(11.0, "alarm")]
        assert looks(14, reached=False) == [(12.0, "over"), (17.0, "over")]
        assert looks(14) == [(22.0, "over")]
        assert timedelta(minutes=5) == RETRY

    def test_another_machine_s_is_not_ended_by_who_cannot_see_it(self, looks, office):
        looks(3, self.full)
        assert looks(100, host="b") == []
        office.clock.forward(seconds=GONE.total_seconds())
        assert [turn for _, turn in looks(3, host="b")] == ["over"]


@pytest.fixture
def chat():
    network = TelegramNetwork()
    with serving(network) as base:
        network.base = base
        yield network


@pytest.fixture
def post():
    with mail_server() as server:
        yield server


@pytest.fixture
def told(office: Office, chat, post):
    """An office whose alarms go to a mail address and a staff chat."""
    with_mail(
        office,
        post.server_address[1],
        f'[alarms]\nmail = ["ops@example.org"]\ntelegram-chat = "{CHAT}"\n'
        f'telegram-base = "{chat.base}"\n',
    )
    office.write(".env", f"OUTREACH_ALARMS_TOKEN={chat.TOKEN}\n")
    return office


class TestWhoIsTold:
    @pytest.fixture
    def desk(self, told):
        desk = told.open()
        desk.tick()
        return desk

    def stop_the_clock(self, desk, office, minutes: float = 4.0) -> None:
        office.clock.forward(minutes=minutes)
        desk.watch.round()
        office.clock.forward(seconds=60)
        desk.watch.round()

    def test_a_mail_and_the_staff_chat_with_what_where_since_when_and_what_to_do(
        self, desk, office, chat, post, caplog
    ):
        self.stop_the_clock(desk, office)
        [mail], [text] = post.mails, chat.texts
        assert mail["To"] == "ops@example.org"
        assert mail["Subject"] == "ALARM: the clock does not tick"
        assert mail.get_content().splitlines() == text.splitlines()
        assert text.splitlines() == [
            "ALARM: the clock does not tick: nothing is published (since Sun 20 Jul 2025, "
            "08:00 Bangkok (10:00 Seoul))",
            "→ see whether outreach run still runs, and what its log says: "
            "systemctl status outreach",
            "",
            f"The secretariat, on {desk.watch.host}",
        ]
        assert "ALARM: the clock does not tick" in caplog.text
        desk.tick()
        office.clock.forward(minutes=1)
        desk.tick()
        desk.watch.round()
        assert chat.texts[1].startswith("Over: the clock does not tick")
        assert [one["Subject"] for one in post.mails][1] == "Over: the clock does not tick"
        for _ in range(5):
            desk.watch.round()
        assert len(chat.texts) == len(post.mails) == 2

    def test_a_restart_repeats_nothing(self, desk, office, chat, post):
        self.stop_the_clock(desk, office)
        for _ in range(3):
            office.open().watch.round()
        assert len(chat.texts) == len(post.mails) == 1
        office.clock.forward(hours=6)
        office.open().watch.round()
        assert chat.texts[1].startswith("Still: the clock does not tick")

    def test_several_processes_tell_it_once(self, desk, office, chat, post):
        office.clock.forward(minutes=4)
        desks = [office.open() for _ in range(6)]
        for _ in range(2):
            together = threading.Barrier(len(desks))

            def look(one, together=together):
                together.wait()
                one.watch.round()

            threads = [threading.Thread(target=look, args=(one,)) for one in desks]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            office.clock.forward(seconds=60)
        assert len(chat.texts) == len(post.mails) == 1

    def test_one_way_that_fails_is_logged_without_the_secret_and_the_other_is_enough(
        self, desk, office, chat, post, caplog
    ):
        chat.next_fault = "garbage"  # a page that quotes the address, with the token in it
        self.stop_the_clock(desk, office)
        assert len(post.mails) == 1
        assert f"alarms do not reach the Telegram chat {CHAT}" in caplog.text
        assert "secret_secret" not in caplog.text
        office.clock.forward(minutes=30)
        desk.watch.round()
        assert len(post.mails) == 1

    def test_where_no_way_works_it_is_tried_again(self, desk, office, chat, post):
        chat.next_fault = "500 before"
        post.refuses = True
        self.stop_the_clock(desk, office)
        assert (chat.texts, desk.status().alarms) == ([], ())
        post.refuses = False
        office.clock.forward(minutes=5)
        desk.watch.round()
        assert len(post.mails) == 1
        [alarm] = desk.status().alarms
        assert alarm.kind == "clock"

    def test_several_at_once_are_one_message(self, desk, office, chat, post):
        put_cleared(desk, soon())
        self.stop_the_clock(desk, office, minutes=10)
        [text], [mail] = chat.texts, post.mails
        assert mail["Subject"] == "ALARM: the clock does not tick (and 1 more)"
        assert f"ALARM: {KEY} is due and was not sent" in text

    def test_a_test_goes_every_way_and_says_which_failed(self, desk, chat, post):
        assert desk.watch.try_() == {}
        assert chat.texts == [
            f"This is a test: alarms of The secretariat, on {desk.watch.host}, reach you. "
            "Nothing is wrong."
        ]
        chat.admin = False
        assert list(desk.watch.try_()) == [f"the Telegram chat {CHAT}"]

    def test_nobody_set_up_is_told_in_the_log_alone(self, office, caplog):
        office.write("config/outreach.toml", '[office]\nname = "The secretariat"\n')
        desk = office.open()
        desk.tick()
        self.stop_the_clock(desk, office)
        assert caplog.text.count("ALARM: the clock") == 1
        [alarm] = desk.status().alarms
        assert alarm.kind == "clock"

    def test_nothing_leaves_a_demo(self, told, office, post):
        text = (office.home / "config/outreach.toml").read_text()
        text = text.replace("[alarms]\n", "[desk]\ndemo = true\n[alarms]\n")
        lines = [line for line in text.splitlines() if "telegram-base" not in line]
        office.write("config/outreach.toml", "\n".join(lines))
        desk = office.open()
        desk.tick()
        self.stop_the_clock(desk, office)
        assert post.mails == []


class TestADatabaseThatCannotBeWritten:
    """Then what was told is remembered by the process, and told once an interval all the same."""

    @pytest.fixture
    def desk(self, told):
        desk = told.open()
        desk.tick()
        return desk

    @pytest.fixture
    def locked(self, desk):
        """Makes the database one that cannot be written, and one that can again."""
        now = {"locked": False}

        @event.listens_for(desk.store.engine, "begin")
        def begun(connection):
            connection.exec_driver_sql(f"PRAGMA query_only = {now['locked']:d}")

        return lambda on: now.update(locked=on)

    def looks(self, desk, office, minutes: float) -> None:
        for _ in range(int(minutes * 2)):
            desk.watch.round()
            office.clock.forward(seconds=30)

    def test_it_is_told_once_an_interval_and_what_was_told_before_is_not_repeated(
        self, desk, office, chat, locked
    ):
        office.clock.forward(minutes=4)
        self.looks(desk, office, 2)
        assert len(chat.texts) == 1  # the clock, kept in the table

        locked(True)
        self.looks(desk, office, 60)
        assert [text.partition(" (")[0] for text in chat.texts[1:]] == [
            "ALARM: the database is read-only"
        ]
        self.looks(desk, office, 6 * 60)
        assert len(chat.texts) == 4  # each once more, in its own time
        assert {text.partition(":")[0] for text in chat.texts[2:]} == {"Still"}

        locked(False)
        for _ in range(4):
            desk.tick()
            self.looks(desk, office, 1)
        over = "\n".join(chat.texts[4:])
        assert over.count("Over: the database is read-only") == 1
        assert over.count("Over: the clock does not tick") == 1
        assert "ALARM" not in over

    def test_a_restart_meanwhile_repeats_nothing_that_the_table_still_says(
        self, desk, office, chat, locked
    ):
        office.clock.forward(minutes=4)
        self.looks(desk, office, 2)
        locked(True)
        desk.watch._known.clear()  # as a new process would have it
        self.looks(desk, office, 60)
        assert [text.partition(" (")[0] for text in chat.texts] == [
            "ALARM: the clock does not tick: nothing is published",
            "ALARM: the database is read-only",
        ]

    def test_one_look_from_outside_tells_at_once_or_leaves_it_to_the_desk_beside(
        self, desk, chat, locked
    ):
        locked(True)
        desk.watch.round("leave")
        assert chat.texts == []
        desk.watch.round("tell")
        assert chat.texts[0].startswith("ALARM: the database is read-only")


FILLS = """
import datetime, pathlib, resource, signal, sys
from outreach.app import open_desk
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
at = [datetime.datetime.now(datetime.UTC)]
desk = open_desk(pathlib.Path(sys.argv[1]), now=lambda: at[0])
desk.tick()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # no file can grow beyond it
for _ in range(1000):
    at[0] += datetime.timedelta(milliseconds=1)
    try:
        desk.tick()
    except Exception as error:
        print(error)
        break
for _ in range(20):
    desk.watch.round()
    at[0] += datetime.timedelta(seconds=30)
"""


def test_a_disk_that_is_full_for_a_real_process_reaches_the_staff_chat_once(told, chat, post):
    told.open().close()
    done = subprocess.run(
        [sys.executable, "-c", FILLS, str(told.home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "OUTREACH_ALARMS_TOKEN": chat.TOKEN},
    )
    assert done.returncode == 0, done.stderr
    assert "the disk is full or failing" in done.stdout
    full = [text for text in chat.texts if "the disk is full or failing" in text]
    assert len(full) == 1, chat.texts
    assert "make room, then try again; nothing was half-written" in full[0]
    assert len(post.mails) == len(chat.texts)


def raising(error: Exception):
    def fail(*_):
        raise error

    return fail


def with_mail(office: Office, port: int, more: str = "") -> None:
    office.write(
        "config/outreach.toml",
        (office.home / "config/outreach.toml").read_text()
        + f'\n[mail]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        f'from = "outreach@example.org"\n{more}',
    )
