"""A channel that a person posts to by hand: WeChat, Weibo, KakaoTalk, LINE, VK, and any other.

Publishing hands over a task (text, pictures, description) and waits; `done` with the address, or
`absent`, is what ends the waiting. The tasks stand on the shelf by the part's token.
What a network takes, and how its addresses look, is data: by_hand.toml beside this file.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from outreach.errors import CannotTell, Handed, NotAllowed, NotFound, Refused
from outreach.hints import did_you_mean
from outreach.platforms import Account, Figures, How, Limits, Receipt, Shelf
from outreach.post import Part


@dataclass(frozen=True)
class Network:
    """What is known of a network that people post to; see by_hand.toml."""

    title: str
    text: int
    pictures: int
    bytes: int
    types: tuple[str, ...]
    addresses: tuple[str, ...]
    like: str
    source: str
    links: bool = True
    instead: str = ""
    never: Mapping[str, str] = field(default_factory=dict)

    def wrong(self, url: str) -> tuple[str, str] | None:
        """What is wrong with the address of a post, and what to do; None where it is one."""
        for part, why in self.never.items():
            if part in url:
                return f"{url} cannot be kept: {why}", f"paste it once it is public: {self.like}"
        if any(re.fullmatch(form, url) for form in self.addresses):
            return None
        return (
            f"{url} is not the address of a post on {self.title}",
            f"open the post there and copy its own address, which looks like {self.like}",
        )


@cache
def networks() -> Mapping[str, Network]:
    """By the name that `network` of a channel gives."""
    text = Path(__file__).with_name("by_hand.toml").read_text(encoding="utf-8")
    data: dict[str, dict[str, Any]] = tomllib.loads(text)
    listed = {"types", "addresses"}
    return {
        name: Network(**(one | {key: tuple(one[key]) for key in listed}))
        for name, one in data.items()
    }


LONGEST = 2000  # characters of an address; browsers and mails cut longer ones


class Manual:
    """One account that a person keeps; `name` in channels.toml says which, for people."""

    limits: ClassVar = Limits(
        text=20_000,
        pictures=20,
        picture_bytes=20_000_000,
        picture_types=frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"}),
        visible=timedelta(0),  # a person's "it is not there" is believed at once
        shows=False,
    )
    offers: ClassVar = frozenset(  # by CSV
        {"displays", "engagements", "likes", "shares", "replies", "followers"}
    )
    needs: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[tuple[str, ...]] = ("name", "network", "most-text", "most-pictures", "addresses")
    public: ClassVar = True
    how: ClassVar = How(nothing="people post there themselves, with their own way in")

    def __init__(self, account: Account) -> None:
        options = account.options
        self.name = options.get("name") or account.channel
        self.account = f"manual {self.name}"
        self.network = networks().get(options.get("network", ""))
        self._hosts = tuple(re.findall(r"[^\s,]+", options.get("addresses", "")))
        if self.network:
            self.limits = replace(  # type: ignore[misc] # this account's own
                self.limits,
                text=self.network.text,
                pictures=self.network.pictures,
                picture_bytes=self.network.bytes,
                picture_types=frozenset(self.network.types),
                links=self.network.links,
                link_goes=self.network.instead,
            )
        for option, limit in (("most-text", "text"), ("most-pictures", "pictures")):
            if options.get(option, "").isdigit():
                changed = {limit: int(options[option])}
                self.limits = replace(self.limits, **changed)  # type: ignore[misc,arg-type] # as above; both are ints
        self._now, self._shelf = account.now, account.shelf

    @classmethod
    def mistakes(cls, options: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
        """A network that nobody knows, and limits that are none."""
        name = options.get("network", "")
        if name and name != "tbc" and name not in networks():
            known = ", ".join(sorted(networks()))
            hint = did_you_mean(name, networks()) or f"known are: {known}; or leave it out"
            yield "network", f"network cannot be {name!r}", hint
        for option, least in (("most-text", 1), ("most-pictures", 0)):
            value = options.get(option, "")
            if value and value != "tbc" and not (value.isdigit() and int(value) >= least):
                yield option, f"{option} cannot be {value!r}", f"write {option} = 500"

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Hand the task over, once for a token, and raise Handed; a Receipt if it was done."""
        if not part.token:
            raise Refused("a task is kept under its part's token, and this part has none")
        task = {
            "text": part.text,
            "language": part.language,
            "pictures": [
                {
                    "file": picture.file,
                    "sha256": picture.sha256,
                    "type": picture.type,
                    "alt": picture.alt,
                    "credit": picture.credit,
                }
                for picture in part.pictures
            ],
            "account": self.account,
            "after": after.url if after else "",
            "due": self._now().isoformat(),
            "url": "",
            "at": "",
            "absent": False,
        }
        part.fence(0)
        kept = self._shelf.put(part.token, task)
        if kept["absent"]:  # a person had said that it was not posted; it is wanted again
            self._shelf.change(part.token, task)
            kept = task
        if kept["url"]:
            return _receipt(kept)
        raise Handed(f"to be posted on {self.name} by a person, who then gives its address")

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """What a person said of this task: the address, or that it is not there.

        Their word is taken whatever `since` is, but not for an address that is another post's.
        """
        task = self._shelf.get(part.token)
        if task is None or task["absent"]:
            return None
        if not task["url"]:
            raise CannotTell(f"look on {self.name} for: {_words(part.text)}")
        if task["url"] in not_these:
            raise CannotTell(f"{task['url']} is the address of another post; give this one's")
        return _receipt(task)

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """None by itself: a person imports them as CSV."""
        return {}

    def audience(self) -> Figures:
        """None by itself: a person imports it as CSV."""
        return {}

    def check(self) -> str:
        """How many tasks wait for a person."""
        waiting = sum(not (t["url"] or t["absent"]) for _, t in self._shelf.list())
        return f"{self.account}: posted by a person; {waiting} waiting"

    def address(self, url: str) -> str:
        """The address of a post here, as it is kept. Raises NotAllowed for what is none."""
        url = url.strip()
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            parts, host = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not host or re.search(r"[\s<>\x00-\x1f]", url):
            raise NotAllowed(
                f"{url[:200]!r} is not the address of a post",
                "paste it as the browser shows it: https://…",
            )
        if len(url) > LONGEST:
            raise NotAllowed(
                f"this address has {len(url):,} characters: it is not a post's alone",
                "open the post by itself, and copy its address",
            )
        if self._hosts and not any(host == one or host.endswith(f".{one}") for one in self._hosts):
            raise NotAllowed(
                f"{url} is not on {' or '.join(self._hosts)}",
                f"paste the address of the post on {self.name}",
            )
        if not self._hosts and self.network and (wrong := self.network.wrong(url)):
            raise NotAllowed(*wrong)
        return url

    def done(self, token: str, url: str, at: datetime) -> Receipt:
        """A person posted the task at `url` (aware, UTC `at`).

        Raises NotFound where there is no such task, and NotAllowed where `url` is not the address
        of a post here, or the address given for another task of the channel.
        """
        url = self.address(url)
        for other, task in self._shelf.list():
            if other != token and task["url"] == url:
                raise NotAllowed(
                    f"{url} was given for another post", "paste this post's own address"
                )
        kept = _task(self._shelf, token)
        task = {**kept, "url": url, "at": at.isoformat(), "absent": False}
        self._shelf.change(token, task)
        return _receipt(task)

    def absent(self, token: str) -> None:
        """A person says that the task was not posted. NotFound where there is no such task."""
        task = _task(self._shelf, token)
        self._shelf.change(token, {**task, "url": "", "at": "", "absent": True})


def _task(shelf: Shelf, token: str) -> Mapping[str, Any]:
    task = shelf.get(token)
    if task is None:
        raise NotFound("there is no such task", "the desk lists what waits for a person")
    return task


def _receipt(task: Mapping[str, Any]) -> Receipt:
    return Receipt(task["url"], task["url"], datetime.fromisoformat(task["at"]))


def _words(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    return f"“{line.strip()[:120]}”"
