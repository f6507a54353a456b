"""Rules as an editor writes them in config/house-style/, read with their lines.

Whatever cannot be understood is a Problem and leaves that rule out; the others hold. A pattern
comes from a file and is tried at every letter of a text, so `unsafe` refuses at once what could
take for ever: see there.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from outreach.campaign.reader import MAX_BYTES, Read, read_yaml
from outreach.campaign.reader import Path as At
from outreach.campaign.when import short
from outreach.compose.style.page import KINDS, SKIPPED
from outreach.errors import Problem
from outreach.hints import did_you_mean

SEVERITIES: Final = {"E": "blocks clearance", "W": "warns", "H": "a person decides"}
PROFILES: Final = ("post", "document", "bot")
SIGNATURES: Final = ("signed-off-by", "reviewer")

_FILE_KEYS: Final = ("version", "language", *SIGNATURES, "sources", "names", "rules")
_ABOUT: Final = ("id", "severity", "except", "profile", "note", "src", "also-in", "not-in")
_RULE_KEYS: Final = (*_ABOUT, "re", "check", "use", "not-after", "words", "most", "every-language")
_NAME_KEYS: Final = (*_ABOUT, "name", "not")

MOST_PATTERN: Final = 1_000  # ours have 250 characters
MOST_WAYS: Final = 100_000  # in which a pattern may match from one place; ours have 100
MOST_REPEAT: Final = 100


@dataclass(frozen=True)
class Rule:
    """One rule. `pattern` is what it finds, or `check` names what looks.

    A match is passed over where it touches one of `passes` (kinds of places: quotations and so
    on), stands within a phrase of `but`, or follows one of `not_after`.
    """

    id: str
    severity: str
    where: str  # "config/house-style/en.yaml:41"
    pattern: re.Pattern[str] | None = None
    check: str = ""
    use: str = ""
    note: str = ""
    source: str = ""
    profiles: frozenset[str] = frozenset(PROFILES)
    passes: frozenset[str] = SKIPPED
    but: re.Pattern[str] | None = None
    not_after: re.Pattern[str] | None = None
    words: tuple[str, ...] = ()
    most: int = 0
    every_language: bool = False


@dataclass(frozen=True)
class Sheet:
    """One file of rules: its language, and who has signed it off ("" while that is open)."""

    language: str
    rules: tuple[Rule, ...]
    signed: str = ""
    problems: tuple[Problem, ...] = ()


def read_sheet(path: Path, shown: str, checks: Collection[str]) -> Sheet:
    """The rules of a file and what is wrong with it; never raises for what stands in it."""
    language = path.stem
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = Problem(shown, f"the file cannot be read: {error.strerror}", "look at its rights")
        return Sheet(language, (), problems=(problem,))
    if len(data) > MAX_BYTES:
        problem = Problem(shown, f"over {MAX_BYTES:,} bytes, which no rules need", "split it")
        return Sheet(language, (), problems=(problem,))
    if not data.strip():
        problem = Problem(f"{shown}:1", "there are no rules in it", "write some, or delete it")
        return Sheet(language, (), problems=(problem,))
    return _Reader(read_yaml(data, shown), shown, language, checks).sheet()


class _Wrong(Exception):
    """A value cannot be used; its problem has been noted."""


class _Reader:
    """One file being turned into rules. A path leads to each value, and to its line."""

    def __init__(self, read: Read, shown: str, language: str, checks: Collection[str]) -> None:
        self.read, self.shown, self.language, self.checks = read, shown, language, checks
        self.problems = list(read.problems)
        self.sources: dict[str, str] = {}
        self.ids: dict[str, int] = {}

    def sheet(self) -> Sheet:
        whole = self._mapping(self.read.value, (), _FILE_KEYS)
        said = whole.get("language", self.language)
        if said != self.language:
            hint = f"the file {Path(self.shown).name} holds language: {self.language}"
            self._problem(("language",), f"{short(said)} is not this file's language", hint)
        self.sources = self._sources(whole.get("sources") or {})
        rules = [
            rule
            for key, build in (("rules", self._rule), ("names", self._name))
            for number, given in enumerate(self._items(whole.get(key) or [], (key,)))
            if (rule := self._built(build, given, (key, number))) is not None
        ]
        signed = next((str(whole[key]) for key in SIGNATURES if whole.get(key)), "open")
        return Sheet(
            self.language,
            tuple(rules),
            "" if signed == "open" else signed,
            tuple(sorted(self.problems, key=lambda problem: _line(problem.where))),
        )

    def _problem(self, at: At, what: str, hint: str = "") -> None:
        self.problems.append(Problem(f"{self.shown}:{self._line(at)}", what, hint))

    def _line(self, at: At) -> int:
        while at not in self.read.lines and at:
            at = at[:-1]
        return self.read.lines.get(at, 1)

    def _built(self, build: Any, given: Any, at: At) -> Rule | None:
        try:
            rule: Rule | None = build(given, at)
        except _Wrong:
            return None
        return rule

    def _wrong(self, at: At, what: str, hint: str = "") -> _Wrong:
        self._problem(at, what, hint)
        return _Wrong()

    # --- values ---------------------------------------------------------------------------

    def _mapping(self, given: Any, at: At, known: Iterable[str]) -> dict[str, Any]:
        """The keys that are known; each of the others is a Problem."""
        if not isinstance(given, dict):
            self._problem(at, "keys and values belong here", "write key: value")
            return {}
        known = tuple(known)
        for key in given.keys() - set(known):
            hint = did_you_mean(key, known) or f"known keys: {', '.join(known)}"
            self._problem((*at, key), f"there is no key {short(key)} here", hint)
        return {key: given[key] for key in known if key in given}

    def _items(self, given: Any, at: At) -> list[Any]:
        if isinstance(given, list):
            return given
        self._problem(at, "a list belongs here", "begin each item with - ")
        return []

    def _text(self, given: Mapping[str, Any], key: str, at: At) -> str:
        value = given.get(key, "")
        if not isinstance(value, str):
            raise self._wrong((*at, key), f"{key} is a text", "write it in quotes")
        return unicodedata.normalize("NFC", value.strip())

    def _texts(self, given: Mapping[str, Any], key: str, at: At) -> tuple[str, ...]:
        value = given.get(key) or []
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            hint = f"write {key}: [one, another]"
            raise self._wrong((*at, key), f"{key} is a list of texts", hint)
        return tuple(unicodedata.normalize("NFC", one) for one in value)

    def _among(
        self, values: Iterable[str], known: Collection[str], what: str, at: At
    ) -> frozenset[str]:
        values = frozenset(values)
        for value in sorted(values - set(known)):
            hint = did_you_mean(value, known) or f"known: {', '.join(known)}"
            raise self._wrong(at, f"{short(value) or 'nothing'} is no {what}", hint)
        return values

    def _sources(self, given: Any) -> dict[str, str]:
        if not isinstance(given, dict):
            self._problem(("sources",), "sources name references", "write name: reference")
            return {}
        return {key: value for key, value in given.items() if isinstance(value, str)}

    # --- rules ----------------------------------------------------------------------------

    def _about(self, given: Mapping[str, Any], at: At) -> dict[str, Any]:
        """What rules and names have in common."""
        identity = self._text(given, "id", at)
        if not re.fullmatch(r"[A-Z]{1,4}\d{2,3}", identity):
            hint = "capitals and a number: C01"
            raise self._wrong((*at, "id"), f"{short(identity) or 'nothing'} is no id", hint)
        line = self._line((*at, "id"))
        if identity in self.ids:
            what = (
                f"{identity} stands here a second time; the first is in line {self.ids[identity]}"
            )
            raise self._wrong((*at, "id"), what, "give one of them another number")
        self.ids[identity] = line
        severity = self._text(given, "severity", at)
        self._among([severity], SEVERITIES, "severity", (*at, "severity"))
        also = self._among(self._texts(given, "also-in", at), SKIPPED, "place", (*at, "also-in"))
        never = self._among(self._texts(given, "not-in", at), KINDS, "place", (*at, "not-in"))
        profiles = self._texts(given, "profile", at)
        self._among(profiles, PROFILES, "profile", (*at, "profile"))
        named = self._texts(given, "src", at)
        if not named:
            hint = "write src: [general] or another of the sources above"
            raise self._wrong((*at, "src"), f"{identity} names no source", hint)
        self._among(named, self.sources, "source of this file", (*at, "src"))
        return {
            "id": identity,
            "severity": severity,
            "where": f"{self.shown}:{line}",
            "note": self._text(given, "note", at),
            "source": "; ".join(self.sources[name] for name in named),
            "profiles": frozenset(profiles or PROFILES),
            "passes": SKIPPED - also | never,
        }

    def _rule(self, given: Any, at: At) -> Rule:
        rule = self._mapping(given, at, _RULE_KEYS)
        about = self._about(rule, at)
        check, pattern = self._text(rule, "check", at), rule.get("re", "")
        if bool(check) == bool(pattern):
            raise self._wrong(at, f"{about['id']} needs either re or check", "write one of them")
        if check:
            self._among([check], self.checks, "check", (*at, "check"))
        most = self._text(rule, "most", at)
        if not re.fullmatch(r"\d{0,4}", most):
            raise self._wrong((*at, "most"), f"{short(most)} is no number", "write most: 3")
        every = self._text(rule, "every-language", at)
        self._among([every or "false"], ("true", "false"), "answer", (*at, "every-language"))
        return Rule(
            **about,
            check=check,
            pattern=self._pattern(str(pattern), (*at, "re")) if pattern else None,
            use=self._text(rule, "use", at),
            but=_any(self._texts(rule, "except", at)),
            not_after=_after(self._texts(rule, "not-after", at)),
            words=self._texts(rule, "words", at),
            most=int(most or 0),
            every_language=every == "true",
        )

    def _name(self, given: Any, at: At) -> Rule | None:
        """A name's wrong and short forms as a rule; None where there are none."""
        one = self._mapping(given, at, _NAME_KEYS)
        about = self._about(one, at)
        name = self._text(one, "name", at)
        if not name:
            raise self._wrong(at, f"{about['id']} has no name", "write the right one after name:")
        forms = self._texts(one, "not", at)
        if not forms:
            return None
        # The right name is left alone, unless it only is a part of the wrong form.
        left = [name, *self._texts(one, "except", at)]
        return Rule(**about, pattern=_any(forms), use=name, but=_any(left))

    def _pattern(self, written: str, at: At) -> re.Pattern[str]:
        written = unicodedata.normalize("NFC", written)
        try:
            compiled = re.compile(written, re.MULTILINE)
        except (re.error, OverflowError, RecursionError) as error:
            what = f"this is not a regular expression: {error}"
            raise self._wrong(at, what, r"\b(one|another)\b finds one of two words") from None
        if why := unsafe(written):
            raise self._wrong(at, f"this pattern could take for ever: {why}", "make it simpler")
        if compiled.match(""):
            what = "this pattern also finds nothing at all"
            raise self._wrong(at, what, "let it ask for a letter at least")
        return compiled


