"""Rows: what commands print. Plain values, so what is shown can be tested without a terminal.

Rich does the colours and the wrapping, and is imported when something is printed.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outreach import words as spoken
from outreach.words import clean, counted, place

if TYPE_CHECKING:
    from rich.progress import Progress

    from outreach.app import Outreach  # it brings the office's modules with it

__all__ = [
    "MANY",
    "Row",
    "Span",
    "Zones",
    "ago",
    "clean",
    "counted",
    "place",
    "progress",
    "row",
    "say",
]

Span = str | tuple[str, str]  # text, or text with its style

MANY = 40  # texts: fewer are composed before a bar could be read


@dataclass(frozen=True)
class Row:
    """One line: `indent` blanks, a `lead` that hangs before wrapped text, and spans."""

    spans: tuple[Span, ...]
    indent: int = 0
    lead: tuple[str, str] = ("", "")
    whole: bool = False  # never wrapped: a command to be copied


def row(*spans: Span, indent: int = 0, lead: str = "", style: str = "", whole: bool = False) -> Row:
    return Row(spans, indent, (lead, style), whole)


def say(rows: Iterable[Row]) -> None:
    """Print rows to the terminal, or as plain lines to whatever reads us."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    class Heard(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # Rich itself would end with 1, which means mistakes

    console = Heard(highlight=False, markup=False, emoji=False)
    for one in rows:
        spans = [(clean(s), "") if isinstance(s, str) else (clean(s[0]), s[1]) for s in one.spans]
        blanks = (" " * one.indent, "")
        whole = one.whole or not console.is_terminal
        hang = one.indent + len(one.lead[0])
        if whole or not hang:
            console.print(Text.assemble(blanks, one.lead, *spans), soft_wrap=whole)
            continue
        grid = Table.grid(padding=0)
        grid.add_column(no_wrap=True, width=hang)
        grid.add_column(overflow="fold")
        grid.add_row(Text.assemble(blanks, one.lead), Text.assemble(*spans))
        console.print(grid)


@contextmanager
def progress(words: str, *, many: int = MANY) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, of) that draws a bar on stderr, where that is a terminal and there are
    more than `many`."""
    bars: list[Progress] = []  # one, once there is something to tell: Rich is heavy

    def tell(done: int, of: int) -> None:
        if of <= many:
            return
        if not bars:
            from rich.console import Console
            from rich.progress import Progress

            bars.append(Progress(console=Console(stderr=True), transient=True))
            bars[0].add_task(words)
        [bar] = bars
        if bar.console.is_terminal:
            bar.start()
            bar.update(bar.task_ids[0], completed=done, total=of)

    try:
        yield tell
    finally:
        for bar in bars:
            if bar.live.is_started:
                bar.stop()


class Zones(spoken.Zones):
    """The office's two zones: in the second a time stands beside the first."""

    @classmethod
    def of(cls, desk: "Outreach") -> "Zones":
        office = desk.configuration.settings.office
        return cls(office.zone, office.also_zone)


def ago(seconds: float) -> str:
    """ "40 seconds", "12 minutes", "5 hours", "3 days"."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return counted(int(seconds // size), word)
    return counted(int(seconds), "second")
