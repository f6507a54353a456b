"""Ending in order: nothing more is begun, what is under way is finished, nothing is sent twice."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from outreach.delivery import Attempt, Delivery, ReceiptRow
from outreach.ending import WRITING, Ending
from outreach.errors import NotNow
from tests.conftest import Office, state, until
from tests.drafts import KEY, SOON, draft, put_cleared, soon
from tests.platforms.servers import serving
from tests.platforms.servers_mastodon import MastodonNetwork

POSTS = 50


class Seconds:
    """A monotonic clock that stands still until told."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class TestWhatMayStillBeBegun:
    def test_everything_while_nobody_asked(self):
        Ending().fence(1e9, begins=True)

    def test_nothing_new_once_somebody_asked(self):
        ending = Ending()
        ending.ask()
        with pytest.raises(NotNow, match="it goes out when it runs again"):
            ending.fence(0, begins=True)

    def test_the_rest_of_a_thread_as_long_as_its_next_call_fits(self):
        clock = Seconds()
        ending = Ending(patience=150, clock=clock)
        ending.ask()
        ending.fence(60, begins=False)
        clock.at += 150 - WRITING - 60 + 1
        ending.ask()  # a second signal gives no more time
        with pytest.raises(NotNow):
            ending.fence(60, begins=False)
        assert ending.left == WRITING + 59

    def test_what_was_claimed_and_not_called_is_let_go_and_sent_by_the_next_run(self, desk, office):
        put_cleared(desk, soon(), soon("more"))
        office.clock.to(SOON)
        net = desk.platforms["net"]
        publish = net.publish

        def told_to_end_before_the_call(part, after):
            desk.ending.ask()
            return publish(part, after)

        net.publish = told_to_end_before_the_call
        desk.tick()
        assert net.live == []
        assert states(desk) == {"cleared": 2}
        assert outcomes(desk) == ["not now"]  # and the second one was not even claimed

        office.clock.forward(seconds=1)
        again = office.open()
        again.tick()
        assert states(again) == {"published": 2}
        assert sorted(again.platforms["net"].texts) == ["This is more.", "This is news."]

    @pytest.mark.parametrize(("patience", "live"), [(150, 3), (WRITING, 1)])
    def test_a_thread_is_finished_if_it_fits_and_goes_on_in_the_next_run_if_not(
        self, desk, office, patience, live
    ):
        put_cleared(desk, soon("news", "One.", "Two.", "Three."))
        office.clock.to(SOON)
        desk.ending.patience = patience
        net = desk.platforms["net"]
        publish = net.publish

        def told_to_end_after_the_first(part, after):
            receipt = publish(part, after)
            desk.ending.ask()
            return receipt

        net.publish = told_to_end_after_the_first
        desk.tick()
        assert net.texts == ["One.", "Two.", "Three."][:live]
        assert state(desk, KEY) == ("published" if live == 3 else "cleared")

        office.clock.forward(seconds=1)
        again = office.open()
        again.tick()
        assert state(again, KEY) == "published"
        assert net.texts + again.platforms["net"].texts == ["One.", "Two.", "Three."]


class Slow(MastodonNetwork):
    """Takes its time over each post; no limit of its own slows a drain down."""

    pause = 0.1

    def answer(self, method, path, query, headers, body):
        if method == "POST":
            time.sleep(self.pause)
        return super().answer(method, path, query, headers, body)


@pytest.fixture
def network():
    return Slow()


@pytest.fixture
def due(office: Office, network):
    """A desk with 50 posts that are due now, on a network that is slow."""
    with serving(network) as base:
        office.write(
            "config/channels.toml",
            f'[net]\nplatform = "mastodon"\nhandle = "@neaspec@example.org"\nbase = "{base}"\n',
        )
        office.write(".env", f"OUTREACH_NET_TOKEN={network.TOKEN}\n")
        at = datetime.now(UTC) + timedelta(seconds=1)
        office.clock.at = at - timedelta(minutes=1)
        desk = office.open()
        desk.tick()
        account = desk.platforms["net"].account
        posts = [draft(f"m{n}", at=at.isoformat(), account=account) for n in range(POSTS)]
        put_cleared(desk, *posts)
        office.clock.at = at - timedelta(seconds=1)
        desk.tick()
        yield desk