def _line(where: str) -> int:
    line = where.rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


def _any(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for any of these phrases as whole words, longest first; None for none.

    Scripts that write without blanks, and Korean, whose endings follow at once, have no whole
    words in that sense.
    """
    written = [_whole(phrase) for phrase in sorted(phrases, key=len, reverse=True)]
    return re.compile("|".join(written)) if written else None


def _whole(phrase: str) -> str:
    escaped = r"\s+".join(re.escape(word) for word in phrase.split())
    before, after = (r"\b" if _spaced(letter) else "" for letter in (phrase[0], phrase[-1]))
    return f"{before}{escaped}{after}"


def _spaced(letter: str) -> bool:
    return letter.isalnum() and letter < "\u1100"  # Latin, Cyrillic and the like


def _after(words: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern for the end of the text before a match."""
    written = "|".join(re.escape(word) for word in words)
    return re.compile(rf"(?<!\w)(?:{written})\s$", re.IGNORECASE) if written else None


# --- patterns that could take for ever ----------------------------------------------------

_ATOM: Final = re.compile(
    r"""\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)   # an escaped letter
      | \[\^?\]?(?:[^\]\\]|\\.)*\]                                 # a set of letters
      | \(\?\#[^)]*\) | \(\?[a-zA-Z-]+\)                            # a remark, or flags
      | \((?:\?(?:P<\w+>|<[=!]|[=!:>]|[a-zA-Z-]+:))?               # a group opens
      | \{\d*,?\d*\} | [*+?]                                       # a repetition
      | .""",
    re.VERBOSE | re.DOTALL,
)


def unsafe(written: str) -> str:
    """Why a pattern is refused, or "".

    A pattern's time is bounded by the ways in which it can match from one place, so these are
    counted: each repetition multiplies them. One without an end (`*`, `+`, `{3,}`) is allowed
    once; texts are searched in pieces of bounded length for its sake. What is repeated may hold
    no repetition and no alternatives (`(a+)+`, `(a|ab)*`): their ways are powers.
    """
    if len(written) > MOST_PATTERN:
        return f"it has {len(written):,} characters; {MOST_PATTERN:,} are enough"
    if re.search(r"\\[1-9]|\(\?P=|\(\?\(", written):
        return "it refers back to what it has found"
    if re.search(r"\(\?[a-wy-zA-Z]*x", written):
        return "it has remarks inside: (?x)"
    ways, endless, inner, closed = 1, 0, [False], False
    for atom in _ATOM.findall(written):
        if atom.startswith("(") and not atom.endswith(")"):
            inner.append(False)
            closed = False
        elif atom == ")":
            closed = inner.pop() if len(inner) > 1 else False
            inner[-1] |= closed
            continue  # a repetition may follow, and asks what was closed
        elif atom == "|":
            inner[-1] = True
        elif atom in ("*", "+", "?") or re.fullmatch(r"\{(?:\d+,?\d*|,\d*)\}", atom):
            least, most = _times(atom)
            if closed and (most is None or most > 1):
                return f"{atom} repeats a group that holds repetitions or alternatives"
            if most is None:
                endless += 1
            elif most > MOST_REPEAT:
                return f"{atom} repeats more than {MOST_REPEAT} times"
            else:
                ways *= most - least + 1
            inner[-1] |= most is None or most > least
        closed = False
    if endless > 1:
        return f"it has {endless} repetitions without an end; one is allowed: \\w{{0,20}} has one"
    return "its repetitions multiply" if ways > MOST_WAYS else ""


def _times(atom: str) -> tuple[int, int | None]:
    """How often at least and at most; None for no end."""
    if atom in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[atom]
    least, comma, most = atom[1:-1].partition(",")
    if not comma:
        return int(least), int(least)
    return int(least or 0), int(most) if most else None
