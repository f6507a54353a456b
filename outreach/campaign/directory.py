"""What every campaign of an office shares: its partners, and texts that were approved once.

config/partners.toml says what a partner is called in each language, and under which name it is
known on each network; config/boilerplate.toml holds approved wording by language. Both are read
by `load_directory`, and every mistake in them is a Problem with its line.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outreach.errors import NotAllowed, NotFound, Problem, WrongFiles
from outreach.hints import did_you_mean, known_as
from outreach.toml import line_of, read_toml

TBC = "tbc"
_FOR_FILES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
"""A partner's name that can name a folder and an address."""


@dataclass(frozen=True)
class Partner:
    """Who a text may mention. `handles` by platform ("x"); "tbc" where it is not known yet."""

    names: Mapping[str, str]
    handles: Mapping[str, str] = field(default_factory=dict)
    utm_source: str = ""  # with one it gets kits: `outreach toolkit`
    contact: str = ""  # who there is given them
    languages: tuple[str, ...] = ()  # of its kits; all the campaign's where none is said

    def called(self, language: str, source: str) -> str:
        """Its name in a language, else in the campaign's own, else the first there is."""
        return self.names.get(language) or self.names.get(source) or next(iter(self.names.values()))


@dataclass(frozen=True)
class Boilerplate:
    """A text that was approved once, by language. `approved_by` is "open" until it was."""

    texts: Mapping[str, str]
    approved_by: str = "open"
    where: str = ""


@dataclass(frozen=True)
class Directory:
    """An office's partners and boilerplate, by name."""

    partners: Mapping[str, Partner] = field(default_factory=dict)
    boilerplate: Mapping[str, Boilerplate] = field(default_factory=dict)

    @property
    def getting_kits(self) -> dict[str, Partner]:
        """The partners who are given texts: those whose readers can be told from others'."""
        return {name: one for name, one in self.partners.items() if one.utm_source}

    def giving_to(self, names: Sequence[str]) -> dict[str, Partner]:
        """The partners of these names who get kits, or all who do. Raises NotFound, NotAllowed."""
        for name in names:
            if name not in self.partners:
                hint = did_you_mean(name, self.partners) or "partners stand in config/partners.toml"
                raise NotFound(f"there is no partner {name!r}", hint)
            if not self.partners[name].utm_source:
                raise NotAllowed(
                    f"{name} has no utm-source, by which its readers are told from others'",
                    f'at [{name}] in config/partners.toml, write utm-source = "{name}"',
                )
        wanted = self.getting_kits
        if not wanted:
            raise NotAllowed(
                "no partner gets kits yet",
                'write utm-source = "…" for those who do, in config/partners.toml',
            )
        for name in wanted:
            if not _FOR_FILES.fullmatch(name):
                raise NotAllowed(
                    f"{name!r} cannot name a folder",
                    "name the partner with letters, digits and hyphens in config/partners.toml",
                )
        return {name: wanted[name] for name in (names or wanted)}


def load_directory(config: Path, *, root: Path) -> Directory:
    """What config/partners.toml and config/boilerplate.toml say; nothing where there is no file.

    Raises WrongFiles with every mistake in both.
    """
    problems: list[Problem] = []
    partners = dict(_tables(config / "partners.toml", root, _partner, problems))
    texts = dict(_tables(config / "boilerplate.toml", root, _boilerplate, problems))
    if problems:
        raise WrongFiles(problems)
    return Directory(partners, texts)


def _tables(
    path: Path,
    root: Path,
    read: Callable[[Mapping[str, Any], str], Any],
    problems: list[Problem],
) -> Iterator[tuple[str, Any]]:
    shown = known_as(path, root)
    try:
        tables, text = read_toml(path, shown)
    except FileNotFoundError:
        return
    except WrongFiles as error:
        problems += error.problems
        return
    for name, table in tables.items():
        where = f"{shown}:{line_of(text, (name,))}"
        if not isinstance(table, dict):
            hint = f"write [{name}] above what belongs to it"
            problems.append(Problem(where, f"{name} is not a table", hint))
            continue
        try:
            yield name, read(table, where)
        except _Wrong as error:
            problems.append(Problem(where, f"{name} {error}", error.hint))


class _Wrong(ValueError):
    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def _partner(table: Mapping[str, Any], _where: str) -> Partner:
    _only(table, ("names", "handles", "utm-source", "contact", "languages"))
    names = _texts(table, "names")
    if not names:
        raise _Wrong("has no names", 'names = {en = "Incheon Metropolitan City"}')
    source = _text(table, "utm-source")
    if source and not re.fullmatch(r"[A-Za-z0-9._-]+", source):
        raise _Wrong(f"has the utm-source {source!r}", "letters, digits and hyphens: iclei")
    languages = table.get("languages", [])
    if not isinstance(languages, list) or not all(isinstance(one, str) for one in languages):
        raise _Wrong("has languages that are no list", 'languages = ["en", "ko"]')
    return Partner(
        names, _texts(table, "handles"), source, _text(table, "contact"), tuple(languages)
    )


def _boilerplate(table: Mapping[str, Any], where: str) -> Boilerplate:
    approved = _text(table, "approved-by") or "open"
    texts = {name: value for name, value in table.items() if name != "approved-by"}
    if not texts or not all(isinstance(value, str) for value in texts.values()):
        raise _Wrong("has no texts by language", 'en = "…", and approved-by = "open" or who')
    return Boilerplate(texts, approved, where)


def _only(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in table:
        if name not in known:
            hint = did_you_mean(name, known) or f"known are: {', '.join(known)}"
            raise _Wrong(f"has the key {name}, which is not known", hint)


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise _Wrong(f"has a {name} that is no text", f'{name} = "…"')
    return value


def _texts(table: Mapping[str, Any], name: str) -> dict[str, str]:
    value = table.get(name, {})
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise _Wrong(f"has {name} that are no texts", f'{name} = {{en = "…"}}')
    return value
