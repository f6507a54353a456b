"""The drill in a short form, with several workers on one PostgreSQL."""

from dataclasses import replace

import pytest

from tests.drill.__main__ import run, wrong
from tests.drill.faults import FAULTS
from tests.drill.test_on_sqlite import SCALE


@pytest.mark.slow
@pytest.mark.parametrize("fault", [one for one in FAULTS if "postgresql" in one.databases], ids=str)
def test_nothing_is_doubled_lost_unread_or_stranded(fault):
    results = run(fault, "postgresql", **SCALE)
    assert [one for one in results if wrong(one)] == []
    assert sum(one.live for one in results) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bug", "words"),
    [("no fence", "sleeps past its lease"), ("ignores the owner", "another sends its post")],
)
def test_a_planted_bug_is_counted(bug, words):
    """The drill itself is tested: a program with this bug does not pass it."""
    [fault] = [one for one in FAULTS if words in one.name]
    planted = replace(fault, how={"bug": bug})
    results = run(planted, "postgresql", **{**SCALE, "patience": 5.0})
    assert sum(one.doubled for one in results) > 0
