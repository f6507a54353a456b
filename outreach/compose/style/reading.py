"""How hard a text in English is to read, as information: no rule depends on it.

Long sentences and long words are what a writer can do something about, so these are what is
told, with LIX (Björnsson, 1968) as their sum: words a sentence, and words of more than six
letters in a hundred. Under 40 is easy, over 60 is hard; notes of the United Nations are hard.
"""

import re
from dataclasses import dataclass

from outreach.compose.style.page import Page

_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?…](?=[\s”’\")]|$)|\n\s*\n")
_LONG = 6


@dataclass(frozen=True)
class Reading:
    """A text in numbers: how many words and sentences, and how many words are long."""

    words: int
    sentences: int
    long: int

    @property
    def words_a_sentence(self) -> float:
        return self.words / max(self.sentences, 1)

    @property
    def long_in_100(self) -> float:
        return 100 * self.long / max(self.words, 1)

    @property
    def lix(self) -> int:
        return round(self.words_a_sentence + self.long_in_100)

    def __str__(self) -> str:
        if not self.words:
            return "no words"
        return (
            f"{self.words_a_sentence:.0f} words a sentence, {self.long_in_100:.0f} of 100 words "
            f"are long (LIX {self.lix}: under 40 is easy, over 60 is hard)"
        )


def reading(text: str) -> Reading:
    """The text in numbers. A heading without a full stop counts as a sentence."""
    page = Page(text)
    plain = page.plain
    for start, end in reversed(addresses.all if (addresses := page.places.get("address")) else ()):
        plain = f"{plain[:start]}{plain[end:]}"
    words = _WORD.findall(plain)
    pieces = [piece for piece in _SENTENCE.split(plain) if _WORD.search(piece)]
    return Reading(len(words), len(pieces), sum(len(word) > _LONG for word in words))
