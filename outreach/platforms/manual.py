"""A channel that a person posts to by hand: WeChat, KakaoTalk, LinkedIn, another office.

Publishing hands over a task (text, pictures, description) and waits; `done` with the address, or
`absent`, is what ends the waiting. The tasks stand on the shelf by the part's token.
"""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from outreach.errors import CannotTell, Handed, NotAllowed, NotFound, Refused
from outreach.platforms import Account, Figures, Limits, Receipt, Shelf
from outreach.post import Part


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
    asks: ClassVar = ("name",)
    public: ClassVar = True

    def __init__(self, account: Account) -> None:
        self.name = account.options.get("name") or account.channel
        self.account = f"manual {self.name}"
        self._now, self._shelf = account.now, account.shelf

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

    def done(self, token: str, url: str, at: datetime) -> Receipt:
        """A person posted the task at `url` (aware, UTC `at`).

        Raises NotFound where there is no such task, and NotAllowed where `url` is no web address,
        or the address given for another task of the channel.
        """
        address = urlsplit(url.strip())
        if address.scheme not in ("http", "https") or not address.hostname or " " in url.strip():
            raise NotAllowed(
                f"{url!r} is not the address of a post",
                "paste it as the browser shows it: https://…",
            )
        for other, task in self._shelf.list():
            if other != token and task["url"] == url.strip():
                raise NotAllowed(
                    f"{url} was given for another post", "paste this post's own address"
                )
        kept = _task(self._shelf, token)
        task = {**kept, "url": url.strip(), "at": at.isoformat(), "absent": False}
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
