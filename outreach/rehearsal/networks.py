"""The networks of a rehearsal: memory, with each network's own limits, offers and manner.

Their figures are simulated: drawn from what was posted and when, so that the same rehearsal has
the same ones. A figure that the network does not offer is absent here too.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Final

from outreach.errors import CannotTell, Handed
from outreach.platforms import Account, Figures, Receipt, load
from outreach.platforms.memory import Live, Memory
from outreach.post import Part

SEED: Final = "outreach rehearsal 1"
"""Where every simulated figure is drawn from."""

DISPLAYS: Final = (300, 2_700)  # of a post, in the end
FOLLOWERS: Final = (400, 6_000)
CLICKS: Final = (4, 40)  # visits through the links of a post
OF_DISPLAYS: Final = {  # how many of a hundred displays, from and to
    "likes": (0.8, 3.2),
    "shares": (0.2, 1.1),
    "replies": (0.1, 0.5),
    "quotes": (0.05, 0.25),
    "bookmarks": (0.1, 0.6),
    "engagements": (1.2, 5.0),
    "reach": (45, 75),
}
SLOW: Final = timedelta(hours=30)  # in which most of those who will have seen a post have seen it


def drawn(low: float, high: float, *from_: str) -> float:
    """A number between `low` and `high`: the same for the same words, on every machine."""
    seen = hashlib.sha256("\0".join((SEED, *from_)).encode()).digest()
    return low + (high - low) * int.from_bytes(seen[:6]) / 2**48


class Simulated(Memory):
    """One channel of a rehearsal, `as` its network; its ids follow from what it is sent."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.channel = self.born = account.channel
        self.offers = load(account.options["as"]).offers  # type: ignore[misc] # Memory's is its own

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Simulated ones, of what the network offers, growing with the age of a post."""
        with self.lock:
            live = {post.receipt.id: post for post in self.live}
        return {r.id: self._figures(live[r.id]) for r in receipts if r.id in live}

    def audience(self) -> Figures:
        """A simulated number of followers, where the network tells it."""
        if "followers" not in self.offers:
            return {}
        return {"followers": int(drawn(*FOLLOWERS, self.channel, "followers"))}

    def _figures(self, post: Live) -> Figures:
        about = (self.channel, post.part.text, post.at.isoformat())
        grown = 1 - math.exp(-((self.now() - post.at) / SLOW))
        displays = drawn(*DISPLAYS, *about, "displays") * grown
        found = {"displays": int(displays)}
        for name, per_cent in OF_DISPLAYS.items():
            found[name] = int(displays * drawn(*per_cent, *about, name) / 100)
        return {name: value for name, value in found.items() if name in self.offers}


class ByHand(Simulated):
    """A channel that a person posts to: it hands over, and is told. Nobody reads its figures."""

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._name = load(account.options["as"])(account).account.partition(" ")[2]
        self._handed: dict[str, Part] = {}
        self._done: dict[str, Receipt] = {}

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Hand it over once, and raise Handed; a Receipt where it was done."""
        part.fence(0)
        if part.token in self._done:
            return self._done[part.token]
        self._handed[part.token] = part
        raise Handed(f"to be posted on {self._name} by a person, who then gives its address")

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """What the person said of it."""
        if part.token in self._handed:
            raise CannotTell(f"look on {self._name}")
        return self._done.get(part.token)

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """None: a person would read them, and there is nobody here."""
        return {}

    def audience(self) -> Figures:
        """None, likewise."""
        return {}

    def address(self, url: str) -> str:
        """As it is: the stand-in's posts are nowhere."""
        return url

    def done(self, token: str, url: str, at: datetime) -> Receipt:
        """The stand-in has posted it."""
        with self.lock:
            self.live.append(Live(self._handed.pop(token), Receipt(url, url, at), at))
        return self._done.setdefault(token, self.live[-1].receipt)

    def absent(self, token: str) -> None:
        """The stand-in has not posted it."""
        self._handed.pop(token, None)
