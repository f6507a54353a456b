"""Posts that others made: adopted by address, counted, and reported apart from ours."""

from datetime import date

import pytest

from outreach.errors import NotAllowed, NotFound, WrongFiles
from outreach.report.documents import FORMATS
from outreach.report.value import Report
from tests.conftest import REPOSITORY, Office
from tests.drafts import live, utc
from tests.report import reading

THEIRS = "https://vk.com/wall-1_22"
CHANNELS = """
[net]
platform = "memory"

[vk]
platform = "manual"
title = "VK"
network = "vk"
"""


@pytest.fixture
def desk(office: Office):
    office.write("config/channels.toml", CHANNELS)
    office.write("campaigns/forum.yaml", "campaign: forum\n")
    office.clock.to("2025-09-03T00:00Z")
    return office.open()


@pytest.fixture
def ana(desk):
    return desk.person("ana")


def adopt(desk, by, url=THEIRS, on=date(2025, 8, 20), **more):
    given = {"campaign": "forum", "channel": "vk", "whose": "ICLEI", **more}
    desk.figures.adopt(url, by=by, on=on, **given)


def figures(desk, by, displays, url=THEIRS):
    desk.figures.keep(f"post,displays\n{url},{displays}\n".encode(), file="f.csv", by=by)


class TestAdopting:
    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"url": "it is great"}, "is not the address of a post"),
            ({"url": "https://example.org/1"}, "is not the address of a post on VK"),
            ({"campaign": "form"}, "there is no campaign 'form'"),
            ({"channel": "kv"}, "there is no channel 'kv'"),
            ({"on": date(2025, 9, 9)}, "in the future"),
        ],
    )
    def test_what_is_wrong_is_said_in_plain_words(self, desk, ana, more, words):
        with pytest.raises((NotAllowed, NotFound), match=words):
            adopt(desk, ana, **more)

    def test_our_own_post_and_the_same_twice_are_refused(self, desk, ana):
        live(desk, "c/news/en@net", at=utc("2025-08-10T02:00"), url="https://vk.com/wall-1_1")
        with pytest.raises(NotAllowed, match="is our own post c/news/en@net"):
            adopt(desk, ana, url="https://vk.com/wall-1_1")
        adopt(desk, ana)
        with pytest.raises(NotAllowed, match="adopted already"):
            adopt(desk, ana)
        desk.figures.let_go(THEIRS, by=ana)
        assert desk.figures.adopted() == []
        with pytest.raises(NotFound):
            desk.figures.let_go(THEIRS, by=ana)

    def test_a_guest_may_not(self, desk):
        with pytest.raises(NotAllowed, match="needs the role officer"):
            adopt(desk, desk.person("cy"))


class TestTheReport:
    def test_it_is_in_a_table_of_its_own_and_in_no_sum(self, desk, ana):
        live(desk, "c/news/en@vk", at=utc("2025-08-10T02:00"), url="https://vk.com/wall-1_1")
        figures(desk, ana, 40, url="https://vk.com/wall-1_1")
        before = desk.reports.make("2025-08", by=ana)
        adopt(desk, ana)
        figures(desk, ana, 7000)
        made = desk.reports.make("2025-08", by=ana)

        [row] = made.table("others").rows
        assert (row.head, [cell.text for cell in row.cells]) == (
            THEIRS,
            ["ICLEI", "VK", "forum", "20 August 2025", "7,000", ".."],
        )
        assert "In no sum of this report" in made.table("others").notes[0].text
        elsewhere = [one for one in made.sections if one.name != "annex-others"]
        assert "7,000" not in str((elsewhere, made.comparisons, made.summary))
        assert made.table("channels") == before.table("channels")
        assert before.table("others") is None

    def test_it_belongs_to_the_month_in_which_it_was_published_in_the_reports_zone(self, desk, ana):
        adopt(desk, ana, on=date(2025, 8, 1))
        adopt(desk, ana, url="https://vk.com/wall-1_23", on=date(2025, 7, 31))
        assert [row.head for row in desk.reports.make("2025-08", by=ana).table("others").rows] == [
            THEIRS
        ]

    def test_every_document_has_it_and_what_was_frozen_is_read_back(self, desk, ana):
        adopt(desk, ana)
        made = desk.reports.make("2025-08", by=ana)
        assert Report.of(made.as_data()) == made
        for name, kind in FORMATS.items():
            data = kind.write(made, template_folder=REPOSITORY / "templates" / "reports")
            assert THEIRS in reading.text(name, data)

    def test_a_figure_that_nobody_read_is_not_available(self, desk, ana):
        adopt(desk, ana)
        [row] = desk.reports.make("2025-08", by=ana).table("others").rows
        assert [cell.text for cell in row.cells][-2:] == ["..", ".."]

    def test_figures_of_what_was_never_adopted_are_a_mistake(self, desk, ana):
        with pytest.raises(WrongFiles, match="is no published post"):
            figures(desk, ana, 1)


class TestAnotherToolsExport:
    DATA = "标题,内容url,阅读次数\n论坛,https://vk.com/wall-1_22,310\n".encode()

    def test_its_heads_are_named_once_and_shown_before_anything_is_kept(self, desk, ana, office):
        adopt(desk, ana)
        office.write(
            "config/columns.toml",
            '[theirs]\nchannel = "vk"\n"标题" = "-"\n"内容url" = "post"\n"阅读次数" = "displays"\n',
        )
        found = desk.figures.read(self.DATA, file="e.csv", kind="theirs")
        assert found.problems == ()
        assert found.posts[0].figures["displays"].value == 310
        shown = "\n".join(found.preview())
        assert "column '阅读次数': taken as displays" in shown
        assert "column '标题': left out" in shown

    def test_without_that_it_says_which_columns_it_does_not_know(self, desk):
        found = desk.figures.read(self.DATA, file="e.csv")
        assert [p.what for p in found.problems] == [
            "unknown column '标题'",
            "unknown column '内容url'",
            "unknown column '阅读次数'",
        ]

    def test_every_mistake_in_the_list_of_heads_is_told_with_its_line(self, desk, office):
        office.write("config/columns.toml", '[a]\nchannel = "kv"\n"x" = "dispays"\n[b]\n')
        with pytest.raises(WrongFiles) as wrong:
            desk.figures.read(self.DATA, file="e.csv", kind="a")
        said = str(wrong.value)
        assert "config/columns.toml:2: there is no channel 'kv'" in said
        assert "config/columns.toml:3: 'x' cannot mean 'dispays'" in said
        assert "config/columns.toml:4: b says nothing" in said
        office.write("config/columns.toml", '[wechat]\n"x" = "displays"\n')
        with pytest.raises(NotFound, match=r"has no \[wechta\]"):
            desk.figures.read(self.DATA, file="e.csv", kind="wechta")

    def test_channel_and_month_may_be_said_for_the_whole_file(self, desk):
        from outreach.measure.imports import Columns

        columns = Columns({"Views": "displays"}, "vk", "2025-08")
        found = desk.figures.read(b"Views\n300\n", file="e.csv", columns=columns)
        assert (found.problems, found.months[0].channel, found.months[0].month) == (
            (),
            "vk",
            "2025-08",
        )
