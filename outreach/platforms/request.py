"""An account that another office owns, and publishes on when it is asked: a package goes by mail.

The package leaves a lead time before the post is wanted, once for a token. From then on the post
is with that office, who gives its address on a form; nobody here can look whether a mail arrived.
"""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from outreach.errors import CannotTell, Handed, Refused
from outreach.platforms import Account, Receipt
from outreach.platforms.manual import Manual
from outreach.post import Part

_ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+\.[^@\s,<>]+")


class Request(Manual):
    """One account of another office, reached at the address `to`."""

    # A mail server is given its time for every step, and a mail with pictures takes its own.
    limits: ClassVar = replace(Manual.limits, deadline=240.0)
    asks: ClassVar = (*Manual.asks, "to")
    lead: ClassVar = 5  # working days: what the offices we know ask for

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.to = account.options.get("to", "")
        self.account = f"request {self.name}"
        self._package = account.package

    @classmethod
    def mistakes(cls, options: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
        """As of a manual channel; and an address that is none, or is missing."""
        yield from super().mistakes(options)
        to = options.get("to", "")
        if to != "tbc" and not _ADDRESS.fullmatch(to):
            what = f"{to!r} is not the address of an office" if to else "to is missing"
            yield "to", what, 'to whom packages go: to = "press@example.org", or "tbc"'

    def publish(self, part: Part, after: Receipt | None) -> Receipt:
        """Mail the package, and raise Handed; a Receipt where its address has been given."""
        if self._package is None:
            raise Refused(f"packages for {self.name} go by mail, and there is no mail server")
        try:
            return super().publish(part, after)
        except Handed:
            self._package(part)
        raise Handed(
            f"the package went to {self.to}: {self.name} publishes it, and gives its address"
        )

    def find(self, part: Part, since: datetime, not_these: Set[str]) -> Receipt | None:
        """The address that was given; otherwise only the other office can tell."""
        try:
            return super().find(part, since, not_these)
        except CannotTell:
            raise CannotTell(
                f"ask {self.to} whether the package arrived; whoever has it can give the address"
            ) from None

    def check(self) -> str:
        """Where packages go, and how many addresses are awaited."""
        waiting = sum(not (t["url"] or t["absent"]) for _, t in self._shelf.list())
        return f"{self.account}: packages go to {self.to}; {waiting} with them"
