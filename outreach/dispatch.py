"""Where deliveries are sent from: a ring means "send what this channel has due".

Embedded, the default: a thread in this process for each channel that has work. The truth is in
the tables: the claim decides, so a ring that is heard twice sends once, and a ring that is lost
is rung again by the next tick.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from outreach.errors import Unusable

log = logging.getLogger(__name__)

THREADS = 32  # channels sending at the same time, at most; threads are made as they are needed


class Embedded:
    """Sends from threads of this process: one for each channel that has something due."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="channel")
        self._busy: dict[str, Future[None]] = {}
        self._lock = Lock()

    def ring(self, channels: Iterable[str]) -> None:
        """Start on these channels; one that is still at it is left to it. Returns at once."""
        with self._lock:
            for channel in channels:
                running = self._busy.get(channel)
                if running is None or running.done():
                    self._busy[channel] = self._pool.submit(self._guarded, channel)

    def _guarded(self, channel: str) -> None:
        """Send; what ends a channel's thread is logged, since nobody may ever wait for it."""
        try:
            self._send(channel)
        except Exception:
            log.exception("sending on %s ended; it begins again with the next tick", channel)
            raise

    def wait(self) -> None:
        """Until nothing is being sent; raises what a channel's thread raised."""
        with self._lock:
            running = list(self._busy.values())
        for future in running:
            future.result()

    def finish(self, seconds: float) -> list[str]:
        """Wait so long for what is being sent; the channels that are still at it."""
        with self._lock:
            running = dict(self._busy)
        wait_for(running.values(), timeout=seconds)
        return sorted(channel for channel, future in running.items() if not future.done())

    def close(self) -> None:
        """Finish what is being sent, and start nothing more."""
        self._pool.shutdown(wait=True)


@contextmanager
def only_publisher(database: Path | None) -> Iterator[None]:
    """Be the one publisher of an SQLite file for as long as this lasts.

    Raises Unusable, with the process that has it, where another one is publishing.
    """
    if database is None:
        yield
        return
    lock = database.with_name(database.name + ".publisher")
    try:
        file = lock.open("a+")
    except OSError as error:
        raise Unusable(
            f"{lock} cannot be written: {error.strerror}",
            "give this user the right to write that folder",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise Unusable(
                f"another outreach (process {file.read().strip() or 'unknown'}) is publishing "
                f"from {database}",
                "end that one first: only one may send from an SQLite database",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
