"""Where rules look, what they pass over, and where they say that they found it."""

# ruff: noqa: E501 - a table reads as a table

import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose.style import PROFILES, House, load_style, reading
from outreach.compose.style import alt as gate
from outreach.compose.style.page import Page
from outreach.errors import NotAllowed
from tests.compose.style.conftest import RULES, picture
from tests.conftest import REPOSITORY

NOTE = (Path(__file__).parent / "note.md").read_text("utf-8")
HOUSE = load_style(RULES, root=REPOSITORY)


def ids(house: House, text: str, **options) -> list[str]:
    return [one.rule for one in house.lint(text, **options)]


def test_a_note_has_exactly_these_defects(house):
    told = [
        (one.line, one.severity, one.rule, one.found)
        for one in house.lint(NOTE, profile="document")
    ]
    assert told == [
        (5, "W", "D03", "12-13 October"),
        (14, "E", "N01", "ENEA-LCCP"),
        (14, "W", "P04", ", and"),
        (16, "W", "N03", "Institute for Global Environmental Studies"),
        (18, "E", "D01", "14th October"),
        (18, "W", "P11", "ports"),
        (26, "W", "P12", "The secretariat has told of the Forum in several posts, and…"),
        (28, "W", "D14", "Seventh Harbour Forum"),
        (28, "W", "N08", "NEA-LCCP"),
    ]  # fmt: skip


def test_a_finding_reads_as_one_line(house):
    [finding] = house.lint("It opens\non 25th August.", profile="post")
    assert str(finding).startswith("2:4 E 25th August: 25 August 2025 (D01: ")
    assert "\n" not in str(finding)


@pytest.mark.parametrize(
    "text",
    [
        "“South Korea today”",
        '"South Korea today"',
        "«South Korea today»",
        "they call it ‘South Korea today’ there",
        "> South Korea, today",
        "https://example.org/Vietnam/program",
        "example.org/Vietnam",
        "Vietnam@example.org",
        "@Vietnam",
        "#Vietnam",
        "`Vietnam program`",
    ],
)
def test_quotations_addresses_handles_hashtags_and_code_are_passed_over(house, text):
    assert house.lint(text, profile="post") == []


def test_a_quotation_that_is_left_open_hides_nothing_further_down(house):
    assert "C06" in ids(house, "“He said\n\nVietnam” and so on")
    assert "C06" in ids(house, 'five" of\nVietnam" here')


def test_contested_names_and_placeholders_are_found_in_quotations_too(house):
    assert ids(house, "“the East Sea”") == ["G01"]
    assert ids(house, "“at {place}”") == ["A05"]


def test_official_titles_and_texts_of_others_are_left_as_they_are(house):
    text = "The 5th International Forum\non Low Carbon Cities; cities of South Korea"
    assert ids(house, text, profile="document") == ["D08", "C01"]
    title = "5th International Forum on Low Carbon Cities"
    assert ids(house, text, profile="document", titles=[title]) == ["C01"]
    assert ids(house, text, profile="document", titles=[title], reproduced=["cities of South Korea"]) == []  # fmt: skip


def test_what_a_template_fills_in_is_a_placeholder_only_where_nothing_will(house):
    text = "On {{ events.forum.date }} {% if x %}{{x}}{% endif %}"
    assert ids(house, text) == ["A05", "A05"]
    assert ids(house, text, template=True) == []


def test_figures_may_stand_in_tables(house):
    assert ids(house, "| Cities | 4 | 12% |\n", profile="document") == []
    assert ids(house, "The 4 cities grew 12%", profile="document") == ["D04", "A08", "D06"]


@pytest.mark.parametrize("profile", PROFILES)
def test_a_rule_holds_for_its_profiles_alone(house, profile):
    told = ids(house, "It opens today: 12% of all", profile=profile)
    assert told == {"post": ["D13", "A08"], "document": ["A08", "D06"], "bot": ["A08"]}[profile]


def test_there_are_three_profiles(house):
    with pytest.raises(NotAllowed, match="there is no profile tweet"):
        house.lint("x", profile="tweet")


def test_numbers_of_paragraphs_and_pages_are_no_figures(house):
    text = (
        "1. The forum opens.\n\n(a) It is hybrid.\n\n**2.** It closes.\n\n## 3. After\n\n"
        "I. Background.....</b>\t<b>4</b>\n\n<sup>5</sup> A footnote\n"
    )
    assert ids(house, text, profile="document") == []


@pytest.mark.parametrize(
    ("text", "rule", "place"),
    [
        ("on 25<sup>th</sup> August", "D01", "25<sup>"),
        ("**a**, *b* South Korea", "C01", "South"),
        ("1. In **South** Korea", "C01", "South"),
        ("a\n\n(a) in __South__ Korea", "C01", "South"),
        ("&amp; South Korea", "C01", "South"),
        ("a<br>South Korea", "C01", "South"),
        ("<!-- no --> South Korea", "C01", "South"),
        ("e\u0301e\u0301 South Korea", "C01", "South"),
        ("안녕 South Korea", "C01", "South"),
        (unicodedata.normalize("NFD", "안녕하세요 South Korea"), "C01", "South"),
        ("x ![](a_b.png)", "A01", "![]("),
        ('x <img src="a.png" alt=" ">', "A01", "<img"),
    ],
)
def test_a_place_is_that_in_the_text_as_given(house, text, rule, place):
    [finding] = [one for one in house.lint(text) if one.rule == rule]
    line = text.split("\n")[finding.line - 1]
    assert line[finding.column - 1 :].startswith(place)


def test_letters_are_compared_in_their_normal_form(house):
    decomposed = unicodedata.normalize("NFD", "북한의 도시")
    assert decomposed != "북한의 도시"
    assert ids(house, decomposed, language="ko") == ["KO02"]


