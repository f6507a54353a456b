"""What was composed is kept, so that files that have not changed are not composed again.

One file for each office, in the cache of the person who runs the program and readable by nobody
else: it is unpickled, and so must never come from where others could write. It is used only for
exactly the files, settings, day and program that it was made from, and anything odd about it
means that it is made anew.
"""

import gc
import hashlib
import logging
import os
import pickle
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any
from zoneinfo import TZPATH

from outreach import extras

log = logging.getLogger(__name__)

COMPOSED, CONFIGURED, PICTURES = ".composed", ".configured", ".pictures"
FITTED = ".fitted-"  # and which picture, for which network
LASTS = 60 * 86_400  # seconds for which one of those is kept
PIECE = 200_000  # bytes in one pickle, about
MOST = 500_000_000  # bytes: more is not kept


def folder() -> Path:
    """Where this person's caches are: $XDG_CACHE_HOME/outreach."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "outreach"


def file(home: Path, ending: str) -> Path:
    """The cache of this office: ".composed", or another kind."""
    return folder() / f"{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]}{ending}"


def read(home: Path, key: str, kind: str = COMPOSED) -> list[Any] | None:
    """What was kept for this office under exactly this key, in its order, or None."""
    try:
        with file(home, kind).open("rb") as opened:
            told = os.fstat(opened.fileno())
            if told.st_uid != os.getuid() or stat.S_IMODE(told.st_mode) & 0o077:
                return None
            wanted = _named(key)
            if opened.read(len(wanted)) != wanted:
                return None
            found: list[Any] = []
            with nothing_collected():
                while some := pickle.load(opened):  # noqa: S301 - our own file, see above
                    found += some
            return found
    except Exception as error:  # whatever is wrong with a cache: it is made anew
        if not isinstance(error, FileNotFoundError):
            log.info("what was composed before cannot be used: %s", error)
        return None


@contextmanager
def nothing_collected() -> Iterator[None]:
    """No garbage collection for as long as this lasts: for making many values that all stay."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def keep(home: Path, key: str, values: Iterable[object], kind: str = COMPOSED) -> None:
    """Keep the values for this office under this key, in the place of what was kept before.

    Some at a time, as many as make a PIECE: a pickle of all together would remember every text
    of it while it is written.
    """
    left = iter(values)
    try:
        with whole(file(home, kind)) as opened:
            opened.write(_named(key))
            many = 1
            while some := [*islice(left, many)]:
                before = opened.tell()
                _Pickler(opened, pickle.HIGHEST_PROTOCOL).dump(some)
                fit = len(some) * PIECE // (opened.tell() - before)
                many = max(1, min(fit, 2 * many))
            pickle.dump([], opened)  # the end
            _must_be_small(opened.tell())
    except (OSError, pickle.PicklingError, RecursionError, OverflowError) as error:
        log.info("what was composed cannot be kept: %s", error)


def _must_be_small(size: int) -> None:
    if size > MOST:
        raise OverflowError(f"{size} bytes are too much")


@contextmanager
def whole(kept: Path) -> Iterator[IO[bytes]]:
    """A file for this person alone, in the place of the one before when all of it is written."""
    from tempfile import mkstemp

    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = mkstemp(dir=kept.parent, prefix=f"{kept.name}.")  # which nobody else can read
    try:
        with os.fdopen(number, "wb") as opened:
            yield opened
        Path(name).replace(kept)
    finally:
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)


def forget_old(home: Path, begins: str) -> None:
    """Throw away what was kept long ago in caches whose kind begins so: most is used no more."""
    before = time.time() - LASTS
    for path in folder().glob(f"{file(home, begins).name}*"):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


class Packed(Sequence[Any]):
    """Values that are made when somebody first looks at one: few who read them all need these."""

    def __init__(self, values: Iterable[object]) -> None:
        self._packed = [pickle.dumps(one, pickle.HIGHEST_PROTOCOL) for one in values]

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, which: Any) -> Any:
        return self._made[which]

    @cached_property
    def _made(self) -> tuple[Any, ...]:
        return tuple(pickle.loads(one) for one in self._packed)  # noqa: S301 - read as we kept them

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    def __hash__(self) -> int:
        return hash(len(self))


class _Utf8:
    """A text that is written as UTF-8."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class _Pickler(pickle.Pickler):
    """Writes dataclasses as their fields, and texts without leaving anything behind in them.

    Python's own way with frozen values takes thrice as long, and its way with a text that is not
    ASCII keeps the UTF-8 inside the text for as long as that lives: half as much memory again.
    """

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, _Utf8):
            return str, (value.text.encode("utf-8", "surrogatepass"), "utf-8", "surrogatepass")
        if names := _fields(type(value)):  # type: ignore[arg-type]  # every class is hashable
            given = [getattr(value, name) for name in names]
            return type(value), tuple(
                one if type(one) is not str or one.isascii() else _Utf8(one) for one in given
            )
        return NotImplemented


@lru_cache(maxsize=256)
def _fields(kind: type) -> tuple[str, ...]:
    """What a dataclass is made from; nothing for another type, or a class itself."""
    return tuple(one.name for one in fields(kind) if one.init) if is_dataclass(kind) else ()


def _named(key: str) -> bytes:
    return hashlib.sha256(f"{program()} {key}".encode()).digest()


@lru_cache(maxsize=1)
def program() -> str:
    """A fingerprint of this program, its Python, its libraries and the zones of this machine.

    What others composed is not ours. A folder of libraries, or of zones, changes when one comes,
    goes or is replaced.
    """
    seen = hashlib.sha256(repr((extras.here(), sys.version)).encode())
    shared = [one for one in sys.path if one.endswith("-packages")]
    for folder in (*shared, *TZPATH):
        with suppress(OSError):
            seen.update(f"{folder}|{Path(folder).stat().st_mtime_ns}\n".encode())
    for path, told in sorted(files_below(str(Path(__file__).parent))):
        if path.endswith(".py"):
            seen.update(f"{path}|{told.st_mtime_ns}|{told.st_size}\n".encode())
    return seen.hexdigest()


def files_below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below a folder, with what is known of it; nothing where there is no folder."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from files_below(entry.path)
            elif entry.is_file():
                yield entry.path, entry.stat()
