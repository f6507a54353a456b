"""Long texts as threads: cut at the ends of sentences, in every language that an office writes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose.thread import numbered, split
from outreach.platforms.x_text import weighted


def within(most, length=len):
    return lambda text, number: length(text) <= most


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One is here. Two is there. Three.", ["One is here.", "Two is there.", "Three."]),
        ("Who? Me! Yes… So it is.", ["Who? Me! Yes…", "So it is."]),
        ("He said: “Go.” They went. (All.) So.", ["He said: “Go.”", "They went. (All.)", "So."]),
        ("A first line\n\nA second line", ["A first line", "A second line"]),
    ],
)
def test_english_ends_sentences_before_a_blank_and_after_what_closes(text, parts):
    assert split(text, within(17)) == parts


@pytest.mark.parametrize(
    ("text", "most", "parts"),
    [
        ("城市很重要。我们行动！你呢？好。", 12, ["城市很重要。我们行动！", "你呢？好。"]),
        ("都市は重要です。「行こう。」次へ。", 14, ["都市は重要です。「行こう。」", "次へ。"]),
        ("포럼이 열립니다. 함께해요! 지금요.", 18, ["포럼이 열립니다. 함께해요!", "지금요."]),
        ("Форум открыт. Ждём вас! Скоро.", 25, ["Форум открыт. Ждём вас!", "Скоро."]),
        ("Чуулган нээгдлээ. Ирээрэй! Удахгүй.", 28, ["Чуулган нээгдлээ. Ирээрэй!", "Удахгүй."]),
    ],
)
def test_each_language_ends_its_sentences_in_its_own_way(text, most, parts):
    assert split(text, within(most)) == parts


@pytest.mark.parametrize(
    "sentence",
    [
        "Ms. Park and Dr. Bat met H.E. Mr. Kim at noon.",
        "See para. 7 and No. 5 of the note.",
        "Enkhtuya B. Speaks on 3.5 per cent.",
        "Встреча в г. Москва, ул. Мира, т.е. Завтра.",
        "Read https://example.org/a.b?c=d!e. and on it goes.",
    ],
)
def test_what_only_looks_like_an_end_is_none(sentence):
    parts = split(f"{sentence} Next one here.", within(len(sentence)))
    assert parts == [sentence, "Next one here."]


def test_an_address_right_before_a_full_stop_is_whole_and_the_sentence_ends():
    text = "见 https://example.org/l/abcd2345。然后继续说下去。"
    assert split(text, within(34)) == ["见 https://example.org/l/abcd2345。", "然后继续说下去。"]


def test_a_sentence_that_is_too_long_is_cut_after_a_comma_and_then_at_a_blank():
    assert split("Cities, which are many, act together now", within(24)) == [
        "Cities, which are many,",
        "act together now",
    ]
    assert split("Cities act together now", within(12)) == ["Cities act", "together now"]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("aaaa https://example.org/a-long-path bbbb", "https://example.org/a-long-path"),
        ("aaaa #LowCarbonCities bbbb cccc", "#LowCarbonCities"),
        ("aaaa bbbb 1 000 000 cccc dddd", "1 000 000"),
        ("aaaa bbbb 25.08.2025, 13:30 cccc", "25.08.2025"),
        ("aaaa @unescap.bsky.social. Bbbb", "@unescap.bsky.social"),
    ],
)
@pytest.mark.parametrize("most", range(6, 20))
def test_addresses_tags_names_and_numbers_are_never_cut(text, whole, most):
    assert any(whole in part for part in split(text, within(most)))


def test_what_cannot_be_cut_stays_too_long_and_what_follows_is_still_cut():
    parts = split(f"{'x' * 30} yy. Aaaa. Bbbb.", within(10))
    assert parts == [f"{'x' * 30} yy.", "Aaaa.", "Bbbb."]


def test_numbers_count_and_stand_at_the_end_of_each():
    text = " ".join(f"Sentence number {word} is here." for word in "abcdefghijkl")
    parts = numbered([text], within(40))
    assert all(len(part) <= 40 for part in parts)
    assert parts[0].endswith(f"(1/{len(parts)})") and parts[-1].endswith(
        f"({len(parts)}/{len(parts)})"
    )
    assert len(parts) > 9  # two digits are counted as two


def test_what_fits_in_one_part_has_no_number():
    assert numbered(["Short."], within(6)) == ["Short."]


def test_parts_that_an_officer_made_are_kept_and_numbered_with_the_others():
    assert numbered(["One.", "Two is long. And more."], within(20)) == [
        "One. (1/3)",
        "Two is long. (2/3)",
        "And more. (3/3)",
    ]


def test_x_s_own_count_decides():
    text = "도시가 행동합니다. " * 30
    parts = split(text, within(280, weighted))
    assert len(parts) == 3 and all(weighted(part) <= 280 for part in parts)


WORDS = """
    Cities act. Ms. Park 5.5 № 25 000 #Tag https://a.org/b.c?d. 도시가 합니다. 我们。 行动！ город
    г. Who? and, @unescap (yes.) …
"""


@given(
    st.lists(st.sampled_from([*WORDS.split(), "\n\n"]), min_size=1, max_size=60), st.integers(5, 60)
)
def test_nothing_is_lost_nothing_is_added_and_nothing_whole_is_broken(words, most):
    text = " ".join(words)
    parts = split(text, within(most))
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)
    assert all(part == part.strip() and part for part in parts)
    for address in re.findall(r"https?://\S+?(?=\.(?:\s|$)|\s|$)", text):
        assert any(address in part for part in parts)
    again = numbered([text], within(most))
    bare = [re.sub(r" \(\d+/\d+\)$", "", part) for part in again]
    assert re.sub(r"\s", "", "".join(bare)) == re.sub(r"\s", "", text)
