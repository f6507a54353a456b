"""Each rule for English finds what it is for, and leaves alone what only looks like it."""

# ruff: noqa: E501 - a rule, its mistake and its near miss stand in one line

import pytest

from outreach.compose.style import House
from tests.compose.style.conftest import picture

PARAGRAPH = "The secretariat prepared this paragraph so that it has the length of a real one, {}"
NUMBERED = "\n\n".join(f"{n}. {PARAGRAPH.format('and so on')}." for n in (1, 2, 3))

# rule, a text that it finds, a near miss
TEXTS = [
    ("C01", "Cities of South Korea", "Cities of the Republic of Korea"),
    ("C02", "from N. Korea", "from the Democratic People's Republic of Korea"),
    ("C03", "cities in Korea", "cities in the Republic of Korea and the Korea Environment Institute"),
    ("C04", "a city of the DPRK", "a city called ROKAN"),
    ("C05", "a city in Russia", "a Russian city in the Russian Federation"),
    ("C06", "Hanoi, Vietnam", "Ha Noi, Viet Nam"),
    ("C07", "Ankara, Turkey", "Ankara, Türkiye, where they ate turkey"),
    ("C08", "Taipei, Taiwan", "Taipei, Taiwan Province of China"),
    ("C09", "a visit to Hong Kong", "a visit to Hong Kong, China"),
    ("C10", "a visit to Macau", "a visit to Macao, China"),
    ("C11", "cities of mainland China", "cities of China"),
    ("C12", "China's policies", "the policies of China; a city's policies"),
    ("C13", "the member countries", "the member States"),
    ("C14", "Japan, China and Mongolia met", "China, Japan and Mongolia met; Japan and China met"),
    ("G01", "ports on the East Sea", "ports on the east coast, by the sea"),
    ("G02", "near Senkaku", "near the northern territories of the city"),
    ("G04", "Welcome 🇲🇳", "Welcome 🌏"),
    ("N01", "the ENEA-LCCP", "the NEA-LCCP"),
    ("N02", "cities of Northeast Asia", "cities of North-East Asia"),
    ("N03", "Institute for Global Environmental Studies", "a master of Environmental Studies"),
    ("N04", "says UNESCAP", "says ESCAP; @UNESCAP says so"),
    ("N05", "The LCC met.", "The low carbon cities (LCC) met. The LCC will meet again in part III."),
    ("N06", "North-East Asia Subregional Programme", "North-East Asian Subregional Programme"),
    ("N07", "a Note by the Secretariat", "a note by the secretariat"),
    ("N08", "Clean Air Platform (CAP); Clean Air Platform (CLAP)", "Clean Air Platform (CAP); Clear Air Platform (CLAP)"),
    ("D01", "on 25th August", "on 25 August, for the 25th time"),
    ("D02", "August 25, 2025", "in August 2025; document A/70/220"),
    ("D03", "22-23 September", "22 and 23 September; pages 22-23"),
    ("D04", "It has 3 sessions", "It has three sessions, 12 speakers, 5 km, Annex 3, 2 May and item 5 (d)"),
    ("D05", "It ended. 22 cities came", "It ended. In all, 22 cities came.\n\n9.30 a.m. Opening\n\n25 August 2025"),
    ("D06", "It grew by 4%", "It grew by 4 per cent"),
    ("D07", "four percent", "four per cent, or a percentage"),
    ("D08", "the 5th International Forum", "the fifth International Forum, and the 5th city"),
    ("D09", "at 9:30 a.m.", "at 9.30 a.m., or 09:30"),
    ("D10", "by .5 degrees", "by 0.5 degrees, in version v.2"),
    ("D11", "meet in autumn", "meet in the autumn leaves"),
    ("D12", "on Tuesday, 25 August 2025", "on Monday, 25 August 2025"),
    ("D13", "It opens today", "It opens on Monday, in todays"),
    ("D14", "The 5th Forum. The Fifth Forum.", "The 5th Forum. The Fifth Session. The twenty-fifth Forum."),
    ("P01", "an organised city", "an organized city, realistic, an organism, with emphasis"),
    ("P02", "a new program", "a new programme, or a computer program"),
    ("P03", "a city center", "a city centre; a laboratory"),
    ("P04", "cities, youth, and experts", "cities, youth and experts; in Ulaanbaatar, Mongolia, and here"),
    ("P05", "the U.N. says", "the UN. Nations say"),
    ("P06", "the UN says", "the United Nations says; UN-Habitat, UN Women"),
    ("P07", "a report to the ESCAP.", "a report to the ESCAP secretariat"),
    ("P08", "a judgment", "a judgement"),
    ("P09", "their co-operation", "their cooperation; co-operas"),
    ("P10", "It may:\n- Host the forum,\n- Go", "It may:\n- Host the forum;\n- Ask cities; and\n- Go."),
    ("P11", "7. " + PARAGRAPH.format("without an end"), "7. " + PARAGRAPH.format("with one.") + "\n\n7. Short"),
    ("P12", NUMBERED.replace("3. ", "Then "*20 + "this.\n\n3. "), NUMBERED),
    ("A01", "![](harbour.png)", "![A harbour](harbour.png)"),
    ("A02", "#lowcarboncities", "#LowCarbonCities #forum"),
    ("A03", "🌏 Join us", "Join us 🌏"),
    ("A04", "https://youtu.be/abc", "With captions: https://youtu.be/abc"),
    ("A05", "at {event.place}, TBC", "at the place {1}, TBA"),
    ("A06", "https://x.azurewebsites.net/forum", "https://neaspec.org/localhosts"[:23]),
    ("A07", "https://teams.microsoft.com/l/meetup-join/19", "https://teams.microsoft.com/register"),
    ("A08", "Cities emit 70 per cent of it.", "According to the report, cities emit 70 per cent of it."),
    ("A09", "𝐉𝐨𝐢𝐧 us", "Join us"),
]  # fmt: skip

