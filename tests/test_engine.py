"""Several workers on one PostgreSQL: a ring is heard by one of them, whatever becomes of it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy.engine import make_url

from outreach.engine import SCHEMA, STALLED, ScaledOut, make_schema
from tests import postgresql
from tests.conftest import until


@pytest.fixture
def address() -> Iterator[str]:
    made = postgresql.server().make()
    yield made
    postgresql.server().drop(made)


@pytest.fixture
def worker(address):
    """Makes workers on one database, and ends them."""
    made: list[ScaledOut] = []

    def start(send, *channels: str) -> ScaledOut:
        made.append(ScaledOut(make_url(address), send, channels))
        return made[-1]

    yield start
    for one in made:
        one.close()


def ask(address: str, statement: str) -> list[tuple]:
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else []


def test_a_ring_is_answered_once_by_whoever_is_free_and_one_at_a_time_on_a_channel(worker):
    busy, most, calls, lock = 0, 0, [], threading.Lock()

    def send(channel):
        nonlocal busy, most
        with lock:
            busy, calls[:] = busy + 1, [*calls, channel]
            most = max(most, busy)
        time.sleep(0.2)
        with lock:
            busy -= 1

    first, second = worker(send, "x"), worker(send, "x")
    until(lambda: calls, meanwhile=lambda: (first.ring(["x"]), second.ring(["x"])))
    until(lambda: len(calls) >= 4, meanwhile=lambda: (first.ring(["x"]), second.ring(["x"])))
    assert most == 1
    time.sleep(1)  # what was rung while it was busy is one ring more, not one for each
    settled = len(calls)
    time.sleep(1)
    assert len(calls) == settled


def test_a_channel_is_sent_on_by_a_worker_that_has_it(worker):
    calls = []
    desk = worker(lambda channel: calls.append(("desk", channel)), "web")
    worker(lambda channel: calls.append(("other", channel)), "x")
    until(lambda: ("other", "x") in calls, meanwhile=lambda: desk.ring(["x"]))
    assert ("desk", "x") not in calls


def test_channels_are_sent_on_side_by_side(worker):
    together = threading.Barrier(12, timeout=20)  # more than the six threads of a loop's own
    names = [f"c{n}" for n in range(12)]
    done = []

    def send(channel):
        together.wait()
        done.append(channel)

    one = worker(send, *names)
    until(lambda: one._app)
    one.ring(names)
    until(lambda: sorted(done) == sorted(names))


def test_a_worker_that_is_killed_does_not_keep_its_channel(worker, address):
    """Procrastinate's lock of a dead worker blocks its queue for ever, unless somebody tends."""
    program = (
        "import sys, time; from sqlalchemy.engine import make_url\n"
        "from outreach.engine import ScaledOut\n"
        "def send(channel): print('sending', flush=True); time.sleep(600)\n"
        "one = ScaledOut(make_url(sys.argv[1]), send, ['x'])\n"
        "while True: one.ring(['x']); time.sleep(0.3)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program, address], stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"sending\n"
    calls = []
    mine = worker(calls.append, "x")
    mine.ring(["x"])
    time.sleep(1.5)
    assert calls == []  # the other one has it
    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    died = time.monotonic()
    until(lambda: calls, STALLED + 10, meanwhile=lambda: mine.ring(["x"]))
    assert time.monotonic() - died < STALLED + 5


def test_a_dead_worker_s_ring_that_another_one_has_ended_keeps_nobody_from_the_rest(
    worker, address
):
    make_schema(address)
    ring = "INSERT INTO {0}.procrastinate_jobs (queue_name, task_name, lock, status) VALUES {1}"
    those = ", ".join(f"('c{n}', 'ring', 'c{n}', 'doing')" for n in range(3))
    ask(address, ring.format(SCHEMA, those))
    ask(  # as if it was gone when it is finished
        address,
        f"CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE 'Job was not found'; END $$;"
        f" CREATE TRIGGER gone BEFORE DELETE OR UPDATE ON {SCHEMA}.procrastinate_jobs"
        f" FOR EACH ROW WHEN (old.queue_name = 'c0' AND old.worker_id IS NULL)"
        f" EXECUTE FUNCTION gone()",
    )
    calls = []
    one = worker(calls.append, "c0", "c1", "c2")
    until(lambda: {"c1", "c2"} <= set(calls), meanwhile=lambda: one.ring(["c0", "c1", "c2"]))
    ask(address, f"DROP TRIGGER gone ON {SCHEMA}.procrastinate_jobs")
    until(lambda: "c0" in calls, meanwhile=lambda: one.ring(["c0"]))  # it is tended still


def test_its_tables_may_be_dropped_in_mid_run(worker, address):
    calls = []
    one = worker(calls.append, "x")
    until(lambda: calls, meanwhile=lambda: one.ring(["x"]))
    ask(address, f"DROP SCHEMA {SCHEMA} CASCADE")
    calls.clear()
    until(lambda: calls, meanwhile=lambda: one.ring(["x"]))
    assert ask(address, f"SELECT count(*) FROM {SCHEMA}.procrastinate_workers") == [(1,)]


def test_its_connections_may_be_cut(worker, address):
    calls = []
    one = worker(calls.append, "x")
    until(lambda: calls, meanwhile=lambda: one.ring(["x"]))
    ask(
        address,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    calls.clear()
    until(lambda: calls, meanwhile=lambda: one.ring(["x"]))


def test_what_fails_on_a_channel_does_not_end_the_worker(worker):
    calls = []

    def send(channel):
        calls.append(channel)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")

    one = worker(send, "x")
    until(lambda: len(calls) >= 2, meanwhile=lambda: one.ring(["x"]))


def test_closing_finishes_what_is_being_sent_and_answers_no_more(worker):
    go_on, begun, sent = threading.Event(), threading.Event(), []

    def send(channel):
        begun.set()
        assert go_on.wait(20)
        sent.append(channel)

    one = worker(send, "x")
    until(begun.is_set, meanwhile=lambda: one.ring(["x"]))
    threading.Timer(0.3, go_on.set).start()
    one.close()
    assert sent == ["x"]
    one.ring(["x"])  # rings after the end are nobody's
    assert sent == ["x"]


def test_tables_of_another_version_are_made_anew(address):
    make_schema(address)
    ask(address, f"COMMENT ON SCHEMA {SCHEMA} IS '0.1'")
    ask(address, f"DROP TABLE {SCHEMA}.procrastinate_events CASCADE")
    make_schema(address)
    assert ask(address, f"SELECT count(*) FROM {SCHEMA}.procrastinate_events") == [(0,)]


def test_making_them_again_leaves_what_is_there(address):
    make_schema(address)
    ask(address, f"INSERT INTO {SCHEMA}.procrastinate_workers DEFAULT VALUES")
    make_schema(address)
    assert ask(address, f"SELECT count(*) FROM {SCHEMA}.procrastinate_workers") == [(1,)]