@pytest.mark.parametrize(
    ("language", "wrong", "right"),
    [
        ("zh", "韩国仁川", "大韩民国仁川"),
        ("zh-Hans", "俄罗斯的城市", "俄罗斯联邦的城市"),
        ("ko", "한국은", "대한민국은"),
        ("ko", "러시아의", "러시아 연방의"),
        ("ja", "韓国の都市", "大韓民国の都市"),
        ("ru", "города Южной Кореи", "города Республики Корея"),
        ("ru", "в России", "в Российской Федерации"),
        ("mn", "Өмнөд Солонгос", "Бүгд Найрамдах Солонгос Улс"),
    ],
)
def test_names_in_other_languages_are_proposed(house, language, wrong, right):
    [finding] = house.lint(wrong, language=language)
    assert finding.severity == ("H" if language in ("ko", "ja") else "W")
    assert finding.proposal
    assert house.lint(right, language=language) == []


def test_what_holds_in_every_language_holds_where_there_are_no_rules_too(house):
    text = "São Paulo {place} South Korea"
    assert ids(house, text, language="pt") == ["A05"]
    assert ids(house, "{place}", language="ko") == ["A05"]


def test_a_long_text_is_looked_at_as_far_as_is_promised(house):
    told = house.lint("South Korea " * 30_000, profile="document")
    assert [one.rule for one in told].count("C01") == 200
    assert told[-1].rule == "length"


ANYTHING = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="\n <>/*_&;#@“”\"'‘’.,|`{}[]()!:-0123abIVXst \u0301\u1161é🌏1️⃣", max_size=200),
    st.lists(
        st.sampled_from(
            [
                "South Korea", "25<sup>th</sup> August", "(a) ", "\n", "\n\n", "1. ", "“", "”", "`", "**",
                "https://x.org/a_b", "@un", "#lowcarboncities", "4%", ", and ", "(LCC)", "LCC", "| ", "....",
                "🌏", "![](x.png)", "<img>", "<!--", "-->", "e\u0301", "ᄒ", "ᅡ", "ᆫ", "국", "&amp;", "\\_",
            ]
        ),
        max_size=40,
    ).map("".join),
)  # fmt: skip


@given(
    ANYTHING,
    st.sampled_from(["en", "ko", "zh-Hans", "ru", "ja", "mn", "pt", ""]),
    st.sampled_from(PROFILES),
)
def test_any_text_gives_findings_within_it(text, language, profile):
    told = HOUSE.lint(text, language=language, profile=profile, template=len(text) % 2 == 0)
    lines = text.split("\n")
    for one in told:
        assert 1 <= one.line <= len(lines)
        assert 1 <= one.column <= len(lines[one.line - 1]) + 1
        assert one.severity in "EWH"
        assert "\n" not in str(one)


@given(ANYTHING)
def test_plain_text_is_normal_and_its_places_are_in_order(text):
    page = Page(text)
    places = [page.place(at) for at in range(len(page.plain))]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "letters",
    ["“", '"', "(", "a, ", "<", "<a ", "*", "_", "`", "```\n", "{{", "{%", "1. ", "\n", " ", "@", "a", "a.", "-a",
     "A", "#", "....", "&a", "![", "🌏", "e\u0301", "\u1161", ">", "a@b.", "|", "5", "(A) ", ", a"],
)  # fmt: skip
def test_no_text_keeps_it_for_long(house, letters):
    text = letters * (100_000 // len(letters))
    started = time.perf_counter()
    for profile in ("post", "document"):
        house.lint(text, profile=profile)
    assert time.perf_counter() - started < 20


# --- alt text -----------------------------------------------------------------------------


def test_alt_text_has_to_be_there(house):
    assert gate.missing(picture(alt=" "))
    assert not gate.missing(picture())
    told = house.lint("Join us", pictures=[picture(alt="")], language="ko")
    assert [(one.rule, one.severity, one.found) for one in told] == [
        ("A01", "E", "harbour-at-dawn.png")
    ]


@pytest.mark.parametrize(
    ("words", "caption", "why"),
    [
        ("Harbour at dawn", "", "it repeats the name of the file"),
        ("harbour-at-dawn.png", "", "it repeats the name of the file"),
        ("Join us, in Bangkok!", "Join us in Bangkok", "it repeats the text"),
        ("Join us!", "Join us\n\nIn Bangkok", "it repeats a line of the text"),
        ("A poster says: Join us in Bangkok", "Join us in Bangkok", ""),
        ("", "", ""),
    ],
)
def test_alt_text_says_something_of_its_own(words, caption, why):
    assert gate.repeats(picture(alt=words), caption) == why


def test_alt_text_fits_the_network():
    assert gate.too_long(picture(alt="x" * 130), 100) == 30
    assert gate.too_long(picture(alt="x" * 130), 0) == 0


@pytest.mark.parametrize("words", ["Picture of a ship", "an image of it", "Photo: ships", "This is a photograph of x"])  # fmt: skip
def test_alt_text_does_not_say_that_it_is_a_picture(words):
    assert gate.picture_of(picture(alt=words))


@pytest.mark.parametrize("words", ["Ships", "Photographers stand on a pier", "A picture frame"])
def test_pictures_may_show_pictures(words):
    assert gate.picture_of(picture(alt=words)) == ""


# --- reading ------------------------------------------------------------------------------


def test_reading_counts_words_sentences_and_long_words():
    told = reading("Cities met. They **exchanged** knowledge: https://example.org/knowledge")
    assert (told.words, told.sentences, told.long) == (5, 2, 2)
    assert told.lix == 42
    assert str(reading("")) == "no words"
