"""A message's languages as a set: what state each translation is in, and what is wrong with it.

    missing      there is no text in that language
    stale        its source text has changed since it was made, or it does not say which it is of
    unreviewed   nobody has read it against the source yet
    wrong        it is written in another language, or another script
    ready        a clearer may read it

Every language is a text of its own, never derived from the source by machine: all that is
compared is the hash in a translation's heading. Languages are told by their letters, which is
sure enough for the six that we write. Two that share an alphabet are told by their words as well,
where the library for that is installed (`extras`), and only where it can be sure.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from outreach.compose.texts import Section
from outreach.errors import Problem

if TYPE_CHECKING:
    from lingua import LanguageDetector


class Translation(StrEnum):
    """Where a text stands among its message's languages."""

    SOURCE = "source"
    MISSING = "missing"
    STALE = "stale"
    UNREVIEWED = "unreviewed"
    WRONG = "wrong"
    READY = "ready"


SCRIPTS = {
    "en": ("LATIN",),
    "fr": ("LATIN",),
    "es": ("LATIN",),
    "ar": ("ARABIC",),
    "zh": ("CJK",),
    "ko": ("HANGUL",),
    "ja": ("HIRAGANA", "KATAKANA", "CJK"),
    "ru": ("CYRILLIC",),
    "mn": ("CYRILLIC", "MONGOLIAN"),
}
"""The scripts of a language, as Unicode's names of letters begin."""

UNOFFICIAL = {
    "en": "Unofficial translation",
    "zh": "非正式译文",
    "ko": "비공식 번역",
    "ja": "非公式訳",
    "ru": "Неофициальный перевод",
    "mn": "Албан бус орчуулга",
}
"""What `{{ unofficial }}` prints; to be confirmed by each language's reviewer."""

PICTURE = {
    "en": "Picture",
    "zh": "图片",
    "ko": "사진",
    "ja": "写真",
    "ru": "Изображение",
    "mn": "Зураг",
}
"""What stands before a picture's description, where a network has no field for it."""

DOCUMENT = {
    "en": "Document",
    "zh": "文件",
    "ko": "문서",
    "ja": "資料",
    "ru": "Документ",
    "mn": "Баримт бичиг",
}
"""The same of a document's."""

VIDEO = {
    "en": "Video",
    "zh": "视频",
    "ko": "동영상",
    "ja": "動画",
    "ru": "Видео",
    "mn": "Видео",
}
"""The same of a video's."""

FEW = 12  # letters: shorter than that, a text may be a name in another script
HALF = 0.5
LONG = 40  # letters of Cyrillic or Han within which its own would have come

# Of 1,500 short sentences in eleven languages, none was told to be another's; of those under
# another's heading, nine in ten were.
WORDY = 30  # letters of small words: with fewer, a text may be names and numbers
ENOUGH = 300  # letters of them that are looked at: more take longer, and tell no more
SURE = 0.8

_CALLED = {
    "CJK": "Chinese characters",
    "HANGUL": "Korean",
    "LATIN": "Latin",
    "CYRILLIC": "Cyrillic",
    "HIRAGANA": "Japanese kana",
    "KATAKANA": "Japanese kana",
}

_NOT_WORDS = re.compile(r"https?://\S+|[#@][\w-]+")
_OTHERS_WORDS = re.compile(r"“[^”]*”|«[^»]*»|\"[^\"\n]*\"|⟦[^⟧]*⟧")  # quoted, or a rehearsal's mark
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")


def state(section: Section | None, source: Section | None, problems: bool) -> Translation:
    """Where a translation stands; `problems` says that its text is in the wrong language."""
    if section is None:
        return Translation.MISSING
    if problems:
        return Translation.WRONG
    if is_stale(section, source):
        return Translation.STALE
    if section.reviewer in ("", "open"):
        return Translation.UNREVIEWED
    return Translation.READY


def is_stale(section: Section, source: Section | None) -> bool:
    """Whether the text that a translation was made from is another one now."""
    return not section.made_from or (
        source is not None and not source.hash.startswith(section.made_from[:8])
    )


