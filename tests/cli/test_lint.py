"""`outreach lint`: any text, Markdown or Word file held against the house's style."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from typer.testing import CliRunner

from outreach.cli import Door, app
from tests.cli.conftest import Answer, declined
from tests.conftest import REPOSITORY

RULES = """\
version: 1
language: en
signed-off-by: An Editor
sources: {house: our own rules}
rules:
- {id: O01, severity: E, re: 'harbor', use: harbour, src: [house]}
"""

# What a Word file with footnotes has more than one without.
FOOTNOTES = (
    '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    '<w:footnote w:id="1"><w:p><w:r><w:t>See South </w:t></w:r><w:r><w:t>Korea.</w:t></w:r></w:p>'
    "</w:footnote></w:footnotes>"
)
MORE = {
    "[Content_Types].xml": b'<Override PartName="/word/footnotes.xml" ContentType="application/'
    b'vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"/>',
    "word/_rels/document.xml.rels": b'<Relationship Id="rId99" Target="footnotes.xml" Type="http://'
    b'schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"/>',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside any office, in which the commands are typed."""
    made = tmp_path / "texts"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def anywhere(folder: Path) -> Callable[..., Answer]:
    """Type a command where there is no office."""

    def typed(*args: str) -> Answer:
        env = {"XDG_CONFIG_HOME": str(folder), "COLUMNS": "200"}
        result = CliRunner().invoke(app, list(args), obj=Door(terminal=False), env=env)
        assert "Traceback" not in result.output
        return Answer(result.exit_code, result.stdout, result.stderr)

    return typed


def test_findings_have_a_place_a_proposal_and_a_source(anywhere, folder):
    (folder / "note.txt").write_text("It opens\non 25th August 2025.\n")
    said = anywhere("lint", "note.txt")
    assert said.code == 1
    assert "note.txt:2:4 E D01 25th August" in said.out
    assert "→ 25 August 2025" in said.out
    assert "United Nations Editorial Manual" in said.out
    assert "1 E in 1 file." in said.out


def test_warnings_end_with_0(anywhere, folder):
    (folder / "note.md").write_text("Cities of Northeast Asia met.\n")
    said = anywhere("lint", "note.md")
    assert said.code == 0
    assert "note.md:1:11 W N02 Northeast Asia" in said.out


def test_a_good_text_has_nothing_to_find_and_is_told_how_it_reads(anywhere, folder):
    (folder / "note.md").write_text("Cities of North-East Asia met.\n")
    said = anywhere("lint", "note.md")
    assert said.code == 0
    assert "Nothing found in 1 file." in said.out
    assert "words a sentence" in said.out


def test_for_machines(anywhere, folder):
    (folder / "a.txt").write_text("in South Korea")
    (folder / "b.txt").write_text("in Mongolia")
    said = anywhere("lint", "a.txt", "b.txt", "--json")
    assert said.code == 1
    first, second = json.loads(said.out)
    assert first["findings"][0] | {"source": ""} == {
        "place": "1:4",
        "rule": "C01",
        "severity": "E",
        "line": 1,
        "column": 4,
        "found": "South Korea",
        "proposal": "Republic of Korea",
        "source": "",
        "note": "",
    }
    assert second == {
        "file": "b.txt",
        "profile": "document",
        "reading": {"words": 2, "sentences": 1, "long": 1, "lix": 52},
        "findings": [],
    }


def test_profile_and_language_can_be_named(anywhere, folder):
    (folder / "a.txt").write_text("It opens today: 한국")
    assert anywhere("lint", "a.txt").code == 0
    assert "D13" in anywhere("lint", "a.txt", "--profile", "post").out
    said = anywhere("lint", "a.txt", "--language", "ko")
    assert "H KO05 한국" in said.out
    assert "words a sentence" not in said.out
    declined(anywhere("lint", "a.txt", "--profile", "tweet"), 2, "there is no profile tweet")
    declined(anywhere("lint", "a.txt", "--language", "kr"), 2, "no rules for the language kr")


def test_a_message_s_texts_are_posts_each_in_its_language(anywhere, folder):
    path = folder / "templates/posts/forum/reminder.md"
    path.parent.mkdir(parents=True)
    path.write_text(
        "For people: South Korea\n\n## en\n\nOn {{ date }}, today\n\n## ko @x\n\n한국\n", "utf-8"
    )
    said = anywhere("lint", path.relative_to(folder).as_posix())
    assert said.code == 1
    assert "reminder.md:5:16 E D13 today" in said.out
    assert "reminder.md:9:1 H KO05 한국" in said.out
    assert "A05" not in said.out
    assert "C01" not in said.out


