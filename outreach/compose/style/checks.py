"""The checks that a pattern cannot express: each is a function that yields what it finds.

To add one, write `def name(page, rule)`, put it into CHECKS, and name it in a rule. A rule's
`words` and `most` are what its check is told. Quotations and the like are passed over by whoever
calls; a text of any size and shape must be done in a few passes.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Final

from outreach.compose.style import alt
from outreach.compose.style.page import HASHTAG, Page
from outreach.compose.style.rules import Rule


@dataclass(frozen=True)
class Hit:
    """A stretch of the plain text, of the original, or nothing but `found` for a picture.

    `use` and `note` say more than the rule's own, where the check knows more.
    """

    start: int = 0
    end: int = 0
    found: str = ""
    use: str = ""
    note: str = ""
    inside: str = "plain"  # "original", "picture"


Check = Callable[[Page, Rule], Iterator[Hit]]


# --- names --------------------------------------------------------------------------------


def member_list_order(page: Page, rule: Rule) -> Iterator[Hit]:
    """Three or more of the rule's `words` in a row that are not in the order of the rule."""
    row: list[re.Match[str]] = []
    for found in _names(rule.words).finditer(page.plain):
        between = page.plain[row[-1].end() : found.start()] if row else ""
        if row and not _BETWEEN.fullmatch(between):
            yield from _out_of_order(row, rule.words)
            row = []
        row.append(found)
    yield from _out_of_order(row, rule.words)


_BETWEEN: Final = re.compile(r"(?:\s*[,;]\s*(?:and\s+)?|\s+and\s+)(?:the\s+)?")


@cache
def _names(names: tuple[str, ...]) -> re.Pattern[str]:
    longest = sorted(names, key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(name)}\b" for name in longest) or r"(?!)")


def _out_of_order(row: Sequence[re.Match[str]], names: Sequence[str]) -> Iterator[Hit]:
    given = [found[0] for found in row]
    wanted = sorted(given, key=list(names).index)
    if len(row) > 2 and given != wanted:
        yield Hit(row[0].start(), row[-1].end(), use=", ".join(wanted))


# A word of capitals: ESCAP, NEA-LCCP, iGDP, NGOs, SOM-28.
_ACRONYM: Final = re.compile(
    r"(?<![\w@#&/.-])[a-z]?[A-Z]{2,10}(?:-[A-Z]{2,10}){0,2}(?:s|-\d{1,3})?(?![\w@]|[-.]\w)"
)
_NUMERAL: Final = re.compile(r"X{0,3}(?:IX|IV|V?I{0,3})")
_INTRODUCED: Final = re.compile(r"\(([^()\n]{1,60})\)")


def acronym_expanded_at_first_use(page: Page, rule: Rule) -> Iterator[Hit]:
    """An acronym that nothing has explained: "full name (ACRONYM)", or "ACRONYM (full name)"."""
    known = set(rule.words)
    for found in _ACRONYM.finditer(page.plain):
        acronym = _bare(found[0])
        if acronym in known or _NUMERAL.fullmatch(acronym) or _in_capitals(page, found):
            continue
        known.add(acronym)
        if not _introduced(page.plain, found):
            later = page.plain.find(f"({found[0]})", found.end()) >= 0
            note = "it is explained only further down" if later else ""
            yield Hit(*found.span(), note=note)


def _bare(acronym: str) -> str:
    """Without plural and number: NGO of NGOs, SOM of SOM-28."""
    return re.sub(r"(?:(?<=[A-Z])s|-\d+)$", "", acronym)


def _introduced(text: str, found: re.Match[str]) -> bool:
    before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 2]
    if before == "(":  # some words stand before the bracket
        return bool(
            re.search(
                r"\w{2,}[\w’'”\".,*]*\s+$", text[max(found.start() - 60, 0) : found.start() - 1]
            )
        )
    inside = _INTRODUCED.match(text, found.end() + 1) if after == " (" else None
    return bool(inside and len(inside[1].split()) > 1)


def _in_capitals(page: Page, found: re.Match[str]) -> bool:
    """Whether its whole line is in capitals: then it is a heading, or somebody shouts."""
    start = page.plain.rfind("\n", max(found.start() - 200, 0), found.start()) + 1
    end = page.plain.find("\n", found.end(), found.end() + 200)
    line = page.plain[max(start, found.start() - 200) : end if end >= 0 else found.end() + 200]
    return line.isupper()


