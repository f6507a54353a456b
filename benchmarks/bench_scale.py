"""The real program at its work: how many posts a second, how late, how soon after a kill, at rest.

    python benchmarks/bench_scale.py [WORDS]      all of it, or the parts whose names have WORDS

Everything goes through real processes, real databases and calls over loopback to a server in a
process of its own that answers in 50 ms. The floor, in the same run, is the same calls by a bare
`http.client` from as many threads, with no database.
"""

import http.client
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests import postgresql
from tests.drill.field import Field, held

IN_FLIGHT, ANSWER = 20, 0.05
over = 0  # aims that were missed


def aim(met: bool, words: str) -> str:
    """The aim, and whether it was met."""
    global over  # noqa: PLW0603 - the exit code of this script
    over += not met
    return f"aim: {words}" if met else f"AIM MISSED: {words}"


@contextmanager
def field(workers: int, **how: object) -> Iterator[Field]:
    """A field on SQLite where `workers` is 0, else on PostgreSQL."""
    address = postgresql.database() if workers else ""
    given = {"kinds": ("asked",), "answer": ANSWER, "lead": 6.0, "patient": True, **how}
    with (
        tempfile.TemporaryDirectory() as folder,
        held(Path(folder), database=address, workers=workers or 1, **given) as made,
    ):
        yield made
    if address:
        postgresql.server().drop(address)


def bare(made: Field, calls: int, threads: int) -> float:
    """Calls a second with no database and no protocol."""

    def call(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=5)
        body = json.dumps({"channel": "bare", "text": f"bare {number}", "after": ""})
        connection.request("POST", "/posts", body)
        connection.getresponse().read()
        connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(call, range(calls)))
    return calls / (time.perf_counter() - began)


def drained(made: Field) -> list[float]:
    """How late each post went out, in seconds; sorted."""
    made.start_all()
    made.until(lambda: len(made.live()) >= made.posts, 120)
    due = made.due.timestamp()
    late = sorted(post["at"] - due for post in made.live() if post["channel"] != "bare")
    assert len(late) == made.posts, f"{len(late)} of {made.posts} went out"
    return late


def rate() -> None:
    """Deliveries a second, with 20 calls in flight."""
    for workers in (0, 1, 2, 4):
        with field(workers, posts=600, channels=IN_FLIGHT, lead=8.0 + 4 * workers) as made:
            late = drained(made)
            floor = max(bare(made, 600, IN_FLIGHT) for _ in range(2))
            mine = made.posts / late[-1]
        name = f"PostgreSQL, {workers} workers" if workers else "embedded"
        told = aim(mine >= 0.5 * floor, "0.5") if not workers else ""
        print(
            f"{name}: {mine:.0f} posts a second, {mine / floor:.2f} of the floor "
            f"({floor:.0f}) {told}",
            flush=True,
        )


def lateness() -> None:
    """A thousand due in the same second, over a hundred channels."""
    for workers in (0, 2):
        with field(workers, posts=1000, channels=100, lead=10.0 + 4 * workers) as made:
            late = drained(made)
            p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
            floor = 1000 / bare(made, 1000, 32)
        name = f"PostgreSQL, {workers} workers" if workers else "embedded"
        print(
            f"{name}: 1,000 due at once on 100 channels: p50 {p50:.2f} s, p99 {p99:.2f} s, "
            f"max {late[-1]:.2f} s; the bare calls take {floor:.2f} s "
            + aim(p99 < 3, "p99 under 3 s"),
            flush=True,
        )


def killed() -> None:
    """From kill -9 until sending goes on, and until everything is settled."""
    for workers in (0, 2):
        with field(workers, posts=400, channels=IN_FLIGHT, lead=-1.0) as made:
            made.start_all()
            made.until_share(0.4)
            made.kill("w0")
            if not workers:
                made.start("w0")
            began, count = time.monotonic(), len(made.live())
            made.until(lambda: len(made.live()) > count + 1, 60)  # noqa: B023 - asked at once
            resumed = time.monotonic() - began
            settled = made.settle(120)
            doubled = sum(one.doubled for one in made.count(settled))
        name = "PostgreSQL, one of two workers" if workers else "embedded, started again"
        print(
            f"{name}: kill -9 in mid-drain: sending again after {resumed:.1f} s, "
            f"all settled after {settled:.1f} s, {doubled} doubled "
            + aim(settled < 15 and not doubled, "15 s"),
            flush=True,
        )


def idle() -> None:
    """What `outreach run` takes when nothing is due."""
    for workers in (0, 1):
        with field(workers, posts=1, channels=3, lead=86_400.0) as made:
            made.start_all()
            time.sleep(8)
            pid = made.running["w0"].pid
            before, seconds = _processor(pid), 20
            time.sleep(seconds)
            share = 100 * (_processor(pid) - before) / seconds
            memory = _memory(pid)
        name = "a worker on PostgreSQL" if workers else "embedded"
        print(
            f"{name} at rest: {share:.2f} % of a core, {memory:.0f} MB "
            + aim(share < 1 and memory < 150, "under 1 %, 150 MB"),
            flush=True,
        )


def growth() -> None:
    """The same drain beside 1,000 and beside 100,000 posts that are scheduled for later."""
    for workers in (0, 1):
        took = {}
        for scheduled in (1_000, 100_000):
            with field(workers, posts=400, channels=IN_FLIGHT, lead=30.0) as made:
                made.put_aside(scheduled)
                took[scheduled] = drained(made)[-1]
        name = "PostgreSQL, 1 worker" if workers else "embedded"
        small, large = took.values()
        print(
            f"{name}: 400 posts beside 1,000 scheduled {small:.2f} s, beside 100,000 {large:.2f} s "
            + aim(large < 1.25 * small, "no slower"),
            flush=True,
        )


def _processor(pid: int) -> float:
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    told = Path(f"/proc/{pid}/status").read_text()
    return int(told.partition("VmRSS:")[2].split()[0]) / 1024


PARTS: tuple[Callable[[], None], ...] = (rate, lateness, killed, idle, growth)

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for part in PARTS:
        if wanted in part.__name__:
            part()
    sys.exit(bool(over))