def test_word_documents_are_read_with_tables(anywhere, folder):
    document = Document()
    document.add_paragraph("A quotation is “left open.")
    document.add_paragraph("")
    run = document.add_paragraph("It opens on 25").add_run("th")
    run.font.superscript = True
    document.paragraphs[-1].add_run(" August 2025.")
    table = document.add_table(rows=1, cols=2)
    table.cell(0, 0).text = "South Korea"
    table.cell(0, 1).text = "4%"
    document.add_paragraph("from Vietnam”")
    document.save(str(folder / "note.docx"))
    said = anywhere("lint", "note.docx")
    assert said.code == 1
    assert "note.docx, paragraph 3 E D01 25th August" in said.out
    assert "note.docx, table 1, row 1 E C01 South Korea" in said.out
    assert "note.docx, paragraph 4 E C06 Vietnam" in said.out
    assert "D06" not in said.out


def test_word_footnotes_are_read(anywhere, folder):
    document = Document()
    document.add_paragraph("A text.")
    document.save(str(folder / "plain.docx"))
    with (
        zipfile.ZipFile(folder / "plain.docx") as plain,
        zipfile.ZipFile(folder / "note.docx", "w") as noted,
    ):
        for name in plain.namelist():
            start, end, rest = plain.read(name).rpartition(b"</")
            noted.writestr(name, start + MORE.get(name, b"") + end + rest)
        noted.writestr("word/footnotes.xml", FOOTNOTES)
    assert "note.docx, footnote 1 E C01 South Korea" in anywhere("lint", "note.docx").out


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.txt", b"caf\xe9", ("a.txt:1 is not UTF-8 text", "UTF-8")),
        ("a.txt", "é".encode("utf-16"), ("a.txt is text in UTF-16", "UTF-8")),
        ("a.txt", b"a\0b", ("a.txt is not a text that can be read here", "Word (.docx)")),
        ("a.pdf", b"%PDF-1.7 ...", ("a.pdf is not a text that can be read here",)),
        ("a.docx", b"no zip", ("a.docx is not a Word document that can be read",)),
        ("a.txt", b"a" * 5_000_001, ("a.txt has over 5,000,000 bytes",)),
    ],
)
def test_a_file_that_is_no_text_is_declined(anywhere, folder, name, data, words):
    (folder / name).write_bytes(data)
    declined(anywhere("lint", name), 2, *words)


def test_a_word_file_that_holds_something_else_is_declined(anywhere, folder):
    with zipfile.ZipFile(folder / "a.docx", "w") as packed:
        packed.writestr("a.xml", "<a/>")
    declined(anywhere("lint", "a.docx"), 2, "is not a Word document that can be read")


def test_a_word_file_that_unpacks_to_too_much_is_declined(anywhere, folder):
    with zipfile.ZipFile(folder / "a.docx", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(3):
            packed.writestr(f"{number}.xml", b" " * 70_000_000)
    declined(anywhere("lint", "a.docx"), 2, "unpacks to 210,000,000 bytes")


def test_a_file_that_is_missing_or_a_folder_is_declined(anywhere, folder):
    declined(anywhere("lint", "none.txt"), 2, "there is no file none.txt")
    declined(anywhere("lint", "."), 2, "is not a file")


def test_an_office_s_own_rules_hold_in_it(shell):
    shell.write("config/house-style/en.yaml", RULES)
    shell.write("note.txt", "A harbor in South Korea")
    said = shell("lint", str(shell.home / "note.txt"))
    assert "E O01 harbor" in said.out
    assert "C01" not in said.out


def test_an_office_without_rules_has_the_program_s(shell):
    shell.write("note.txt", "in South Korea")
    assert "E C01" in shell("lint", str(shell.home / "note.txt")).out


def test_mistakes_in_an_office_s_rules_are_told_with_their_line(shell):
    shell.write("config/house-style/en.yaml", RULES.replace("severity: E", "severity: X"))
    shell.write("note.txt", "A harbor")
    declined(
        shell("lint", str(shell.home / "note.txt")),
        1,
        "config/house-style/en.yaml:6: X is no severity",
    )


def test_an_office_that_is_named_has_to_be_one(shell, tmp_path):
    (tmp_path / "note.txt").write_text("x")
    declined(shell("--home", str(tmp_path / "none"), "lint", str(tmp_path / "note.txt")), 2)


def test_texts_that_the_program_comes_with_have_no_findings(anywhere):
    texts = sorted(str(path) for path in (REPOSITORY / "templates/posts/forum").glob("*.md"))
    said = anywhere("lint", *texts)
    assert said.code == 0, said.out
