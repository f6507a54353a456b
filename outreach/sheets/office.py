"""What an office's files say, as sheets need it; and what they would be after changes.

A `Planned` is a message with its keys as typed and its texts. Changes are values; `files` makes the
new content of every file they touch, and `write` puts it on the disk, all of it or nothing.
"""

import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outreach.compose.texts import Section, Texts, read_texts
from outreach.errors import Changed, NotAllowed, NotFound, Problem
from outreach.platforms import Channel, nearest
from outreach.sheets.book import mark, same

if TYPE_CHECKING:  # pydantic is heavy, and help comes at once
    from outreach.campaign.models import Campaign, Message
    from outreach.compose import Draft


@dataclass(frozen=True)
class Planned:
    """A message as its files have it. `typed` are its keys as texts; `file` is that of its texts,
    from the office's folder."""

    campaign: "Campaign"
    name: str
    message: "Message"
    typed: Mapping[str, Any]
    file: str
    texts: Texts

    def text(self, language: str, target: str = "", number: int = 0) -> Section | None:
        """Exactly this section, or None."""
        name = (language, target, number)
        return next((s for s in self.texts.sections if name_of(s) == name), None)

    def source_of(
        self, target: str, number: int, channels: Mapping[str, Channel]
    ) -> Section | None:
        """The source text that a translation in this place stands beside."""
        source = self.campaign.languages.source
        platform = channels[target].platform if target in channels else target
        return self.text(source, target, number) or self.texts.closest(
            source, platform, target, max(number - 1, 0)
        )

    @property
    def broken(self) -> Problem | None:
        """The first mistake of its text file; until it is put right, nothing can be changed."""
        mistakes = () if self.texts.missing else self.texts.problems
        return next(iter(mistakes), None)

    def audience(self) -> Mapping[str, Sequence[str]]:
        """Whom it is for: channels by language; none where that is not said."""
        to = self.message.to or self.campaign.defaults.to
        return self.campaign.audiences.get(to, {})


def name_of(section: Section) -> tuple[str, str, int]:
    return section.language, section.target, section.number


def messages(home: Path, campaigns: Iterable["Campaign"]) -> list[Planned]:
    """Every message of these campaigns, in the files' order."""
    return [one for campaign in campaigns for one in _messages(home, campaign)]


def _messages(home: Path, campaign: "Campaign") -> Iterator[Planned]:
    from outreach.campaign.reader import read_yaml

    tree = read_yaml((home / campaign.file).read_bytes(), campaign.file).value
    for name, message in campaign.messages.items():
        typed = tree.get("messages", {}).get(name)
        file = f"templates/{campaign.text_file(name, message.template)}"
        inside = (home / file).resolve().is_relative_to((home / "templates").resolve())
        texts = read_texts(home / file, file) if inside else Texts(file)
        yield Planned(
            campaign, name, message, typed if isinstance(typed, dict) else {}, file, texts
        )


def by_message(drafts: Iterable["Draft"]) -> dict[tuple[str, str], list["Draft"]]:
    """Drafts by campaign and message, each in their order."""
    found: dict[tuple[str, str], list[Draft]] = {}
    for draft in drafts:
        found.setdefault((draft.campaign, draft.of), []).append(draft)
    return found


def chosen(campaigns: Sequence["Campaign"], name: str) -> list["Campaign"]:
    """The campaign of this name, or all of them for "". Raises NotFound."""
    if not name:
        return list(campaigns)
    found = [one for one in campaigns if one.campaign == name]
    if not found:
        known = [one.campaign for one in campaigns]
        near = nearest(name, known)
        hint = f"did you mean {near}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise NotFound(f"there is no campaign {name} that can be read", hint)
    return found


# --- what comes back ----------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One thing that would be different, as people are shown it: `what` is "ko", "when", …"""

    where: str  # the cell, "Texts!G5"
    campaign: str
    message: str
    what: str
    old: str
    new: str
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextEdit:
    """A section of a text file as it is to be."""

    where: str
    file: str
    language: str
    target: str
    number: int
    source: str
    notes: Mapping[str, str]


@dataclass(frozen=True)
class KeyEdit:
    """A key of a campaign file as it is to be; None takes it out."""

    where: str
    file: str
    path: tuple[str, ...]
    value: str | Mapping[str, str] | None


