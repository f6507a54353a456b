"""What came of it, as officers enter and read it; and a code for a poster."""

import json

import pytest

from tests.measure.test_exports import INDICO, TEAMS

from .conftest import Shell, declined

CAMPAIGN = """
campaign: forum
programme: low-carbon-cities
title: The forum
written-by: ana
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok}
links: {register: "https://example.org/register", recap: tbc}
goals:
  registrations: {target: 300, by: forum, from: indico-csv}
audiences: {main: {en: [web]}}
defaults: {to: main}
messages: {idea: {}}
"""


@pytest.fixture
def shell(shell: Shell) -> Shell:
    shell.write("campaigns/forum.yaml", CAMPAIGN)
    shell.clock.to("2025-09-01T00:00Z")
    shell.write("../indico.csv", INDICO)
    (shell.home.parent / "teams.csv").write_bytes(TEAMS.encode("utf-16"))
    return shell


def test_an_export_is_shown_kept_listed_and_taken_back(shell: Shell):
    file = str(shell.home.parent / "indico.csv")
    args = ("figures", "import", "registrations", file, "--campaign", "forum")
    said = shell(*args, who="ana", types="y\n", terminal=True)
    assert said.code == 0
    assert "indico.csv: 3 registrations, 2025-08-01 to 2025-08-02" in said.out
    assert "country not recognised, counted as not said: 'Korea' (1)" in said.out
    assert "Kept as entry 1: 3 registrations, and nobody's name." in said.out
    assert "Doe" not in said.said
    declined(shell(*args, "--yes", who="ana"), 2, "counted already", "--instead")
    listed = shell("figures", "list", "forum", "--month", "2025-08")
    assert "forum: Registrations: 3 of 300, due 2025-08-25" in listed.out
    assert "by state: too few people to be printed" in listed.out
    assert "1  forum, registrations: 3, 2025-08-01 to 2025-08-02, indico.csv, ana" in listed.out
    for_machines = json.loads(shell("figures", "--json").out)
    assert for_machines["results"][0]["value"] == 3
    assert shell("figures", "undo", "1", who="ana").code == 0
    assert "forum: Registrations: .. of 300" in shell("figures").out


def test_a_report_of_teams_and_what_is_typed_by_hand(shell: Shell):
    file = str(shell.home.parent / "teams.csv")
    args = ("figures", "import", "attendance-online", file, "--campaign", "forum")
    looked = json.loads(shell(*args, "--json").out)
    assert looked["counts"][0]["count"] == 3
    assert "Doe" not in str(looked)
    assert shell(*args, "--yes", who="ana").code == 0
    typed = ("figures", "outcome", "forum", "offers-to-host", "1")
    declined(shell(*typed, who="ana"), 2, "needs its source", "--source")
    more = ("--source", "letter of 1 September", "--state", "몽골")
    assert shell(*typed, *more, who="ana").code == 0
    cost = ("figures", "cost", "forum", "promotion", "120.50", "--source", "invoice")
    assert "cost-1" in shell(*cost, who="ana").out
    listed = shell("figures").out
    assert "forum: Offers to host: 1" in listed
    assert "Mongolia 1" in listed
    assert "forum: Paid promotion: 120.50 USD" in listed
    assert "forum: Attendance online: 3" in listed


def test_a_file_with_mistakes_is_told_whole_and_keeps_nothing(shell: Shell):
    shell.write("../wrong.csv", "Date,Country,Count\nsoon,Japan,1\n2025-08-20,Japan,many\n")
    file = str(shell.home.parent / "wrong.csv")
    said = shell("figures", "import", "downloads", file, "--campaign", "forum", "--yes", who="ana")
    assert said.code == 1
    assert "wrong.csv:2: 'soon' is no day" in said.out
    assert "wrong.csv:3: 'many' is no count" in said.out
    assert "Entered" not in shell("figures").out


@pytest.mark.parametrize(
    "args",
    [
        ("figures", "dance"),
        ("figures", "list", "none"),
        ("figures", "import", "registrations"),
        ("figures", "import", "births", "x.csv", "--campaign", "forum"),
        ("figures", "import", "registrations", "nowhere.csv", "--campaign", "forum"),
        ("figures", "import", "registrations", "x.csv", "--campaign", "forum", "--map", "x"),
        ("figures", "list", "--on", "soon"),
        ("figures", "outcome", "forum"),
        ("figures", "cost", "forum", "lunch", "3", "--source", "x"),
        ("figures", "undo", "9"),
        ("links", "qr", "forum", "recap", "poster"),
        ("links", "qr", "forum", "none", "poster"),
        ("links", "qr", "forum", "register", "A Poster"),
        ("links", "list", "forum", "register", "poster"),
    ],
)
def test_what_cannot_be_meant_is_declined_with_what_to_do(shell: Shell, args):
    declined(shell(*args, who="ana"), 2, "→")


def test_a_code_for_paper_is_written_and_marked_as_print(shell: Shell):
    said = shell("links", "qr", "forum", "register", "poster-lobby", "--png", who="ana")
    assert said.code == 0, said.said
    svg = shell.home / "print" / "forum-register-poster-lobby.svg"
    png = shell.home / "print" / "forum-register-poster-lobby.png"
    assert svg.read_bytes().startswith(b"<?xml")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "utm_medium=print" in said.out
    assert "not a short link" in said.out
