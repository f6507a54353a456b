"""An office with texts in three languages, and sheets that somebody fills in with Excel.

openpyxl stands for Excel here: it reads what we wrote, and writes what we read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.cli.conftest import Answer, Shell
from tests.conftest import Office

CHANNELS = """
[web]
platform = "feed"

[net]
platform = "memory"
languages = ["en", "ko"]

[vk]
platform = "memory"
languages = ["ru"]
"""

CAMPAIGN = """\
# The forum; asked on Monday.
campaign: forum
programme: low-carbon-cities
title: The forum
written-by: ana
languages: {source: en, also: [ko, ru]}
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
facts:
  theme: {value: Rethinking climate action, source: the note}
links: {register: tbc}
audiences:
  main: {en: [web, net]}
  all: {en: [web, net], ko: [net], ru: [vk]}
defaults: {time: "10:00 Asia/Seoul", to: main}
messages:
  save-the-date: {at: forum - 30 days, to: all, release: as-ready}   # all languages
  reminder:
    # three days are enough
    at: forum - 3 days
  registration: {at: forum - 21 days, to: all}
  idea: {}
"""

SAVE = """\
For colleagues only.

## en

Save the date: {{ events.forum.date }}

The theme is “{{ facts.theme }}”.

## en @net

{{ events.forum.date }}: “{{ facts.theme }}”

## ko (from FROM; translator: kim; reviewer: lee)

날짜를 비워 두세요: {{ events.forum.date }}

주제는 “{{ facts.theme }}”입니다. 많은 참여를 바랍니다.

## ru (from 0000; translator: ivanov; reviewer: open)

Сохраните дату: {{ events.forum.date }}. Тема: «{{ facts.theme }}». Приглашаем участников.
"""
REMINDER = "## en\n\nThe forum opens on {{ events.forum.date }}.\n"
REGISTRATION = "## en\n\nRegister for the forum: {{ links.register }}\n"


def hash_of(text: str) -> str:
    from outreach.compose.texts import Section

    return Section("", "", 0, 1, text).hash


NET = "{{ events.forum.date }}: “{{ facts.theme }}”"
PLAIN = "Save the date: {{ events.forum.date }}\n\nThe theme is “{{ facts.theme }}”."


@dataclass
class Desk:
    """The office, its command line, and the sheets on somebody's disk."""

    office: Office
    shell: Shell
    folder: Path

    def export(self, kind: str, *options: str) -> Path:
        file = self.folder / f"{kind}.xlsx"
        said = self.shell("sheet", kind, str(file), *options)
        assert said.code == 0, said
        return file

    def import_(self, file: Path, *options: str, **more: Any) -> Answer:
        return self.shell("sheet", "import", str(file), *options, **more)

    def asked(self, file: Path) -> dict[str, Any]:
        """What an import would do, as data."""
        said = self.import_(file, "--json")
        assert said.code == 0, said
        return dict(json.loads(said.out))

    def files(self) -> dict[str, bytes]:
        """Everything that an import may write."""
        return {
            path.relative_to(self.office.home).as_posix(): path.read_bytes()
            for folder in ("campaigns", "templates")
            for path in sorted((self.office.home / folder).rglob("*"))
            if path.is_file()
        }

    def text(self, name: str) -> str:
        return (self.office.home / name).read_text(encoding="utf-8")

    def unchanged(self, file: Path) -> None:
        """The import changes nothing at all."""
        before = self.files()
        said = self.import_(file, "--yes")
        assert (said.code, "Nothing changes" in said.out) == (0, True), said
        assert self.files() == before

    def refused(self, file: Path, *words: str) -> str:
        """The import is refused with these words, and nothing is written."""
        before = self.files()
        said = self.import_(file, "--yes")
        assert said.code == 1, said
        assert self.files() == before
        for word in words:
            assert word in said.err, said.err
        return said.err


@pytest.fixture
def desk(office: Office, tmp_path: Path) -> Desk:
    office.write("config/channels.toml", CHANNELS)
    office.campaign(
        CAMPAIGN,
        save_the_date=SAVE.replace("FROM", hash_of(NET)[:4]),
        reminder=REMINDER,
        registration=REGISTRATION,
    )
    opened = office.open()
    tokens = {name: opened.token_for(name, by=None) for name in ("ana", "bo")}
    opened.close()
    folder = tmp_path / "sheets"
    folder.mkdir()
    return Desk(office, Shell(office.home, office.clock, tokens), folder)


def excel(file: Path, change: Callable[[Any], None] = lambda book: None) -> Path:
    """Open a workbook, change it, and save it, as somebody with Excel would."""
    book = openpyxl.load_workbook(file)
    change(book)
    book.save(file)
    return file


def cell(sheet: Any, row: str, head: str) -> Any:
    """The cell of a row, by a text that one of its cells has, in the column with that head."""
    heads = {one.value: one.column for one in sheet[1]}
    number = next(r[0].row for r in sheet.iter_rows(min_row=2) if row in [c.value for c in r])
    return sheet.cell(number, heads[head])


def put(kind: str, row: str, **texts: str) -> Callable[[Any], None]:
    """A change that writes these texts into a row, by head ("when", not_after, still_right)."""

    def change(book: Any) -> None:
        for head, text in texts.items():
            named = head.replace("_", "-" if kind == "Calendar" else " ")
            one = cell(book[kind], row, named)
            one.value = text or None
            if text.startswith("="):
                one.data_type = "s"

    return change
