"""The paragraph in somebody's note: tracked, numbered as the note is, and nothing else changed."""

import io
import re
import shutil
import subprocess
from datetime import UTC, datetime
from zipfile import ZipFile

import pytest
from lxml import etree
from openxml_audit import OpenXmlValidator

from outreach.errors import NotAllowed, NotFound, WrongFiles
from outreach.report.compute import compute
from outreach.report.documents.tracked import Note
from outreach.report.paragraph import compose

from . import us6
from .note import TEXT, note
from .test_paragraph import FORUM

AT = datetime(2025, 9, 15, 2, tzinfo=UTC)
GIVEN = compose(compute(us6.facts()), [FORUM])
OFFICE = shutil.which("soffice")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def inserted(data: bytes, after: str = "", **more: object):
    read = Note.read(data, name="note.docx")
    return read.into(read.only_place(after), GIVEN, author="Ana <Example>", at=AT, **more)


def text(data: bytes) -> str:
    with ZipFile(io.BytesIO(data)) as package:
        return package.read("word/document.xml").decode()


def read(xml: str, *, accept: bool) -> list[str]:
    """The paragraphs of the body with all changes accepted, or all rejected."""
    lines = [""]
    for one in etree.fromstring(xml.encode())[0].iter(f"{W}p"):
        struck = one.find(f"{W}pPr/{W}rPr/{W}ins") is not None
        for letters in one.iter(f"{W}t", f"{W}delText"):
            new = any(up.tag == f"{W}ins" for up in letters.iterancestors())
            old = letters.tag == f"{W}delText"
            if (accept and not old) or (not accept and not new):
                lines[-1] += letters.text or ""
        if accept or not struck:
            lines.append("")
    return [line for line in lines if line]


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "Word's own numbers"])
class TestInserted:
    def test_it_passes_a_check_against_the_standard(self, typed, tmp_path):
        file = tmp_path / "note.docx"
        file.write_bytes(inserted(note(typed=typed)).data)
        assert [str(error) for error in OpenXmlValidator().validate(file).errors] == []

    def test_every_other_byte_stays(self, typed):
        before, made = note(typed=typed), inserted(note(typed=typed)).data
        with ZipFile(io.BytesIO(before)) as old, ZipFile(io.BytesIO(made)) as new:
            assert old.namelist() == new.namelist()
            changed = [n for n in old.namelist() if old.read(n) != new.read(n)]
        assert changed == ["word/document.xml"]
        xml = text(made)
        # Without what is inserted, and with what is struck out where it stood, it is the same.
        xml = re.sub(r"<w:p><w:pPr>(?:(?!</w:pPr>).)*<w:ins .*?</w:p>", "", xml)
        xml = re.sub(r"<w:tbl>(?:(?!</w:tbl>).)*<w:ins .*?</w:tbl>", "", xml)
        number = (
            r"<w:del [^>]*><w:r>(?:<w:rPr>.*?</w:rPr>)?<w:delText>(\d+)</w:delText></w:r></w:del>"
            r"<w:ins [^>]*>.*?</w:ins>(<w:r>(?:<w:rPr>.*?</w:rPr>)?<w:t[^>]*>)"
        )
        assert re.sub(number, r"\2\1", xml) == text(before)

    def test_rejecting_all_gives_the_note_back(self, typed):
        before = note(typed=typed)
        assert read(text(inserted(before).data), accept=False) == read(text(before), accept=True)

    def test_it_stands_after_the_paragraph_on_outreach_with_its_annex_at_the_end(self, typed):
        made = inserted(note(typed=typed))
        lines = read(text(made.data), accept=True)
        at = next(n for n, line in enumerate(lines) if line.endswith(GIVEN.text))
        assert lines[at - 1].startswith("The NEASPEC secretariat has engaged")
        assert lines[at + 1] == "III. ISSUES FOR CONSIDERATION"
        assert made.number == (10 if typed else 3)
        assert made.annex == "Annex IV"
        annex = lines[lines.index("Annex IV") :]
        assert annex[1] == "Outreach on social media, August 2025"
        assert annex[2:7] == ["Channel", "Posts", "Displays", "Engagements", "Links followed"]

    def test_the_changes_bear_who_and_when(self, typed):
        root = etree.fromstring(text(inserted(note(typed=typed)).data).encode())
        marks = list(root.iter(f"{W}ins", f"{W}del"))
        assert {one.get(f"{W}author") for one in marks} == {"Ana <Example>"}
        assert {one.get(f"{W}date") for one in marks} == {"2025-09-15T02:00:00Z"}
        ids = [one.get(f"{W}id") for one in marks]
        assert len(ids) == len(set(ids))
        rows = list(root.iter(f"{W}tr"))
        assert all(one.find(f"{W}trPr/{W}ins") is not None for one in rows)


