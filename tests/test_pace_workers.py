"""Real processes on one PostgreSQL, and a network that counts what arrives at its door."""

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests import postgresql
from tests.conftest import Office, state
from tests.drafts import draft, put_cleared
from tests.platforms.servers import TelegramNetwork, serving
from tests.test_pace import most

CHATS = tuple(f"@chat{n:02}" for n in range(12))


class Chats(TelegramNetwork):
    """Telegram with these chats. The first call to one of `asks` is told to wait three seconds."""

    CHATS = CHATS
    asks: frozenset[str] = frozenset()

    def answer(self, method, path, query, headers, body):
        kind, reply = super().answer(method, path, query, headers, body)
        chat = self.bodies[-1][1].get("chat_id", "")
        if kind == "publish" and chat in self.asks:
            self.asks, self.retry_after = self.asks - {chat}, 3
            reply = self.failure("not now")
        return kind, reply

    def by_chat(self) -> dict[str, list[float]]:
        """When calls arrived, by chat."""
        found = defaultdict(list)
        for at, body in sorted(self.arrivals, key=lambda one: one[0]):
            found[body["chat_id"]].append(at)
        return found


@pytest.fixture
def office(tmp_path):
    """An office of twelve Telegram channels and one bot, whose clock is the real one."""
    address, network = postgresql.database(), Chats()
    with serving(network) as base:
        made = Office(tmp_path / "office", address)
        made.network, made.clock = network, lambda: datetime.now(UTC)
        made.write(
            "config/channels.toml",
            "".join(
                f'[{chat[1:]}]\nplatform = "telegram"\nchat = "{chat}"\nbase = "{base}"\n'
                'secrets = "BOT"\n'
                for chat in CHATS
            ),
        )
        made.write(".env", f"OUTREACH_BOT_TOKEN={network.TOKEN}\n")
        yield made
        made.close()
    postgresql.server().drop(address)


@pytest.fixture
def process(office):
    """Starts processes of this office, and ends them."""
    made: list[subprocess.Popen] = []

    def start(*words: str) -> subprocess.Popen:
        pipe = subprocess.PIPE
        one = subprocess.Popen(
            [sys.executable, *words],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "OUTREACH_HOME": str(office.home)},
        )
        made.append(one)
        return one

    yield start
    for one in made:
        one.terminate()
    for one in made:
        one.communicate(timeout=60)


def posts(desk, each: int, chats: int, *, in_seconds: float) -> list[str]:
    """Apply and clear so many posts on so many channels, all due at the same time; their keys."""
    at = datetime.now(UTC) + timedelta(seconds=in_seconds)
    drafts = [
        draft(f"m{n:02}", channel=chat[1:], at=at, account=f"telegram {chat}")
        for n in range(each)
        for chat in CHATS[:chats]
    ]
    put_cleared(desk, *drafts)
    return [one.key for one in drafts]


def until_all_are_out(desk, keys: list[str], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while left := [key for key in keys if state(desk, key) != "published"]:
        assert time.monotonic() < ends, {key: state(desk, key) for key in left}
        time.sleep(0.3)


SENDER = """
import sys, time
from outreach.app import open_desk
from outreach.dispatch import Embedded
from outreach.pace import Pace, Rule
desk = open_desk()
for name, platform in desk.platforms.items():
    platform.check()  # as in a process that has run for a while
desk.publisher.claims.paces = {
    name: Pace(name, (Rule("the bot", int(sys.argv[1]), 1.0),)) for name in desk.platforms
}
dispatch = Embedded(desk._send, len(desk.platforms))
print("ready", flush=True)
sys.stdin.readline()
while True:
    dispatch.ring(desk.publisher.channels())
    time.sleep(1)
"""


@pytest.mark.slow
def test_two_processes_share_a_limit_a_second_and_leave_little_of_it_unused(office, process):
    """Both send on every channel, with no lock between them but the database's."""
    limit = 10
    desk = office.open()
    keys = posts(desk, 6, len(CHATS), in_seconds=1)
    two = [process("-c", SENDER, str(limit)) for _ in range(2)]
    for one in two:
        assert one.stdout.readline() == "ready\n"
    for one in two:
        one.stdin.write("\n")
        one.stdin.flush()
    until_all_are_out(desk, keys, 90)
    arrivals = sorted(at for at, _ in office.network.arrivals)
    assert len(arrivals) == len(keys) == len(set(office.network.texts)) * len(CHATS)
    assert most(arrivals, 1.0) <= limit
    # How long a place in the window takes to be used again, once both are in step. On a machine
    # that is free it is 1.03 seconds; others may be at work here.
    again = [later - at for at, later in zip(arrivals[limit:], arrivals[2 * limit :], strict=False)]
    assert 1.0 <= statistics.median(again) < 1.25


@pytest.mark.slow
def test_a_desk_and_a_worker_keep_to_telegrams_limits_and_to_what_it_asks(office, process):
    """`outreach run` and `outreach worker` as they are, with the limits of the adapter."""
    chats, each = 3, 7
    office.network.asks = frozenset({CHATS[0]})
    desk = office.open()
    process("-m", "outreach", "run", "--no-web")
    process("-m", "outreach", "worker", "--name", "second")
    keys = posts(desk, each, chats, in_seconds=6)
    until_all_are_out(desk, keys, 90)
    arrived = office.network.by_chat()
    asked, *others = (arrived[chat] for chat in CHATS[:chats])
    assert (len(asked), *map(len, others)) == (each + 1, each, each)
    for times in (asked, *others):
        assert most(times, 1.0) == 1
    assert asked[1] - asked[0] >= 3.0
    # The wait of one chat is no other's: they are at it again a second later.
    for times in others:
        assert max(later - at for at, later in pairwise(times)) < 3.0
