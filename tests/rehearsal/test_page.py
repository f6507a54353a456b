"""The page: one file that needs nothing, in which nothing that people wrote is ever markup."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from outreach.platforms import Account, load
from outreach.platforms.feed import Feed, entries
from outreach.platforms.x import X
from outreach.post import Part
from outreach.rehearsal import manner, page
from outreach.rehearsal.networks import Simulated
from outreach.report.value import Chart, Series
from tests.rehearsal.conftest import read

TEXT = "## en\n\nThe forum opens in Bangkok.\n"


class TestOneFile:
    def test_it_refers_to_nothing_outside_itself(self, forum_page):
        ids = [attrs["id"] for _, attrs in forum_page.tags if "id" in attrs]
        for tag, attrs in forum_page.tags:
            assert tag not in ("script", "link", "iframe", "object", "base", "form"), tag
            assert not [name for name in attrs if name.startswith("on")]
            assert attrs.get("src", "data:").startswith("data:")
            if "href" in attrs:
                assert attrs["href"].startswith("#") and attrs["href"][1:] in ids, attrs
        style = re.search(r"<style>(.*?)</style>", forum_page.html, re.DOTALL)[1]
        assert "url(" not in style and "@import" not in style
        assert len(ids) == len(set(ids))

    def test_it_says_first_and_last_that_nothing_was_published(self, forum_page):
        assert forum_page.text.count(page.BANNER) >= 3
        assert forum_page.html.index('class="banner"') < forum_page.html.index("<h1>")
        assert '@top-center { content: "REHEARSAL — nothing was published"' in forum_page.html

    def test_headings_tables_and_languages_are_told_to_whoever_hears_the_page(self, forum_page):
        levels = [int(tag[1]) for tag, _ in forum_page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(next_ - level <= 1 for level, next_ in itertools.pairwise(levels))
        assert all("scope" in attrs for attrs in forum_page.named("th"))
        assert forum_page.named("html") == [{"lang": "en"}]
        parts = [a for _, a in forum_page.tags if a.get("class") == "part"]
        assert {part["lang"] for part in parts} >= {"en"}
        assert all(part["dir"] == "ltr" for part in parts)

    def test_two_runs_make_the_same_page_but_for_the_date(self, rehearsing):
        rehearsing.office.write(
            "config/outreach.toml",
            '[office]\nname = "The office"\nzone = "Asia/Bangkok"\n'
            '[web]\npublic-url = "https://desk.example.org"\n',
        )
        rehearsing.write(
            "  a: {at: forum - 3 days}\n  b: {at: forum + 9 days}\n",
            ("{en: [net]}", "{en: [net, hand, x, web]}"),
            ("register: tbc", "register: https://example.org/register"),
            a=f"{TEXT}\n{{{{ links.register }}}}\n",
            b="## en\n\nMore.\n",
        )
        one = read(rehearsing()).html
        other = read(rehearsing(made=date(2026, 1, 31))).html
        assert one != other
        assert (
            one.replace("Tue 1 Jul 2025", "Sat 31 Jan 2026").replace(
                'datetime="2025-07-01"', 'datetime="2026-01-31"'
            )
            == other
        )
        assert "desk.example.org/l/" in one


class TestHostile:
    def test_markup_in_texts_titles_names_and_descriptions_is_text(self, rehearsing, picture):
        office = rehearsing.office
        evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;"
        name = '"><b>a.png'
        office.write(f"media/{name}", picture("navy"))
        rehearsing.write(
            "  a:\n    at: forum - 3 days\n    media:\n"
            f"      - {{file: '{name}', alt: '\"><script>alert(2)</script> a square'}}\n",
            ("title: The forum", "title: 'The </style></title><script>alert(3)</script> forum'"),
            ("{en: [net]}", "{en: [net, hand, x, tg, web]}"),
            a=f"## en\n\nTitle {evil}\n\nText {evil} https://example.org/<script>x #a<b> @c<d>\n",
        )
        office.write("campaigns/<i>.yaml", "nothing: <u>\n")
        office.write(
            "config/channels.toml",
            (office.home / "config/channels.toml").read_text().replace("The net", "<u>net</u>"),
        )
        shown = rehearsing()
        found = read(shown)
        assert "script" not in {tag for tag, _ in found.tags}
        assert {tag for tag, _ in found.tags} & {"i", "u"} == set()
        assert not [a for _, a in found.tags if any(name.startswith("on") for name in a)]
        assert "<script>alert(1)</script>" in found.text
        assert "The </style></title><script>alert(3)</script> forum" in found.text
        assert "campaigns/<i>.yaml" in found.text
        alts = {image["alt"] for image in found.named("img")}
        assert alts == {'"><script>alert(2)</script> a square'}

    def test_what_would_turn_text_around_or_hide_is_spelled_out(self, rehearsing):
        rehearsing.write("  a: {at: forum - 3 days}\n", a="## en\n\nab\u202ecd\u200be\n")
        found = read(rehearsing())
        assert "\u202e" not in found.html and "\u200b" not in found.html
        assert "ab⟨U+202E⟩cd⟨U+200B⟩e" in found.text

    def test_a_text_that_prints_a_mark_of_its_own_stays_text(self):
        shown = manner.marked_up("⟦to be confirmed: <b>x</b>⟧ & more", "x")
        assert "<b>" not in shown and "&amp; more" in shown


class TestManners:
    @pytest.mark.parametrize(
        ("network", "shown"),
        [
            ("x", ">example.org/a-rather-long-…</span>"),
            ("telegram", ">https://example.org/a-rather-long-address-of-a-page</span>."),
        ],
    )
    def test_an_address_as_its_network_shows_it(self, network, shown):
        text = "See https://example.org/a-rather-long-address-of-a-page."
        marked = manner.marked_up(text, network)
        assert shown in marked
        assert 'title="https://example.org/a-rather-long-address-of-a-page"' in marked
        assert "href" not in marked

    def test_whom_linkedin_links_is_shown_by_name_there_and_as_written_elsewhere(self):
        text = "With @[UN ESCAP](urn:li:organization:1234)"
        shown = manner.marked_up(text, "linkedin")
        assert shown == 'With <span class="mention">UN ESCAP</span>'
        assert manner.marked_up(text, "x") == text

    def test_hashtags_and_mentions_are_marked_in_every_script(self):
        shown = manner.marked_up("#저탄소도시 (@neaspec) a@b.org https://a.org/#no", "x")
        assert '<span class="hashtag">#저탄소도시</span>' in shown
        assert '<span class="mention">@neaspec</span>' in shown
        assert shown.count("mention") == 1 and shown.count("hashtag") == 1

    @pytest.mark.parametrize("text", ["One\n\nTwo", "One\nTwo\n\nThree", "One", "One\n\n"])
    def test_a_title_is_what_the_feed_itself_takes_for_one(self, text):
        shelf = Shelf()
        account = Account("web", {}, {}, shelf, lambda: datetime(2025, 7, 1, tzinfo=UTC))
        Feed(account).publish(Part(text, token="f" * 32), None)
        (entry,) = entries(shelf, "web", "")
        assert manner.title_and_text(text, "feed") == (entry.title, entry.text)

    def test_room_is_counted_as_the_network_counts_without_what_is_to_be_confirmed(self):
        room = manner.room_of(Part("한국 ⟦to be confirmed: links.register⟧"), X.limits)
        assert (room.count, room.room, room.sure) == (2 * 2 + 1 + 23, 280, False)
        room = manner.room_of(Part("한국 https://example.org/x"), X.limits)
        assert (room.count, room.sure) == (28, True)

    def test_on_telegram_the_picture_is_above_its_caption(self, rehearsing, picture):
        rehearsing.office.write("media/a.png", picture("navy"))
        rehearsing.write(
            "  a: {at: forum - 3 days, media: [{file: a.png, alt: A blue square}]}\n",
            ("{en: [net]}", "{en: [tg, x]}"),
            a=TEXT,
        )
        html = read(rehearsing()).html
        x, telegram = (
            re.search(f'manner {n}">(.*?)</article>', html, re.DOTALL)[1] for n in ("x", "telegram")
        )
        assert x.index("The forum opens") < x.index("<figure")
        assert telegram.index("<figure") < telegram.index("The forum opens")
        assert 'src="data:image/jpeg;base64,' in x and 'alt="A blue square"' in x
        assert "of 1,024 UTF-16 units" in telegram

    def test_a_thread_is_shown_part_by_part(self, rehearsing):
        rehearsing.write(
            "  a: {at: forum - 3 days}\n",
            ("{en: [net]}", "{en: [x]}"),
            a="## en\n\nOne.\n---\nTwo.\n",
        )
        text = read(rehearsing()).text
        assert "Part 1 of 2: 4 of 280" in text and "Part 2 of 2: 4 of 280" in text

    def test_the_same_text_is_folded_below_the_first(self, forum, forum_page):
        folded = [one for one in forum.posts if one.same_as]
        assert folded
        assert forum_page.html.count("Reads the same as") == len(folded)

    def test_a_language_from_right_to_left(self, rehearsing):
        rehearsing.write(
            "  a: {at: forum - 3 days, release: as-ready}\n",
            ("also: [ko]", "also: [ar]"),
            ("{en: [net]}", "{en: [net], ar: [tg]}"),
            a="## en\n\nA.\n\n## ar (from 1234; translator: cy; reviewer: open)\n\nمنتدى المدن\n",
        )
        rehearsing.office.write(
            "config/channels.toml",
            '[net]\nplatform = "memory"\n[tg]\nplatform = "telegram"\nlanguages = ["ar"]\n'
            'chat = "@a"\n',
        )
        html = read(rehearsing()).html
        assert '<div class="part" lang="ar" dir="rtl">' in html


class TestToBeConfirmed:
    def test_a_description_and_a_speaker_are_marked_in_their_place(self, rehearsing, picture):
        rehearsing.office.write("media/a.png", picture("navy"))
        rehearsing.write(
            "  a: {at: forum - 3 days, media: [{file: a.png, alt: tbc}]}\n",
            ("zone: Asia/Bangkok}", "zone: Asia/Bangkok, speakers: {tbc: secretariat}}"),
            a="## en\n\n{% for one in events.forum.speakers %}{{ one.name }} speaks.{% endfor %}\n",
        )
        found = read(rehearsing())
        assert "⟦to be confirmed: events.forum.speakers⟧ speaks." in found.text
        assert "⟦to be confirmed: the alt of a.png⟧" in found.text
        assert "the alt text of a.png is to be confirmed" in found.text


class TestFigures:
    def test_every_report_and_every_table_of_it_is_stamped(self, forum, forum_page):
        assert [report.period for report in forum.reports] == ["2025-07", "2025-08", "2025-09"]
        for report in forum.reports:
            assert report.title.startswith("SIMULATED") and "SIMULATED" in report.sample
            tables = [table for section in report.sections for table in section.tables]
            assert len(tables) > 4
            assert all(table.sample.startswith("SIMULATED") for table in tables)
        assert "@page simulated" in forum_page.html
        found = forum_page.html.partition('<section class="reports"')[2]
        assert found.count("<caption>") == found.count('<caption><span class="stamp">SIMULATED')
        assert found.count("<caption>") >= 9

    def test_what_a_network_does_not_offer_stays_absent(self, forum):
        july = forum.reports[0]
        cells = {row.head: [cell.text for cell in row.cells] for row in july.table("channels").rows}
        assert cells["Telegram"][1] == ".."  # displays: bots are not given them
        assert cells["WeChat"][1] == ".."  # a person reads them
        assert cells["X"][1] not in ("..", "—")

    def test_the_same_post_has_the_same_figures_which_only_grow(self):
        at = datetime(2025, 7, 1, tzinfo=UTC)
        clock = [at]

        def told() -> dict[str, int]:
            clock[0] = at
            account = Account("x", {"as": "x"}, {}, Shelf(), lambda: clock[0])
            network = Simulated(account)
            receipt = network.publish(Part("Hello", token="1" * 32), None)
            seen = []
            for day in (1, 7, 28):
                clock[0] = at.replace(day=day, hour=2)
                seen.append(dict(network.figures([receipt])[receipt.id]))
            assert all(a[m] <= b[m] for a, b in itertools.pairwise(seen) for m in a)
            return seen[-1]

        last = told()
        assert last == told()
        assert set(last) == load("x").offers - {"followers", "clicks"}
        assert last["displays"] > sum(last.values()) - last["displays"] > 0


class Shelf:
    """What an adapter keeps, in a dict."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, object]] = {}

    def put(self, token, value):
        return self._kept.setdefault(token, dict(value))

    def change(self, token, value):
        self._kept[token] = dict(value)

    def get(self, token):
        return self._kept.get(token)

    def list(self, newest=None):
        return list(self._kept.items())


def test_a_picture_that_cannot_be_drawn_does_not_end_the_page():
    from outreach.post import Picture

    broken = Picture("a.png", "0", "image/png", 1, 1, 1, "A", data=b"nothing")
    assert manner.thumbnail(broken) == ""


def test_a_chart_of_a_simulated_report_is_stamped_and_drawn(forum):
    report = forum.reports[0]
    alt = 'Displays <of> "one" channel'
    series = (Series("August 2025", (5, None)),)
    chart = Chart("c", 1, "By channel", "bars", "Displays", ("X", "VK"), series, alt, 1)
    sections = (replace(report.sections[0], charts=(chart,)), *report.sections[1:])
    made = read(replace(forum, reports=(replace(report, sections=sections),)))
    [drawn] = [attrs for _, attrs in made.tags if attrs.get("role") == "img"]
    assert drawn["aria-label"] == alt
    assert re.search(rf">{page.STAMP}</span> Figure 1\. <strong>By channel", made.html)
