"""Alarms as whoever runs the machine meets them: commands, a page for machines, and a timer."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.cli.conftest import Shell, declined
from tests.platforms.servers import TelegramNetwork, serving

CHAT = "-1001234567890"


@pytest.fixture
def chat():
    network = TelegramNetwork()
    with serving(network) as base:
        network.base = base
        yield network


@pytest.fixture
def told(shell: Shell, chat: TelegramNetwork) -> Shell:
    """An office with a staff chat."""
    shell.write(
        "config/outreach.toml",
        f'[office]\nzone = "Asia/Bangkok"\n[alarms]\ntelegram-chat = "{CHAT}"\n'
        f'telegram-base = "{chat.base}"\n',
    )
    shell.write(".env", f"OUTREACH_ALARMS_TOKEN={chat.TOKEN}\n")
    (shell.home / ".env").chmod(0o600)
    return shell


def test_it_says_what_is_wrong_since_when_and_what_to_do(shell):
    assert shell("tick").code == 0
    said = shell("alarms")
    assert (said.code, said.out) == (0, "Nothing is wrong.\n")
    shell.clock.forward(hours=1)
    said = shell("alarms")
    assert said.code == 1
    assert said.out.splitlines() == [
        "  the clock does not tick: nothing is published  since Sun 20 Jul 2025, 08:00 Bangkok "
        "(10:00 Seoul)",
        "  → see whether outreach run still runs, and what its log says: systemctl status outreach",
    ]
    [one] = json.loads(shell("alarms", "--json").out)
    assert (one["kind"], one["since"]) == ("clock", "2025-07-20T01:00:00+00:00")


def test_a_timer_tells_that_the_desk_has_ended_and_status_shows_it(told, chat):
    assert told("tick").code == 0
    told.clock.forward(minutes=5)
    assert told("alarms", "--tell").code == 1
    assert chat.texts == []  # it may be starting anew
    told.clock.forward(minutes=5)
    said = told("alarms", "--tell")
    assert said.code == 1
    assert "outreach.watch: ALARM: the clock does not tick" in said.err  # for the journal
    assert [text.partition(":")[0] for text in chat.texts] == ["ALARM"]
    shown = told("status").out
    assert "Alarms\n  the clock does not tick: nothing is published" in shown
    assert told("alarms", "--tell").code == 1
    assert len(chat.texts) == 1

    for _ in range(2):
        told.clock.forward(minutes=5)
        assert told("tick").code == 0
        assert told("alarms", "--tell").code == 0
    assert [text.partition(":")[0] for text in chat.texts] == ["ALARM", "Over"]
    assert "Alarms" not in told("status").out


def test_a_timer_leaves_what_it_cannot_keep_to_a_desk_that_runs(told):
    from outreach.cli.running import _unkept

    desk = told._open(told.home, prepare=True, make=False)
    assert _unkept(desk) == "tell"
    other = told._open(told.home, prepare=True, make=False)
    with other.store.duty.begin():
        assert _unkept(desk) == "leave"
    other.close()
    desk.close()


def test_a_test_message_says_who_got_it_and_who_did_not(told, chat):
    said = told("alarms", "--test")
    assert (said.code, said.out) == (0, f"the Telegram chat {CHAT}: taken\n")
    assert "Nothing is wrong" in chat.texts[0]
    chat.admin = False
    said = told("alarms", "--test")
    assert said.code == 1
    assert "the bot may not post in" in said.out
    assert chat.TOKEN not in said.said


def test_where_nobody_is_told_it_says_what_to_set(shell):
    declined(shell("alarms", "--test"), 2, "nobody is told of alarms here", "telegram-chat")
    said = shell("doctor").out
    assert "?     alarms: nobody is told of alarms: they stand in the log alone" in said


def test_the_doctor_says_what_is_an_alarm_and_whom_they_go_to(told):
    told("tick")
    desk = told._open(told.home, prepare=True, make=False)
    desk.platforms["web"].check = refuse
    desk.ask_account("web")
    desk.close()
    said = told("doctor")
    assert "fails alarm: the account web" not in said.out  # said of the channel itself
    assert f"ok    alarms: they go to the Telegram chat {CHAT}" in said.out


def test_the_doctor_misses_the_token_of_the_staff_chat(told):
    told.write(".env", "")
    assert "fails alarms: the bot of the staff chat has no token: OUTREACH_ALARMS_TOKEN is" in (
        told("doctor").out
    )


def refuse():
    from outreach.errors import Refused

    raise Refused("withdrawn")


@pytest.mark.parametrize(
    ("settings", "where", "what"),
    [
        (
            '[alarms]\nmail = ["ops"]\n[mail]\nhost = "m"\nfrom = "o@example.org"\n',
            "config/outreach.toml:2",
            "'ops' is no address",
        ),
        (
            '[alarms]\nfree-mb = 9\nmail = ["ops@example.org"]\n',
            "config/outreach.toml:3",
            "alarms are to go by mail, and there is no mail server",
        ),
        (
            "[alarms]\ntelegram-chat = -1001234567890\n",
            "config/outreach.toml:2",
            "alarms.telegram-chat should be a text",
        ),
        ('[web]\nwatch = "8026"\n', "config/outreach.toml:2", "'8026' is not a host and a port"),
        ("[alarms]\nrepeat-hours = 0\n", "config/outreach.toml:2", "cannot be 0"),
    ],
)
def test_settings_with_which_nobody_would_be_told_are_mistakes(shell, settings, where, what):
    shell.write("config/outreach.toml", settings)
    declined(shell("alarms"), 1, where, what)


class TestARunningDesk:
    @pytest.fixture
    def running(self, shell):
        """A desk that serves its pages and those for whoever watches it: their addresses."""
        shell.clock.at = datetime.now(UTC)
        shell.write(
            "config/outreach.toml", '[web]\nlisten = "127.0.0.1:0"\nwatch = "127.0.0.1:0"\n'
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "outreach", "run", "--log-format", "json", "--home", shell.home],
            stderr=subprocess.PIPE,
            text=True,
        )
        addresses: dict[str, str] = {}
        try:
            while len(addresses) < 2:
                line = process.stderr.readline()
                assert line, "it ended"
                if " on http://" in line:
                    what, _, address = line.strip().rpartition(" are on ")
                    addresses[what] = address
            yield process, addresses
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def test_is_watched_on_an_address_of_its_own_that_the_public_pages_do_not_have(self, running):
        process, addresses = running
        public, watch = addresses["The public pages"], addresses["Health and metrics"]
        deadline = time.monotonic() + 30
        while answer(f"{watch}readyz")[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        status, metrics = answer(f"{watch}metrics")
        assert status == 200
        assert "outreach_last_tick_age_seconds" in metrics
        assert "process_resident_memory_bytes" in metrics
        assert answer(f"{watch}healthz") == answer(f"{public}healthz") == (200, "ok\n")
        for path in ("metrics", "readyz"):
            assert answer(f"{public}{path}")[0] == 404
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=30)[1]
        assert process.returncode == 0, rest
        [told] = [json.loads(line) for line in rest.splitlines() if "told to end" in line]
        assert (told["level"], told["logger"]) == ("info", "outreach.clock")


def answer(address: str) -> tuple[int, str]:
    try:
        with urlopen(address, timeout=10) as told:
            return told.status, told.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
