"""The house's style: rules kept as data, held against a text before anybody else reads it.

    house = load_style(home / "config/house-style")
    for finding in house.lint("The 5th forum opens on 25th August.", profile="post"):
        print(finding)      # 1:24 E 25th August: 25 August 2025 (D01: United Nations Editorial …)

A rule is a line of config/house-style/ and, where a pattern cannot say it, a check of
`outreach.compose.style.checks`. Nothing here reads a file but `load_style`, and nothing decides:
what a finding stops, and who decides about it, is for clearance to say.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from outreach.compose.style.checks import CHECKS, Hit
from outreach.compose.style.page import Page, Spans
from outreach.compose.style.reading import Reading, reading
from outreach.compose.style.rules import PROFILES, SEVERITIES, Rule, Sheet, read_sheet
from outreach.errors import NotAllowed, Problem
from outreach.hints import did_you_mean, known_as
from outreach.post import Picture

__all__ = [
    "PROFILES",
    "SEVERITIES",
    "Finding",
    "House",
    "Reading",
    "Rule",
    "language_named",
    "load_style",
    "reading",
]

MOST_CHARACTERS: Final = 300_000  # a hundred pages; what follows is not looked at, and said so
_WINDOW: Final = 4_000  # patterns see a text in pieces of this size, see `rules.unsafe`
_MOST_FINDINGS: Final = 200  # of one rule: with more, the rule or the text is about something else
_SHOWN: Final = 60


@dataclass(frozen=True)
class Finding:
    """What a rule found. `line` and `column`, from 1, are in the text as given.

    Both are 0 for what is about a picture; `found` then begins with the picture's file. A
    `proposal` is for a person to take or leave: nothing is ever replaced.
    """

    rule: str
    severity: str
    line: int
    column: int
    found: str
    proposal: str
    source: str
    note: str = ""

    def __str__(self) -> str:
        place = f"{self.line}:{self.column} " if self.line else ""
        said = "; ".join(part for part in (self.proposal, self.note) if part)
        return f"{place}{self.severity} {self.found}: {said} ({self.rule}: {self.source})"


@dataclass(frozen=True)
class House:
    """The rules of a house, by language, and what is wrong with the files they stand in."""

    sheets: Mapping[str, Sheet]
    problems: tuple[Problem, ...] = ()
    _chosen: dict[tuple[str, str], tuple[Rule, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def lint(
        self,
        text: str,
        *,
        language: str = "en",
        profile: str = "post",
        pictures: Collection[Picture] = (),
        hashtags: Collection[str] = (),
        titles: Collection[str] = (),
        reproduced: Collection[str] = (),
        alt_limit: int = 0,
        template: bool = False,
    ) -> list[Finding]:
        """Everything that the rules find, in the order of the text; pictures come last.

        `titles` are left as they are (the official title of the event), and so is what is
        `reproduced` from others. `hashtags` are those agreed on, each with its capitals.
        `alt_limit` is the network's for alt text, 0 for none. With `template`, what Jinja will
        fill in is no placeholder. Raises NotAllowed for a profile that does not exist.
        """
        if profile not in PROFILES:
            raise NotAllowed(f"there is no profile {profile}", f"profiles: {', '.join(PROFILES)}")
        page = Page(
            original=text[:MOST_CHARACTERS],
            language=language,
            profile=profile,
            pictures=tuple(pictures),
            hashtags=tuple(hashtags),
            titles=tuple(titles),
            reproduced=tuple(reproduced),
            alt_limit=alt_limit,
            template=template,
        )
        findings = [
            _finding(page, rule, hit)
            for rule in self.rules(language, profile)
            if _worth_it(page, rule)
            for hit in _hits(page, rule)
        ]
        if len(text) > MOST_CHARACTERS:
            findings.append(_too_long(page))
        findings.sort(key=lambda one: (not one.line, one.line, one.column, one.rule))
        return findings

    def rules(self, language: str, profile: str) -> tuple[Rule, ...]:
        """The rules for a language ("zh-Hans" is "zh") and a profile, every language's included."""
        key = (self.sheet_of(language), profile)
        if key not in self._chosen:
            self._chosen[key] = tuple(
                rule
                for name, sheet in self.sheets.items()
                for rule in sheet.rules
                if profile in rule.profiles and (name == key[0] or rule.every_language)
            )
        return self._chosen[key]

    def sheet_of(self, language: str) -> str:
        """The name of the sheet for a language, "" where there is none of its own."""
        parts = language.split("-")
        names = ("-".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((name for name in names if name in self.sheets), "")

    @property
    def unsigned(self) -> tuple[str, ...]:
        """The languages whose rules nobody has signed off yet."""
        return tuple(name for name, sheet in self.sheets.items() if not sheet.signed)


def load_style(folder: Path, *, root: Path | None = None) -> House:
    """The rules of every file of `folder`; mistakes are in `House.problems`, with file and line.

    A rule that cannot be understood is left out, and the others hold. Files are shown relative
    to `root`, the office's folder.
    """
    shown = known_as(folder, root)
    if not folder.is_dir():
        return House({}, (Problem(shown, "there is no such folder", "outreach init"),))
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    for path in paths:
        sheet = read_sheet(path, known_as(path, root), CHECKS)
        problems += sheet.problems
        first = {rule.id: rule for known in sheets.values() for rule in known.rules}
        twice = [rule for rule in sheet.rules if rule.id in first]
        for rule in twice:
            what = f"{rule.id} stands in {first[rule.id].where} as well"
            problems.append(Problem(rule.where, what, "give one of them another number"))
        kept = tuple(rule for rule in sheet.rules if rule not in twice)
        if sheet.language in sheets:
            what = f"there are two files for {sheet.language}"
            problems.append(Problem(known_as(path, root), what, "keep one of them"))
        else:
            sheets[sheet.language] = Sheet(sheet.language, kept, sheet.signed)
    if not paths:
        problems.append(Problem(shown, "there are no rules in this folder", "outreach init"))
    return House(sheets, tuple(problems))


def language_named(house: House, language: str) -> str:
    """The sheet for a language that a person named. Raises NotAllowed where there is none."""
    found = house.sheet_of(language)
    if not found:
        hint = did_you_mean(language, house.sheets) or f"there are: {', '.join(house.sheets)}"
        raise NotAllowed(f"there are no rules for the language {language}", hint)
    return found


# --- what a rule finds --------------------------------------------------------------------


def _worth_it(page: Page, rule: Rule) -> bool:
    """False where a pattern is nowhere in a short text, as most are: posts are linted often."""
    short = len(page.plain) <= _WINDOW
    return not (short and rule.pattern) or rule.pattern.search(page.plain) is not None


def _hits(page: Page, rule: Rule) -> Iterator[Hit]:
    """What the rule finds outside the places that it passes over."""
    passed: list[Spans] | None = None
    but: Spans | None = None
    count = 0
    found = _matches(page.plain, rule) if rule.pattern else CHECKS[rule.check](page, rule)
    for hit in found:
        if hit.inside != "plain":
            yield hit
            continue
        if passed is None:  # most texts have nothing that a rule finds
            passed = page.passed(rule.passes)
        if any(spans.touch(hit.start, hit.end) for spans in passed):
            continue
        if rule.but is not None:
            if but is None:
                but = Spans(found.span() for found in rule.but.finditer(page.plain))
            if but.hold(hit.start, hit.end):
                continue
        if rule.not_after and rule.not_after.search(page.plain[max(hit.start - 30, 0) : hit.start]):
            continue
        yield hit
        count += 1
        if count == _MOST_FINDINGS:
            return


def _matches(text: str, rule: Rule) -> Iterator[Hit]:
    assert rule.pattern is not None  # noqa: S101 - the caller has asked
    for start, end in _windows(text):
        for found in rule.pattern.finditer(text, start, end):
            if found[0]:
                yield Hit(*found.span())


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of bounded length that end with a line where there is one."""
    start = 0
    while len(text) - start > _WINDOW:
        end = text.rfind("\n", start, start + _WINDOW) + 1
        if end <= start:
            end = start + _WINDOW
        yield start, end
        start = end
    yield start, len(text)


def _finding(page: Page, rule: Rule, hit: Hit) -> Finding:
    line, column = 0, 0
    found = hit.found
    if hit.inside == "plain":
        line, column = page.place(hit.start)
        found = found or page.plain[hit.start : hit.end]
    elif hit.inside == "original":
        line, column = page.original_place(hit.start)
        found = found or page.original[hit.start : hit.end]
    found = " ".join(found.split())
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        line=line,
        column=column,
        found=found if len(found) <= _SHOWN else found[: _SHOWN - 1] + "…",
        proposal=hit.use or rule.use,
        source=rule.source,
        note=hit.note or rule.note,
    )


def _too_long(page: Page) -> Finding:
    line, column = page.original_place(len(page.original))
    return Finding(
        rule="length",
        severity="W",
        line=line,
        column=column,
        found=f"{MOST_CHARACTERS:,} characters",
        proposal="look at the text in parts",
        source="this program",
        note="what follows was not looked at",
    )
