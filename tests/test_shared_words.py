"""What campaigns share: partners by their names on each network, hashtags, approved wording."""

import pytest

from outreach.errors import WrongFiles
from tests.conftest import Office
from tests.test_bad_input import png

CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
languages: {source: en, also: [ko], unofficial: [ko]}
hashtags: {en: "#LowCarbonCities"}
audiences: {main: {en: [net, xx], ko: [net]}}
messages:
  news: {at: "2025-07-21 09:00 Asia/Bangkok", to: main}
"""
CHANNELS = """
[net]
platform = "memory"
languages = ["en", "ko"]

[xx]
platform = "x"
handle = "example"
"""
PARTNERS = """
[incheon]
names = {en = "Incheon Metropolitan City", ko = "인천광역시"}
handles = {x = "@example_incheon"}

[other]
names = {en = "Another partner"}
handles = {x = "tbc"}
"""
BOILERPLATE = """
[about-us]
approved-by = "APPROVED"
en = "We promote low carbon cities."
"""


@pytest.fixture
def composed(office: Office):
    office.write("config/channels.toml", CHANNELS)
    office.write("config/partners.toml", PARTNERS)
    office.write("config/boilerplate.toml", BOILERPLATE)

    def composed(en: str, ko: str = ""):
        ko = ko and f"\n## ko (from 0000; translator: kim; reviewer: lee)\n{ko}\n"
        office.campaign(CAMPAIGN, news=f"## en\n{en}\n{ko}")
        return office.open().files().drafts

    return composed


def text(draft) -> str:
    return draft.post.parts[0].text


def test_a_partner_is_called_as_the_network_and_the_language_know_it(composed):
    drafts = composed(
        "With {{ mention('incheon') }}.", "{{ mention('incheon') }}와 함께 합니다. {{ unofficial }}"
    )
    assert text(drafts["c/news/en@net"]) == "With Incheon Metropolitan City."
    assert text(drafts["c/news/en@xx"]) == "With @example_incheon."
    assert text(drafts["c/news/ko@net"]) == "인천광역시와 함께 합니다. 비공식 번역"


def test_a_handle_that_is_not_known_yet_blocks_where_it_would_be_printed(composed):
    drafts = composed("With {{ mention('other') }}.")
    assert drafts["c/news/en@net"].blocked == ()
    [problem] = drafts["c/news/en@xx"].blocked
    assert problem.open
    assert problem.what == "the handle of other on x is to be confirmed"


def test_a_partner_that_is_none_is_told_with_the_nearest(composed):
    [problem] = composed("With {{ mention('incheom') }}.")["c/news/en@net"].blocked
    assert problem.what == "incheom is not in config/partners.toml"
    assert problem.hint == "did you mean mention('incheon')?"


def test_hashtags_are_those_of_the_language(composed):
    drafts = composed(
        "Words. {{ hashtags }}", "단어들. 단어들입니다. {{ hashtags }} {{ unofficial }}"
    )
    assert text(drafts["c/news/en@net"]) == "Words. #LowCarbonCities"
    assert "hashtags.ko is to be confirmed" in [p.what for p in drafts["c/news/ko@net"].blocked]


class TestATextForEachLanguage:
    """Facts, and what a picture shows."""

    THEME = "facts:\n  theme: {value: {en: Cities, ko: 도시들}, source: note}\n"
    PICTURE = ", media: [{file: card.png, alt: {en: A forum, ko: 포럼}}]"

    def made(
        self, office, *, theme=THEME, alt=PICTURE, ko="{{ facts.theme }} 이야기, 우리의 도시들. "
    ):
        office.write("config/channels.toml", CHANNELS)
        office.write("media/card.png", png())
        text = CAMPAIGN.replace("messages:", theme + "messages:").replace(
            "to: main}", f"to: main{alt}}}"
        )
        ko = f"\n## ko (from 0000; translator: kim; reviewer: lee)\n{ko}{{{{ unofficial }}}}\n"
        office.campaign(text, news="## en\nOn {{ facts.theme }}.\n" + ko)
        return office.open().files()

    def test_each_is_printed_in_its_own(self, office):
        files = self.made(office)
        assert files.mistakes == ()
        en, ko = files.drafts["c/news/en@net"].post, files.drafts["c/news/ko@net"].post
        assert en.parts[0].text == "On Cities."
        assert ko.parts[0].text.startswith("도시들 이야기")
        assert (en.parts[0].pictures[0].alt, ko.parts[0].pictures[0].alt) == ("A forum", "포럼")

    def test_one_that_is_not_there_waits_for_a_translator(self, office):
        files = self.made(
            office,
            theme=self.THEME.replace(", ko: 도시들", ""),
            alt=self.PICTURE.replace(", ko: 포럼", ""),
        )
        assert files.mistakes == ()
        assert files.drafts["c/news/en@net"].blocked == ()
        assert {
            p.what for p in files.drafts["c/news/ko@net"].blocked if "translator" in p.what
        } == {
            "facts.theme is to be confirmed by a translator of ko",
            "the alt text of card.png is to be confirmed by a translator of ko",
        }

    def test_one_text_is_for_every_language(self, office):
        files = self.made(office, theme=self.THEME.replace("{en: Cities, ko: 도시들}", '"2014"'))
        assert files.drafts["c/news/ko@net"].post.parts[0].text.startswith("2014 이야기")

    def test_what_is_no_language_is_a_mistake_that_says_what_to_write(self, office):
        files = self.made(
            office, theme=self.THEME.replace("{en: Cities, ko: 도시들}", "{A: Cities}")
        )
        assert any("a text for each language" in f"{p.what} {p.hint}" for p in files.mistakes)


def test_wording_is_printed_once_somebody_has_approved_it(composed, office):
    assert text(composed("{{ boilerplate.about_us }}")["c/news/en@net"]) == (
        "We promote low carbon cities."
    )
    office.write("config/boilerplate.toml", BOILERPLATE.replace("APPROVED", "open"))
    [problem] = office.open().files().drafts["c/news/en@net"].blocked
    assert (problem.open, problem.what) == (True, "boilerplate.about-us is to be confirmed")


def test_a_translation_that_is_not_official_has_to_say_so(composed):
    [problem] = [
        p for p in composed("Words.", "단어들입니다.")["c/news/ko@net"].blocked if p.mistake
    ]
    assert problem.what == "ko is not official here, and its text does not say so"
    assert "{{ unofficial }}" in problem.hint


@pytest.mark.parametrize(
    ("file", "written", "where", "what"),
    [
        ("partners", "[a]\nname = 3\n", "config/partners.toml:1", "a has the key name"),
        ("partners", "\n[a]\nhandles = {}\n", "config/partners.toml:2", "a has no names"),
        ("partners", "a = 3\n", "config/partners.toml:1", "a is not a table"),
        ("boilerplate", "[a]\nen = 3\n", "config/boilerplate.toml:1", "a has no texts by language"),
        ("boilerplate", "[a\n", "config/boilerplate.toml:1", ""),
    ],
)
def test_mistakes_in_them_are_told_with_their_lines(office, file, written, where, what):
    office.campaign(CAMPAIGN, news="## en\nWords.\n")
    office.write(f"config/{file}.toml", written)
    with pytest.raises(WrongFiles) as refused:
        office.open().files()
    [problem] = refused.value.problems
    assert problem.where == where
    assert what in problem.what
