"""A message's languages as a set: missing, stale, unreviewed, wrong, ready."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose.languages import SCRIPTS, direction, wrong_language
from tests.conftest import Office, apply, clear_all, state
from tests.drafts import run_to, utc

CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
languages: {source: en, also: [ko, ru]}
audiences: {main: {en: [net], ko: [net], ru: [net]}}
defaults: {to: main}
messages:
  news: {at: "2025-07-20 09:00 Asia/Bangkok"RELEASE}
"""
CHANNELS = '[net]\nplatform = "memory"\nlanguages = ["en", "ko", "ru"]\n'
EN = "The forum opens in Bangkok."
KO = "포럼이 방콕에서 열립니다. 많은 참여를 바랍니다."
RU = "Форум открывается в Бангкоке, приглашаем участников."


def source_hash() -> str:
    from outreach.compose.texts import Section

    return Section("en", "", 0, 1, f"{EN}\n").hash[:4]


def texts(ko: str = "", ru: str = "", en: str = EN) -> str:
    kept = source_hash()
    ko = ko or f"## ko (from {kept}; translator: kim; reviewer: lee)\n{KO}\n"
    ru = ru or f"## ru (from {kept}; translator: ivanov; reviewer: petrova)\n{RU}\n"
    return f"## en\n{en}\n{ko}{ru}"


@pytest.fixture
def made(office: Office):
    office.write("config/channels.toml", CHANNELS)

    def made(text: str, release: str = "", **more: str):
        office.campaign(CAMPAIGN.replace("RELEASE", release), news=text)
        desk = office.open()
        return desk, {draft.language: draft for draft in desk.files().drafts.values()}

    return made


def test_a_translation_that_is_reviewed_and_of_this_source_is_ready(made):
    _, drafts = made(texts())
    assert {name: str(draft.translation) for name, draft in drafts.items()} == {
        "en": "source",
        "ko": "ready",
        "ru": "ready",
    }
    assert [draft.blocked for draft in drafts.values()] == [(), (), ()]


def test_its_translator_is_one_of_its_authors(made):
    _, drafts = made(texts())
    assert drafts["ko"].authors == {"ana", "kim"}


def test_a_translator_who_is_nobody_of_the_office_is_named(made):
    _, drafts = made(texts().replace("translator: kim", "translator: anna"))
    [advice] = [one for one in drafts["ko"].advice if "translator" in one.what]
    assert advice.what == "the translator anna is not in config/people.toml"
    assert advice.hint == "did you mean ana?"
    _, drafts = made(texts().replace("translator: kim", "translator: ana"))
    assert not any("translator" in one.what for one in drafts["ko"].advice)


@pytest.mark.parametrize(
    ("ko", "state", "what"),
    [
        (
            "## ko (from 0000; translator: kim; reviewer: lee)\n" + KO + "\n",
            "stale",
            "the ko text was made from an earlier source text",
        ),
        (
            "## ko (translator: kim; reviewer: lee)\n" + KO + "\n",
            "stale",
            "the ko text does not say which source text it was made from",
        ),
        (
            f"## ko (from {source_hash()}; translator: kim; reviewer: open)\n{KO}\n",
            "unreviewed",
            "the ko text waits for its reviewer",
        ),
        (
            f"## ko (from {source_hash()}; translator: kim)\n{KO}\n",
            "unreviewed",
            "the ko text waits for its reviewer",
        ),
        ("\n", "missing", "there is no text in ko for net"),
    ],
)
def test_what_it_waits_for_is_open_and_named(made, ko, state, what):
    desk, drafts = made(texts(ko=ko))
    assert str(drafts["ko"].translation) == state
    assert [problem.what for problem in drafts["ko"].blocked] == [what]
    assert drafts["ko"].blocked[0].open
    assert drafts["ru"].blocked == ()
    assert desk.files().mistakes == ()


def test_who_translated_it_has_not_reviewed_it(made):
    ko = f"## ko (from {source_hash()}; translator: kim; reviewer: kim)\n{KO}\n"
    _, drafts = made(texts(ko=ko))
    assert [p.what for p in drafts["ko"].blocked] == ["kim has reviewed their own translation"]
    assert drafts["ko"].blocked[0].mistake


def test_a_changed_source_makes_every_translation_stale(made):
    _, drafts = made(texts(en=EN + " Come!"))
    assert {name: str(draft.translation) for name, draft in drafts.items()} == {
        "en": "source",
        "ko": "stale",
        "ru": "stale",
    }


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("ko", EN + " " + EN, "most of its letters are Latin"),
        ("zh", "フォーラムはバンコクで開かれます。参加をお待ちしています。", "Japanese kana"),
        ("zh", "论坛将在曼谷举行，欢迎各城市代表参加するのです。", "reads like Japanese"),
        ("ja", "论坛将在曼谷举行，欢迎各城市代表踊跃参加，共同讨论低碳城市的发展。" * 2, "no kana"),
        ("ru", "Форум Бангкок хотод нээгдэнэ. Өргөн оролцоо хүсье.", "reads like Mongolian"),
        ("mn", RU + " " + RU, "reads like Russian"),
        ("en", RU, "most of its letters are Cyrillic"),
    ],
)
def test_a_text_in_another_language_is_told(language, text, words):
    assert words in wrong_language(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ko", KO),
        ("ru", RU),
        ("en", EN),
        ("zh", "论坛将在曼谷举行，欢迎各城市代表参加。 https://example.org/forum #LowCarbonCities"),
        ("ja", "フォーラムはバンコクで開かれます。"),
        ("mn", "Форум Бангкок хотод нээгдэнэ. Өргөн оролцоо хүсье."),
        ("ko", "ESCAP, UN-Habitat, NEASPEC https://example.org"[:10]),  # a name is no language
        ("fr", "Le forum s'ouvre à Bangkok."),
        ("km", "whatever it is"),  # a language whose letters we do not know
    ],
)
def test_a_text_in_its_own_language_is_not(language, text):
    assert wrong_language(text, language) == ""


@given(st.text(max_size=300), st.sampled_from([*SCRIPTS, "km", "x"]))
def test_any_text_gets_an_answer(text, language):
    assert isinstance(wrong_language(text, language), str)


def test_a_wrong_language_keeps_it_from_being_cleared(made):
    ko = f"## ko (from {source_hash()}; translator: kim; reviewer: lee)\nThis is English.\n"
    _, drafts = made(texts(ko=ko))
    assert str(drafts["ko"].translation) == "wrong"
    assert drafts["ko"].blocked[0].what == "this is not ko: most of its letters are Latin"


def test_together_waits_for_all_and_as_ready_for_none(made, office):
    ko = f"## ko (from {source_hash()}; translator: kim; reviewer: open)\n{KO}\n"
    desk, _ = made(texts(ko=ko))
    desk.tick()
    apply(desk)
    clear_all(desk)
    run_to(office, desk, utc("2025-07-20T02:00Z"))
    assert state(desk, "c/news/en@net") == "cleared"  # together, and so unless said

    office.campaign(CAMPAIGN.replace("RELEASE", ", release: as-ready"), news=texts(ko=ko))
    apply(desk)
    desk.tick()
    assert {name: state(desk, f"c/news/{name}@net") for name in ("en", "ko", "ru")} == {
        "en": "published",
        "ko": "proposed",
        "ru": "published",
    }


def test_direction():
    assert [direction(name) for name in ("en", "ar", "zh-Hans", "nonsense!")] == [
        "ltr",
        "rtl",
        "ltr",
        "ltr",
    ]