# The same, for what is said of a picture.
PICTURES = [
    ("G03", {"alt": "A map of the harbour"}, {"alt": "A roadmap lies on a table"}),
    ("A10", {"alt": "Join us!"}, {"alt": "Join us at the harbour, says a poster"}),
    ("A11", {"alt": "x" * 101}, {"alt": "x" * 100}),
    ("A12", {"alt": "A picture of a harbour"}, {"alt": "Pictures of harbours hang on a wall"}),
]


def found(house: House, text: str, rule: str, **options) -> list:
    profiles = next(r for r in house.sheets["en"].rules if r.id == rule).profiles
    profile = "post" if "post" in profiles else "document"
    return [one for one in house.lint(text, profile=profile, **options) if one.rule == rule]


@pytest.mark.parametrize(("rule", "bad", "good"), TEXTS, ids=[text[0] for text in TEXTS])
def test_a_rule_finds_its_mistake_and_not_what_looks_like_it(house, rule, bad, good):
    assert found(house, bad, rule)
    assert found(house, good, rule) == []


@pytest.mark.parametrize(("rule", "bad", "good"), PICTURES, ids=[one[0] for one in PICTURES])
def test_a_rule_about_pictures_finds_its_mistake_and_not_what_looks_like_it(house, rule, bad, good):
    for words, count in ((bad, 1), (good, 0)):
        told = found(house, "Join us!", rule, pictures=[picture(**words)], alt_limit=100)
        assert len(told) == count
        assert all((one.line, one.column) == (0, 0) for one in told)
        assert all(one.found.startswith("harbour-at-dawn.png") for one in told)


def test_every_rule_stands_in_a_table(house):
    """N09 is N05 for posts, with more that everybody knows; it has a test of its own below."""
    tried = {text[0] for text in TEXTS} | {one[0] for one in PICTURES} | {"N09"}
    assert tried == {rule.id for rule in house.sheets["en"].rules}


def test_in_posts_more_acronyms_are_known_than_in_documents(house):
    text = "ESCAP and the LCC met."
    posts = [one.found for one in house.lint(text, profile="post") if one.rule == "N09"]
    documents = [one.found for one in house.lint(text, profile="document") if one.rule == "N05"]
    assert posts == ["LCC"]
    assert documents == ["ESCAP", "LCC"]


def test_every_source_is_named_and_nobody_has_signed_yet(house):
    assert all(rule.source for sheet in house.sheets.values() for rule in sheet.rules)
    assert set(house.unsigned) == {"en", "ja", "ko", "mn", "ru", "zh"}