def not_ready(section: Section, source: Section | None, where: str) -> Iterator[Problem]:
    """Why a translation cannot be cleared yet: open points, each for the person who ends it."""
    who = section.translator or "its translator"
    if source is not None and is_stale(section, source):
        now = source.hash[:4]
        what = f"the {section.language} text was made from an earlier source text"
        if not section.made_from:
            what = f"the {section.language} text does not say which source text it was made from"
        hint = f"{who} compares them, and writes: (from {now}; …)"
        yield Problem(where, what, hint, open=True)
    if section.reviewer in ("", "open"):
        what = f"the {section.language} text waits for its reviewer"
        hint = "whoever has read it against the source writes their name: (…; reviewer: NAME)"
        yield Problem(where, what, hint, open=True)
    elif section.reviewer == section.translator:
        what = f"{section.reviewer} has reviewed their own translation"
        yield Problem(where, what, "a second person reads it: (…; reviewer: NAME)")


def wrong_language(text: str, language: str, among: Iterable[str] = ()) -> str:
    """What a text is written in instead of its language, in words; "" where nothing speaks
    against it.

    `among` are the languages of its campaign: one of them, or English, is what it may be instead.
    """
    base = language.partition("-")[0]
    own = SCRIPTS.get(base)
    text = _NOT_WORDS.sub(" ", text)
    scripts = Counter[str]()
    for letter, count in Counter(text).items():
        if letter.isalpha():
            scripts[script(letter)] += count
    letters = scripts.total()
    if letters < FEW:
        return ""
    if own and sum(scripts[script] for script in own) < HALF * letters:
        [(other, _)] = scripts.most_common(1)
        return f"most of its letters are {_CALLED.get(other, other.capitalize())}"
    return _neighbour(text.lower(), base, scripts) or _by_words(text, base, among)


def _neighbour(text: str, language: str, scripts: Counter[str]) -> str:
    """Whether it is in the language next door, which has the same script."""
    letters = scripts.total()
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    mongolian = "ө" in text or "ү" in text
    if language == "zh" and scripts["HIRAGANA"] > letters * 0.1:
        return "it has kana, and reads like Japanese"
    if language == "ja" and not kana and letters >= LONG:
        return "it has no kana, and reads like Chinese"
    if language == "ru" and mongolian:
        return "it has ө or ү, and reads like Mongolian"
    if language == "mn" and scripts["CYRILLIC"] and not mongolian and letters >= LONG:
        return "it has neither ө nor ү, and reads like Russian"
    return ""


def _by_words(text: str, language: str, among: Iterable[str]) -> str:
    """Whether its words are those of another language with the same letters."""
    own = frozenset(SCRIPTS.get(language, ()))
    known = {one.partition("-")[0] for one in (*among, "en")} - {language}
    others = frozenset(one for one in known if not (own and own.isdisjoint(SCRIPTS.get(one, own))))
    if not others or _detector(language, others) is None:
        return ""
    # Names begin with a capital, and are of any language; so do acronyms.
    begins = _OTHERS_WORDS.sub(" ", text)[: 5 * ENOUGH]
    words = [word for word in _WORD.findall(begins) if word[0].islower()]
    said = " ".join(word for word in words if not own or script(word[0]) in own)[:ENOUGH]
    return _guess(said, language, others) if len(said) - said.count(" ") >= WORDY else ""


@lru_cache(maxsize=4096)
def _guess(said: str, language: str, others: frozenset[str]) -> str:
    detector = _detector(language, others)
    if detector is None:
        return ""
    likeliest, *_ = detector.compute_language_confidence_values(said)
    found = likeliest.language
    if found.iso_code_639_1.name.lower() == language or likeliest.value < SURE:
        return ""
    return f"it reads like {found.name.capitalize()}"


@lru_cache(maxsize=64)
def _detector(language: str, others: frozenset[str]) -> "LanguageDetector | None":
    """What tells this language from the others; None where it cannot, or is not installed."""
    try:
        from lingua import Language, LanguageDetectorBuilder
    except ImportError:
        return None
    known = {one.iso_code_639_1.name.lower(): one for one in Language.all()}
    chosen = [known[one] for one in (language, *sorted(others)) if one in known]
    if language not in known or len(chosen) < 2:
        return None
    return LanguageDetectorBuilder.from_languages(*chosen).build()


@lru_cache(maxsize=4096)
def script(letter: str) -> str:
    """Its script as Unicode's names begin: "LATIN", "CJK", "HANGUL"."""
    return unicodedata.name(letter, "?").partition(" ")[0].partition("-")[0]


def direction(language: str) -> str:
    """ "rtl" for a language that is written from right to left, else "ltr"."""
    from babel import Locale, UnknownLocaleError

    try:
        order = Locale.parse(language, sep="-").character_order
    except (UnknownLocaleError, ValueError):
        return "ltr"
    return "rtl" if order == "right-to-left" else "ltr"
