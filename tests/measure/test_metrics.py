"""The dictionary, and months."""

from datetime import date
from pathlib import Path

import pytest

from outreach.errors import WrongFiles
from outreach.measure.metrics import NotAdditive, Reason, add, combine, load_metrics
from outreach.measure.months import (
    NoSuchMonth,
    before,
    bounds,
    default_cut_off,
    following,
    parse_month,
    year_before,
)

FILE = Path(__file__).parents[2] / "config" / "metrics.toml"
METRICS = load_metrics(FILE)


def test_the_dictionary_defines_every_figure_that_reports_print():
    for name in ("displays", "reach", "engagements", "clicks", "likes", "shares", "replies"):
        assert METRICS[name].definition
    for name in ("quotes", "bookmarks", "followers", "visits", "engagement-rate"):
        assert METRICS[name].label


def test_counters_add_up_and_gauges_do_not():
    assert add(METRICS["displays"], [48_210, 22_480], over="channels") == 70_690
    with pytest.raises(NotAdditive, match="followers may not be added over channels") as declined:
        add(METRICS["followers"], [10, 20], over="channels")
    assert declined.value.hint == "print it for each alone"
    with pytest.raises(NotAdditive):
        add(METRICS["engagement-rate"], [3, 8], over="channels")


def test_a_missing_figure_makes_the_sum_missing_and_never_zero():
    assert add(METRICS["clicks"], [312, None, 97], over="channels") is None
    assert add(METRICS["clicks"], [], over="channels") is None


def test_engagements_are_combined_where_a_network_gives_parts():
    parts = {"likes": 5, "shares": 2, "replies": 1, "quotes": 0, "bookmarks": 3}
    assert combine(METRICS["engagements"], "x", parts) == 11
    assert combine(METRICS["engagements"], "x", {**parts, "likes": None}) is None
    assert combine(METRICS["engagements"], "x", {"likes": 5}) is None
    assert combine(METRICS["engagements"], "telegram", parts) is None
    assert combine(METRICS["engagements"], "linkedin", {"engagements": 7}) == 7


def test_every_reason_has_its_sentence():
    assert all(reason.sentence[0].isupper() for reason in Reason)


def test_a_wrong_dictionary_names_every_mistake_and_its_line(tmp_path):
    file = tmp_path / "metrics.toml"
    file.write_text(
        "[clicks]\n"
        'label = "Clicks"\n'
        'definition = "How often"\n'
        'unit = "times"\n'
        'kind = "counts"\n'
        "sum-post = true\n"
        "sum-posts = true\n"
        "sum-days = true\n"
        "\n"
        "[rate]\n"
        'label = "Rate"\n'
        'definition = "Of hundred"\n'
        'unit = "per cent"\n'
        'kind = "ratio"\n'
        "sum-posts = true\n"
        "sum-days = false\n"
        "sum-channels = false\n"
    )
    with pytest.raises(WrongFiles) as wrong:
        load_metrics(file)
    assert [str(problem).replace(str(file), "m") for problem in wrong.value.problems] == [
        "m:1: clicks: unknown key 'sum-post'; did you mean 'sum-posts'?",
        "m:1: clicks: sum-channels is missing",
        "m:1: clicks: kind must be counter, gauge or ratio, not 'counts'",
        "m:10: rate: a ratio is never added",
    ]


def test_a_figure_that_a_network_renames_is_two_series_and_the_dictionary_says_since_when():
    displays = METRICS["displays"]
    before, since = date(2025, 11, 14), date(2025, 11, 15)
    assert displays.on("facebook", before).name == "post_impressions"
    assert displays.on("facebook", since).name == "post_media_view"
    assert displays.series("facebook", before) != displays.series("facebook", since)
    # What was asked for counts, whatever the day says.
    assert displays.series("facebook", since, "post_impressions") == "post_impressions"
    assert displays.after("facebook", "post_impressions").name == "post_media_view"
    assert displays.series("x", before) == displays.series("x", since) == "impression_count"
    assert displays.series("memory", since) == ""


def test_days_that_cannot_be_are_told_with_their_line(tmp_path):
    text = FILE.read_text()
    file = tmp_path / "metrics.toml"
    for was, now, what in (
        ("until = 2025-11-15", 'until = "2025-11-15"', "until must be a day, without quotes"),
        ("until = 2025-11-15", "", "say until when it was 'post_impressions'"),
        ("from = 2025-11-15", "", "say from when it is 'post_media_view'"),
        ("from = 2025-11-15", "from = 2025-11-01", "two hold on 2025-11-01"),
    ):
        file.write_text(text.replace(was, now, 1))
        with pytest.raises(WrongFiles, match=what) as wrong:
            load_metrics(file)
        line = int(str(wrong.value.problems[0]).partition("toml:")[2].partition(":")[0])
        assert "[[displays.networks.facebook]]" in file.read_text().splitlines()[line - 1]


def test_a_month_lies_between_midnights_of_its_zone():
    def shown(zone: str) -> list[str]:
        return [one.isoformat() for one in bounds("2025-08", zone)]

    assert shown("Asia/Bangkok") == ["2025-07-31T17:00:00+00:00", "2025-08-31T17:00:00+00:00"]
    assert shown("Asia/Seoul") == ["2025-07-31T15:00:00+00:00", "2025-08-31T15:00:00+00:00"]
    cut_off = default_cut_off("2025-08", "Asia/Bangkok")
    assert cut_off.isoformat() == "2025-09-05T17:00:00+00:00"


def test_a_month_that_begins_when_clocks_jump_begins_at_the_jump():
    # Asuncion's clocks went from 00:00 to 01:00 on 1 October 2017.
    assert bounds("2017-10", "America/Asuncion")[0].isoformat() == "2017-10-01T04:00:00+00:00"


def test_months_before_and_after():
    assert (before("2025-01"), following("2025-12")) == ("2024-12", "2026-01")
    assert year_before("2025-08") == "2024-08"


@pytest.mark.parametrize("text", ["August 2025", "2025-8", "2025-13", "08-2025", "", "0000-01"])
def test_what_is_no_month_is_declined_with_the_way_to_write_it(text):
    with pytest.raises(NoSuchMonth) as declined:
        parse_month(text)
    assert declined.value.hint


def test_an_unknown_zone_is_declined():
    with pytest.raises(NoSuchMonth, match="there is no time zone 'Europe/Geneva'"):
        bounds("2025-08", "Europe/Geneva")
