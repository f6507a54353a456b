import asyncio
import threading
import time

import pytest

from outreach.platforms import bridge


async def loop_and_thread():
    return asyncio.get_running_loop(), threading.get_ident()


def test_every_call_runs_in_the_same_loop_and_in_no_thread_of_ours():
    first, second = bridge.run(loop_and_thread(), 5), bridge.run(loop_and_thread(), 5)
    assert first == second
    assert threading.get_ident() != first[1]


def test_what_takes_too_long_is_cancelled_and_does_not_hold_up_the_others():
    ended = threading.Event()

    async def slow():
        try:
            await asyncio.sleep(30)
        finally:
            ended.set()

    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        bridge.run(slow(), 0.1)
    assert ended.wait(1)
    assert time.monotonic() - begun < 2


def test_many_threads_cross_it_at_once():
    async def wait():
        await asyncio.sleep(0.2)

    begun = time.monotonic()
    threads = [threading.Thread(target=bridge.run, args=(wait(), 5)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun < 2
