"""`outreach fmt` and `outreach schema`: files as editors and colleagues like them."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, declined

LOOSE = """\
campaign:   forum   # the forum's
programme: low-carbon-cities
title: An example
written-by: ana
audiences:
    main: { en: [ web ] }
messages:


    idea: { }
"""
TIDY = """\
campaign: forum     # the forum's
programme: low-carbon-cities
title: An example
written-by: ana

audiences:
  main: {en: [web]}

messages:
  idea: {}
"""


@pytest.fixture
def file(shell: Shell) -> Path:
    """The office's one campaign, loosely written."""
    for path in (shell.home / "campaigns").iterdir():
        path.unlink()
    shell.write("campaigns/forum.yaml", LOOSE)
    return shell.home / "campaigns/forum.yaml"


def test_a_file_is_tidied_once(shell: Shell, file: Path):
    said = shell("fmt")
    assert (said.code, said.out) == (0, "tidied campaigns/forum.yaml\n")
    assert file.read_text() == TIDY
    said = shell("fmt")
    assert (said.code, said.out) == (0, "1 file is tidy already.\n")


def test_check_only_says_what_would_change(shell: Shell, file: Path):
    said = shell("fmt", "--check")
    assert (said.code, said.out) == (1, "would tidy campaigns/forum.yaml\n")
    assert file.read_text() == LOOSE
    shell("fmt")
    assert shell("fmt", "--check").code == 0


def test_a_file_with_mistakes_is_left_alone(shell: Shell, file: Path):
    broken = {
        "a.yaml": "campaign: [",
        "b.yaml": LOOSE.replace("title:", "tittle:"),
        "c.yaml": LOOSE.replace("{ }", "{at: forum}"),
    }
    for name, text in broken.items():
        shell.write(f"campaigns/{name}", text)
    said = shell("fmt")
    declined(said, 1, "outreach check")
    assert said.out.splitlines() == [
        "mistakes in campaigns/a.yaml",
        "mistakes in campaigns/b.yaml",
        "mistakes in campaigns/c.yaml",
        "tidied campaigns/forum.yaml",
    ]
    for name, text in broken.items():
        assert (shell.home / "campaigns" / name).read_text() == text


def test_an_unusual_layout_is_left_alone_with_the_reason(shell: Shell, file: Path):
    file.write_text("---\n" + LOOSE)
    said = shell("fmt")
    assert said.code == 0
    assert "cannot be tidied safely" in said.out
    assert file.read_text() == "---\n" + LOOSE


def test_named_files_need_no_office(new: Shell, tmp_path: Path):
    (tmp_path / "one.yaml").write_text(LOOSE)
    assert new("fmt", str(tmp_path / "one.yaml")).code == 0
    assert (tmp_path / "one.yaml").read_text() == TIDY
    declined(new("fmt", str(tmp_path / "two.yaml")), 2, "there is no file")


def test_the_schema_is_printed_or_written(new: Shell, tmp_path: Path):
    printed = json.loads(new("schema").out)
    assert printed["properties"]["messages"]["description"]
    said = new("schema", "--out", str(tmp_path / "campaign.schema.json"))
    assert (said.code, said.out) == (0, f"written {tmp_path / 'campaign.schema.json'}\n")
    assert json.loads((tmp_path / "campaign.schema.json").read_text()) == printed
    declined(new("schema", "--out", str(tmp_path / "no" / "where.json")), 3, "cannot be used")
