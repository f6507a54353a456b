"""What of campaign files is kept beside what was composed: plain values, without pydantic.

Drafts and plans are made of these; what was kept of them is looked at without the import of
`outreach/campaign/models.py`, which takes longer than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outreach.campaign.models import Campaign


@dataclass(frozen=True, slots=True)
class Late:
    """What to do with a cleared post found late: send within `within`, then ask a person."""

    within: timedelta = timedelta(minutes=15)
    written: str = "send within 15 minutes, then ask"


@dataclass(frozen=True)
class Loaded:
    """What a campaigns folder holds: the campaigns that could be read, and every problem.

    `unreadable` names the campaigns (by id where it could be read, else by the file's stem)
    whose file is broken: their deliveries are left alone.
    """

    campaigns: "Sequence[Campaign]" = ()
    problems: tuple[Any, ...] = ()  # of Problem
    unreadable: frozenset[str] = field(default_factory=frozenset)
