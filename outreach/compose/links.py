"""Addresses as a post prints them: tagged by campaign, message and channel, short where we can."""

import base64
import hashlib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from outreach.errors import Problem

_FOLDED = re.compile(r"(https?://[^\s?#]+/)l/[a-z2-7]{8}|\?utm_[^\s#]*")
_UNFIT = re.compile(r"[\s\\<>\"\x00-\x1f\x7f]")  # browsers and networks read these differently


@dataclass(frozen=True, slots=True)
class Link:
    """One short address: its code, and the tagged address that it leads to."""

    code: str
    target: str


def unfit(url: str, where: str) -> Problem | None:
    """Why an address may not stand in a post, or None.

    Only https, without a name or password in it; http is for loopback hosts alone, where a
    demo looks at itself.
    """
    try:
        split = urlsplit(url)
        host, _port = split.hostname or "", split.port
    except ValueError as error:
        return Problem(where, f"{url[:80]} is not an address: {error}", "copy it from a browser")
    if _UNFIT.search(url):
        hint = "copy it from a browser's address line"
        return Problem(where, f"there is a blank or a sign in {url[:80]!r} that must not be", hint)
    if split.scheme not in ("http", "https") or not host:
        hint = "a full address begins with https://"
        return Problem(where, f"{url[:80]} is not an address", hint)
    if split.username is not None or split.password is not None:
        # The address itself is not repeated: it holds a password.
        what = f"the address at {host} has a user name or a password in it"
        return Problem(where, what, "take out what stands before the @")
    if split.scheme == "http" and not loopback(host):
        return Problem(where, f"{url[:80]} is not encrypted", "write https:// in front of it")
    return None


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tagged(
    url: str, *, campaign: str, message: str, channel_source: str, medium: str = "social"
) -> str:
    """The address with its UTM parameters; its own query and fragment stay as they are.

    A parameter that the address already has is kept and not repeated.
    """
    split = urlsplit(url)
    there = {pair.partition("=")[0].lower() for pair in split.query.split("&")}
    ours = {
        "utm_source": channel_source,
        "utm_medium": medium,
        "utm_campaign": campaign,
        "utm_content": message,
    }
    added = [f"{name}={quote(v, safe='')}" for name, v in ours.items() if name not in there]
    query = "&".join(filter(None, [split.query.strip("&"), *added]))
    return urlunsplit(split._replace(query=query))


def folded(text: str) -> str:
    """The text with the parameters of its addresses folded: they differ on every channel."""
    return _FOLDED.sub(r"\1", text)


def code_of(key: str, target: str) -> str:
    """The code of a post's link: 8 base32 characters, lower case, of a hash of (key, target).

    So a plan can show it without writing anything.
    """
    hashed = hashlib.sha256(f"{key}\n{target}".encode()).digest()
    return base64.b32encode(hashed[:5]).decode().lower()


def address(public_url: str, key: str, target: str) -> str:
    """What the text prints: the short address, or without a `public_url` the tagged one itself."""
    return f"{public_url.rstrip('/')}/l/{code_of(key, target)}" if public_url else target
