"""How people react to a bot's posts: Telegram tells it as it happens, and keeps it for a day.

A bot has one stream of updates for all its chats, and what was taken once is told no more: so what
is heard is kept for all of them together, under the bot's number, and only then the place up to
which it was taken. Each update says how many reactions a message has now, so one that comes twice
changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from outreach.platforms import Receipt, Shelf

KINDS: Final = ("message_reaction_count",)
AT_ONCE: Final = 100  # updates of one question; Telegram gives no more
ROUNDS: Final = 20  # questions of one listening; what is left waits for the next

LOST: Final = timedelta(hours=23)  # Telegram keeps updates for 24
FRESH: Final = timedelta(hours=1)  # what was heard longer ago is no figure of now
QUIET: Final = timedelta(days=6)  # after a week without updates their numbers begin anywhere

_PLACE: Final = "updates"


@dataclass(frozen=True)
class Heard:
    """How many reactions a message has, as of `at` (aware, UTC)."""

    chat: int
    name: str  # of a public channel, without its @; or ""
    message: int
    count: int
    at: datetime


class Reactions:
    """What one bot has heard, on a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def following(self, now: datetime) -> int | None:
        """The number from which on updates were not taken yet; None where that is not known."""
        place = self._shelf.get(_PLACE) or {}
        heard = place.get("heard")
        if heard is None or now - datetime.fromisoformat(heard) > QUIET:
            return None
        return int(place["next"])

    def keep(self, heard: Iterable[Heard], following: int | None, now: datetime) -> None:
        """Keep what was heard, and after it the place; `following` is None where nothing was."""
        for one in heard:
            if one.name:
                self._put(f"@{one.name.lower()}", {"chat": one.chat})
            token = f"{one.chat} {one.message}"
            before = self._shelf.get(token)
            if before is None or datetime.fromisoformat(before["at"]) <= one.at:
                self._put(token, {"count": one.count, "at": one.at.isoformat()})
        place = dict(self._shelf.get(_PLACE) or {})
        last = place.get("last")
        if last is None or now - datetime.fromisoformat(last) > LOST:
            place["since"] = now.isoformat()  # what happened before was told to nobody
        place["last"] = now.isoformat()
        if following is not None:
            place |= {"next": following, "heard": now.isoformat()}
        self._put(_PLACE, place)

    def of(self, chat: str, receipt: Receipt, now: datetime) -> int | None:
        """How many reactions a post has, an album's messages together; None where that is unknown.

        A post of which nothing was told has none, if somebody has listened ever since it went out.
        """
        place = self._shelf.get(_PLACE)
        if place is None or now - datetime.fromisoformat(place["last"]) > FRESH:
            return None
        if chat.startswith("@"):
            chat = str((self._shelf.get(chat.lower()) or {}).get("chat", ""))
        told = [self._shelf.get(f"{chat} {number}") for number in receipt.id.split()]
        ever_since = receipt.at is not None and datetime.fromisoformat(place["since"]) <= receipt.at
        if not ever_since and (None in told):
            return None
        return sum(int(one["count"]) for one in told if one)

    def _put(self, token: str, value: dict[str, Any]) -> None:
        if self._shelf.put(token, value) != value:
            self._shelf.change(token, value)
