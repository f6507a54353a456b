"""What comes back: delivery reports (RFC 3464), from a mailbox or from files.

Only what names one of our mails counts. Its Message-ID cannot be guessed, and a report that could
be made up would let anybody take others off the list.
"""

import email
import imaplib
import mailbox
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from typing import Final
from urllib.parse import unquote, urlsplit

from outreach.errors import Unusable

TIMEOUT: Final = 30.0  # seconds for a mailbox to answer
AT_ONCE: Final = 200  # reports that one look at a mailbox reads
LARGEST: Final = 5_000_000  # bytes; a report that is larger is not read

_OURS = re.compile(r"<([0-9a-f]{32})\.([0-9a-f]{16})@[^>\s]+>")
_ADDRESS = re.compile(r"[^\s<>@:;,()]+@[^\s<>:;,()]+")


@dataclass(frozen=True)
class Bounce:
    """One mail of ours that came back. `hard`: its address is no good, and never will be."""

    token: str
    digest: str
    hard: bool
    why: str


def read(data: bytes) -> list[Bounce]:
    """The bounces in a file: one mail, or a mailbox of many (mbox)."""
    if not data.startswith(b"From "):
        return list(_of(email.message_from_bytes(data)))
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        box = mailbox.mbox(file.name, create=False)
        try:
            return [bounce for mail in box for bounce in _of(mail)]
        finally:
            box.close()


def without_addresses(text: str) -> str:
    """What a server says, without whose mailbox it speaks of: whoever is forgotten is, here too."""
    return _ADDRESS.sub("…", text)


def fetch(address: str, password: str) -> list[Bounce]:
    """The bounces in a mailbox that were not seen yet, which are seen from then on.

    `address` is "imaps://USER@HOST[:PORT]/FOLDER". Raises Unusable where it cannot be read.
    """
    url = urlsplit(address)
    host, folder = url.hostname or "", unquote(url.path.lstrip("/")) or "INBOX"
    found: list[Bounce] = []
    failed = ""
    try:
        if url.scheme == "imaps":
            context = ssl.create_default_context()
            box: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                host, url.port or 993, ssl_context=context, timeout=TIMEOUT
            )
        else:
            box = imaplib.IMAP4(host, url.port or 143, timeout=TIMEOUT)
        with box:
            box.login(unquote(url.username or ""), password)
            box.select(f'"{folder}"')  # where there is none, the search is refused
            _kind, (numbers, *_rest) = box.search(None, "UNSEEN", "SMALLER", str(LARGEST))
            for number in (numbers or b"").split()[:AT_ONCE]:
                _, got = box.fetch(number.decode(), "(BODY.PEEK[])")
                for piece in got:
                    if isinstance(piece, tuple):
                        found += _of(email.message_from_bytes(piece[1]))
                box.store(number.decode(), "+FLAGS", "\\Seen")
    except (OSError, imaplib.IMAP4.error) as error:
        failed = str(error) or type(error).__name__
    if failed:  # outside, so that no error that quotes a login hangs on to it
        failed = failed.replace(password, "***") if password else failed
        raise Unusable(
            f"the mailbox of what comes back cannot be read at {host}: {failed[:200]}",
            "see `bounces` of the channel in config/channels.toml, and its password",
        )
    return found


def _of(mail: Message) -> Iterator[Bounce]:
    """The failures that a report tells of, where it is a report of one of our mails."""
    ours = _ours(mail)
    if ours is None:
        return
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if (
                not isinstance(block, Message)
                or str(block.get("Action", "")).strip().lower() != "failed"
            ):
                continue
            status = str(block.get("Status", "")).split("(")[0].strip()
            told = " ".join(str(block.get("Diagnostic-Code", "")).split())
            hard = status.startswith("5.1.") or status == "5.2.1"
            why = without_addresses(f"{status} {told}".strip())
            yield Bounce(*ours, hard, why[:300])
            return


def _ours(mail: Message) -> tuple[str, str] | None:
    """Token and digest of the mail of ours that a report brings back, or whose headers it does."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            told = first.get("Message-ID", "") if isinstance(first, Message) else ""
        elif kind == "text/rfc822-headers":
            with suppress(LookupError, ValueError):
                data = part.get_payload(decode=True)
                headers = email.message_from_bytes(data if isinstance(data, bytes) else b"")
                told = headers.get("Message-ID", "")
        else:
            continue
        if found := _OURS.search(str(told)):
            return found[1], found[2]
    return None
