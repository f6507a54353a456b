"""What must hold of any month's figures, not only of August's."""

import json
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.measure.metrics import NotAdditive, add
from outreach.report.arithmetic import (
    BREAK,
    comparable,
    complete_sums,
    like_for_like,
    pooled_rates,
    rate,
    rounded,
)
from outreach.report.compute import compute
from outreach.report.facts import ChannelMonth, Figure, MonthFacts
from outreach.report.value import Report
from outreach.report.words import letter, listing, plural, signed

from . import us6

CORE = ("displays", "engagements", "clicks")
NAMES = ("x", "linkedin", "telegram", "vk", "facebook")
values = st.integers(0, 10**7)


def channel(name: str, numbers: dict[str, int | None], posts: int | None) -> ChannelMonth:
    figures = {
        metric: Figure(metric, value, "" if value is not None else "collection_failed")
        for metric, value in numbers.items()
    }
    return ChannelMonth(name, name.title(), posts, figures)


@st.composite
def channels(draw, *, complete: bool | None = None, names=NAMES):
    """One channel's month; `complete` says whether it has all three figures."""
    whole = draw(st.booleans()) if complete is None else complete
    numbers = {metric: draw(values) for metric in CORE}
    if not whole:
        for metric in draw(st.sets(st.sampled_from(CORE), min_size=1)):
            if draw(st.booleans()):
                del numbers[metric]
            else:
                numbers[metric] = None
    return channel(draw(st.sampled_from(names)), numbers, draw(st.none() | st.integers(0, 99)))


def months(month: str, **how):
    listed = st.lists(channels(**how), unique_by=lambda one: one.channel, max_size=5)
    return listed.map(lambda found: MonthFacts(us6.period(month), tuple(found)))


@given(months("2025-08"), months("2025-07"), channels(complete=False, names=("late",)), values)
def test_a_channel_that_is_incomplete_changes_no_comparison(this, before, late, displays):
    lines = like_for_like(this, before, us6.METRICS)
    whole = channel("late", dict.fromkeys(CORE, displays), 3)
    with_late = MonthFacts(us6.period("2025-08"), (*this.channels, late))
    with_whole = MonthFacts(us6.period("2025-07"), (*before.channels, whole))
    assert like_for_like(with_late, with_whole, us6.METRICS) == lines
    assert like_for_like(with_late, before, us6.METRICS) == lines
    assert like_for_like(this, with_whole, us6.METRICS) == lines


@given(months("2025-08"), months("2025-07"), st.randoms())
def test_the_order_of_rows_changes_nothing(this, before, random):
    def shuffled(month: MonthFacts) -> MonthFacts:
        return MonthFacts(month.period, tuple(random.sample(month.channels, len(month.channels))))

    report = compute(us6.facts(this=this, before=before))
    again = compute(us6.facts(this=shuffled(this), before=shuffled(before)))
    assert again == report
    assert Report.of(json.loads(json.dumps(report.as_data()))) == report


@given(months("2025-08"), st.sampled_from(CORE), st.sampled_from(NAMES))
def test_a_figure_that_goes_missing_makes_no_sum_larger(month, metric, name):
    def without(one: ChannelMonth) -> ChannelMonth:
        if one.channel != name:
            return one
        missing = Figure(metric, None, "collection_failed")
        return ChannelMonth(one.channel, one.title, one.posts, {**one.figures, metric: missing})

    less = MonthFacts(us6.period("2025-08"), tuple(without(one) for one in month.channels))
    sums, smaller = complete_sums(month, us6.METRICS), complete_sums(less, us6.METRICS)
    for core in CORE:
        assert (smaller[core] or 0) <= (sums[core] or 0)
    assert smaller[metric] is None or smaller[metric] <= (sums[metric] or 0)


@given(months("2025-08", complete=False), months("2025-07"))
def test_without_a_complete_channel_there_is_no_trend(this, before):
    assert like_for_like(this, before, us6.METRICS) == ()
    report = compute(us6.facts(this=this, before=before))
    assert report.table("month-before") is None
    assert "per cent" not in " ".join(report.summary)


def broken_on(month: MonthFacts, names: set[str], metric: str) -> MonthFacts:
    """The same figures, but that the network of these channels counts the metric otherwise."""

    def other(one: ChannelMonth) -> ChannelMonth:
        if one.channel not in names or metric not in one.figures:
            return one
        figure = replace(one.figures[metric], series="views")
        return replace(one, figures={**one.figures, metric: figure})

    return MonthFacts(month.period, tuple(other(one) for one in month.channels))


@given(
    months("2025-12"),
    months("2025-11"),
    st.sets(st.sampled_from(NAMES)),
    st.sampled_from(CORE),
)
def test_a_break_in_series_takes_its_channels_out_of_that_measure_alone(
    this, before, names, metric
):
    lines = like_for_like(broken_on(this, names, metric), before, us6.METRICS)
    without = {one.channel for one in this.channels} & names
    left = MonthFacts(
        us6.period("2025-12"), tuple(c for c in this.channels if c.channel not in without)
    )
    alone = {line.metric: line for line in like_for_like(left, before, us6.METRICS)}
    for line, whole in zip(lines, like_for_like(this, before, us6.METRICS), strict=True):
        broken = [one for one in comparable(this, before) if one in names]
        assert list(line.without) == (broken if line.metric == metric else [])
        if line.metric != metric or not line.without:
            assert line == whole
        elif metric in alone:
            assert (line.this, line.before, line.change) == (
                alone[metric].this,
                alone[metric].before,
                alone[metric].change,
            )
        else:
            assert (line.this, line.change, line.why) == (None, None, BREAK)


