"""The drill in a short form: fewer posts and fewer kills, and no weaker expectations."""

from dataclasses import replace

import pytest

from tests.drill.__main__ import run, wrong
from tests.drill.faults import FAULTS

SCALE = {"posts": 27, "kills": 3, "drain": 2.0, "lasting": 2.0, "patience": 60.0}


@pytest.mark.slow
@pytest.mark.parametrize("fault", [one for one in FAULTS if "sqlite" in one.databases], ids=str)
def test_nothing_is_doubled_lost_unread_or_stranded(fault):
    results = run(fault, "sqlite", **SCALE)
    assert [one for one in results if wrong(one)] == []
    assert sum(one.live for one in results) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "bug", "seen", "scale", "how"),
    [
        ("the answer is lost", "retries the unknown", "doubled", {}, {}),
        ("all workers at once", "sweeps to cleared", "doubled", {}, {}),
        # Many posts and slow answers: the drain outlasts the first seconds of a hold.
        (
            "race the claim",
            "ignores holds",
            "unread",
            {"posts": 144, "patience": 1.0},
            {"answer": 1.3},
        ),
        ("in spring", "goes by the wall clock", "unread", {}, {}),
    ],
)
def test_a_planted_bug_is_counted(words, bug, seen, scale, how):
    """The drill itself is tested: a program with this bug does not pass it."""
    [fault] = [one for one in FAULTS if words in one.name]
    planted = replace(fault, how={**fault.how, **how, "bug": bug})
    results = run(planted, "sqlite", **{**SCALE, "patience": 20.0, **scale})
    assert sum(getattr(one, seen) for one in results) > 0
