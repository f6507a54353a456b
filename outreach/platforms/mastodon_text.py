"""Text as Mastodon counts it, and as a server shows it again: in HTML, and without domains."""

import re
import unicodedata
from html.parser import HTMLParser

_LONG_HOST = re.compile(r"(https?:)/(?=/[^\s/?#:]{254})", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w/])@(\w+)@[\w.-]*\w")


def counted(text: str) -> int:
    """A server's own count: characters as people see them, an address as 23, and a mention
    without its domain.

    https://docs.joinmastodon.org/user/posting/#text
    """
    from mastodon import Mastodon

    # To a server a host of more than 253 characters is none, and its address plain text.
    return int(Mastodon.get_status_length(_LONG_HOST.sub(r"\1-", text)))


def rendered(html: str) -> str:
    """What a status's HTML reads as, its blanks and line ends as they come."""
    page = _Page()
    page.feed(html)
    page.close()
    return "".join(page.pieces)


def as_read(text: str) -> str:
    """Without what a server changes: normal form, spaces, the domains of those it knows."""
    return " ".join(_MENTION.sub(r"@\1", unicodedata.normalize("NFC", text)).split())


def without_links(text: str) -> str:
    return as_read(re.sub(r"https?://\S+", "", text))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("p", "br"):
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