def test_numbers_that_are_typed_go_up_by_one_as_tracked_changes():
    made = inserted(note(typed=True))
    assert made.renumbered == ("10 to 11", "11 to 12")
    lines = read(text(made.data), accept=True)
    assert f"10. {GIVEN.text}" in lines
    assert "11. The meeting may wish to request member States to:" in lines
    assert "12. The meeting may also wish to provide guidance." in lines
    assert "9. The forum will feature three sessions & explore how cities can act <now>." in lines


def test_a_note_that_word_numbers_is_given_no_typed_number():
    made = inserted(note(typed=False), number=10)
    lines = read(text(made.data), accept=True)
    assert GIVEN.text in lines  # no number before it
    assert made.renumbered == ()
    assert made.left == ("Word numbers the note itself: the paragraph is 3, not 10",)
    numbered = re.findall(r'<w:pStyle w:val="NumberedParagraph"/>', text(made.data))
    assert len(numbered) == 5


def test_a_number_in_two_pieces_is_left_to_a_person():
    xml = text(note(typed=True))
    split = xml.replace("<w:t>11. The", "<w:t>1</w:t></w:r><w:r><w:t>1. The")
    assert split != xml
    output = io.BytesIO()
    with ZipFile(io.BytesIO(note(typed=True))) as old, ZipFile(output, "w") as new:
        for name in old.namelist():
            new.writestr(name, split if name == "word/document.xml" else old.read(name))
    made = inserted(output.getvalue())
    assert made.renumbered == ("10 to 11",)
    assert made.left == (
        "change the number 11 of “11. The meeting may also wish to provide…” by hand",
    )


def test_where_it_could_stand_in_several_places_they_are_named():
    more = (*TEXT, "IV. OTHER MATTERS", "12# Partners reported on their outreach.")
    read_ = Note.read(note(typed=True, text=more), name="note.docx")
    assert [place.text[:20] for place in read_.places()] == [
        "The NEASPEC secretar",
        "12. Partners reporte",
    ]
    with pytest.raises(NotAllowed, match="2 places where it could stand") as error:
        read_.only_place()
    assert "--after" in error.value.hint
    assert read_.only_place("partners reported").text.startswith("12. Partners")


def test_where_it_has_no_place_is_said_with_what_to_do():
    read_ = Note.read(note(typed=True, text=("I. BACKGROUND", "1# Cities.")), name="note.docx")
    with pytest.raises(NotFound, match="no paragraph on outreach") as error:
        read_.only_place()
    assert "--after" in error.value.hint
    with pytest.raises(NotFound, match="no paragraph with 'towns'"):
        read_.only_place("towns")


@pytest.mark.parametrize(
    "data", [b"", b"no zip", note(typed=True)[:3000], us6.SAMPLE.read_bytes()], ids=len
)
def test_what_is_no_word_document_is_named(data):
    with pytest.raises(WrongFiles, match=r"note\.docx: is not a Word document"):
        Note.read(data, name="note.docx")


@pytest.mark.slow
@pytest.mark.skipif(OFFICE is None, reason="no LibreOffice (soffice) on this machine")
def test_libreoffice_shows_the_insertion_with_its_author(tmp_path):
    file = tmp_path / "note.docx"
    file.write_bytes(inserted(note(typed=True)).data)
    subprocess.run(
        [
            str(OFFICE),
            f"-env:UserInstallation=file://{tmp_path}/profile",
            *("--headless", "--convert-to", "fodt", "--outdir", str(tmp_path), str(file)),
        ],
        capture_output=True,
        timeout=180,
        check=True,
    )
    flat = (tmp_path / "note.fodt").read_text("utf-8")
    assert "<text:insertion>" in flat
    assert "<dc:creator>Ana &lt;Example&gt;</dc:creator>" in flat
    assert "79,896 times" in flat
