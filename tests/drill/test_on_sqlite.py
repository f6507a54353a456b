"""The drill in a short form: fewer posts and fewer kills, and no weaker expectations."""

import pytest

from tests.drill.__main__ import run, wrong
from tests.drill.faults import FAULTS

SCALE = {"posts": 36, "kills": 4, "patience": 60.0}


@pytest.mark.slow
@pytest.mark.parametrize("fault", [one for one in FAULTS if "sqlite" in one.databases], ids=str)
def test_nothing_is_doubled_lost_unread_or_stranded(fault):
    results = run(fault, "sqlite", **SCALE)
    assert [one for one in results if wrong(one)] == []
    assert sum(one.live for one in results) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "bug"),
    [
        ("the answer is lost", "retries the unknown"),
        ("all workers at once", "sweeps to cleared"),
    ],
)
def test_a_planted_bug_is_counted(words, bug):
    """The drill itself is tested: a program with this bug does not pass it."""
    [fault] = [one for one in FAULTS if words in one.name]
    assert any(wrong(one) for one in run(fault, "sqlite", **{**SCALE, "patience": 20.0}, bug=bug))
