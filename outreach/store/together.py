"""
Jobs of many threads in one transaction.

A burst has as many threads as channels, and each has an answer to write down: in transactions of
their own they would wait for each other, and for the disk, one after another. So whoever finds
nobody at it does all that wait, and then hands over to whoever came meanwhile. A job that comes
alone is done at once, as if nothing of this were here.
"""

from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Generic, TypeVar

from outreach.errors import Unusable

J = TypeVar("J")
R = TypeVar("R")

MOST = 50  # jobs that one transaction does: it should stay short


class _Waiting(Generic[J, R]):
    """One thread's job, and what came of it."""

    def __init__(self, job: J) -> None:
        self.job, self.woken = job, Event()
        self.result: R | Exception | None = None
        self.done = False

    def end(self, result: R | Exception) -> None:
        self.result, self.done = result, True
        self.woken.set()


class Together(Generic[J, R]):
    """`do` may be called from any thread; `carry_out` runs in one at a time."""

    def __init__(self, carry_out: Callable[[Sequence[J]], Sequence[R]]) -> None:
        """`carry_out` does these jobs in one transaction, or none of them; a result for each."""
        self._carry_out, self._lock = carry_out, Lock()
        self._waiting: list[_Waiting[J, R]] = []
        self._led = False  # somebody is at it

    def do(self, job: J) -> R:
        """Have it done; what came of it, or what went wrong with it."""
        mine: _Waiting[J, R] = _Waiting(job)
        with self._lock:
            self._waiting.append(mine)
            follows, self._led = self._led, True
        if follows:
            mine.woken.wait()
        if not mine.done:
            self._lead()
        if isinstance(mine.result, Exception):
            raise mine.result
        return mine.result  # type: ignore[return-value] # it is done

    def _lead(self) -> None:
        """Do the jobs that wait, ours among them, and hand over."""
        with self._lock:
            some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            results = self._all(some)
        except BaseException as error:
            results = [_as_exception(error)] * len(some)
            raise
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._led = following is not None
            if following:
                following.woken.set()
            for one, result in zip(some, results, strict=True):
                one.end(result)

    def _all(self, some: Sequence[_Waiting[J, R]]) -> list[R | Exception]:
        try:
            return list(self._carry_out([one.job for one in some]))
        except Unusable as error:  # the database's trouble is everybody's
            return [error] * len(some)
        except Exception as error:
            if len(some) == 1:
                return [error]
            # One of them is at fault, and no reason to keep the others back.
            return [result for one in some for result in self._all([one])]


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError(f"ended: {error!r}")
