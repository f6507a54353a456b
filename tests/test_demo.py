"""`python -m outreach.demo` as anybody would start it: what it says, leaves and refuses."""

import fcntl
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from docx import Document

from outreach.demo.office import CAMPAIGN, EXAMPLES, MARK, with_examples
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow

MESSAGES = (
    "save-the-date",
    "registration-open",
    "programme",
    "reminder",
    "day-of",
    "thank-you",
    "recap",
)
LINKED = ("registration-open", "programme", "reminder", "day-of", "recap")


@dataclass(frozen=True)
class Run:
    """One run of the demo, to its end."""

    folder: Path
    code: int
    out: str
    err: str

    def read(self, query: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "data" / "outreach.db")) as database:
            return database.execute(query).fetchall()


def run(cwd: Path, *args: str, **environment: str) -> Run:
    """Without a terminal, and with standard input closed."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m outreach.demo "$@" <&-', sys.executable, *args],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    return Run(cwd / ".demo", done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> tuple[Run, Run]:
    """Twice in the same folder, where somebody else's database is named in the environment."""
    cwd = tmp_path_factory.mktemp("demo")
    other = f"sqlite:///{cwd / 'other.db'}"
    return run(cwd), run(cwd, OUTREACH_DATABASE=other)


@pytest.fixture(scope="module", params=[0, 1], ids=["first", "again"])
def ran(request, runs) -> Run:
    return runs[request.param]


def test_it_ends_well_and_says_nothing_on_stderr(ran):
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.splitlines()) <= 70


def test_every_post_is_told_of_in_order_with_two_zones_its_channel_and_its_address(ran):
    published = ran.out.split("Publishing")[1].split("The public")[0]
    lines = re.findall(r"^ +(\S+)  (.*Bangkok.*Seoul.*)$", published, re.MULTILINE)
    assert tuple(name for name, _ in lines) == MESSAGES
    assert lines[0][1] == "Sat 26 Jul 2025, 08:00 Bangkok (10:00 Seoul)"
    posts = re.findall(r"^ +(web|x|telegram|wechat) +(\S+)", published, re.MULTILINE)
    assert Counter(name for name, _ in posts) == dict.fromkeys(
        ("web", "x", "telegram", "wechat"), 7
    )
    assert len({address for name, address in posts if name in ("web", "wechat")}) == 14
    assert "https://example.org/wechat/recap" in published


def test_every_post_is_live_once_with_a_clearance_by_somebody_else(ran):
    states = ran.read("SELECT channel, state, count(*) FROM delivery GROUP BY channel, state")
    assert sorted(states) == [(name, "published", 7) for name in ("telegram", "web", "wechat", "x")]
    assert ran.read('SELECT DISTINCT "by" FROM clearance WHERE voided_at IS NULL') == [("clearer",)]
    assert ran.read("SELECT count(*), count(DISTINCT url || channel) FROM receipt") == [(28, 28)]
    assert ran.read("SELECT count(*) FROM attempt WHERE outcome NOT IN ('live', 'handed')") == [
        (0,)
    ]


def test_the_feed_has_seven_entries_in_order_with_short_links(ran):
    shelf = ran.read("SELECT value FROM shelf WHERE channel = 'web' ORDER BY at")
    entries = [json.loads(str(value)) for (value,) in shelf]
    assert len(entries) == 7
    assert entries[0]["title"].startswith("Save the date: Fifth International Forum")
    texts = "\n".join(entry["text"] for entry in entries)
    assert len(re.findall(r"http://127\.0\.0\.1:\d+/l/[a-z2-7]{8}", texts)) == len(LINKED)
    assert "7 entries in the feed" in ran.out


def test_readers_are_counted_and_bots_are_not(ran):
    counted = dict(ran.read("SELECT key, count(*) FROM click GROUP BY key"))
    each = {"web": 3, "x": 2, "telegram": 2, "wechat": 1}
    assert counted == {
        f"forum-2025/{message}/en@{channel}": visits
        for message in LINKED
        for channel, visits in each.items()
    }
    assert "40 visits through short links were counted, and 5 by a preview bot not." in ran.out


def test_the_report_has_the_figures_of_the_samples_to_the_digit_and_is_marked(ran):
    report = json.loads((ran.folder / "reports" / "outreach-2025-08.json").read_text())
    before, year = report["comparisons"]
    assert [
        (one["metric"], one["this"], one["before"], one["change"]) for one in before["lines"]
    ] == [
        ("posts", 41, 23, None),
        ("displays", 79_896, 49_975, "59.9"),
        ("engagements", 3_553, 2_002, "77.5"),
        ("clicks", 858, 394, "117.8"),
    ]
    assert before["rate"] == "4.45"
    assert (year["lines"][1]["this"], year["lines"][1]["before"]) == (70_690, 36_070)
    assert year["lines"][1]["change"] == "96.0"
    assert report["incomplete"] == ["Facebook", "WeChat"]
    assert report["sample"].startswith("SAMPLE FIGURES.")
    channels = next(one for one in report["sections"] if one["name"] == "channels")
    assert channels["tables"][0]["sample"] == "Sample figures: examples, not measured."

    word = Document(str(ran.folder / "reports" / "outreach-2025-08.docx"))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    paragraphs = "\n".join(paragraph.text for paragraph in word.paragraphs)
    assert {"79,896", "+59.9", "+77.5", "+117.8", "4.45", "70,690", "+96.0"} <= set(cells)
    assert "SAMPLE FIGURES." in paragraphs and "DEMO – NEASPEC secretariat" in paragraphs
    page = (ran.folder / "reports" / "outreach-2025-08.html").read_text()
    for text in (ran.out, re.sub("<[^>]*>", "", page), paragraphs):
        assert "displayed 79,896 times, 59.9 per cent more" in text
        assert "33.5" not in text and "59,845" not in text


def test_what_stands_in_for_open_facts_says_that_it_is_an_example(ran):
    campaign = (ran.folder / CAMPAIGN).read_text()
    assert "tbc" not in campaign.partition("campaign: forum-2025")[2]
    assert campaign.count("EXAMPLE") == len(EXAMPLES)
    assert "EXAMPLES stand in for what is not known yet" in ran.out


def test_it_leaves_the_database_that_the_environment_names_alone(runs):
    assert sorted(path.name for path in runs[1].folder.parent.iterdir()) == [".demo"]


def test_a_folder_that_is_no_demos_is_left_as_it_is(tmp_path):
    (tmp_path / ".demo").mkdir()
    kept = tmp_path / ".demo" / "kept.txt"
    kept.write_text("mine")
    done = run(tmp_path)
    assert (done.code, kept.read_text()) == (2, "mine")
    assert done.err == (
        ".demo is there already, and is not a demo's folder\n→ name another one: --dir DIR\n"
    )


def test_a_demo_that_still_runs_is_not_pulled_away(tmp_path):
    home = tmp_path / ".demo"
    home.mkdir()
    (home / "kept.txt").write_text("still needed")
    with (home / MARK).open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        done = run(tmp_path)
    assert done.code == 2
    assert "a demo is still running in .demo" in done.err
    assert (home / "kept.txt").exists()


def test_a_fact_that_is_known_meanwhile_is_not_written_over_by_an_example():
    text = (REPOSITORY / CAMPAIGN).read_text()
    known = text.replace('ends: {tbc: organizers, plan-with: "17:00"}', 'ends: "18:00"')
    assert known != text
    filled, stood_in = with_examples(known)
    assert 'ends: "18:00"\n' in filled
    assert "its end (17:00)" not in stood_in and len(stood_in) == len(EXAMPLES) - 1
