"""Command for texts that are not campaign files yet, or never will be: lint."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from outreach.cli import rows, starter
from outreach.cli.door import FOUND, Door, as_json, command
from outreach.cli.rows import Row, row
from outreach.errors import NotAllowed, NotFound, OutreachError, WrongFiles

if TYPE_CHECKING:
    from outreach.compose.style import Finding, House, Reading

MOST_TEXT = 5_000_000  # bytes; a book has one million
MOST_WORD = 50_000_000  # bytes of a Word file, pictures included
MOST_UNPACKED = 200_000_000  # bytes in it, pictures included
MOST_PARAGRAPHS = 50_000

RULES = "config/house-style"
_COLOURS = {"E": "bold red", "W": "yellow", "H": "magenta"}


@dataclass(frozen=True)
class Piece:
    """A text to be looked at, and what its lines are called: "12", or "paragraph 12"."""

    text: str
    language: str = ""
    first: int = 1  # the line of the file in which it begins
    labels: tuple[str, ...] = ()  # of its lines; none where they are the file's own
    template: bool = False


@dataclass(frozen=True)
class Looked:
    """A file, what was found in it, and how hard it is to read where that can be told."""

    file: str
    profile: str
    findings: tuple[tuple[str, "Finding"], ...]  # each with its place in words
    reading: "Reading | None" = None


@command(
    "outreach lint note.docx",
    "outreach lint templates/posts/forum/*.md",
    "outreach lint statement.txt --profile post --language ru",
)
def lint(
    ctx: typer.Context,
    files: list[Path] = typer.Argument(..., metavar="FILE...", help="Text, Markdown or Word."),
    profile: str = typer.Option("", help="post, document or bot; else as the file's place says."),
    language: str = typer.Option("", help="The language of the text; en, if nothing says more."),
    json: bool = typer.Option(False, "--json", help="For machines."),
) -> None:
    """Hold texts against the house's style.

    E blocks clearance, W warns, H is for a person to decide. Nothing is changed. The rules are
    the office's, in config/house-style; outside an office, the program's own.
    """
    from outreach.compose.style import PROFILES, language_named

    if profile and profile not in PROFILES:
        raise NotAllowed(f"there is no profile {profile}", f"profiles: {', '.join(PROFILES)}")
    house = _house(ctx.obj)
    if language:
        language_named(house, language)
    texts = [(path, list(_pieces(path, language))) for path in files]
    looked = [
        _look(house, path, pieces, profile=profile or _profile(path), language=language)
        for path, pieces in texts
    ]
    if json:
        as_json([_as_data(one) for one in looked])
    else:
        rows.say(_shown(looked))
    if any(finding.severity == "E" for one in looked for _, finding in one.findings):
        raise typer.Exit(FOUND)


def _house(door: Door) -> "House":
    """The office's rules; the program's own where there is no office, or it has none.

    Raises WrongFiles where the rules have mistakes.
    """
    from outreach.compose.style import load_style

    try:
        root = door.office
    except OutreachError:
        if door.home is not None:
            raise
        root = starter.source()
    if not (root / RULES).is_dir():
        root = starter.source()
    house = load_style(root / RULES, root=root)
    if house.problems:
        raise WrongFiles(house.problems)
    return house


def _profile(path: Path) -> str:
    folders = set(pairwise(path.resolve().parts))
    if ("templates", "posts") in folders:
        return "post"
    return "bot" if ("templates", "bot") in folders else "document"


def _template(path: Path) -> bool:
    return "templates" in path.resolve().parts


def _look(
    house: "House", path: Path, pieces: Sequence[Piece], *, profile: str, language: str
) -> Looked:
    from outreach.compose.style import reading

    found: list[tuple[str, Finding]] = []
    for piece in pieces:
        written = language or piece.language or "en"
        for one in house.lint(
            piece.text, language=written, profile=profile, template=piece.template
        ):
            here = one if piece.labels else replace(one, line=one.line + piece.first - 1)
            found.append((_place(here, piece), here))
    english = all((language or piece.language or "en").startswith("en") for piece in pieces)
    told = reading("\n\n".join(piece.text for piece in pieces)) if english else None
    return Looked(path.as_posix(), profile, tuple(found), told)


def _place(finding: "Finding", piece: Piece) -> str:
    if not piece.labels:
        return f"{finding.line}:{finding.column}"
    return piece.labels[min(finding.line, len(piece.labels)) - 1]


# --- reading files ------------------------------------------------------------------------


def _pieces(path: Path, language: str) -> Iterator[Piece]:
    """The texts of a file. Raises NotFound or NotAllowed where it cannot be read as one."""
    if not path.exists():
        raise NotFound(f"there is no file {path}", "look at how it is written")
    if not path.is_file():
        raise NotAllowed(f"{path} is not a file", f"name files: {path}/*.md")
    if path.suffix.lower() == ".docx":
        yield _word(path)
        return
    posts = _profile(path) == "post" and path.suffix.lower() == ".md"
    text = _text(path)
    if posts and (sections := list(_sections(path))):
        yield from (one for one in sections if language in ("", one.language))
        return
    yield Piece(text, template=_template(path))


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MOST_TEXT + 1)
    if len(data) > MOST_TEXT:
        raise NotAllowed(
            f"{path} has over {MOST_TEXT:,} bytes; that is no text to read", "split it"
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotAllowed(f"{path} is text in UTF-16", "save it again with the encoding UTF-8")
    if b"\0" in data or data.startswith((b"%PDF", b"PK\x03\x04", b"{\\rtf")):
        hint = "save it as text or as Word (.docx)"
        raise NotAllowed(f"{path} is not a text that can be read here", hint)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotAllowed(
            f"{path}:{line} is not UTF-8 text", "save it again with the encoding UTF-8"
        ) from None


def _sections(path: Path) -> Iterator[Piece]:
    """The sections of a message's text file, each in its language."""
    from outreach.compose.texts import read_texts

    for section in read_texts(path, path.as_posix()).sections:
        yield Piece(section.source, section.language, section.line, template=True)