@contextmanager
def running(office: Office, *args: str, **environment: str):
    """`outreach run` as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "outreach", "run", "--no-web", "--home", office.home, *args],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def states(desk) -> Counter[str]:
    with desk.store.reading() as session:
        return Counter(map(str, session.scalars(select(Delivery.state))))


def outcomes(desk) -> list[str]:
    with desk.store.reading() as session:
        return list(session.scalars(select(Attempt.outcome).order_by(Attempt.id)))


class TestSigterm:
    def test_in_the_middle_of_fifty_posts_leaves_none_in_flight_and_sends_none_twice(
        self, due, office, network
    ):
        with running(office) as process:
            until(lambda: len(network.posts) >= 10)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
            process.send_signal(signal.SIGTERM)  # somebody is impatient
            log = process.communicate(timeout=30)[1]
        assert process.returncode == 0, log
        assert "Traceback" not in log
        sent = len(network.posts)
        assert 10 <= sent < 20  # what was under way, and no more
        assert states(due) == {"published": sent, "cleared": POSTS - sent}

        network.pause = 0
        with running(office) as process:
            until(lambda: states(due)["published"] == POSTS)
            process.send_signal(signal.SIGTERM)
            log = process.communicate(timeout=30)[1]
        assert process.returncode == 0, log
        assert sorted(network.texts) == sorted(f"This is m{n}." for n in range(POSTS))
        with due.store.reading() as session:
            assert len(session.scalars(select(ReceiptRow.key)).all()) == POSTS

    def test_with_nothing_to_finish_ends_at_once(self, office):
        desk = office.open()
        with running(office) as process:
            until(lambda: desk.status().last_tick)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            log = process.communicate(timeout=30)[1]
        assert process.returncode == 0, log
        assert time.monotonic() - began < 5

    def test_a_call_that_never_ends_is_given_up_and_said(self, due, office, network):
        network.next_fault = "hang"
        program = (
            "import os, pathlib, sys; from outreach import clock; from outreach.app import "
            "open_desk; desk = open_desk(pathlib.Path(sys.argv[1])); desk.ending.patience = 1.0\n"
            "import logging; logging.basicConfig(level=logging.ERROR)\n"
            "ended = clock.run(desk); print(ended, flush=True); os._exit(0)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(office.home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            until(lambda: network.posts)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            told, log = process.communicate(timeout=30)
        assert told == "False\n", log
        assert time.monotonic() - began < 10
        assert "still at it, and given up: net" in log
        # It may be live: the next run looks for it once the claim is over, and sends the others.
        assert states(due) == {"sending": 1, "cleared": POSTS - 1}


class TestTheServiceManager:
    @pytest.fixture
    def manager(self, tmp_path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            listening.bind(str(tmp_path / "notify"))
            listening.settimeout(20)
            yield listening

    def test_is_told_when_it_is_ready_and_when_it_stops(self, office, manager):
        office.open().close()
        with running(office, NOTIFY_SOCKET=manager.getsockname()) as process:
            assert manager.recv(100) == b"READY=1"
            process.send_signal(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"
            process.communicate(timeout=30)
        assert process.returncode == 0

    def test_hears_that_the_clock_is_alive_also_while_its_ticks_fail(self, manager, monkeypatch):
        from outreach import clock

        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        alive = clock._Alive()
        alive._last = time.monotonic() - clock.HUNG
        alive.tell()  # no tick has ended for too long: it is silent, and is started anew
        with pytest.raises(ZeroDivisionError):
            alive.after(lambda: 1 / 0)()
        alive.tell()
        assert manager.recv(100) == b"WATCHDOG=1"
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)

    def test_nobody_there_to_hear_it_harms_nothing(self, tmp_path, monkeypatch):
        from outreach import supervisor

        for address in ("", str(tmp_path / "gone"), "@gone"):
            monkeypatch.setenv("NOTIFY_SOCKET", address)
            supervisor.tell("READY=1")
