"""Who may send, and who has died: a lock that the system itself gives back."""

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from outreach.errors import Unusable
from outreach.store import Store
from tests import postgresql
from tests.conftest import until

ON_DUTY = """
import sys
from outreach.store import Store
store = Store(sys.argv[1])
with store.duty.begin():
    print(store.duty.life, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/outreach.db"
        return
    made = postgresql.server().make()
    yield made
    postgresql.server().drop(made)


@pytest.fixture
def store(address):
    made = Store(address)
    yield made
    made.close()


def alive(store):
    with store.reading() as session:
        return store.duty.alive(session)


def other(address):
    return subprocess.Popen(
        [sys.executable, "-c", ON_DUTY, address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_who_is_not_on_duty_cannot_tell(store):
    assert alive(store) is None
    with store.duty.begin():
        assert alive(store) == {store.duty.life}
    assert alive(store) is None


def test_begun_twice_is_begun_once(store):
    with store.duty.begin():
        life = store.duty.life
        with store.duty.begin():
            assert store.duty.life == life
        assert alive(store) == {life}


class TestSQLite:
    @pytest.fixture
    def address(self, tmp_path):
        return f"sqlite:///{tmp_path}/data/outreach.db"

    def test_a_second_process_is_told_who_has_it_until_that_has_ended(self, store, address):
        with other(address) as running:
            running.stdout.readline()
            with (
                pytest.raises(Unusable, match=f"process {running.pid}.* is publishing"),
                store.duty.begin(),
            ):
                pass
            assert store.duty.life == 0
            running.kill()
            running.wait(10)
        with store.duty.begin():
            pass

    def test_a_second_desk_in_this_process_is_refused_too(self, store, address):
        again = Store(address)
        with (
            store.duty.begin(),
            pytest.raises(Unusable, match=f"process {os.getpid()}.* is publishing"),
            again.duty.begin(),
        ):
            pass
        again.close()

    def test_a_folder_that_cannot_be_written_is_told_in_words(self, store, tmp_path):
        (tmp_path / "data").rmdir()
        with (
            pytest.raises(Unusable, match=r"outreach\.db\.publisher cannot be written") as refused,
            store.duty.begin(),
        ):
            pass
        assert refused.value.hint == "give this user the right to write that folder"


class TestPostgreSQL:
    @pytest.fixture
    def address(self):
        made = postgresql.server().make()
        yield made
        postgresql.server().drop(made)

    def test_several_are_on_duty_and_one_that_is_killed_is_missed_at_once(self, store, address):
        with store.duty.begin(), other(address) as running:
            life = int(running.stdout.readline())
            assert alive(store) == {store.duty.life, life}
            running.kill()
            until(lambda: alive(store) == {store.duty.life})

    def test_one_that_sleeps_is_not_missed(self, store, address):
        with store.duty.begin(), other(address) as running:
            life = int(running.stdout.readline())
            os.kill(running.pid, signal.SIGSTOP)
            time.sleep(1)
            assert life in alive(store)
            running.kill()

    def test_a_lock_that_the_server_lost_is_taken_again(self, store, address):
        watching = Store(address)
        with store.duty.begin(), watching.duty.begin():
            postgresql.server().ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE datname = '{store.url.database}'"
            )
            watching.duty.renew()
            assert alive(watching) == {watching.duty.life}
            store.duty.renew()
            assert alive(watching) == {store.duty.life, watching.duty.life}
        watching.close()

    def test_a_connection_that_the_server_ended_is_not_used_again(self, store):
        with store.reading() as session:
            pid = session.scalar(text("SELECT pg_backend_pid()"))
        postgresql.server().ask(f"SELECT pg_terminate_backend({pid}, 5000)")
        with store.reading() as session:
            assert session.scalar(text("SELECT pg_backend_pid()")) != pid
