"""Texts rendered in a child process that can be killed: the parent's side of `sandbox.py`.

A batch shares one child. A text that hangs, or asks for too much memory, costs the child its
life and the text a Problem; the texts after it go to a new child.
"""

import contextlib
import json
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from outreach.compose.child import READY, Child
from outreach.errors import Problem, Unusable

SECONDS = 5.0  # a text takes milliseconds; a busy machine gets its time
MEMORY = 256 * 1024 * 1024  # bytes; the child itself needs some 40 MB
AHEAD = 16  # jobs that a child may have before the first of them is answered
OUTPUT = 50_000  # characters; no network here takes over 20,000, in all parts of a text together
START = 60.0  # seconds for the child to start, on a machine that is busy with other things

_PROGRAM = Path(__file__).with_name("sandbox.py")


@dataclass(frozen=True, slots=True)
class Job:
    """One template with its context, which is plain data as JSON holds it.

    `file` and `line` say where the source begins, for problems. A value that is to be confirmed
    is `{"__tbc__": {"name": …, "who": …, "hint": …}}`.
    """

    source: str
    context: Mapping[str, Any]
    file: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text, or None and why; and the names of the context that the template mentions."""

    text: str | None
    problems: tuple[Problem, ...] = ()
    uses: frozenset[str] = frozenset()


def render(
    jobs: Sequence[Job],
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    output: int = OUTPUT,
    progress: Callable[[int, int], None] | None = None,
) -> list[Rendered]:
    """Render each job, in order; no job can harm another.

    `seconds` is the wall time of one job, `memory` bytes of the whole child, `output` characters
    of one text. `progress(done, of)` is called after each. Raises Unusable where no child can be
    started at all.
    """
    tell = partial(_of, progress, len(jobs)) if progress else None
    return list(rendering(jobs, seconds=seconds, memory=memory, output=output, progress=tell))


def _of(progress: Callable[[int, int], None], of: int, done: int) -> None:
    progress(done, of)


def rendering(
    jobs: Iterable[Job],
    *,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    output: int = OUTPUT,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Rendered]:
    """The same, each as soon as it is wanted: the child renders the next AHEAD jobs meanwhile.

    `progress(done)` is called before each.
    """
    fatal: dict[str, str] = {}  # a source that cost one child its life is not given another
    child: _Renderer | None = None
    waiting: deque[Job] = deque()  # in the order in which they are answered
    told = 0  # how many of them this child has
    left = iter(jobs)
    done = 0
    try:
        while True:
            waiting.extend(islice(left, AHEAD - len(waiting)))
            if not waiting:
                return
            job = waiting[0]
            if job.source in fatal:
                rendered = _stopped(job, fatal[job.source])
            else:
                child = child or _Renderer(memory)
                for one in islice(waiting, told, None):
                    if one.source in fatal:
                        break
                    child.tell(one, seconds, output)
                    told += 1
                child.sent()
                answer = child.hear(seconds)
                if isinstance(answer, str):
                    child.close()
                    child, fatal[job.source], told = None, answer, 1
                    rendered = _stopped(job, answer)
                else:
                    rendered = _read(job, answer)
                told -= 1
            waiting.popleft()
            done += 1
            if progress:
                progress(done)
            yield rendered
    finally:
        if child:
            child.close()


def _read(job: Job, answer: Mapping[str, Any]) -> Rendered:
    problems = [
        Problem(f"{job.file}:{job.line + line - 1}", what, hint, is_open)
        for line, what, hint, is_open in answer["problems"]
    ]
    return Rendered(answer["text"], tuple(problems), frozenset(answer["uses"]))


def _stopped(job: Job, why: str) -> Rendered:
    hint = "look for a loop or a repetition that is too large"
    return Rendered(None, (Problem(f"{job.file}:{job.line}", why, hint),))


class _Renderer(Child):
    """One sandbox process: told a job, it is heard with the text, or with why it had to end."""

    def __init__(self, memory: int) -> None:
        # The seed: same files, same posts.
        super().__init__(_PROGRAM, str(memory), PYTHONHASHSEED="0")
        self._memory = memory
        self._said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        # A thread, since no other wait on a pipe with a time limit works on every system.
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        if self._hear(START) != READY:
            said = self.end()
            self.close()
            raise Unusable(
                f"the program that renders texts does not start: {said}",
                "install outreach again; it needs jinja2 and room in memory",
            )

    def tell(self, job: Job, seconds: float, output: int) -> None:
        """Give it one more job; its answers come in the order of the jobs."""
        question = {
            "source": job.source,
            "context": job.context,
            "seconds": seconds,
            "output": output,
        }
        with contextlib.suppress(OSError):  # it is gone; what it said last, `hear` tells
            self._in.write(json.dumps(question).encode() + b"\n")

    def sent(self) -> None:
        """Everything told so far is on its way."""
        with contextlib.suppress(OSError):
            self._in.flush()

    def hear(self, seconds: float) -> Mapping[str, Any] | str:
        """What it answered, or why the text was stopped; then the child is of no use."""
        line = self._hear(seconds)
        if line is None:
            return f"the text did not finish within {seconds:g} seconds"
        if not line:
            return self._ended(seconds)
        answer: Mapping[str, Any] = json.loads(line)
        return f"the text {self._too_large()}" if "memory" in answer else answer

    def close(self) -> None:
        self.end()
        self._reader.join()
        super().close()

    def _hear(self, seconds: float) -> bytes | None:
        """The next line; b"" where it has ended; None where it says nothing in time."""
        try:
            return self._said.get(timeout=seconds)
        except queue.Empty:
            return None

    def _ended(self, seconds: float) -> str:
        code = self._process.wait()
        if code == -getattr(signal, "SIGXCPU", 0):
            return f"the text did not finish within {seconds:g} seconds"
        # Python dies without a MemoryError where its own C code finds no memory.
        return f"the text ended the program that renders it, or {self._too_large()}"

    def _too_large(self) -> str:
        return f"needs more than {self._memory // (1024 * 1024)} MB"

    def _listen(self) -> None:
        for line in self._out:
            self._said.put(line)
        self._said.put(b"")
