"""Commands for what is given to others: toolkit."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from outreach.cli import rows
from outreach.cli.door import FOUND, Door, as_json, command, write_whole

if TYPE_CHECKING:
    from outreach.toolkit import Kit


@command(
    "outreach toolkit forum-2025",
    "outreach toolkit forum-2025 --partner iclei --language en",
    "outreach toolkit forum-2025 --out ~/Kits",
)
def toolkit(
    ctx: typer.Context,
    campaign: str = typer.Argument(..., help="A campaign: forum-2025."),
    partner: list[str] = typer.Option([], help="Only this partner; may be given several times."),
    language: list[str] = typer.Option([], help="Only this language; may be given several times."),
    out: Path | None = typer.Option(None, metavar="DIR", help="Where to write; toolkits/ if not."),
    json: bool = typer.Option(False, "--json", help="Say what was made for machines."),
) -> None:
    """Make kits for partners: cleared texts, pictures, recalls.

    A folder and a zip for each partner and language, with a page to read first. Addresses carry the
    partner's own mark. What has changed since the last kit makes a new version, with a list of what
    must no longer be used; the same content is the same version. Exit code 1 where a zip is too
    large for mail.
    """
    from outreach.toolkit import MOST_BYTES
    from outreach.toolkit.write import files, zipped

    door: Door = ctx.obj
    with door.desk() as desk:
        kits = desk.kits.give(campaign, partners=partner, languages=language, by=door.person(desk))
        folder = (out or desk.home / "toolkits").expanduser() / campaign
        written: list[tuple[Kit, Path, int]] = []
        for kit in kits:
            made = files(kit)
            for path, data in made.items():
                file = folder / kit.stem / path
                file.parent.mkdir(parents=True, exist_ok=True)
                write_whole(file, data)
            package = zipped(kit, made)
            whole = folder / f"{kit.stem}.zip"
            write_whole(whole, package)
            written.append((kit, whole, len(package)))
    large = [whole for _, whole, size in written if size > MOST_BYTES]
    if json:
        as_json([{**_told(kit), "zip": str(whole), "bytes": n} for kit, whole, n in written])
    else:
        for kit, whole, size in written:
            rows.say(rows.row(line, whole=True) for line in _lines(kit, whole, size))
        left_out = dict.fromkeys(pair for kit, _, _ in written for pair in kit.left_out)
        if left_out:
            typer.echo("\nLeft out, since nothing that is not cleared leaves the house:")
            rows.say(rows.row(f"{key}: {why}", whole=True) for key, why in left_out)
        for whole in large:
            typer.echo(
                f"{whole.name} is over 25 MB: send the folder another way, or smaller pictures"
            )
    if large:
        raise typer.Exit(FOUND)


def _told(kit: "Kit") -> dict[str, object]:
    told = asdict(kit)
    for entry in told["entries"]:
        for picture in entry["pictures"]:
            del picture["data"]
    return told


def _lines(kit: "Kit", whole: Path, size: int) -> list[str]:
    """What was made for one partner, in one or two sentences."""
    texts = rows.counted(len(kit.entries), "text")
    new = [f"{len(kit.added)} new"] * bool(kit.added)
    new += [f"{len(kit.changed)} changed"] * bool(kit.changed)
    news = f" ({', '.join(new)})" if new else ""
    lines = [
        f"{kit.name}, {kit.language}: version {kit.version}, {texts}{news}, {size / 1e6:,.1f} MB"
        + (f", for {kit.contact}" if kit.contact else ""),
        f"  {whole}",
    ]
    if kit.recalls:
        count = rows.counted(len(kit.recalls), "text")
        lines.append(f"  Recall: {count} of earlier versions; send this one, and say so")
    over = [entry for entry in kit.entries if entry.over]
    if over:
        count = rows.counted(len(over), "text")
        lines.append(f"  {count} too long with this partner's address: the page says which")
    return lines
