"""What subscribers read around a newsletter, in their language: config/newsletter.toml.

The words are data that an office writes: nothing here translates, and a channel that sends in a
language without words, or with words that nobody has read (`reviewer = "open"`), does not publish.
Mistakes are Problems with file and line, all at once.
"""

import hashlib
import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from outreach.errors import Problem, WrongFiles
from outreach.hints import did_you_mean
from outreach.toml import line_of, read_toml

FILE: Final = "config/newsletter.toml"

Words = Mapping[str, str]
"""One language's words, by name; {title}, {office} and {link} stand in some of them."""

REVIEWER: Final = "reviewer"
OPEN: Final = "open"

_PLACES: Final = {"confirm-text": {"link"}}
_ANYWHERE: Final = {"title", "office"}


@cache
def shipped() -> Words:
    """The English words that `outreach init` copies: what every language has to say."""
    package = Path(__file__).parent
    folder = package / "starter" if (package / "starter").is_dir() else package.parent
    return {**read_toml(folder / FILE, FILE)[0]["en"]}


def load_words(home: Path) -> Mapping[str, Words]:
    """The words by language; the English ones in an office that has none.

    Raises WrongFiles with every mistake in them.
    """
    try:
        tables, text = read_toml(home / FILE, FILE)
    except FileNotFoundError:
        return {"en": shipped()}
    problems: list[Problem] = []
    known = shipped()

    def wrong(path: tuple[str, ...], what: str, hint: str = "") -> None:
        problems.append(Problem(f"{FILE}:{line_of(text, path)}", what, hint))

    for language, table in tables.items():
        if not isinstance(table, dict):
            wrong((language,), f"{language} stands in no table", "put it below its [language]")
            continue
        for name, value in table.items():
            if name == REVIEWER and isinstance(value, str) and value.strip():
                continue
            if name not in known:
                wrong((language, name), f"{name} is not known", did_you_mean(name, known) or "")
            elif not isinstance(value, str) or not value.strip():
                wrong((language, name), f"{name} should be a text", f'write {name} = "…"')
            else:
                for what in _misplaced(name, value):
                    wrong((language, name), f"{name}: {what}")
        if missing := [name for name in known if name not in table]:
            wrong((language,), f"[{language}] lacks {', '.join(missing)}", "[en] has them all")
    if problems:
        raise WrongFiles(problems)
    return tables


def _misplaced(name: str, value: str) -> list[str]:
    """What stands in braces and should not, or should and does not."""
    wanted = _PLACES.get(name, set())
    try:
        found = {place for _, place, _, _ in string.Formatter().parse(value) if place is not None}
    except ValueError as error:
        return [f"its braces are not closed ({error}); a brace that is meant is written {{{{"]
    wrong = [f"{{{place}}} is nothing known here" for place in found - wanted - _ANYWHERE]
    return wrong + [f"{{{place}}} is missing" for place in wanted - found]


def filled(words: Words, *, title: str, office: str, link: str = "{link}") -> Words:
    """The words with their names in place."""
    return {
        name: text.format(title=title, office=office, link=link) for name, text in words.items()
    }


def version(text: str) -> str:
    """Twelve characters that name exactly these words."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
