"""Posts of the same age, groups of posts, and revisions: never on too little, never half a sum."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.report.compute import compute
from outreach.report.facts import Against, Audience, Figure, MonthFacts, PostLine

from . import us6

BEGAN = datetime(2025, 8, 1, tzinfo=UTC)


def post(n: int, channel: str = "x", *, week: int | None = None, **more) -> PostLine:
    figures = {m: Figure(m, 10 * (n + 1)) for m in ("displays", "engagements", "clicks")}
    return PostLine(
        **{
            "key": f"forum/p{n}/en@{channel}",
            "title": f"p{n}",
            "channel": channel,
            "language": "en",
            "published_at": BEGAN + timedelta(hours=n),
            "figures": figures,
            "campaign": "forum",
            "week": {} if week is None else {"displays": week},
            **more,
        }
    )


def against(*posts: PostLine) -> tuple[Against, ...]:
    name, title = us6.AGAINST[0]
    return (Against(name, title, us6.month_facts("2025-07"), posts),)


def cells(table, head: str) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in table.rows if row.head == head]


def test_medians_are_set_beside_each_other_with_how_many_posts_they_are_of():
    made = compute(
        us6.facts(
            posts=tuple(post(n, week=value) for n, value in enumerate((40, 50, 60, 70, 9_000, 80))),
            against=against(*(post(n, week=50) for n in range(5))),
        )
    )
    # of six, the middle is between 60 and 70: one that went round the world does not move it
    assert cells(made.table("ages"), "X") == [["Displays", "5", "50", "6", "65", "+30.0"]]
    assert cells(made.table("strong-and-weak"), "p4") == [
        ["Strong", "X", "en", "Displays", "9,000", "138.5"]
    ]
    assert [row.head for row in made.table("strong-and-weak").rows] == [
        *("p4", "p5", "p3"),
        *("p2", "p1", "p0"),
    ]


def test_of_four_posts_there_is_no_median_no_change_and_no_strong_post():
    made = compute(
        us6.facts(
            posts=tuple(post(n, week=100 * (n + 1)) for n in range(4)),
            against=against(*(post(n, week=50) for n in range(5))),
        )
    )
    [row] = cells(made.table("ages"), "X")
    assert row == ["Displays", "5", "50", "4", "..", "n/a (too few posts)"]
    assert made.table("strong-and-weak") is None
    assert any("No post is named as strong or weak" in line for line in made.words("ages"))


def test_a_median_under_thirty_is_no_base():
    made = compute(
        us6.facts(
            posts=tuple(post(n, week=20 + n) for n in range(6)),
            against=against(*(post(n, week=29) for n in range(5))),
        )
    )
    assert cells(made.table("ages"), "X")[0][-1] == "n/a (base under 30)"
    assert made.table("strong-and-weak") is None


def test_campaigns_and_languages_are_added_on_complete_channels_only():
    posts = (
        post(0),
        post(1, "telegram", language="ru", campaign="booklet"),
        post(2, "facebook"),  # it has figures of its own, and its channel is not complete
    )
    made = compute(us6.facts(posts=posts, titles={"forum": "The Fifth Forum"}))
    assert cells(made.table("campaigns"), "The Fifth Forum") == [
        ["2", "1", "10", "10", "10", "n/a (base under 30)"]
    ]
    assert cells(made.table("languages"), "en") == [
        ["2", "1", "10", "10", "10", "n/a (base under 30)"]
    ]
    assert cells(made.table("languages"), "ru")[0][:3] == ["1", "1", "20"]


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.randoms())
def test_a_post_without_a_figure_takes_the_sum_away_and_order_changes_nothing(known, random):
    posts = [
        post(n)
        if has
        else replace(post(n), figures={"displays": Figure("displays", None, "no_permission")})
        for n, has in enumerate(known)
    ]
    made = compute(us6.facts(posts=tuple(posts)))
    [row] = made.table("campaigns").rows
    total = sum(10 * (n + 1) for n in range(len(posts)))
    assert row.cells[2].value == (total if all(known) else None)
    again = compute(us6.facts(posts=tuple(random.sample(posts, len(posts)))))
    assert again == made


def test_followers_of_channels_are_never_added_and_a_gap_makes_no_trend():
    line = (("July 2025", 100), ("August 2025", 120))
    those = (
        Audience("x", "X", Figure("followers", 100), Figure("followers", 120), over=line),
        Audience("vk", "VK", None, Figure("followers", 9), over=(("July 2025", None), line[1])),
    )
    made = compute(us6.facts(audience=those))
    assert cells(made.table("audience"), "X") == [["100", "120", "+20", "+20.0", "-", "-"]]
    assert cells(made.table("audience"), "VK") == [
        ["..", "9", "..", "n/a (figure not available)", "-", "-"]
    ]
    assert [row.head for row in made.table("followers").rows] == ["X"]  # one reading is no line
    assert not any(row.total for table in made.section("audience").tables for row in table.rows)


class TestRevised:
    def version(self, number: int, *, earlier=None, **more):
        return compute(us6.facts(edition=number, earlier=earlier, **more))

    def rows(self, made) -> list[tuple[str, list[str]]]:
        return [(row.head, [cell.text for cell in row.cells]) for row in made.table("revised").rows]

    def test_nothing_changed_is_said(self):
        first = self.version(1)
        assert first.section("revised") is None
        second = self.version(2, earlier=first)
        assert second.words("revised")[-1] == "No figure has changed."
        assert second.table("revised") is None
        assert (second.edition, second.supersedes) == (2, 1)

    def test_an_import_that_came_later_is_named_and_so_is_what_follows_from_it(self):
        first = self.version(1)
        found = {one.channel: one for one in us6.month_facts("2025-08").channels}
        typed = Figure(
            "clicks",
            412,
            source="import",
            snapshot=77,
            by="ana",
            taken_at=datetime(2025, 9, 20, tzinfo=UTC),
        )
        found["x"] = replace(found["x"], figures={**found["x"].figures, "clicks": typed})
        this = MonthFacts(us6.period("2025-08"), tuple(found.values()))
        second = self.version(2, earlier=first, this=this)
        rows = self.rows(second)
        assert rows[2][1][2:4] == ["+309.7", "+366.9"]  # against August of 2024
        assert rows[:2] == [
            (
                "X",
                [
                    *("Clicks", "August 2025", "312", "412"),
                    "Imported by ana on 20 September 2025 (record 77).",
                ],
            ),
            (
                "Compared",
                [
                    *("Clicks, change (per cent)", "August 2025 and July 2025", "+117.8", "+143.1"),
                    "It follows from the figures above.",
                ],
            ),
        ]
        third = self.version(3, earlier=second)  # the import was undone
        assert self.rows(third)[0][1][2:] == [
            "412",
            "312",
            "The import (record 77) was taken back.",
        ]

    def test_a_post_that_was_withdrawn_is_why_a_sum_is_smaller(self):
        posts = (post(0), post(1))
        first = self.version(1, posts=posts)
        gone = replace(posts[1], withdrawn_at=BEGAN + timedelta(days=9))
        found = {one.channel: one for one in us6.month_facts("2025-08").channels}
        less = replace(
            found["x"],
            posts=13,
            figures={**found["x"].figures, "displays": Figure("displays", 48_190)},
        )
        this = MonthFacts(us6.period("2025-08"), (*(o for n, o in found.items() if n != "x"), less))
        second = self.version(2, earlier=first, posts=(posts[0], gone), this=this)
        changed = {cells[0]: cells[2:] for head, cells in self.rows(second) if head == "X"}
        assert changed["Posts"] == ["14", "13", "One post was withdrawn."]
        assert changed["Displays"][:2] == ["48,210", "48,190"]
