"""The paragraph for the Senior Officials Meeting: of the report's numbers, and of its gaps."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose.style import load_style
from outreach.errors import NotAllowed
from outreach.report.compute import compute
from outreach.report.facts import ChannelMonth, Figure, MonthFacts
from outreach.report.paragraph import Paragraph, compose

from . import us6

FORUM = "Fifth International Forum on Low Carbon Cities"
HOUSE = load_style(us6.ROOT / "config" / "house-style")


def linted(paragraph: Paragraph, titles: tuple[str, ...] = (FORUM,)) -> list[str]:
    found = HOUSE.lint(paragraph.text, profile="document", titles=titles)
    return [str(one) for one in found]


def test_us7_the_paragraph_of_august_2025():
    report = compute(us6.facts())
    made = compose(report, [FORUM])
    assert made.text == (
        "In August 2025, the secretariat published 52 posts on five channels to promote the Fifth "
        "International Forum on Low Carbon Cities. The 41 posts on the four channels for which "
        "complete data were available were displayed 79,896 times and their links were followed "
        "858 times, compared with 49,975 and 394, respectively, on the same channels in July 2025. "
        "Data for the fifth channel (11 posts) were not available."
    )
    assert made.words == 68
    assert linted(made) == []
    channels, before = (
        f"table {report.table(name).number}" for name in ("channels", "month-before")
    )
    assert [(one.text, one.where) for one in made.numbers] == [
        ("52", f"{channels}, column Posts: X 14, LinkedIn 9, Telegram 12, VK 6, Facebook 11"),
        ("41", f"{channels}, column Posts: X 14, LinkedIn 9, Telegram 12, VK 6"),
        (
            "79,896",
            f"{channels}, column Displays: X 48,210, LinkedIn 22,480, Telegram 5,364, VK 3,842",
        ),
        ("858", f"{channels}, column Clicks: X 312, LinkedIn 405, Telegram 97, VK 44"),
        ("49,975", f"{before}, column July 2025, row Displays"),
        ("394", f"{before}, column July 2025, row Clicks"),
        ("11", f"{channels}, column Posts: Facebook 11"),
    ]


def test_its_annex_has_every_channel_and_both_sums():
    table = compose(compute(us6.facts())).table
    rows = {row.head: [cell.text for cell in row.cells] for row in table.rows}
    assert rows["Facebook"] == ["11", "..", "..", ".."]
    assert rows["Compared, August 2025"] == ["41", "79,896", "3,553", "858"]
    assert rows["Compared, July 2025"] == ["23", "49,975", "2,002", "394"]
    used = {cell.note for row in table.rows for cell in row.cells} | {r.note for r in table.rows}
    assert used - {""} == {note.letter for note in table.notes}


def test_what_promotes_several_campaigns_names_them_until_there_are_too_many_words():
    report = compute(us6.facts())
    assert "to promote the Forum and the Booklet." in compose(report, ["Forum", "Booklet"]).text
    many = [f"{n}th week of everything that cities do together in the subregion" for n in range(9)]
    assert "to promote nine campaigns." in compose(report, many).text


def test_a_report_without_a_channel_has_no_paragraph():
    none = MonthFacts(us6.period("2025-08"))
    with pytest.raises(NotAllowed, match="no channel was kept in August 2025"):
        compose(compute(us6.facts(this=none)))


values = st.none() | st.integers(0, 4) | st.integers(0, 10**9)


@st.composite
def channels(draw, month: str) -> MonthFacts:
    """Up to 12 channels, each with what is known of it."""
    found = []
    for n in range(draw(st.integers(1, 12))):
        figures = {
            name: Figure(name, value, "" if value is not None else "collection_failed")
            for name in ("displays", "engagements", "clicks")
            for value in [draw(values)]
        }
        posts, shown = draw(st.none() | st.integers(0, 500)), draw(st.integers(0, 9)) > 0
        found.append(ChannelMonth(f"c{n}", f"Channel {n}", posts, figures, shown=shown))
    return MonthFacts(us6.period(month), tuple(found))


@given(channels("2025-08"), channels("2025-07"), st.sampled_from([(), (FORUM,)]))
def test_whatever_is_known_it_has_60_to_120_words_in_the_house_style(this, before, about):
    report = compute(us6.facts(this=this, before=before))
    made = compose(report, about)
    assert 60 <= made.words <= 120, made.text
    assert linted(made) == [], made.text
    for number in made.numbers:  # each stands in the text, and is the sum of its cells
        assert f"{number.text}" in made.text
    if report.incomplete:
        assert "not available" in made.text
    shared = report.comparisons[0].channels
    for number in made.numbers:  # like for like: on the channels complete in both, and no others
        if shared and number.metric != "posts":
            assert set(number.channels) == set(shared)


def test_sample_figures_are_said_to_be_samples():
    made = compose(compute(us6.facts(sample=True)), [FORUM])
    assert made.sample.startswith("SAMPLE FIGURES")
    assert made.table.sample
    assert replace(made, sample="").text == compose(compute(us6.facts()), [FORUM]).text
