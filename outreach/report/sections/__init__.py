"""The sections of a report, in the order in which they are printed. One more is one module."""

from collections.abc import Callable, Iterable

from outreach.report.paper import Paper
from outreach.report.sections import (
    ages,
    ahead,
    annexes,
    audience,
    channels,
    compared,
    groups,
    outcomes,
    publication,
    revised,
    som,
)
from outreach.report.value import Section

SECTIONS: tuple[Callable[[Paper], Iterable[Section]], ...] = (
    som.sections,
    revised.sections,
    compared.sections,
    channels.sections,
    groups.sections,
    ages.sections,
    audience.sections,
    outcomes.sections,
    publication.sections,
    ahead.sections,
    annexes.sections,
)