def one_acronym_for_one_name(page: Page, rule: Rule) -> Iterator[Hit]:
    """A name that is followed by one acronym here and by another one there."""
    first: dict[str, str] = {}
    for found in _INTRODUCED.finditer(page.plain):
        acronym = found[1].strip()
        if not _ACRONYM.fullmatch(acronym):
            continue
        name = _capitals_before(page.plain[max(found.start() - 120, 0) : found.start()])
        if len(name.split()) < 2:
            continue
        known = first.setdefault(name, acronym)
        if known != acronym:
            start = found.start(1)
            use = f"one of {known} and {acronym}"
            yield Hit(start, found.end(1), use=use, note=f"above, {name} is {known}")


_CAPITALIZED: Final = re.compile(r"[A-ZÀ-Þ][\w’'&-]*")
_SENTENCE_START: Final = re.compile(r"\n\s*\n|[.:;]\s|\bThe\s")
_SMALL: Final = frozenset({"of", "for", "and", "on", "the", "in", "to"})


def _capitals_before(text: str) -> str:
    """The name that ends here: words with a capital, and small words between them."""
    words: list[str] = []
    for word in reversed(_SENTENCE_START.split(text)[-1].split()):
        if not (_CAPITALIZED.fullmatch(word) or word in _SMALL):
            break
        words.insert(0, word)
    while words and words[0] in _SMALL:
        del words[0]
    return " ".join(words)


# --- numbers and dates --------------------------------------------------------------------

_YEAR: Final = r"(?P<year>[12]\d{3})"
_DAY: Final = r"(?P<day>\d{1,2})"
_MONTH: Final = r"(?P<month>\d{1,2})"


def weekday_matches_date(page: Page, rule: Rule) -> Iterator[Hit]:
    """A weekday beside a date with its year that falls on another day."""
    days, months, patterns = _calendar(page.language.split("-")[0].lower())
    for pattern in patterns:
        for found in pattern.finditer(page.plain):
            written = found["month"].lower()
            month = int(written) if written.isdecimal() else months[written]
            try:
                meant = date(int(found["year"]), month, int(found["day"]))
            except ValueError:
                whole = found[0].strip()
                yield Hit(*found.span(), use="a date that exists", note=f"{whole} does not")
                continue
            if days[found["weekday"].lower()] != meant.weekday():
                name = next(day for day, number in days.items() if number == meant.weekday())
                right = name if page.language.startswith("ru") else name.capitalize()
                yield Hit(*found.span(), use=right, note=f"the date is a {right}")


@cache
def _calendar(
    language: str,
) -> tuple[dict[str, int], dict[str, int], tuple[re.Pattern[str], ...]]:
    """Names of days (Monday is 0) and months, and how a day stands beside a date."""
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return {}, {}, ()
    days: dict[str, int] = {}
    months: dict[str, int] = {}
    for width in ("wide", "abbreviated"):
        for context in ("format", "stand-alone"):
            for number, name in locale.days[context][width].items():
                days.setdefault(name.lower().rstrip("."), number)
            for number, name in locale.months[context][width].items():
                months.setdefault(name.lower().rstrip("."), number)
    weekday = f"(?P<weekday>{_either(days)})"
    if language in ("zh", "ja", "ko"):
        whole = rf"{_YEAR}[年년] ?{_MONTH}[月월] ?{_DAY}[日일]"
        return days, months, (re.compile(rf"{whole} ?[（(]? ?{weekday}(?:[)）]|(?![\w]))"),)
    if language == "mn":
        whole = rf"{_YEAR} оны {_MONTH}(?:-р|\w{{0,6}}) сарын {_DAY}\w{{0,4}}"
        return days, months, (re.compile(rf"{whole},? [(]?{weekday}\b", re.IGNORECASE),)
    month = f"(?P<month>{_either(months)})"
    shapes = (
        rf"\b{weekday}\.?,? (?:the )?{_DAY}(?:st|nd|rd|th)?\.? (?:of )?{month}\.?,? {_YEAR}\b",
        rf"\b{weekday}\.?,? {month}\.? {_DAY}(?:st|nd|rd|th)?,? {_YEAR}\b",
        rf"\b{_DAY} {month}\.?,? {_YEAR}(?: года| г\.)? ?\({weekday}\)",
    )
    return days, months, tuple(re.compile(shape, re.IGNORECASE) for shape in shapes)


