"""The sections of a report, in the order in which they are printed. One more is one module."""

from collections.abc import Callable, Iterable

from outreach.report.paper import Paper
from outreach.report.sections import ahead, annexes, channels, compared, publication
from outreach.report.value import Section

SECTIONS: tuple[Callable[[Paper], Iterable[Section]], ...] = (
    compared.sections,
    channels.sections,
    publication.sections,
    ahead.sections,
    annexes.sections,
)
