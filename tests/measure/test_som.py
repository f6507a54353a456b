"""What the Senior Officials Meetings asked: read from a file, with every mistake at once."""

from datetime import date

import pytest

from outreach.errors import WrongFiles
from outreach.measure.som import last_meeting, since, som
from tests.conftest import REPOSITORY

FILE = """
[som-28]
title = "SOM-28"
starts = 2025-09-22
ends = "2025-09-23"
place = "Ulaanbaatar"

[[som-28.asked]]
what = "Host the Forum"
source = "para. 10 (a)"
answer = "Two cities offered."
by = "ana"

[[som-28.asked]]
what = "Approve the plan"
source = "para. 10 (c)"
answer = "tbc"

[som-29]
title = "SOM-29"
starts = "tbc"
ends = "TBC"
place = "tbc"
"""


def read(tmp_path, text):
    path = tmp_path / "som.toml"
    path.write_text(text, encoding="utf-8")
    return som(path)


def test_a_meeting_has_its_days_and_what_was_asked_and_answered(tmp_path):
    one, other = read(tmp_path, FILE)
    assert (one.name, one.starts, one.ends) == ("som-28", date(2025, 9, 22), date(2025, 9, 23))
    assert [(asked.what, asked.answer, asked.by) for asked in one.asked] == [
        ("Host the Forum", "Two cities offered.", "ana"),
        ("Approve the plan", "", ""),
    ]
    assert (other.starts, other.ends, other.place, other.asked) == (None, None, "", ())


def test_since_the_last_meeting_is_from_the_day_after_it(tmp_path):
    meetings = read(tmp_path, FILE)
    assert last_meeting(meetings, date(2025, 9, 23)) is None
    last = last_meeting(meetings, date(2025, 9, 24))
    period = since(last, date(2025, 10, 31), "Asia/Bangkok")
    assert (last.name, period.first, period.after) == ("som-28", "2025-09-24", "2025-11-01")


def test_every_mistake_is_told_with_its_line(tmp_path):
    text = (
        FILE.replace('ends = "2025-09-23"', 'ends = "2025-09-02"')
        .replace('source = "para. 10 (c)"', 'sourse = "x"')
        .replace('ends = "TBC"', 'ends = "soon"')
        .replace('place = "tbc"\n', "")
    )
    with pytest.raises(WrongFiles) as wrong:
        read(tmp_path, text)
    told = [
        (problem.where.removeprefix(f"{tmp_path}/"), problem.what, problem.hint)
        for problem in wrong.value.problems
    ]
    assert told == [
        ("som.toml:5", "som-28: it ends before it starts", "put one of them right"),
        ("som.toml:14", "som-28: there is no key 'sourse'", "did you mean source?"),
        ("som.toml:14", "som-28: source is missing", 'write source = "…"'),
        ("som.toml:19", "som-29: place is missing", 'write place = "…", or "tbc"'),
        ("som.toml:22", "som-29: ends is no day: 'soon'", 'write "2025-09-22", or "tbc"'),
    ]


def test_without_a_file_there_are_none_and_ours_is_what_the_note_says(tmp_path):
    assert som(tmp_path / "som.toml") == ()
    ours = {one.name: one for one in som(REPOSITORY / "config" / "som.toml")}
    assert list(ours) == ["som-27", "som-28", "som-29"]
    assert last_meeting(list(ours.values()), date(2026, 11, 24)) is ours["som-28"]
    assert [asked.answer for asked in ours["som-28"].asked] == ["", "", ""]
