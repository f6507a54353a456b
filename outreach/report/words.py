"""Numbers and lists as a United Nations document writes them, in British spelling."""

from collections.abc import Sequence
from decimal import Decimal

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MINUS = "−"


def count(number: int) -> str:
    """One to nine in words, more in figures: "nine", "10", "48,210"; none is "no"."""
    return _SMALL[number] if 0 <= number < len(_SMALL) else figure(number)


def figure(number: int) -> str:
    """ "48,210" """
    return f"{number:,}".replace("-", MINUS)


def signed(number: Decimal) -> str:
    """ "+59.9", "−12.0", "0.0" """
    return f"{number:+,}".replace("-", MINUS) if number else f"{abs(number)}"


def plural(number: int, one: str, many: str = "") -> str:
    """ "one post", "52 posts" """
    return f"{count(number)} {one if number == 1 else many or f'{one}s'}"


def listing(items: Sequence[str]) -> str:
    """ "X, LinkedIn and VK", without a comma before "and"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def sentence(text: str) -> str:
    """With a capital first and a full stop last."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith((".", "!", "?", ".”")) else f"{text}."


def letter(index: int) -> str:
    """The indicator of a table's note: a to z, then aa, ab and so on."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("a") + rest) + text
    return text
