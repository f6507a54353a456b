"""Newsletters, as the office handles them: lists that come and go as files, and what comes back.

What the public does there, and what a mailing does, is told in `subscribers`.
"""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import datetime

from outreach import bounces
from outreach.clearance import MAY_ADMINISTER, MAY_WRITE, Person
from outreach.consents import read_consents
from outreach.platforms import Platform, Returns
from outreach.subscribers import Subscribers


class Newsletters:
    """The lists of every newsletter: taken, given, and cleared of addresses that are no more."""

    def __init__(
        self,
        *,
        subscribers: Subscribers,
        platforms: Callable[[], Mapping[str, Platform]],
        now: Callable[[], datetime],
    ) -> None:
        self.subscribers, self.platforms, self.now = subscribers, platforms, now

    def take(self, channel: str, data: bytes, *, file: str, by: Person) -> tuple[int, int]:
        """Add the people of a CSV who agreed elsewhere: how many, and how many were left out.

        Raises WrongFiles where there is any mistake in it.
        """
        by.must_be(MAY_WRITE)
        languages = self.subscribers.newsletters[channel].languages
        today = self.now().date()
        agreed = read_consents(data, file=file, languages=languages, today=today)
        return self.subscribers.take(channel, agreed, file=file, by=by.id)

    def give(self, channel: str, *, by: Person) -> tuple[bytes, int]:
        """The list of a channel as CSV, and how many are on it."""
        by.must_be(MAY_WRITE, MAY_ADMINISTER)
        everybody = self.subscribers.everybody(channel, by=by.id)
        file = io.StringIO(newline="")
        # A spreadsheet would take some addresses for formulas.
        rows = [[f"'{cell}" if cell[:1] in "=+-@" else cell for cell in one] for one in everybody]
        heads = ("address", "language", "source", "date", "consent")
        csv.writer(file).writerows([heads, *rows])
        return file.getvalue().encode("utf-8-sig"), len(everybody)

    def read_bounces(self, data: bytes | None = None) -> tuple[int, int]:
        """Keep what has come back of newsletters: from these bytes, or from every mailbox.

        How many were ours, and how many addresses are written to no more. Raises Unusable.
        """
        if data is not None:
            return self.subscribers.bounced(bounces.read(data))
        found = [
            bounce
            for platform in self.platforms().values()
            if isinstance(platform, Returns)
            for bounce in platform.returned()
        ]
        return self.subscribers.bounced(found)
