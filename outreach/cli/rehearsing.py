"""Command for a whole campaign before it is public: rehearse."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, command, write_whole

if TYPE_CHECKING:  # it brings the database with it
    from outreach.rehearsal import Rehearsal


@command(
    "outreach rehearse",
    "outreach rehearse campaigns/forum-2025.yaml",
    "outreach rehearse campaigns/forum-2025.yaml --as-it-stands --out ~/forum.html",
)
def rehearse(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(
        None, metavar="[FILE...]", help="Campaign files of this office; all, if none is named."
    ),
    out: Path | None = typer.Option(
        None, metavar="FILE.html", help="Where to write; into reports/ if not."
    ),
    as_if_confirmed: bool = typer.Option(
        True,
        "--as-if-confirmed/--as-it-stands",
        help="Show the whole run, with marks for what is not known; or hold that back.",
    ),
) -> None:
    """Run a whole campaign on a fast clock, and show it on one page. Nothing is published.

    Every post as each network would show it, the calendar, all problems, the clearances it needs
    and from whom, what would be missed, and its reports, with simulated figures. The office is
    only read. Exit code 1 where there are mistakes in the files; the page is made all the same.
    """
    from outreach.config import real_now
    from outreach.rehearsal import page
    from outreach.rehearsal import rehearse as run

    door: Door = ctx.obj
    home = door.office
    shown = run(
        home,
        files or [],
        made=real_now().date(),
        as_if_confirmed=as_if_confirmed,
        watch=rows.progress,
    )
    file = out or home / "reports" / f"{_named(shown)}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, page.write(shown))
    rows.say(rows.row(sentence) for sentence in page.summary(shown))
    typer.echo(f"wrote {file}")
    if shown.mistakes:
        raise typer.Exit(FOUND)


def _named(shown: "Rehearsal") -> str:
    """ "rehearsal-forum-2025" for one campaign, "rehearsal" for several."""
    return f"rehearsal-{Path(shown.files[0]).stem}" if len(shown.files) == 1 else "rehearsal"
