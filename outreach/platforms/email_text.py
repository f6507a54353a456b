"""A cleared text as a mail: its subject, its plain text and its HTML, from one source.

The plain text is the cleared text itself, letter for letter; the HTML is the same, read as
Markdown. No HTML of a text is ever taken as such. Pictures stand within the mail, so that nothing
is fetched when it is opened, and nobody is counted by it.
"""

from collections.abc import Mapping
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, formataddr, parseaddr
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from outreach.links import addresses
from outreach.post import Part, Picture

LAYOUT = 1
"""Rises when a text would look otherwise than it did when it was cleared."""

SUBJECT = 120  # characters that a subject made from the text itself may have
WIDE = 600  # pixels that a picture takes at most
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_SIGNATURE = "-- "  # what readers' programs know as the end of the text (RFC 3676, 4.3)


class _Headers(EmailPolicy):
    """Headers as every mail program reads them.

    Python's own folding loses the blank between two words that it encodes, and encodes an address
    of the web that is longer than a line, which nobody's button then follows.
    """

    def _fold(self, name: str, value: Any, refold_binary: bool = False) -> str:
        text = " ".join(str(value).split())
        kind = name.lower()
        if kind in _NAMED and not self.utf8:
            phrase, address = parseaddr(text)
            return f"{name}: {formataddr((phrase, address))}\r\n"
        if kind in _AS_WRITTEN and text.isascii():
            return f"{name}: {text}\r\n"
        if kind in _AS_WRITTEN and not self.utf8:
            words = Header(text, "utf-8", maxlinelen=76, header_name=name)
            return f"{name}: {words.encode(linesep=self.linesep)}\r\n"
        folded: str = super()._fold(name, value, refold_binary)  # type: ignore[misc] # not in the stubs
        return folded


_NAMED = frozenset({"from", "reply-to", "list-id"})
_AS_WRITTEN = frozenset({"subject", "message-id", "list-unsubscribe", "to"})
_ASCII, _UTF8 = _Headers(linesep="\r\n"), _Headers(linesep="\r\n", utf8=True)


def split(text: str) -> tuple[str, str]:
    """Subject and body. A first line that a blank line follows is the subject; otherwise the
    subject is the text's beginning, and the body all of it."""
    head, blank, rest = text.strip("\n").partition("\n\n")
    if blank and rest.strip() and "\n" not in head:
        return " ".join(head.lstrip("# ").split()), rest.strip("\n")
    first = " ".join(text.strip().partition("\n")[0].lstrip("# ").split())
    if len(first) > SUBJECT:
        first = first[: SUBJECT - 1].rsplit(" ", 1)[0] + "…"
    return first, text.strip("\n")


def letter(
    part: Part,
    *,
    sender: str,
    to: str,
    number: str,
    at: datetime,
    words: Mapping[str, str],
    leave: str = "",
    headers: Mapping[str, str] | None = None,
) -> EmailMessage:
    """The mail of a part. `number` is its Message-ID; `leave` the address that unsubscribes."""
    subject, body = split(part.text)
    mail = EmailMessage(policy=_ASCII if to.isascii() else _UTF8)
    name, address = parseaddr(sender)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = number
    for header, value in (headers or {}).items():
        mail[header] = value
    foot = [words["footer"], *([f"{words['leave']}: {leave}"] if leave else [])]
    pictures = [_in_words(picture) for picture in part.pictures]
    plain = "\n\n".join([body, *pictures, "\n".join([_SIGNATURE, *foot])]) + "\n"
    mail.set_content(plain, cte=_encoding(plain))
    html = _page(part, subject, body, name or address, leave, words)
    mail.add_alternative(html, subtype="html", cte=_encoding(html))
    mail["Content-Language"] = part.language
    alternatives: Any = mail.get_payload()
    for at_, picture in enumerate(part.pictures, 1):
        kind, _, subtype = picture.type.partition("/")
        alternatives[-1].add_related(
            picture.data,
            kind,
            subtype,
            cid=f"<{_cid(at_)}>",
            disposition="inline",
            filename=picture.name,
        )
    return mail


def preview(part: Part, sender: str, words: Mapping[str, str], leave: str) -> str:
    """The mail's HTML with its pictures within it, to be looked at in a browser."""
    from base64 import b64encode

    subject, body = split(part.text)
    name, address = parseaddr(sender)
    page = _page(part, subject, body, name or address, leave, words)
    for at, picture in enumerate(part.pictures, 1):
        data = f"data:{picture.type};base64,{b64encode(picture.data).decode()}"
        page = page.replace(f'src="cid:{_cid(at)}"', f'src="{data}"')
    return page


def _page(
    part: Part, subject: str, body: str, sender: str, leave: str, words: Mapping[str, str]
) -> str:
    pictures = [
        {
            "src": f"cid:{_cid(at)}",
            "alt": picture.alt,
            "credit": picture.credit,
            "width": min(picture.width, WIDE),
        }
        for at, picture in enumerate(part.pictures, 1)
    ]
    rtl = part.language.partition("-")[0] in RIGHT_TO_LEFT
    html: str = _template().render(
        language=part.language,
        direction="rtl" if rtl else "ltr",
        subject=subject,
        heading=subject if body != part.text.strip("\n") else "",
        sender=sender,
        body=Markup(_markdown().render(_with_marked(body))),  # noqa: S704 - it takes no HTML
        pictures=pictures,
        foot=words["footer"],
        leave=leave,
        leave_words=words["leave"],
    )
    return html


def _with_marked(text: str) -> str:
    """Markdown in which addresses that stand alone are links, exactly as they are written."""
    made, end = [], 0
    for start, address in addresses(text):
        if text[:start].endswith(("](", "<", "[")):
            continue
        made += [text[end:start], f"<{address}>"]
        end = start + len(address)
    return "".join([*made, text[end:]])


def _in_words(picture: Picture) -> str:
    credit = f" ({picture.credit})" if picture.credit else ""
    return f"[{' '.join(picture.alt.split())}]{credit}"


def _cid(number: int) -> str:
    return f"picture-{number}@outreach"


def _encoding(text: str) -> str:
    """Whichever is shorter; both pass through every mail server."""
    plain = sum(letter.isascii() for letter in text)
    return "quoted-printable" if plain * 2 > len(text) else "base64"


@cache
def _markdown() -> Any:
    from markdown_it import MarkdownIt

    # Pictures come from the post, with their descriptions; a text has no HTML and no code.
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    return reader.disable(["image", "html_block", "html_inline", "code", "reference"])


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("letter.html")