def _word(path: Path) -> Piece:
    """A Word document's paragraphs, tables and footnotes; each line is called what it is."""
    import zipfile

    damaged = NotAllowed(f"{path} is not a Word document that can be read", "save it again in Word")
    if path.stat().st_size > MOST_WORD:
        raise NotAllowed(f"{path} has over {MOST_WORD:,} bytes", "take its pictures out")
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(member.file_size for member in packed.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise damaged from None
    if unpacked > MOST_UNPACKED:
        raise NotAllowed(f"{path} unpacks to {unpacked:,} bytes", "take its pictures out")
    try:
        lines = list(_lines(path))
    except (MemoryError, OSError):
        raise
    except Exception:  # a broken document can raise anything in zip, XML and python-docx
        raise damaged from None
    if len(lines) > MOST_PARAGRAPHS:
        raise NotAllowed(f"{path} has over {MOST_PARAGRAPHS:,} paragraphs", "split it")
    # An empty line between: a quotation that was left open ends with its paragraph.
    texts = "\n\n".join(text for _, text in lines)
    labels = tuple(label for label, _ in lines for _ in range(2))
    return Piece(texts, labels=labels or ("paragraph 1",), template=_template(path))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Label and text of all that has one, in the document's order."""
    from docx import Document
    from docx.table import Table

    document = Document(str(path))
    paragraphs = tables = 0
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            tables += 1
            for number, line in enumerate(block.rows, start=1):
                texts = dict.fromkeys(" ".join(cell.text.split()) for cell in line.cells)
                yield f"table {tables}, row {number}", "| " + " | ".join(texts) + " |"
            continue
        paragraphs += 1
        if text := " ".join(block.text.split()):
            yield f"paragraph {paragraphs}", text
    yield from _footnotes(document)


def _footnotes(document: Any) -> Iterator[tuple[str, str]]:
    from lxml import etree

    for relation in document.part.rels.values():
        if relation.is_external or not relation.reltype.endswith(("/footnotes", "/endnotes")):
            continue
        kind = relation.reltype.rpartition("/")[2][:-1]
        safe = etree.XMLParser(resolve_entities=False, no_network=True)
        root = etree.fromstring(relation.target_part.blob, safe)
        number = 0
        for note in root:
            words = "".join(t.text or "" for t in note.iter("{*}t")).strip()
            if words:
                number += 1
                yield f"{kind} {number}", words


# --- showing ------------------------------------------------------------------------------


def _shown(looked: Sequence[Looked]) -> Iterator[Row]:
    counts = {"E": 0, "W": 0, "H": 0}
    for one in looked:
        for place, finding in one.findings:
            counts[finding.severity] += 1
            yield row(
                (f"{one.file}{':' if place[0].isdecimal() else ', '}{place}", "cyan"),
                " ",
                (finding.severity, _COLOURS[finding.severity]),
                f" {finding.rule} ",
                (finding.found, "bold"),
            )
            said = "; ".join(part for part in (finding.proposal, finding.note) if part)
            if said:
                yield row(said, indent=4, lead="→ ")
            yield row((finding.source, "dim"), indent=6)
        if one.reading is not None and one.reading.words:
            yield row((f"{one.file}: read as a {one.profile}; {one.reading}", "dim"))
    total = ", ".join(f"{count} {severity}" for severity, count in counts.items() if count)
    files = rows.counted(len(looked), "file")
    yield row((total or "Nothing found", "bold"), f" in {files}.")


def _as_data(one: Looked) -> dict[str, Any]:
    return {
        "file": one.file,
        "profile": one.profile,
        "reading": {
            "words": one.reading.words,
            "sentences": one.reading.sentences,
            "long": one.reading.long,
            "lix": one.reading.lix,
        }
        if one.reading
        else None,
        "findings": [{"place": place, **asdict(finding)} for place, finding in one.findings],
    }
