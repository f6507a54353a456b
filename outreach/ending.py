"""Whether this process has been told to end, and what may still be begun then.

From that moment nothing more is claimed, and what was claimed but not yet called is let go. Calls
under way end by themselves: each network has its deadline. A thread is finished, if its next part
still fits: half of one is worse than a stop that takes a few seconds longer.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from outreach.errors import NotNow

PATIENCE = 150.0  # seconds: the longest deadline of a network (X, 120), and writing down its answer
WRITING = 20.0  # seconds of it that are kept for writing answers down


class Ending:
    """One for a process. `ask` may be called from any thread, and more than once."""

    def __init__(
        self, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.patience, self._clock = patience, clock
        self._asked: float | None = None
        self._told = threading.Event()

    def ask(self) -> None:
        """End: from here on nothing is begun. The first time counts."""
        if self._asked is None:
            self._asked = self._clock()
        self._told.set()

    def wait(self, seconds: float) -> bool:
        """Sleep so long, or until asked; whether we were."""
        return self._told.wait(seconds)

    @property
    def asked(self) -> bool:
        return self._asked is not None

    @property
    def left(self) -> float:
        """Seconds until whatever still runs is given up; all of them while nobody asked."""
        if self._asked is None:
            return self.patience
        return max(0.0, self._asked + self.patience - self._clock())

    def fence(self, seconds: float, *, begins: bool) -> None:
        """Stand before a call that takes so many seconds. Raises NotNow where it may not be made.

        `begins` is False for the later parts of a thread.
        """
        if self.asked and (begins or seconds + WRITING > self.left):
            raise NotNow("outreach is ending; it goes out when it runs again", timedelta(0))