@dataclass(frozen=True)
class Import:
    """What a sheet that came back asks for. Nothing is written yet."""

    kind: str
    changes: tuple[Change, ...] = ()
    texts: tuple[TextEdit, ...] = ()
    keys: tuple[KeyEdit, ...] = ()
    problems: tuple[Problem, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def where(self) -> Mapping[tuple[str, ...], str]:
        """The cell that each key of a campaign file comes from, by file and path."""
        return {(edit.file, *edit.path): edit.where for edit in self.keys}


def kept(cell: str, now: str, seen: str | None) -> str | None:
    """What becomes of a cell: None to leave the file as it is, the text to write, or Changed.

    `seen` is the mark of what the cell held when the sheet was made, or None for a cell that is
    new and held nothing. One that nobody touched leaves its file alone, whatever that says by now.
    Raises Changed where both were changed.
    """
    if same(cell, now) or mark(cell) == (mark("") if seen is None else seen):
        return None
    if mark(now) != (mark("") if seen is None else seen):
        raise Changed("the file has changed since this sheet was made, and so has the cell")
    return cell


@dataclass(frozen=True)
class Made:
    """A file before and after. `was` is None for a new one."""

    was: bytes | None
    becomes: bytes


def files(home: Path, asked: Import) -> tuple[dict[str, Made], list[Problem]]:
    """Every file as it would be, by its path from the office's folder; and what cannot be done."""
    from outreach.campaign.edit import Document
    from outreach.compose.texts_edit import set_section

    problems: list[Problem] = []
    read = {name: _read(home / name) for name in dict.fromkeys(_touched(asked))}
    documents = {
        name: Document(read[name] or b"", name)
        for name in dict.fromkeys(edit.file for edit in asked.keys)
    }
    made: dict[str, bytes] = {name: data or b"" for name, data in read.items()}
    for key in asked.keys:
        document = documents[key.file]
        try:
            if key.value is None:
                document.remove(*key.path)
            else:
                document.set(*key.path, value=key.value)
        except NotAllowed as error:
            problems.append(Problem(key.where, str(error), error.hint))
    for edit in asked.texts:
        if not (home / edit.file).resolve().is_relative_to((home / "templates").resolve()):
            what = f"the file of this text, {edit.file}, leaves the folder of texts"
            problems.append(Problem(edit.where, what, "put `template` or `templates` right first"))
            continue
        try:
            text = set_section(
                made[edit.file].decode("utf-8"),
                edit.language,
                edit.target,
                edit.number,
                source=edit.source,
                notes=edit.notes,
            )
            made[edit.file] = text.encode("utf-8")
        except (NotAllowed, UnicodeDecodeError) as error:
            hint = getattr(error, "hint", "save the text file as UTF-8")
            problems.append(Problem(edit.where, str(error), hint))
    made |= {name: document.data() for name, document in documents.items()}
    return {
        name: Made(read[name], data) for name, data in made.items() if data != read[name]
    }, problems


def _touched(asked: Import) -> Iterator[str]:
    yield from (edit.file for edit in asked.keys)
    yield from (edit.file for edit in asked.texts)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write(home: Path, made: Mapping[str, Made]) -> None:
    """Put the files on the disk. Raises Changed, writing nothing, where one is no longer as read.

    The new content stands beside each file before the first is exchanged, so that a full disk
    changes none of them.
    """
    ready: list[tuple[Path, Path]] = []
    try:
        for name, one in made.items():
            path = (home / name).resolve()  # a link stays a link
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                ready.append((new, path))
                out.write(one.becomes)
                out.flush()
                os.fsync(out.fileno())
            new.chmod(mode)
        for name, one in made.items():
            if _read(home / name) != one.was:
                raise Changed(
                    f"{name} has changed since it was read; nothing was written",
                    "import the sheet again",
                )
        for new, path in ready:
            new.replace(path)
    finally:
        for new, _ in ready:
            new.unlink(missing_ok=True)


def one_text_each(edits: Sequence[TextEdit]) -> Iterator[Problem]:
    """Two messages may share a text file, and then say different things."""
    first: dict[tuple[str, str, str, int], TextEdit] = {}
    for edit in edits:
        name = (edit.file, edit.language, edit.target, edit.number)
        before = first.setdefault(name, edit)
        if not same(before.source, edit.source):
            what = f"this text and that of {before.where} are the same one of {edit.file}"
            yield Problem(edit.where, what, "write the same into both, or leave one as it was")


# --- cells --------------------------------------------------------------------------------


def unknown(where: str, what: str, name: str, known: Collection[str]) -> Problem:
    """That there is no such thing, with the nearest that there is."""
    near = nearest(name, known)
    listed = ", ".join(sorted(known)[:20])
    hint = f"did you mean {near}?" if near else f"known are: {listed}"
    return Problem(where, f"there is no {what} called {name[:60]}", hint)


def put_right_first(where: str, found: Problem) -> Problem:
    """That a cell cannot be taken, since its text file has a mistake."""
    what = f"the file of this text has a mistake: {found.where}: {found.what}"
    return Problem(where, what, "put that right first: outreach check")


def said(where: str, parse: Callable[[str], object], text: str) -> Problem | None:
    """What is wrong with a value, in the parser's own sentence; None where nothing is."""
    from outreach.campaign.when import said as in_words

    try:
        parse(text)
    except ValueError as error:
        return Problem(where, *in_words(error))
    return None
