"""Networks that other packages add: the entry-point group `outreach.platforms`.

    [project.entry-points."outreach.platforms"]
    screens = "outreach_screens:Screens"

A package is a stranger: whatever is wrong with it costs its own channels, and never the office.
What cannot be imported, or is no adapter, becomes a `Broken`: its channels cannot publish, and say
why. A name of ours stays ours; a name that two packages claim is neither's.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar

from outreach.errors import NotNow
from outreach.platforms import PLATFORMS, Account, Figures, Limits, Receipt, Validates
from outreach.post import Part

log = logging.getLogger(__name__)

GROUP = "outreach.platforms"
_DECLARES = {"limits": Limits, "offers": frozenset, "needs": tuple, "asks": tuple, "public": bool}
_DOES = ("publish", "find", "figures", "audience", "check")


@dataclass(frozen=True)
class Broken:
    """In the place of a platform that cannot be used: makes accounts that publish nothing."""

    name: str
    why: str
    todo: str
    account: str = ""

    limits: ClassVar = Limits(text=1_000_000, parts=1000)
    offers: ClassVar[frozenset[str]] = frozenset()
    needs: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[tuple[str, ...]] = ()
    public: ClassVar = True

    def __call__(self, account: Account) -> "Broken":
        """One account of it."""
        return Broken(self.name, self.why, self.todo, f"{self.name} {account.channel}")

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Nothing is published."""
        raise NotNow(self.why)

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """Nobody can look."""
        raise NotNow(self.why)

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """None."""
        return {}

    def audience(self) -> Figures:
        """None."""
        return {}

    def check(self) -> str:
        """There is nobody to ask."""
        raise NotNow(self.why)


def names() -> frozenset[str]:
    """What installed packages call their networks; a name of ours is never among them."""
    return frozenset(_offered()) - PLATFORMS.keys()


def shadowing() -> list[tuple[str, str]]:
    """(name, package) of what is left out because the name is one of ours."""
    return sorted((name, _package(one)) for name in PLATFORMS for one in _offered().get(name, ()))


def versions() -> list[str]:
    """Each package that offers a network, as it is installed: what was made with it may differ."""
    return sorted(
        f"{one.name} {one.value} {one.dist.version if one.dist else ''}"
        for found in _offered().values()
        for one in found
    )


def load(name: str) -> Any:
    """The class that a package calls so, a Broken where it cannot be used, None where none does."""
    offered = _offered().get(name, ())
    if not offered:
        return None
    packages = sorted({_package(one) for one in offered})
    if len(packages) > 1:
        both = " and ".join(packages)
        return Broken(name, f"{both} both call a platform {name!r}", "uninstall one of them")
    found, package = offered[0], packages[0]
    todo = f"ask who makes {package}, install another version of it, or take the channel out"
    try:
        made = found.load()
        wrong = _wrong(made)
    except (Exception, SystemExit) as error:  # a stranger's module may do anything
        log.warning("the platform %s of %s cannot be used", name, package, exc_info=error)
        wrong = f"cannot be imported: {_words(error)}"
    if wrong:
        return Broken(name, f"its platform {name!r}, of the package {package}, {wrong}", todo)
    return made


def account(adapter: Any, given: Account, name: str) -> Any:
    """The platform that an adapter makes of an account; a Broken where a stranger's makes none."""
    if name in PLATFORMS:
        return adapter(given)
    try:
        made = adapter(given)
        missing = [one for one in _DOES if not callable(getattr(made, one, None))]
        named = isinstance(made.account, str) and isinstance(made.limits, Limits)
        wrong = f"cannot {' or '.join(missing)}" if missing else ""
        wrong = wrong or ("" if named else "makes an account without a name, or without limits")
    except (Exception, SystemExit) as error:
        log.warning("the platform %s makes no account", name, exc_info=error)
        wrong = f"makes no account of this channel: {_words(error)}"
    if wrong:
        todo = "see its options in config/channels.toml, then ask who makes it"
        return Broken(name, f"its platform {name!r} {wrong}", todo)(given)
    return made


def mistakes(adapter: Any, options: Mapping[str, str], name: str) -> Iterable[tuple[str, str, str]]:
    """What an adapter finds wrong with a channel's options; nothing where a stranger's breaks."""
    if not isinstance(adapter, Validates):
        return ()
    try:
        return tuple(adapter.mistakes(options))
    except Exception:
        if name in PLATFORMS:
            raise
        log.warning("the platform %s cannot look at its options", name, exc_info=True)
        return ()


@cache
def _offered() -> Mapping[str, tuple[EntryPoint, ...]]:
    found: dict[str, list[EntryPoint]] = {}
    for one in entry_points(group=GROUP):
        found.setdefault(one.name, []).append(one)
    return {name: tuple(many) for name, many in found.items()}


def _package(one: EntryPoint) -> str:
    return one.dist.name if one.dist else one.value


def _wrong(made: Any) -> str:
    """Why this is no adapter, or ""."""
    missing = [name for name in _DECLARES if not hasattr(made, name)]
    missing += [name for name in _DOES if not callable(getattr(made, name, None))]
    if missing:
        return f"is no adapter: it has no {', '.join(missing)}"
    odd = [n for n, kind in _DECLARES.items() if not isinstance(getattr(made, n), kind)]
    return f"is no adapter: {' and '.join(odd)} {'are' if odd[1:] else 'is'} odd" if odd else ""


def _words(error: BaseException) -> str:
    """An error in one line; a stranger's may be long, and may quote what it was given."""
    told = " ".join(str(error).split())
    return f"{type(error).__name__}{f': {told[:200]}' if told else ''}"
