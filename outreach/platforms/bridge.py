"""
The one way from our sync code into a library that is async: an event loop in one thread.

A loop of its own for every call breaks on the second: a client's connections belong to the loop
they were made in, and "Event loop is closed" would arrive as a failure of the network.
"""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
    """The coroutine's answer, waited for from any thread but the loop's own.

    Raises what the coroutine raises, and TimeoutError after `timeout` seconds, when the
    coroutine is cancelled: whether it had done its work by then, nobody knows.
    """

    async def bounded() -> T:
        async with asyncio.timeout(timeout):
            return await coroutine

    return asyncio.run_coroutine_threadsafe(bounded(), _loop()).result()


_starting = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    with _starting:
        return _started()


@cache
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    # A daemon: a hung network must not keep the program from ending.
    threading.Thread(target=loop.run_forever, name="bridge", daemon=True).start()
    return loop
