"""A message's languages as a set: missing, stale, unreviewed, wrong, ready."""

import re
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose import languages
from outreach.compose.languages import SCRIPTS, direction, wrong_language
from outreach.compose.texts import read_texts
from tests.conftest import REPOSITORY, Office, apply, clear_all, state
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


@given(
    st.text(max_size=300),
    st.sampled_from([*SCRIPTS, "km", "x"]),
    st.lists(st.sampled_from([*SCRIPTS, "km", "x", "de"])),
)
def test_any_text_gets_an_answer(text, language, among):
    assert isinstance(wrong_language(text, language, among), str)


SIX = ("en", "zh", "ko", "ru", "ja", "mn")
OURS = [
    pytest.param(section.language, re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", section.source), id=name)
    for file in sorted((REPOSITORY / "templates/posts").rglob("*.md"))
    for section in read_texts(file, file.name).sections
    for name in [f"{file.stem}-{section.language}{section.target}"]
]


@pytest.mark.parametrize(("language", "text"), OURS)
def test_each_text_of_this_office_is_told_from_its_other_five_languages(language, text):
    told = {one: wrong_language(text, one, SIX) for one in SIX}
    assert told.pop(language) == ""
    assert all(told.values()), told


@pytest.fixture
def without_lingua(monkeypatch):
    """The program as it is where the library was not installed."""
    monkeypatch.setitem(sys.modules, "lingua", None)
    languages._detector.cache_clear()
    languages._guess.cache_clear()
    yield
    languages._detector.cache_clear()
    languages._guess.cache_clear()


FR = (
    "Le cinquième Forum international se tiendra à Bangkok et en ligne. Les inscriptions sont "
    "ouvertes: rendez-vous sur la page du forum pour connaître le programme."
)
ES = (
    "El quinto Foro Internacional se celebrará en Bangkok y en línea. La inscripción está "
    "abierta: consulte el programa en la página del foro."
)
DE = (
    "Das fünfte Internationale Forum findet in Bangkok und online statt. Die Anmeldung ist "
    "offen: das Programm steht auf der Seite des Forums."
)
EN_LONG = (
    "The fifth International Forum takes place in Bangkok and online. Registration is open: "
    "see the page of the forum for its programme."
)
RU_SHORT = "приглашаем всех участников форума"
ALPHABET = {"en": EN_LONG, "fr": FR, "es": ES, "de": DE}


@pytest.mark.parametrize("heading", ALPHABET)
@pytest.mark.parametrize("written", ALPHABET)
def test_languages_of_one_alphabet_are_told_by_their_words(written, heading):
    told = wrong_language(ALPHABET[written], heading, ALPHABET)
    name = {"en": "English", "fr": "French", "es": "Spanish", "de": "German"}[written]
    assert told == ("" if written == heading else f"it reads like {name}")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Speakers: Mr Jean-Pierre Dubois, Directeur général, Institut Pasteur, Paris"),
        ("en", "Médecins Sans Frontières, Agence Française de Développement, Institut Pasteur"),
        ("en", "São Paulo, Bogotá, Medellín, Santiago de Chile, Buenos Aires, Ciudad de México"),
        ("en", f"Our partners write: “{FR}”"),
        ("en", f"Our partners write: «{ES}»"),
        ("en", "Participation, transition, conclusion, introduction, communication"),
        ("en", "Thank you!"),
        ("fr", "Programme: ESCAP, NEASPEC, Bangkok, Incheon, Toyama, Ulaanbaatar, Khabarovsk"),
        ("fr", f"⟦to be confirmed: the date of the forum, and the place of the forum⟧ {FR[:40]}"),
        ("ru", "Г-н Батбаяр Дорж, Улан-Батор, Дархан, Эрдэнэт, Чойбалсан, Ховд, Баянхонгор"),
        ("ru", f"{RU} ESCAP and all the partners of the network"),
        ("mn", "Владивосток, Хабаровск, Иркутск, Улаан-Үд: форум, программ, проект"),
    ],
)
def test_names_and_quotations_do_not_make_a_text_another_language_s(language, text):
    assert wrong_language(text, language, [*ALPHABET, "ru", "mn"]) == ""


def test_a_language_is_sought_only_among_those_of_the_campaign_and_english():
    assert wrong_language(FR, "en", ["en", "ru"]) == ""
    assert wrong_language(FR, "en-GB", ["en-GB", "fr-CA"]) == "it reads like French"
    assert wrong_language(EN_LONG, "fr", ["fr"]) == "it reads like English"
    assert wrong_language(EN_LONG, "yue-Latn", ["fr"]) == ""  # one that nobody could tell


def test_short_russian_is_told_from_mongolian_where_letters_do_not_say_so(request):
    assert wrong_language(RU_SHORT, "mn", SIX) == "it reads like Russian"
    request.getfixturevalue("without_lingua")
    assert wrong_language(RU_SHORT, "mn", SIX) == ""


@pytest.mark.usefixtures("without_lingua")
def test_without_the_library_languages_are_told_by_their_letters_alone():
    assert wrong_language(FR, "en", ALPHABET) == ""
    assert (
        wrong_language(f"{RU} {RU}", "mn", SIX) == "it has neither ө nor ү, and reads like Russian"
    )
    assert wrong_language(FR, "ru", ALPHABET) == "most of its letters are Latin"


def test_telling_languages_takes_little_time():
    wrong_language(EN_LONG, "en", ALPHABET)  # it is loaded once
    texts = [
        EN_LONG.replace("forum", f"forum {chr(97 + n % 26)}{n // 26 * 'x'}") for n in range(200)
    ]
    languages._guess.cache_clear()
    began = time.perf_counter()
    for text in texts:
        wrong_language(text, "en", ALPHABET)
    first = (time.perf_counter() - began) / len(texts)
    began = time.perf_counter()
    for text in texts:
        wrong_language(text, "en", ALPHABET)
    again = (time.perf_counter() - began) / len(texts)
    assert first < 0.002  # seconds; some 0.0002 where nothing else runs
    assert again < first


def test_a_text_under_another_s_heading_waits_until_it_is_put_right(office):
    office.write("config/channels.toml", '[net]\nplatform = "memory"\nlanguages = ["en", "fr"]\n')
    campaign = CAMPAIGN.replace("[ko, ru]", "[fr]").replace("ko: [net], ru: [net]", "fr: [net]")
    heading = "## fr (from 0000; translator: ana; reviewer: bo)"
    office.campaign(
        campaign.replace("RELEASE", ""), news=f"## en\n{EN_LONG}\n{heading}\n{EN_LONG}\n"
    )
    [found] = [one for one in office.open().files().mistakes if "reads like" in one.what]
    assert found.where == "templates/posts/c/news.md:3"
    assert found.what == "this is not fr: it reads like English"
    assert found.hint == "put the fr text here, or the heading right"


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