@pytest.mark.parametrize(
    ("text", "proposal"),
    [
        ("on Tuesday, 25 August 2025", "Monday"),
        ("on Tue 25 Aug 2025", "Monday"),
        ("Tuesday, August 25, 2025", "Monday"),
        ("on 25 August 2025 (Friday)", "Monday"),
        ("on Sunday, 31 September 2025", "a date that exists"),
    ],
)
def test_a_weekday_has_to_be_that_of_its_date(house, text, proposal):
    assert [one.proposal for one in found(house, text, "D12")] == [proposal]


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("zh", "2025年8月25日（星期一）", "2025年8月25日（星期二）"),
        ("ko", "2025년 8월 25일(월)", "2025년 8월 25일(화)"),
        ("ja", "2025年8月25日（月）", "2025年8月25日（火）"),
        ("ru", "в понедельник, 25 августа 2025 года", "в пятницу, 25 августа 2025 года"),
        ("ru", "понедельник, 25 августа 2025 года", "вторник, 25 августа 2025 года"),
        ("mn", "2025 оны 8 сарын 25, Даваа", "2025 оны 8 сарын 25, Мягмар"),
    ],
)
def test_weekdays_are_known_in_every_language(house, language, right, wrong):
    rules = [[one.rule for one in house.lint(t, language=language)] for t in (right, wrong)]
    assert "D12" not in rules[0]
    if wrong.startswith("в "):  # after a preposition the name has an ending that is not known
        assert "D12" not in rules[1]
    else:
        assert "D12" in rules[1]


def test_the_order_of_member_states_is_proposed(house):
    text = "the Russian Federation, Japan and the Republic of Korea"
    assert [one.proposal for one in found(house, text, "C14")] == [
        "Japan, Republic of Korea, Russian Federation"
    ]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("1️⃣ first", "an emoji stands for a number"),
        ("Join 🌏 us", "words follow the emoji"),
        ("Join us 🌏🌱", "two emoji are read as one"),
        ("Join us 🌏 🌱 🚲 ☀️", "there are 4 emoji; each is read out with its whole name"),
    ],
)
def test_emoji_are_few_at_the_end_and_no_words(house, text, note):
    assert note in [one.note for one in found(house, text, "A03")]


@pytest.mark.parametrize("text", ["Join us 🌏 🌱", "© 2025 ™", "地图…《城市》", "→ here"])
def test_other_signs_are_no_emoji(house, text):
    assert found(house, text, "A03") == []


@pytest.mark.parametrize(
    "text",
    [
        "research and development, trade, and investment",
        "The study was made in Wuhan, in 2018, and in Guangzhou",
        "In 2017, the pilot peer review studies were conducted, and workshops were organized",
        "We met, and they left",
    ],
)
def test_not_every_comma_before_and_is_a_serial_comma(house, text):
    assert found(house, text, "P04") == []


def test_a_list_ends_its_items_with_semicolons(house):
    text = "It may wish to:\n(a) Host the forum.\n(b) Ask cities;\n(c) Review the plan;"
    told = [(one.line, one.found, one.proposal) for one in found(house, text, "P10")]
    assert told == [(2, "forum.", ";"), (4, "plan;", "a full stop")]
    assert found(house, "Open to:\n- cities\n- youth", "P10") == []


def test_hashtags_agreed_on_are_proposed_and_left(house):
    agreed = ["LowCarbonCities", "#climateweek2025"]
    text = "#LowCarbonCities #lowcarboncities #climateweek2025 #CLIMATEWEEK2025"
    told = found(house, text, "A02", hashtags=agreed)
    assert [(one.found, one.proposal) for one in told] == [
        ("#lowcarboncities", "#LowCarbonCities"),
        ("#CLIMATEWEEK2025", "#climateweek2025"),
    ]


def test_a_video_is_asked_about_captions(house):
    video = picture(file="talk.mp4", type="video/mp4")
    assert found(house, "Watch it", "A04", pictures=[video])
    assert found(house, "Watch it, with captions", "A04", pictures=[video]) == []
    assert found(house, "Watch https://example.org/talk.mp4", "A04")
