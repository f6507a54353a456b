"""Counts of few people are not printed: who they are could be told from them.

A cell of one to four people is suppressed. Because the total is printed beside its cells, a
single suppressed cell could be computed from it: so further cells are suppressed until it cannot,
the smallest first. Where even that does not hide it, nothing of the breakdown is printed.
"""

from collections.abc import Mapping
from typing import Final

FEWEST: Final = 5
"""The smallest count of people that is printed in a breakdown."""


def protected(cells: Mapping[str, int]) -> Mapping[str, int | None] | None:
    """The cells as they may be printed beside their total: None stands for a suppressed one.

    A nil is printed: it tells of nobody. None for all of them where nothing may be printed but
    the total.
    """
    hidden = {name for name, count in cells.items() if 0 < count < FEWEST}
    if hidden and sum(cells.values()) < 2 * sum(count > 0 for count in cells.values()):
        return None  # most are one person; to print which are nil would tell who
    while hidden and not _safe([cells[name] for name in hidden]):
        rest = {name: count for name, count in cells.items() if count and name not in hidden}
        if not rest:
            return None
        # Of equal ones all: which of them was taken would tell which it was not.
        hidden |= {name for name, count in rest.items() if count == min(rest.values())}
    return {name: None if name in hidden else count for name, count in cells.items()}


def _safe(hidden: list[int]) -> bool:
    """Whether nobody can tell one of them from their sum, who knows how they were chosen."""
    few, total = len(hidden), sum(hidden)
    if few < 2 or total < FEWEST:
        return False
    # All of them are 1 where they add up to their number, and all of them are 4 likewise.
    return total != few and total != few * (FEWEST - 1)
