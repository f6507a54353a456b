"""Jobs of many threads in one transaction: each has its own result, and none waits for ever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from outreach.errors import Unusable
from outreach.store.together import MOST, Together

THREADS = 40


def all_at_once(do, jobs):
    """Begin these jobs in threads of their own; what each returned or raised, in their order."""

    def one(job):
        try:
            return do(job)
        except Exception as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result(timeout=20) for future in [pool.submit(one, job) for job in jobs]]


class Slow:
    """Doubles numbers, slowly; 13 is refused. Remembers who came with whom."""

    def __init__(self, seconds: float = 0.02) -> None:
        self.seconds, self.rounds, self.at_it = seconds, [], 0

    def __call__(self, jobs):
        self.at_it += 1
        assert self.at_it == 1, "two at once"
        try:
            self.rounds.append(list(jobs))
            time.sleep(self.seconds)
            if 13 in jobs:
                raise ValueError("13 cannot be done")
            return [2 * job for job in jobs]
        finally:
            self.at_it -= 1


def test_each_gets_its_own_result_and_they_share_their_rounds():
    slow = Slow()
    results = all_at_once(Together(slow).do, [n for n in range(400) if n != 13])
    assert results == [2 * n for n in range(400) if n != 13]
    assert sorted(job for some in slow.rounds for job in some) == [n for n in range(400) if n != 13]
    assert len(slow.rounds) < 40, "they came together"
    assert max(len(some) for some in slow.rounds) <= MOST


def test_one_that_comes_alone_is_done_at_once():
    slow = Slow()
    together = Together(slow)
    assert [together.do(n) for n in (1, 2, 3)] == [2, 4, 6]
    assert slow.rounds == [[1], [2], [3]]


def test_one_at_fault_keeps_no_other_back():
    slow = Slow()
    results = all_at_once(Together(slow).do, list(range(30)))
    assert [n for n, one in enumerate(results) if isinstance(one, ValueError)] == [13]
    assert [one for one in results if not isinstance(one, ValueError)] == [
        2 * n for n in range(30) if n != 13
    ]


def test_a_database_s_trouble_is_everybody_s_and_is_not_asked_for_each():
    rounds = []

    def locked(jobs):
        rounds.append(jobs)
        time.sleep(0.05)
        raise Unusable("the database is busy", "try again")

    results = all_at_once(Together(locked).do, list(range(20)))
    assert all(isinstance(one, Unusable) for one in results)
    assert len(rounds) < 10


def test_whoever_is_interrupted_leaves_nobody_waiting():
    begun, go_on = threading.Event(), threading.Event()

    def interrupted(jobs):
        if "first" in jobs:
            begun.set()
            go_on.wait(5)
            raise KeyboardInterrupt
        return jobs

    together = Together(interrupted)

    def first():
        with pytest.raises(KeyboardInterrupt):
            together.do("first")

    leading = threading.Thread(target=first)
    leading.start()
    begun.wait(5)
    with ThreadPoolExecutor(5) as pool:
        others = [pool.submit(together.do, n) for n in range(5)]
        time.sleep(0.05)
        go_on.set()
        assert [one.result(timeout=5) for one in others] == list(range(5))
    leading.join(5)
