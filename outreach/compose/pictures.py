"""Words in a picture that nobody tells to those who do not see it.

What a card or a poster says has to stand in its alt text, or in the text that it goes with. The
words are read by `sight.py`, where the part for that is installed (`extras`): Latin letters,
Chinese and Japanese; of Korean and Cyrillic it reads nothing. It is advice and no more: logos and
street signs have words, too.

Each picture is read once: what was read is kept beside what was composed, by the picture's hash.
"""

import base64
import difflib
import json
import logging
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from outreach import kept
from outreach.compose.child import READY, Child
from outreach.compose.languages import script
from outreach.errors import Problem, Unusable
from outreach.extras import EXTRAS

if TYPE_CHECKING:
    from outreach.campaign.models import Campaign
    from outreach.compose import Draft

log = logging.getLogger(__name__)

SECONDS: Final = 60.0  # for one picture, or to start: each takes one or two
SHORT: Final = 3  # letters: shorter words ("of", "an") tell nothing by themselves
LIKE: Final = 0.8  # of a word's letters: what is read in a picture has a wrong one now and then
SHARE: Final = 0.2  # of a description's letters: with fewer in a script, it is not written in it
SHOWN: Final = 5  # lines of words in one sentence

_PROGRAM: Final = Path(__file__).with_name("sight.py")
_WORD: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = frozenset({"CJK", "HIRAGANA", "KATAKANA"})

Words = Mapping[str, tuple[str, ...]]
"""The lines of words in pictures, by their hash."""


def untold_words(
    campaigns: Iterable["Campaign"],
    drafts: Iterable["Draft"],
    *,
    home: Path,
    progress: Callable[[int, int], None] | None = None,
    program: Path = _PROGRAM,
) -> list[Problem]:
    """Advice for each description that leaves out what its picture says; none where the part that
    reads pictures is not installed.

    `progress(done, of)` counts pictures that were never read before.
    """
    if not EXTRAS["pictures"].installed:
        return []
    shown = [(draft, part) for draft in drafts if draft.post for part in draft.post.parts]
    shown = [(draft, part) for draft, part in shown if part.pictures]
    read = [p for _, part in shown for p in part.pictures if p.kind == "picture"]
    data = {picture.sha256: picture.data for picture in read}
    try:
        words = _read(home, data, progress, program)
    except Unusable as error:
        return [Problem("media", str(error), error.hint, advice=True)]
    known = {campaign.campaign: campaign for campaign in campaigns}
    problems: dict[Problem, None] = {}
    for draft, part in shown:
        for picture in (one for one in part.pictures if one.sha256 in words):
            told = f"{picture.alt}\n{picture.credit}\n{part.text}"
            if left := untold(words[picture.sha256], picture.alt, told):
                where = _where(known[draft.campaign], draft.of, picture.file)
                problems[_problem(where, picture.file, left)] = None
    return list(problems)


def _where(campaign: "Campaign", message: str, file: str) -> str:
    media = [one.file for one in campaign.messages[message].media]
    return campaign.where("messages", message, "media", media.index(file), "alt")


def _problem(where: str, file: str, left: list[str]) -> Problem:
    words = ", ".join(f"“{line}”" for line in left[:SHOWN]) + (", …" if left[SHOWN:] else "")
    hint = "say it after `alt:` or in the text; what a logo or a street sign says may stay untold"
    return Problem(where, f"{file} says {words}, and its alt text does not", hint, advice=True)


def untold(lines: Iterable[str], alt: str, told: str) -> list[str]:
    """What of a picture's lines of words is not `told`, as far as `alt` could tell it.

    A description in another script is a translation, and cannot be compared.
    """
    scripts = Counter(script(letter) for letter in alt if letter.isalpha())
    own = {one for one, count in scripts.items() if count >= SHARE * scripts.total()}
    own |= _UNSPACED if own & _UNSPACED else set()
    words = _words(told)
    whole, near = "".join(words), list(dict.fromkeys(words))
    left = []
    for line in lines:
        missing = [
            word
            for word in _WORD.findall(unicodedata.normalize("NFKC", line))
            if _compared(word, own) and not _is_told(word.casefold(), whole, near)
        ]
        if missing:
            left.append(" ".join(missing))
    return left


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _compared(word: str, own: set[str]) -> bool:
    letter = next((one for one in word if one.isalpha()), "")
    if not letter:
        return len(word) > SHORT  # a year; of a date the month says enough
    unspaced = script(letter) in _UNSPACED
    return script(letter) in own and len(word) >= (2 if unspaced else SHORT)


def _is_told(word: str, whole: str, near: list[str]) -> bool:
    if word in whole:
        return True
    if script(word[0]) in _UNSPACED:  # no blanks: a line is one word
        pairs = ["".join(pair) for pair in pairwise(word)]
        return sum(pair in whole for pair in pairs) >= LIKE * len(pairs)
    return bool(difflib.get_close_matches(word[:60], near, 1, LIKE))


# --- reading ------------------------------------------------------------------------------


def _read(
    home: Path,
    pictures: Mapping[str, bytes],
    progress: Callable[[int, int], None] | None,
    program: Path,
) -> Words:
    """What these pictures say; only those that were never read before are looked at."""
    file, by = kept.file(home, kept.PICTURES), f"rapidocr {version('rapidocr')}"
    known = _known(file, by)
    words = {one: known[one] for one in pictures if one in known}
    new = {one: data for one, data in pictures.items() if one not in known}
    if not new:
        return words
    for done, (one, lines) in enumerate(_looked_at(new, program), start=1):
        words[one] = lines
        if progress:
            progress(done, len(new))
    try:
        with kept.whole(file) as opened:
            opened.write(json.dumps({"by": by, "words": words}).encode())
    except OSError as error:
        log.info("what pictures say cannot be kept: %s", error)
    return words


def _known(file: Path, by: str) -> Words:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        words = found["words"] if found["by"] == by else {}
        return {str(one): tuple(map(str, lines)) for one, lines in words.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # then it is read anew
        return {}


def _looked_at(
    pictures: Mapping[str, bytes], program: Path
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each with what it says; nothing for one over which the reading program died or hung.

    Raises Unusable where that program does not start.
    """
    reader: _Reader | None = None
    try:
        for one, data in pictures.items():
            reader = reader or _Reader(program)
            lines = reader.read(data)
            if lines is None:
                reader.close()
                reader = None
            yield one, lines or ()
    finally:
        if reader:
            reader.close()


class _Reader(Child):
    """One process of `sight.py`."""

    def __init__(self, program: Path) -> None:
        super().__init__(program)
        if self._answer(b"") != READY:
            said = self.end()
            self.close()
            raise Unusable(
                f"the program that reads words in pictures does not start: {said}",
                "install its part again: outreach doctor says how",
            )

    def read(self, data: bytes) -> tuple[str, ...] | None:
        """What the picture says; None where the process is of no use any more."""
        line = self._answer(base64.b64encode(data) + b"\n")
        return tuple(json.loads(line)) if line.endswith(b"\n") else None

    def _answer(self, question: bytes) -> bytes:
        """Its next line, or what there is of it where it ends, or takes too long and is ended."""
        late = threading.Timer(SECONDS, self._process.kill)
        late.start()
        try:
            self._in.write(question)
            self._in.flush()
            return self._out.readline()
        except OSError:
            return b""
        finally:
            late.cancel()
