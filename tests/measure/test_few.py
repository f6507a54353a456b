"""Counts of few people: none of them can be told from what is printed."""

from collections import defaultdict
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.measure.few import FEWEST, protected


@pytest.mark.parametrize(
    ("cells", "printed"),
    [
        ({"CN": 40, "MN": 12, "KP": 0}, {"CN": 40, "MN": 12, "KP": 0}),
        # One alone would be the total less the others: the next smallest is hidden with it.
        ({"CN": 40, "MN": 12, "KP": 3}, {"CN": 40, "MN": None, "KP": None}),
        ({"CN": 40, "MN": 2, "KP": 3}, {"CN": 40, "MN": None, "KP": None}),
        # Two that add up to two are one each.
        ({"CN": 40, "MN": 1, "KP": 1}, {"CN": None, "MN": None, "KP": None}),
        # And so are five that add up to five.
        ({**dict.fromkeys("abcde", 1), "f": 40}, dict.fromkeys("abcdef")),
        # Of equal ones both: which of them was hidden would tell the rest.
        ({"CN": 5, "MN": 5, "KP": 4}, {"CN": None, "MN": None, "KP": None}),
        ({"CN": 0, "MN": 4, "KP": 0}, None),
        ({"CN": 1, "MN": 1, "KP": 0}, None),
        ({"CN": 0, "MN": 0}, {"CN": 0, "MN": 0}),
        ({}, {}),
    ],
)
def test_small_cells_are_hidden_and_what_they_could_be_computed_from(cells, printed):
    assert protected(cells) == printed


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 60)))
def test_nothing_small_is_printed_and_what_is_printed_is_true(cells):
    shown = protected(cells)
    if shown is None:
        assert any(0 < count < FEWEST for count in cells.values())
        return
    assert list(shown) == list(cells)
    hidden = [cells[name] for name, value in shown.items() if value is None]
    assert all(value in (None, cells[name]) for name, value in shown.items())
    assert not any(0 < (value or 0) < FEWEST for value in shown.values())
    assert not hidden or (len(hidden) > 1 and sum(hidden) >= FEWEST)
    if all(count == 0 or count >= FEWEST for count in cells.values()):
        assert not hidden  # nothing is hidden without need


@pytest.mark.parametrize(("cells", "most"), [(2, 12), (3, 12), (4, 11), (5, 7)])
def test_who_knows_the_total_and_the_rule_still_cannot_tell_a_hidden_cell(cells, most):
    """Every table there is: those that look the same, printed, differ in each hidden cell."""
    same = defaultdict(list)
    for counts in product(range(most + 1), repeat=cells):
        shown = protected(dict(enumerate(counts)))
        printed = None if shown is None else tuple(shown.values())
        same[sum(counts), printed].append(counts)
    for (_, printed), tables in same.items():
        for cell in range(cells):
            if printed is None or printed[cell] is None:
                assert len({table[cell] for table in tables}) > 1, tables[0]
