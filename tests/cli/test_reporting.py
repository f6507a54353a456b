"""A report's paragraph in a note, and its mails, as officers type them."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.conftest import Shell, declined
from tests.mail import mail_server
from tests.report.note import TEXT, note

FIGURES = """channel,month,posts,displays,engagements,clicks,reason
wechat,2025-06,4,900,60,40,
wechat,2025-07,5,1200,90,48,
"""


@pytest.fixture
def reported(shell: Shell, tmp_path: Path) -> Shell:
    """The same office with the report of July 2025."""
    assert shell("init").code == 0  # the house's style, and what a report is made from
    file = tmp_path / "figures.csv"
    file.write_text(FIGURES)
    shell.clock.to("2025-08-07T02:00Z")
    assert shell("import", str(file), "--yes", who="ana").code == 0
    assert shell("report", "2025-07", who="ana").code == 0
    return shell


def test_a_paragraph_is_printed_with_its_sources_and_put_into_a_copy_of_a_note(
    reported: Shell, tmp_path: Path
):
    said = reported("report", "paragraph", "--for", "som", "--number", "10")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("10. In July 2025, the secretariat published five posts on one")
    assert "1,200: table " in said.out
    assert "wechat: snapshot " in said.out
    assert "Annex. Outreach on social media, July 2025" in said.out
    file = tmp_path / "note.docx"
    two = (*TEXT, "IV. OTHER MATTERS", "12# Partners reported on their outreach.")
    file.write_bytes(note(typed=True, text=two))
    into = ("report", "paragraph", "2025-07", "--for", "som", "--into", str(file))
    declined(reported(*into, who="ana"), 2, "2 places where it could stand", '--after "words')
    asked = reported(*into, who="ana", types="2\n", terminal=True)
    assert asked.code == 0, asked
    assert "paragraph 13 after “12. Partners reported" in asked.out
    with ZipFile(tmp_path / "note-outreach.docx") as package:
        assert b'w:author="Ana Example"' in package.read("word/document.xml")
    declined(reported(*into, "--after", "Partners", who="ana"), 2, "nothing is ever written over")
    declined(reported("report", "paragraph"), 2, "say for whom", "--for som")
    declined(reported("report", "paragraph", "2025-05", "--for", "som"), 2, "no report on 2025-05")
    declined(reported("report", "2025-07", "--into", str(file)), 2, "--into belongs to paragraph")


def test_a_report_is_sent_when_a_person_says_so(reported: Shell):
    declined(reported("report", "send", "2025-07", who="ana"), 2, "send-to = [")
    with mail_server() as server:
        settings = (reported.home / "config/outreach.toml").read_text()
        reported.write(
            "config/outreach.toml",
            f'{settings}\n[mail]\nhost = "127.0.0.1"\nport = {server.server_address[1]}\n'
            'security = "none"\nfrom = "o@example.org"\n'
            '[report]\nsend-to = ["head@example.org"]\n',
        )
        declined(
            reported("report", "send", "2025-07", who="ana"),
            2,
            "not sent yet",
            "outreach report send 2025-07 --yes",
        )
        assert (
            "Nothing was sent."
            in reported("report", "send", "2025-07", who="ana", types="n\n", terminal=True).out
        )
        server.loses = True
        doubted = reported("report", "send", "2025-07", "--yes", who="ana")
        assert doubted.code == 1
        assert "head@example.org: in doubt" in doubted.out
        assert "outreach report send 2025-07 --again head@example.org" in doubted.out
        server.loses = False
        again = ("report", "send", "2025-07", "--yes", "--again", "head@example.org", "--json")
        sent = reported(*again, who="ana")
        assert [one["outcome"] for one in json.loads(sent.out)] == ["sent"]
        assert len(server.mails) == 2
        twice = reported("report", "send", "2025-07", "--yes", who="ana")
        assert "nothing was sent again" in twice.out
        assert len(server.mails) == 2


def test_wrong_settings_of_sending_are_told_with_their_lines(shell: Shell):
    settings = (shell.home / "config/outreach.toml").read_text()
    shell.write(
        "config/outreach.toml",
        settings + '\n[report]\nsend-to = ["nobody"]\nsend-day = 31\nsend-time = "9 am"\n',
    )
    said = shell("check")
    assert said.code == 1
    for words in ("'nobody' is no mail address", "send-day", "'9 am' is no time of day"):
        assert words in said.said
