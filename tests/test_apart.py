"""The same words, or the same moment, twice on one account."""

from tests.conftest import Office

TWO = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {main: {en: [net]}, other: {en: [web]}}
defaults: {to: main}
messages:
  one: {at: "2025-08-20 09:00 Asia/Bangkok"}
  two: {at: "2025-08-20 TWO Asia/Bangkok", to: TO}
"""
SERIES = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {main: {en: [net]}}
defaults: {to: main}
messages:
  news:
    every: {days: [mon], time: "10:00 UTC", from: "2025-07-21 00:00 UTC",
            until: "2025-08-11 23:00 UTC"}
"""


def whats(office: Office, two: str, at: str = "10:00", to: str = "main", one: str = "Words."):
    office.campaign(
        TWO.replace("TWO", at).replace("TO", to), one=f"## en\n{one}\n", two=f"## en\n{two}\n"
    )
    files = office.open().files()
    return [
        problem.what
        for problem in files.drafts[f"c/two/en@{'net' if to == 'main' else 'web'}"].blocked
    ]


def test_the_same_words_twice_are_a_problem_however_their_links_differ(office: Office):
    assert whats(office, "Words.") == ["c/one says the same on net"]
    assert whats(office, "Other words.") == []
    assert whats(office, "Words.", to="other") == []
    assert whats(
        office,
        "Words: https://example.org/?utm_source=x&utm_content=two",
        one="Words: https://example.org/?utm_source=x&utm_content=one",
    ) == ["c/one says the same on net"]


def test_the_same_moment_twice_is_a_problem(office: Office):
    assert whats(office, "Other words.", at="09:00") == ["c/one is due on net at the same time"]
    assert whats(office, "Other words.", at="09:00", to="other") == []


def test_a_series_with_one_text_is_a_problem_and_with_two_they_take_turns(office: Office):
    office.campaign(SERIES, news="## en\nThe same each week.\n")
    drafts = list(office.open().files().drafts.values())
    assert len(drafts) == 4
    assert all("news recurs, and has one text in en" in [p.what for p in d.blocked] for d in drafts)

    office.campaign(SERIES, news="## en 1\nThe first.\n## en 2\nThe second.\n")
    drafts = list(office.open().files().drafts.values())
    assert [d.post.parts[0].text for d in drafts] == [
        "The first.",
        "The second.",
        "The first.",
        "The second.",
    ]
    assert [d.blocked for d in drafts] == [(), (), (), ()]
    assert [d.key for d in drafts][:2] == [
        "c/news~2025-07-21T10:00/en@net",
        "c/news~2025-07-28T10:00/en@net",
    ]