def _either(names: dict[str, int]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


_IN_WORDS: Final = (
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth"
    "|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twentieth"
)
_ORDINALS: Final = _IN_WORDS.split("|")
_ORDINAL: Final = re.compile(
    r"(?<![\w-])(?P<ordinal>\d{1,3}(?:st|nd|rd|th)|" + _IN_WORDS + r")\s+"
    r"(?P<what>[A-Z][\w-]*(?:\s+[A-Z][\w-]*)?)",
    re.IGNORECASE,
)


def one_form_of_ordinals(page: Page, rule: Rule) -> Iterator[Hit]:
    """The same thing as "5th" here and as "Fifth" there."""
    seen: dict[tuple[int, str], str] = {}
    for found in _ORDINAL.finditer(page.plain):
        if not found["what"][0].isupper():
            continue
        written = found["ordinal"]
        in_figures = written[0].isdecimal()
        number = (
            int(re.sub(r"\D", "", written)) if in_figures else _ORDINALS.index(written.lower()) + 1
        )
        thing = (number, " ".join(found["what"].split()))
        known = seen.setdefault(thing, written)
        if known[0].isdecimal() != in_figures:
            start, end = found.span("ordinal")
            use = f"one form, as {_ORDINALS[number - 1].capitalize()} {thing[1]}"
            yield Hit(start, end, f"{written} {thing[1]}", use, f"above it is {known}")


_STATISTIC: Final = re.compile(
    r"\d[\d.,]{0,12} ?(?:%|per cent\b|percent\b|(?:million|billion|trillion)\b"
    r"|times (?:more|as|higher|lower)\b)"
)
_SOURCE: Final = re.compile(
    r"\baccording to\b|\bsources?\b|\breport(?:s|ed)?\b|\bstudy\b|\bsurvey\b|\bestimat|\bcensus\b"
    r"|\bstatistics\b|\bdata (?:of|from|by)\b|\bbased on\b|\[\d{1,3}\]|\([^()\n]{1,60}\d{4}\)",
    re.IGNORECASE,
)


def statistic_without_source(page: Page, rule: Rule) -> Iterator[Hit]:
    """The first figure of a paragraph that says nowhere where it is from; a link is a source."""
    if not _STATISTIC.search(page.plain):
        return
    notes = [page.original.find("<sup>"), page.original.find("[^")]
    addresses = page.places.get("address")
    for start, end in page.paragraphs:
        found = _STATISTIC.search(page.plain, start, end)
        if not found or _SOURCE.search(page.plain, start, end):
            continue
        if (addresses and addresses.touch(start, end)) or any(at >= 0 for at in notes):
            continue
        yield Hit(*found.span())


# --- sentences, lists and paragraphs ------------------------------------------------------

_OXFORD: Final = re.compile(
    r",\s+(?P<item>[^,.;:?!()\n]{1,80}(?:\([^()\n]{1,30}\))?),\s+(?:and|or)\b(?!\s*/)"
)
_NO_ITEM: Final = re.compile(
    r"(?:\d+|in|on|at|by|from|to|for|with|as|if|when|where|which|who|whose|that|while|since|until"
    r"|after|before|during|through|including|such|under|over|however|therefore|thus|respectively"
    r"|namely|too|also|it|they|we|he|she|there|this|these|those|held|both|either)\b",
    re.IGNORECASE,
)
_LONGEST_ITEM: Final = 5


def serial_comma(page: Page, rule: Rule) -> Iterator[Hit]:
    """A comma before the last and of a list of short items, none of which has an and of its own."""
    at = 0
    while found := _OXFORD.search(page.plain, at):
        at = found.start("item")
        words = found["item"].split()
        lower = [word.lower() for word in words]
        named = _CAPITALIZED.match(words[0]) and _CAPITALIZED.match(words[-1].strip("()"))
        if not named and len(words) > _LONGEST_ITEM:
            continue
        if _NO_ITEM.match(words[0]) or "and" in lower or "or" in lower:
            continue
        before = page.plain[max(found.start() - 80, 0) : found.start()]
        before = " ".join(re.split(r"[.;:!?\n,]", before)[-1].split()[-4:])
        if re.search(r"\b(?:and|or)\b", before) or _place_and_country(before, found["item"]):
            continue
        last = found.start() + found[0].rindex(",")
        yield Hit(last, found.end(), use=f"{words[-1]} {found[0].split()[-1]}")


@cache
def _countries() -> frozenset[str]:
    from babel import Locale

    ours = {
        "Republic of Korea",
        "Russian Federation",
        "Viet Nam",
        "Democratic People's Republic of Korea",
    }
    return frozenset(ours | {str(name) for name in Locale("en").territories.values()})


def _place_and_country(before: str, item: str) -> bool:
    """ "Ulaanbaatar, Mongolia, and": the commas set the country off, and are no list's."""
    last = re.search(r"(\w+)\s*$", before)
    if last is None or item.removeprefix("the ") not in _countries():
        return False
    return last[1][:1].isupper() and last[1] not in _countries()


_ITEM: Final = re.compile(r"[ \t]*(?:[-*•–‣▪]|\(?[a-z]\))[ \t]+\S")


def bullet_semicolons(page: Page, rule: Rule) -> Iterator[Hit]:
    """A list that a colon opens: items end with ; , the last but one with ; and , the last with .

    A list of labels, short and with no stop at any end, is no sentence and is left alone.
    """
    lettered = {at for at, label in page.numbers if not label.endswith(".")}
    items: list[tuple[int, int]] = []
    opened = False
    for start, end in [*page.lines, (len(page.plain), len(page.plain))]:
        line = page.plain[start:end].rstrip()
        if not line and end < len(page.plain):
            continue
        if opened and line and (start in lettered or _ITEM.match(line)):
            items.append((start, start + len(line)))
            continue
        yield from _list(page.plain, items)
        items, opened = [], line.endswith(":")


def _list(text: str, items: Sequence[tuple[int, int]]) -> Iterator[Hit]:
    written = [text[start:end] for start, end in items]
    stops = any(item[-1] in ";,." for item in written)
    if len(items) < 2 or not (stops or any(len(item) > 60 for item in written)):
        return
    for number, (item, (_, end)) in enumerate(zip(written, items, strict=True), start=1):
        wanted = ";"
        fits = item.endswith(";")
        if number == len(items):
            wanted, fits = "a full stop", item[-1] in ".!?"
        elif number == len(items) - 1:
            wanted, fits = (
                "; and",
                bool(re.search(r"; (?:and|or)(?:/or)?$", item)) or item[-1] == ";",
            )
        if not fits:
            last = len(item.split()[-1])
            yield Hit(end - last, end, use=wanted, note=f"item {number} of {len(items)} in a list")


_LONG: Final = 80
_STOPPED: Final = re.compile(r"[.!?:;…][”’\"')\]*]{0,3}(?:\d{1,3})?$")


def paragraph_ends_with_a_stop(page: Page, rule: Rule) -> Iterator[Hit]:
    """A numbered paragraph of some length that ends without a full stop."""
    for start, end in _numbered(page):
        text = page.plain[start:end].rstrip()
        if len(text) >= _LONG and not _STOPPED.search(text):
            last = len(text.split()[-1])
            yield Hit(start + len(text) - last, start + len(text), use=f"{text.split()[-1][-40:]}.")


def _numbered(page: Page) -> Iterator[tuple[int, int]]:
    """Paragraphs that begin with a number and a full stop, as a document's do."""
    labels = dict(page.numbers)
    for start, end in page.paragraphs:
        if re.fullmatch(r"\d{1,3}\.", labels.get(start, "")):
            yield start, end


def paragraphs_numbered_consecutively(page: Page, rule: Rule) -> Iterator[Hit]:
    """Where a document numbers its paragraphs: one left out between two, and numbers that jump."""
    labels = dict(page.numbers)
    paragraphs = list(_numbered(page))
    numbered = [(start, int(labels[start][:-1])) for start, _ in paragraphs]
    if sum(end - start >= _LONG for start, end in paragraphs) < 3:
        return  # a list, and no document with numbered paragraphs
    for (_, number), (at, following) in pairwise(numbered):
        if following not in (number + 1, 1):
            note = f"the paragraph before it is {number}"
            yield Hit(at, at + 1, f"{following}.", f"{number + 1}.", note)
    first, last = numbered[0][0], numbered[-1][0]
    places = page.passed(("table", "quotation", "code"))
    for start, end in page.paragraphs:
        text = page.plain[start:end].strip()
        if not first < start < last or start in labels or len(text) < _LONG:
            continue
        footnote = re.match(r"<sup>|\[\^", _original_from(page, start))
        prose = text[0].isupper() and _STOPPED.search(text) and "\n- " not in text
        if prose and not footnote and not any(spans.touch(start, start + 1) for spans in places):
            yield Hit(start, start + len(text))


def _original_from(page: Page, start: int) -> str:
    """The original line in which a place of the plain text stands."""
    line, _ = page.place(start)
    return page.original.split("\n")[line - 1].lstrip()


# --- accessibility ------------------------------------------------------------------------

_IMAGE: Final = re.compile(r"!\[(?P<alt>[^\[\]\n]{0,500})\]\((?P<file>[^()\s]{1,300})")
_IMG: Final = re.compile(r"<img\b[^<>]{0,1000}>", re.IGNORECASE)
_IMG_ALT: Final = re.compile(r"""\balt\s*=\s*(?:"[^"]*[^"\s][^"]*"|'[^']*[^'\s][^']*'|[^\s"'>]+)""")


def image_without_alt(page: Page, rule: Rule) -> Iterator[Hit]:
    """A picture that goes with the text, or stands in it, and is not described."""
    for picture in page.pictures:
        if alt.missing(picture):
            yield Hit(found=picture.file, note="it has no alt text", inside="picture")
    for found in _IMAGE.finditer(page.original) if "![" in page.original else ():
        if not found["alt"].strip():
            yield Hit(*found.span(), note="it has no alt text", inside="original")
    for found in _IMG.finditer(page.original) if "<" in page.original else ():
        if not _IMG_ALT.search(found[0]):
            yield Hit(*found.span(), note="it has no alt text", inside="original")


def alt_repeats(page: Page, rule: Rule) -> Iterator[Hit]:
    """Alt text that says again what the post says, or the name of the file."""
    for picture in page.pictures:
        if why := alt.repeats(picture, page.plain):
            yield Hit(found=f"{picture.file}: {picture.alt}", note=why, inside="picture")


def alt_too_long(page: Page, rule: Rule) -> Iterator[Hit]:
    """Alt text that the network would cut."""
    for picture in page.pictures:
        if over := alt.too_long(picture, page.alt_limit):
            note = f"{len(picture.alt.strip())} characters; the network takes {page.alt_limit}"
            yield Hit(found=picture.file, use=f"cut {over}", note=note, inside="picture")


def alt_begins_with_picture_of(page: Page, rule: Rule) -> Iterator[Hit]:
    """Alt text that says first that it is a picture."""
    for picture in page.pictures:
        if words := alt.picture_of(picture):
            yield Hit(found=f"{picture.file}: {words}", inside="picture")


def hashtag_case(page: Page, rule: Rule) -> Iterator[Hit]:
    """A hashtag of several words without their capitals, or unlike the one agreed on."""
    for found in HASHTAG.finditer(page.plain) if "#" in page.plain else ():
        proposal = alt.hashtag_proposal(found[0], page.hashtags)
        if proposal is not None:
            yield Hit(*found.span(), use=proposal)


_MAP: Final = re.compile(
    r"(?<![a-z])(?:maps?|cartograph\w{0,6}|carte)(?![a-z])|地图|地図|지도", re.IGNORECASE
)


def asset_contains_map(page: Page, rule: Rule) -> Iterator[Hit]:
    """A picture whose name, alt text or credit speaks of a map; what it shows is not looked at."""
    for picture in page.pictures:
        said = unicodedata.normalize("NFC", f"{picture.file} {picture.alt} {picture.credit}")
        if word := _MAP.search(said):
            yield Hit(found=f"{picture.file}: {word[0]}", inside="picture")
    for found in _IMAGE.finditer(page.original) if "![" in page.original else ():
        if _MAP.search(found[0]):
            yield Hit(*found.span(), inside="original")


# Runs of signs that may be emoji, or parts of one: the library goes letter by letter.
_SIGNS: Final = (
    "\u200d\ufe0f\u20e3\u203c-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff\U000e0020-\U000e007f"
)
_MOST_SIGNS: Final = 1_000  # of one run; whoever writes more has been told
_PERHAPS_EMOJI: Final = re.compile(f"(?:[0-9#*](?=[\ufe0f\u20e3]))?[{_SIGNS}]+")
_TEXT_SIGNS: Final = frozenset("©®™‼⁉ℹ↔↕↖↗↘↙↩↪▪▫▶◀●◼◻☎☑✔✖㊗㊙Ⓜ〰〽")
_KEYCAP: Final = "\u20e3"


def emoji_count_position_keycap(page: Page, rule: Rule) -> Iterator[Hit]:
    """Emoji: too many, in place of a number, before words, or with no blank between."""
    text = page.plain
    found = list(_emoji(text))
    if rule.most and len(found) > rule.most:
        start, end = found[rule.most]
        note = f"there are {len(found)} emoji; each is read out with its whole name"
        yield Hit(start, end, use=f"{rule.most} at most", note=note)
    said = set()
    for number, (start, end) in enumerate(found):
        line_end = text.find("\n", end)
        rest = text[end : line_end if line_end >= 0 else len(text)]
        kind, use, note = "", "", ""
        if _KEYCAP in text[start:end]:
            kind, use, note = "keycap", "the number itself", "an emoji stands for a number"
        elif any(letter.isalnum() for letter in rest[:200]):
            kind, use, note = "place", "at the end of the line", "words follow the emoji"
        elif number and found[number - 1][1] == start:
            kind, use, note = "close", "a blank between", "two emoji are read as one"
        if kind and kind not in said:
            said.add(kind)
            yield Hit(start, end, use=use, note=note)


def _emoji(text: str) -> Iterator[tuple[int, int]]:
    for run in _PERHAPS_EMOJI.finditer(text):
        import emoji

        for one in emoji.emoji_list(run[0][:_MOST_SIGNS]):
            if one["emoji"] not in _TEXT_SIGNS:
                yield run.start() + one["match_start"], run.start() + one["match_end"]


_VIDEO: Final = re.compile(
    r"(?:youtube\.com/(?:watch|shorts|live)|youtu\.be/|vimeo\.com/|bilibili\.com/video"
    r"|v\.qq\.com/|tv\.naver\.com/|rutube\.ru/video|webtv\.un\.org/)[!-~]{0,200}"
    r"|\.(?:mp4|mov|webm)(?!\w)"
)
_CAPTIONED: Final = re.compile(
    r"caption|subtitle|字幕|자막|субтитр|хадмал|sign language", re.IGNORECASE
)


def video_without_captions(page: Page, rule: Rule) -> Iterator[Hit]:
    """A video, linked or attached, while nothing says that it has captions."""
    attached = [picture for picture in page.pictures if picture.type.startswith("video/")]
    linked = _VIDEO.search(page.plain)
    if not (attached or linked) or _CAPTIONED.search(page.plain):
        return
    for video in attached:
        if not (video.captions or video.heard or _CAPTIONED.search(video.alt)):
            yield Hit(found=video.file, inside="picture")
    if linked:
        yield Hit(*linked.span())


CHECKS: Final[dict[str, Check]] = {
    check.__name__: check
    for check in (
        acronym_expanded_at_first_use,
        alt_begins_with_picture_of,
        alt_repeats,
        alt_too_long,
        asset_contains_map,
        bullet_semicolons,
        emoji_count_position_keycap,
        hashtag_case,
        image_without_alt,
        member_list_order,
        one_acronym_for_one_name,
        one_form_of_ordinals,
        paragraph_ends_with_a_stop,
        paragraphs_numbered_consecutively,
        serial_comma,
        statistic_without_source,
        video_without_captions,
        weekday_matches_date,
    )
}
