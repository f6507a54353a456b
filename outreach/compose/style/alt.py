"""The accessibility gate for a picture's alt text, and for hashtags: a question each.

A description is for people who do not see the picture. One that says the post over again, or
the name of a file, tells them nothing.
"""

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePosixPath

from outreach.post import Picture

_PICTURE_OF = re.compile(
    r"\s*(?:(?:an?|the|this) (?:is )?)?(?:a )?"
    r"(?:picture|image|photo|photograph|pic|screenshot|graphic)(?: (?:of|showing)\b|:)",
    re.IGNORECASE,
)


def missing(picture: Picture) -> bool:
    """Whether it has no alt text."""
    return not picture.alt.strip()


def repeats(picture: Picture, caption: str = "") -> str:
    """Why the alt text tells nothing of its own, "" where it does.

    `caption` is the text that the picture goes with.
    """
    said = _words(picture.alt)
    if not said:
        return ""
    name = PurePosixPath(picture.file).name
    if said in (_words(name), _words(PurePosixPath(name).stem)):
        return "it repeats the name of the file"
    if said == _words(caption):
        return "it repeats the text"
    # A short label ("Bangkok") may well stand in the text; a whole line of it may not.
    lines = {_words(line) for line in caption.splitlines()}
    return "it repeats a line of the text" if said in lines else ""


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", plain))


def too_long(picture: Picture, limit: int) -> int:
    """By how many characters the alt text is over the network's limit; a limit of 0 is none."""
    return max(len(picture.alt.strip()) - limit, 0) if limit else 0


def picture_of(picture: Picture) -> str:
    """The words with which the alt text says that it is a picture, or ""."""
    found = _PICTURE_OF.match(picture.alt)
    return found[0].strip() if found else ""


def hashtag_proposal(tag: str, agreed: Collection[str]) -> str | None:
    """How a hashtag should be written, as far as that can be said; None where it is well as it is.

    `agreed` are the hashtags of the campaign, each with its capitals. Of others only the long
    ones can be said to need capitals, and not where.
    """
    bare = tag.lstrip("#")
    if bare in {one.lstrip("#") for one in agreed}:
        return None
    for one in agreed:
        if one.lstrip("#").casefold() == bare.casefold():
            return f"#{one.lstrip('#')}"
    one_case = bare.islower() or bare.isupper()
    return "" if one_case and len(bare) >= 12 and bare.isascii() else None