@given(months("2025-12"), months("2025-11"), st.integers(0, 10**6), values, values)
def test_a_channel_more_adds_exactly_its_own_and_a_period_split_in_two_no_less(
    this, before, part, now, then
):
    """Adding a complete channel to both months changes each sum by its own figures; splitting its
    figure into two posts' and adding them changes nothing."""
    more = channel("more", dict.fromkeys(CORE, now), 1)
    split = add(us6.METRICS["displays"], [min(part, now), now - min(part, now)], over="days")
    old = channel("more", {**dict.fromkeys(CORE, then), "displays": then}, 1)
    new = replace(more, figures={**more.figures, "displays": Figure("displays", split)})
    with_more = like_for_like(
        MonthFacts(us6.period("2025-12"), (*this.channels, new)),
        MonthFacts(us6.period("2025-11"), (*before.channels, old)),
        us6.METRICS,
    )
    lines = like_for_like(this, before, us6.METRICS)
    for name in CORE:
        line = next(one for one in with_more if one.metric == name)
        was = next((one for one in lines if one.metric == name), None)
        assert line.this == (was.this if was else 0) + now
        assert line.before == (was.before if was else 0) + then


def test_a_rate_is_pooled_over_channels_whose_series_are_whole():
    """US-12: one channel changed what it counts as a display."""
    both = [channel(n, {"displays": 1000, "engagements": e, "clicks": 9}, 2) for n, e in RATES]
    this, before = (
        MonthFacts(us6.period("2025-12"), tuple(both)),
        MonthFacts(us6.period("2025-11"), tuple(both)),
    )
    assert [str(one) for one in pooled_rates(this, before, us6.METRICS)] == ["4.00", "4.00"]
    this = broken_on(this, {"facebook"}, "displays")
    assert [str(one) for one in pooled_rates(this, before, us6.METRICS)] == ["2.00", "2.00"]


RATES = (("facebook", 60), ("x", 20))


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**9), st.integers(0, 3))
def test_rounding_is_half_up_and_exact(part, whole, places):
    with localcontext(prec=60):
        exact = Decimal(100 * part) / Decimal(whole)
        expected = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert rounded(part, whole, places) == expected


def test_half_is_rounded_up_where_pythons_round_goes_to_even():
    assert str(rounded(1, 800, 2)) == "0.13"  # 0.125; round(0.125, 2) is 0.12
    assert str(rounded(-1, 800, 2)) == "-0.13"


def test_a_rate_needs_a_base_of_thirty():
    assert str(rate(3, 30)) == "10.00"
    assert rate(3, 29) is None
    assert rate(3, 0) is None
    assert rate(3, None) is None
    assert rate(None, 100) is None


@pytest.mark.parametrize(
    ("before", "change", "why"),
    [(0, None, "base zero"), (29, None, "base under 30"), (30, "100.0", ""), (120, "-50.0", "")],
)
def test_no_percentage_on_too_little(before, change, why):
    this = MonthFacts(us6.period("2025-08"), (channel("x", dict.fromkeys(CORE, 60), 3),))
    then = MonthFacts(us6.period("2025-07"), (channel("x", dict.fromkeys(CORE, before), 3),))
    clicks = like_for_like(this, then, us6.METRICS)[3]
    assert (clicks.metric, clicks.change, clicks.why) == ("clicks", change, why)


def test_reach_cannot_be_added_over_anything():
    for over in ("posts", "days", "channels"):
        with pytest.raises(NotAdditive, match=f"reach may not be added over {over}"):
            add(us6.METRICS["reach"], [1, 2], over=over)


def test_a_channel_twice_in_a_month_is_refused():
    one = channel("x", {}, 1)
    with pytest.raises(ValueError, match="a channel is there twice"):
        MonthFacts(us6.period("2025-08"), (one, one))


def test_a_figure_is_a_value_or_a_reason():
    with pytest.raises(ValueError, match="a value, or none with a reason"):
        Figure("clicks", None)
    with pytest.raises(ValueError, match="a value, or none with a reason"):
        Figure("clicks", 1, "not_offered")
    with pytest.raises(ValueError, match="no reason"):
        Figure("clicks", None, "bad weather")


def test_numbers_and_lists_in_words():
    posts = [plural(number, "post") for number in (0, 1, 9, 10)]
    assert posts == ["no posts", "one post", "nine posts", "10 posts"]
    assert listing(["X", "LinkedIn", "VK"]) == "X, LinkedIn and VK"
    assert [signed(Decimal(n)) for n in ("59.9", "-12.0", "0.0")] == ["+59.9", "−12.0", "0.0"]
    assert [letter(n) for n in (0, 25, 26, 52)] == ["a", "z", "aa", "ba"]
