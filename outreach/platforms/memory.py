"""A network in memory: for tests, demonstrations and rehearsals. Nothing leaves the process.

It is as naive as a network can be: it takes no keys, and what is sent twice is there twice.
A rehearsal `as` another platform has that one's limits and way of counting, and nothing else of it.
"""

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar

from outreach.errors import CannotTell, NotNow, Refused, Uncertain
from outreach.platforms import Account, Figures, Limits, Receipt, load
from outreach.post import Part


@dataclass(frozen=True)
class Live:
    """One part as the public of this network sees it. `after` is the id it follows, or ""."""

    part: Part
    receipt: Receipt
    at: datetime
    after: str = ""


class Memory:
    """Keeps posts in `live`. Put a name of FAULTS in `next_fault` to make it fail once.

    `blind` makes it a network that shows no history. `figures_of` is what it tells of a post, by
    receipt id; other posts have no likes, which it really knows.
    """

    limits = Limits(text=500, parts=25)
    offers: ClassVar = frozenset({"likes", "followers"})
    needs: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar = ("as",)
    public: ClassVar = False

    FAULTS: ClassVar[Mapping[str, Callable[[], BaseException]]] = {
        "refused": lambda: Refused("no"),
        "not now": lambda: NotNow("busy"),
        "lost before": lambda: Uncertain("no answer"),
        "lost after": lambda: Uncertain("no answer"),
        "bug after": lambda: RuntimeError("unforeseen"),
        "killed before": SystemExit,
        "killed after": SystemExit,
    }

    def __init__(self, account: Account | None = None, *, blind: bool = False) -> None:
        self.account = f"memory {account.channel}" if account else "memory"
        self.now = account.now if account else lambda: datetime.now(UTC)
        if account and (other := account.options.get("as")):
            self.limits = load(other).limits
        if blind:
            self.blind = True
        self.born = secrets.token_hex(4)
        self.live: list[Live] = []
        self.next_fault = ""
        self.figures_of: dict[str, Figures] = {}
        self.lock = threading.Lock()

    @property
    def blind(self) -> bool:
        """Whether it shows no history."""
        return not self.limits.shows

    @blind.setter
    def blind(self, blind: bool) -> None:
        self.limits = replace(self.limits, shows=not blind)

    @property
    def texts(self) -> list[str]:
        """The text of every part that is live, in the order they came."""
        with self.lock:
            return [post.part.text for post in self.live]

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Keep the part, or fail once as `next_fault` says."""
        part.fence(0)
        with self.lock:
            fault, self.next_fault = self.next_fault, ""
            if not fault or fault.endswith("after"):
                post = self._live(part, after)
        if fault:
            raise self.FAULTS[fault]()
        return post.receipt

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The newest part with this text since then, unless it is another delivery's."""
        if self.blind:
            raise CannotTell("this network shows no history")
        with self.lock:
            return next(self._matches(part, since, not_these), None)

    def figures(self, receipts: Sequence[Receipt]) -> Mapping[str, Figures]:
        """Likes, of the posts that are live."""
        with self.lock:
            live = {post.receipt.id for post in self.live}
            return {
                receipt.id: self.figures_of.get(receipt.id, {"likes": 0})
                for receipt in receipts
                if receipt.id in live
            }

    def audience(self) -> Figures:
        """No followers."""
        return {"followers": 0}

    def check(self) -> str:
        """Says that this is no network."""
        return f"{self.account}: kept in this process; nothing leaves it"

    def _live(self, part: Part, after: Receipt | None) -> Live:
        at, number = self.now(), str(len(self.live) + 1)
        # Another process counts from 1 again, and ids must never meet.
        receipt = Receipt(f"{self.born}-{number}", f"memory:{self.born}-{number}", at)
        self.live.append(Live(part, receipt, at, after.id if after else ""))
        return self.live[-1]

    def _matches(self, part: Part, since: datetime, not_these: Set[str]) -> Iterator[Receipt]:
        return (
            post.receipt
            for post in reversed(self.live)
            if post.part.text == part.text and post.at >= since and post.receipt.id not in not_these
        )
