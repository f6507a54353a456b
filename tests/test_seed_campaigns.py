"""The campaigns of this office, as it has them: nothing is invented, and what is open waits."""

import shutil

import pytest

from outreach.app import open_desk
from outreach.compose.languages import Translation
from tests.conftest import REPOSITORY

PEOPLE = """
[officer]
name = "Ana Example"
roles = ["officer", "administrator"]

[clearer]
name = "Bo Example"
roles = ["clearer", "officer", "administrator"]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    home = tmp_path_factory.mktemp("office")
    for name in ("campaigns", "templates", "config"):
        shutil.copytree(REPOSITORY / name, home / name)
    (home / "config" / "people.toml").write_text(PEOPLE)
    desk = open_desk(home, prepare=False)
    yield desk.files()
    desk.close()


def of(files, campaign):
    return [draft for draft in files.drafts.values() if draft.campaign == campaign]


def test_there_are_three_and_none_has_a_mistake(files):
    assert [str(problem) for problem in files.mistakes] == []
    assert {campaign.campaign for campaign in files.loaded.campaigns} == {
        "forum-2025",
        "booklet",
        "nea-lccp",
    }


def test_the_forum_s_two_messages_are_in_six_languages(files):
    found = {
        (draft.message, draft.language): draft.translation
        for draft in of(files, "forum-2025")
        if draft.language != "en"
    }
    assert found == {
        (message, language): Translation.UNREVIEWED
        for message in ("save-the-date", "programme")
        for language in ("zh", "ko", "ru", "ja", "mn")
    }


@pytest.mark.parametrize(
    ("campaign", "languages"),
    [("forum-2025", ("ko", "ja", "mn")), ("booklet", ("ko",))],
)
def test_what_is_not_official_says_so_in_its_own_language(files, campaign, languages):
    from outreach.compose.languages import UNOFFICIAL

    made = next(one for one in files.loaded.campaigns if one.campaign == campaign)
    assert made.languages.unofficial == languages
    for draft in of(files, campaign):
        if draft.language in languages and draft.post:
            assert UNOFFICIAL[draft.language] in draft.post.parts[0].text


def test_the_booklet_waits_for_its_date_its_addresses_and_its_reviewers(files):
    drafts = of(files, "booklet")
    assert {draft.language for draft in drafts if draft.message == "launch"} == {
        "en",
        "zh",
        "ko",
        "ru",
    }
    for draft in drafts:
        whats = {problem.what for problem in draft.blocked}
        assert "events.launch.date is to be confirmed by secretariat" in whats
        assert any(what.startswith("links.booklet") for what in whats)
        assert all(problem.open for problem in draft.blocked)
        assert draft.slot is not None


def test_us_2_the_launch_is_advised_against_on_chinas_national_day(files):
    launch = next(d for d in of(files, "booklet") if d.key == "booklet/launch/zh@wechat")
    advice, deadline = launch.advice  # a package of its languages goes out days before
    assert deadline.what == "zh has to be cleared by 2025-09-24 10:00 Asia/Seoul"
    assert advice.what == (
        "launch is due on Wednesday 1 October 2025: a holiday in China (National Day)"
    )
    assert advice.hint.startswith("better Tuesday 14 October 2025, 10:00 Asia/Seoul")


def test_us_2_a_language_that_is_ready_can_go_or_all_are_held(files):
    launch = next(one for one in files.loaded.campaigns if one.campaign == "booklet")
    assert launch.messages["launch"].release == "together"
    assert {d.language for d in of(files, "booklet") if d.channel in ("vk", "wechat")} == {
        "ru",
        "zh",
    }


def test_the_platform_s_messages_come_once_a_month_with_texts_in_turn(files):
    from outreach.campaign.occasions import occasions

    made = next(one for one in files.loaded.campaigns if one.campaign == "nea-lccp")
    days = {}
    for one in occasions(made):
        days.setdefault(one.of, []).append(one.local[:10])
    assert {name: len(those) for name, those in days.items()} == {
        "the-platform": 12,
        "call-to-cities": 12,
        "call-to-host": 12,
    }
    assert days["the-platform"][:3] == ["2026-01-06", "2026-02-03", "2026-03-03"]
    assert days["call-to-host"][:2] == ["2026-01-20", "2026-02-17"]
