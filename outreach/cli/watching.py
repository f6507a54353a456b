"""Do something again whenever a file of the office's folder changes, until Ctrl-C."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import typer

from outreach.cli.door import Door
from outreach.errors import OutreachError

PAUSE = 0.5  # seconds: a person who saves a file and looks up sees the answer

_CLEAR = "\x1b[2J\x1b[H"

Seen = frozenset[tuple[str, int, int]]


def again_and_again(
    door: Door, look: Callable[[], object], *, pause: Callable[[], None] | None = None
) -> NoReturn:
    """Call `look` now and after every change; only an interruption ends it.

    Trouble is told and waits for the next change: a file that is half saved is whole soon.
    """
    pause = pause or (lambda: time.sleep(PAUSE))
    home = door.office
    before: Seen | None = None
    while True:
        now = seen(home)
        if now != before:
            before = now
            _look(look)
        pause()


def seen(home: Path) -> Seen:
    """The names, times and sizes of all files that posts are made from."""
    from outreach.config import FOLDERS

    found = set()
    for folder in FOLDERS:
        for path in (home / folder).rglob("*"):
            try:
                told = path.stat()
            except OSError:  # it went while we looked
                continue
            found.add((str(path), told.st_mtime_ns, told.st_size))
    return frozenset(found)


def _look(look: Callable[[], object]) -> None:
    if sys.stdout.isatty():
        typer.echo(_CLEAR, nl=False)
    try:
        look()
    except OutreachError as error:
        typer.echo(error)
        if error.hint:
            typer.echo(f"→ {error.hint}")
    except OSError as error:
        typer.echo(f"{error.filename or 'a file'} cannot be read now: {error.strerror}")
    typer.echo(f"\n{time.strftime('%H:%M:%S')} Watching; Ctrl-C ends it.")
