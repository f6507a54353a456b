"""Where deliveries are sent from: a ring means "send what this channel has due".

Embedded, the default: a thread in this process for each channel that has work. Scaled out, on
PostgreSQL: whichever worker is free (`outreach/engine.py`). The truth is in the tables: the claim
decides, so a ring that is heard twice sends once, and a ring that is lost is rung again by the
next tick.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from threading import Lock
from typing import Protocol

log = logging.getLogger(__name__)

THREADS = 32  # fewer are not worth counting: threads are made as they are needed


class Dispatch(Protocol):
    """Whoever hears a ring."""

    def ring(self, channels: Iterable[str]) -> None:
        """Have these channels' due deliveries sent. Returns at once."""

    def wait(self) -> None:
        """Until nothing that was rung for here is being sent by this process."""

    def finish(self, seconds: float) -> list[str]:
        """Wait so long for what is being sent here; the channels that are still at it."""

    def close(self) -> None:
        """Finish what is being sent, and start nothing more."""


class Embedded:
    """Sends from threads of this process: one for each channel that has something due.

    With as many `threads` as there are channels, hung ones never take the last.
    """

    def __init__(self, send: Callable[[str], None], threads: int = THREADS) -> None:
        self._send = send
        self._pool = ThreadPoolExecutor(max(threads, THREADS), thread_name_prefix="channel")
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
