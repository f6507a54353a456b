"""`outreach rehearse`, as an officer types it."""

import pytest

from tests.cli.conftest import TEXT, Shell, declined, new, shell  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def _no_office_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OUTREACH_DATABASE", "OUTREACH_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_it_writes_one_page_into_reports_and_says_what_it_has_shown(shell: Shell):
    said = shell("rehearse", "campaigns/forum.yaml")
    assert said.code == 0, said
    file = shell.home / "reports" / "rehearsal-forum.html"
    assert said.out.startswith("REHEARSAL — nothing was published.\n")
    assert "2 posts: 2 went out in the rehearsal, 0 were missed. 0 mistakes" in said.out
    assert said.out.endswith(f"wrote {file}\n")
    assert "The forum opens in Bangkok on 25 August." in file.read_text("utf-8")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_it_needs_nobody_signed_in_and_writes_where_it_is_told(shell: Shell, tmp_path):
    said = shell("rehearse", "--out", str(tmp_path / "pages" / "page.html"))
    assert said.code == 0, said
    assert (tmp_path / "pages" / "page.html").is_file()
    assert not (shell.home / "reports").exists()


def test_mistakes_end_with_1_and_the_page_is_made(shell: Shell):
    shell.write("campaigns/other.yaml", "campaign: other\n")
    said = shell("rehearse")
    assert said.code == 1, said
    page = (shell.home / "reports" / "rehearsal.html").read_text("utf-8")
    assert "campaigns/other.yaml:1" in page
    assert "The forum opens in Bangkok" in page


def test_as_it_stands_what_waits_is_held_back(shell: Shell):
    shell.write("templates/posts/forum/reminder.md", TEXT + "\n{{ links.programme }}\n")
    said = shell("rehearse", "--as-it-stands")
    assert said.code == 0
    assert "2 posts: 0 went out in the rehearsal, 2 were missed." in said.out
    assert "2 posts: 2 went out" in shell("rehearse", "--as-if-confirmed").out


def test_a_file_that_is_none_of_the_office_is_declined(shell: Shell, new: Shell):
    declined(shell("rehearse", "campaigns/nothing.yaml"), 2, "campaigns here: campaigns/forum.yaml")
    declined(shell("rehearse", "config/channels.toml"), 2, "not a campaign of this office")
