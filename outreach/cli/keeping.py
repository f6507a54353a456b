"""Commands for keeping what the office has: backup, restore."""

import os
from pathlib import Path

import typer

from outreach.cli import rows, show, tokens
from outreach.cli.door import Door, command
from outreach.errors import NotAllowed, NotFound

LARGE = 20_000  # rows, or thousands of bytes: less is copied before a bar could be read


@command(
    "outreach backup",
    "outreach backup /mnt/backups --keep 30",
    "outreach backup before-the-forum.zip",
)
def backup(
    ctx: typer.Context,
    where: Path | None = typer.Argument(
        None, metavar="[DIR|FILE]", help="A folder, or a file's name; data/backups unless said."
    ),
    keep: int | None = typer.Option(
        None, min=1, metavar="N", help="Remove all but the newest N backups of this office in DIR."
    ),
) -> None:
    """Keep the database and the office's files in one file.

    The desk goes on meanwhile. The file appears when it is whole and was read again. Secrets are
    never in it.
    """
    door: Door = ctx.obj
    with door.desk() as desk, rows.progress("Backing up", many=LARGE) as tell:
        made = desk.backups.make(where, keep=keep, tell=tell)
    typer.echo(f"wrote {made.file}")
    counts = made.about.rows
    typer.echo(
        f"      {made.size / 1e6:,.1f} MB: {rows.counted(counts.get('delivery', 0), 'post')}, "
        f"{sum(counts.values()):,} rows in all; {rows.counted(len(made.about.written), 'file')}"
    )
    for file in made.removed:
        typer.echo(f"removed {file.name}")
    for name, why in made.left_out.items():
        typer.echo(f"not in it: {name}: {why}", err=True)


@command(
    "outreach restore data/backups/secretariat-2025-07-20-013005Z.zip",
    "outreach restore secretariat-2025-07-20-013005Z.zip --replace",
    "outreach restore secretariat-2025-07-20-013005Z.zip --files /srv/outreach",
)
def restore(
    ctx: typer.Context,
    file: Path = typer.Argument(..., help="What outreach backup has made."),
    replace: bool = typer.Option(
        False, "--replace", help="Replace a database that has rows; a backup of it is made first."
    ),
    files: Path | None = typer.Option(
        None, metavar="DIR", help="Only write the office's files that are in it, into a new folder."
    ),
) -> None:
    """Put a backup in the place of this office's database.

    All of it or nothing, into an SQLite or a PostgreSQL database, and only while no desk is on
    duty. What was due since the backup was made is looked for before anything is sent.
    """
    door: Door = ctx.obj
    if files:
        if replace:
            raise NotAllowed("--files replaces nothing", "say one of the two")
        _take_out(file, files)
        return
    try:
        home = door.office
    except NotFound as error:
        raise NotFound(
            str(error),
            f"take the office's folder out of it first: outreach restore {file} --files DIR",
        ) from None
    with door.desk(prepare=False) as desk, rows.progress("Restoring", many=LARGE) as tell:
        restored = desk.backups.restore(
            file,
            token=os.environ.get("OUTREACH_TOKEN") or tokens.read(home),
            acting=door.acting if desk.configuration.settings.desk.demo else "",
            replace=replace,
            tell=tell,
        )
        rows.say(show.restored(restored, desk.real(), rows.Zones.of(desk)))


def _take_out(file: Path, folder: Path) -> None:
    from outreach.backup import take_out

    taken = take_out(file, folder)
    typer.echo(f"wrote {rows.counted(len(taken), 'file')} into {folder}")
    typer.echo("Secrets are not among them: put them where they belong (configuration.md).")
    typer.echo(f"Then, for its database: outreach --home {folder} restore {file}")
