"""The sheets opened and saved by LibreOffice, which many a translator has instead of Excel."""

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.sheets.book import read, write
from outreach.sheets.xlsx import unfit
from tests.sheets.conftest import PLAIN, Desk, excel, put
from tests.sheets.test_book import book

OFFICE = shutil.which("soffice")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(OFFICE is None, reason="no LibreOffice (soffice) on this machine"),
]


@pytest.fixture
def saved(tmp_path_factory: pytest.TempPathFactory):
    """A function that has LibreOffice open a workbook and save it again."""
    folder = tmp_path_factory.mktemp("libreoffice")

    def saved(file: Path) -> Path:
        done = subprocess.run(
            [
                str(OFFICE),
                f"-env:UserInstallation=file://{folder}/profile",
                *("--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML"),
                *("--outdir", str(folder), str(file)),
            ],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if "could not be loaded" in done.stderr:
            pytest.skip("this LibreOffice has no Calc (Debian: libreoffice-calc)")
        assert (folder / file.name).is_file(), done
        return (folder / file.name).replace(file)

    return saved


@pytest.mark.parametrize(
    ("kind", "options"), [("translations", ("--language", "ko")), ("calendar", ())]
)
def test_opened_and_saved_it_changes_nothing(desk: Desk, saved, kind, options):
    desk.unchanged(saved(desk.export(kind, *options)))


def test_what_was_changed_before_is_what_is_imported(desk: Desk, saved):
    file = desk.export("calendar")
    text = "=1+1 is no sum: {{ events.forum.date }}\n\n  두 칸  👩‍👩‍👧‍👦 \u200fעברית"
    excel(file, put("Calendar", "save-the-date", en=text, when="forum - 29 days"))
    changes = desk.asked(saved(file))["changes"]
    assert [(one["what"], one["new"]) for one in changes] == [
        ("when", "forum - 29 days"),
        ("en", text),
    ]


def test_its_protection_and_hidden_sheet_stay(desk: Desk, saved):
    file = saved(desk.export("translations", "--language", "ko"))
    sheets = openpyxl.load_workbook(file)
    assert sheets["outreach"].sheet_state == "hidden"
    assert sheets["Texts"].protection.sheet
    assert sheets["Texts"]["E2"].value == PLAIN


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=("Cc", "Cn", "Cs")),
    min_size=1,
    max_size=40,
).filter(lambda text: not unfit(text) and text.strip() == text)


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(
        TEXTS | st.sampled_from(["=1+1", "+82 2", "-1", "@a", "1.5", "007", "1/2", "TRUE"]),
        min_size=150,
        max_size=300,
    )
)
def test_every_text_comes_back(texts, saved, tmp_path_factory):
    file = tmp_path_factory.mktemp("texts") / "a.xlsx"
    file.write_bytes(write(book(*texts)))
    got = read(saved(file).read_bytes(), "a.xlsx")
    assert got.problems == ()
    assert [row["translation"] for row in got.rows] == texts
