"""A program of ours in a process of its own, which may hang or die without harm to anybody.

It says "ready", and then answers each line that it is told with one line.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

READY = b"ready\n"

PASSED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


class Child:
    """The process. Spawned, never forked: the caller may be one of several threads."""

    def __init__(self, program: Path, *arguments: str, **environment: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        # -P: the folder of the program is not on its path, where `texts` or `media` might shadow.
        # Only the names in PASSED: who broke out of it would find no secrets there.
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-P", "-X", "utf8", str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={
                **{name: os.environ[name] for name in PASSED if name in os.environ},
                **environment,
            },
        )
        self._in = cast("IO[bytes]", self._process.stdin)
        self._out = cast("IO[bytes]", self._process.stdout)

    def end(self) -> str:
        """End the process, whatever it is doing; the last that it said of its troubles."""
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        return (self._errors.read().decode(errors="replace").strip().splitlines() or ["no word"])[
            -1
        ]

    def close(self) -> None:
        """End the process, and leave nothing of it behind."""
        self.end()
        self._out.close()
        with suppress(OSError):  # what could not be written is of no use any more
            self._in.close()
        self._errors.close()
