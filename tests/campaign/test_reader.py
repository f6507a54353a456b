"""What an officer typed is what is read, and what YAML would have lost is told."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.campaign.reader import MAX_BYTES, read_yaml


def told(text):
    """The problems of a text as a person sees them, the hint in the same line."""
    data = text if isinstance(text, bytes) else text.encode()
    return [f"{p} ".replace("\n    →", " →").strip() for p in read_yaml(data, "f.yaml").problems]


def test_values_stay_as_typed():
    typed = b"at: 10:30\nshow: no\nn: 007\nday: 2025-08-25\nnone: ~\nempty:\nlist: [1.10, yes]\n"
    assert read_yaml(typed, "f.yaml").value == {
        "at": "10:30",
        "show": "no",
        "n": "007",
        "day": "2025-08-25",
        "none": "~",
        "empty": "",
        "list": ["1.10", "yes"],
    }


def test_every_key_and_item_has_its_line():
    lines = read_yaml(b"a:\n  b: 1\n  c:\n    - x\n    - {d: 1}\n", "f.yaml").lines
    assert lines[("a", "b")] == 2
    assert lines[("a", "c", 0)] == 4
    assert lines[("a", "c", 1, "d")] == 5


def test_all_repeated_keys_are_told_with_both_lines():
    assert told("a: 1\nb: {c: 1, c: 2}\na: 2\na: 3\n") == [
        "f.yaml:2: c stands here a second time; the first is in line 2 → keep one of them",
        "f.yaml:3: a stands here a second time; the first is in line 1 → keep one of them",
        "f.yaml:4: a stands here a second time; the first is in line 1 → keep one of them",
    ]


def test_of_repeated_keys_the_first_is_kept():
    assert read_yaml(b"a: {b: 1}\na: {b: 2, c: 3}\n", "f.yaml").value == {"a": {"b": "1"}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "a: Forum #LowCarbonCities\n",
            "f.yaml:1: #LowCarbonCities would be lost: an unquoted # starts a comment → quote the"
            " whole value: 'Forum #LowCarbonCities'; a real comment has a blank after its #",
        ),
        (
            "a:\n  - #LowCarbonCities\n",
            "f.yaml:2: #LowCarbonCities would be lost: an unquoted # starts a comment → quote the"
            " whole value: '#LowCarbonCities'; a real comment has a blank after its #",
        ),
        (
            "a: [#One, #Two]\nb: 1\n",
            "f.yaml:1: #One starts a comment here, and the rest of the line is lost"
            " → quote it: '#One'",
        ),
        (
            "a: x\nb: @example\n",
            "f.yaml:2: a value may not start with @ unless it is quoted → write '@example'",
        ),
        ("a: `x`\n", "f.yaml:1: a value may not start with ` unless it is quoted → write '`x`'"),
        ("a: *x\n", "f.yaml:1: a value may not start with * unless it is quoted → quote the whole"
         " value"),
        ("a: &x 1\n", "f.yaml:1: a value may not start with & unless it is quoted → quote the"
         " whole value"),
        ("a: !!timestamp x\n", "f.yaml:1: a value may not start with ! unless it is quoted → quote"
         " the whole value"),
        (
            "a: Cities: a theme\n",
            "f.yaml:1: a colon followed by a blank stands inside a value, or the line is indented"
            " wrongly → quote the whole value, or set the line under its neighbours",
        ),
        (
            "a: {b: Cities: a theme}\n",
            "f.yaml:1: what opens with [ or { in this line is not closed, or a value in it has a"
            ' colon → close it; quote a value that has , : [ ] { or } in it: {value: "Cities: a'
            ' theme"}',
        ),
        ("a: {{ facts.x }}\n", "f.yaml:1: a list or {…} stands where a key should → quote a text"
         ' that starts with [ or {: "{{ … }}"'),
        ("a: 1\nb: 'x\n", "f.yaml:2: the quote that opens in this line is not closed → close it"),
        ("a: 1\n\tb: 2\n", "f.yaml:2: a tab stands in this line → indent with blanks"),
        (
            "a:\n  - 1\n b: 2\n",
            "f.yaml:3: the structure breaks here: this line does not fit what stands above it"
            " → look at its indentation, and at quotes and brackets left open above it",
        ),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: --- starts a second document here → write one campaign"
         " into one file"),
        ("", "f.yaml:1: nothing stands in this file → write a campaign, or delete the file"),
        (b"a: 1\nb: \xe4\n", "f.yaml:2: this line is not UTF-8 text → save the file again with the"
         " encoding UTF-8"),
        (b"a: \x00", "f.yaml:1: an invisible character (U+0000) stands in this line → delete it,"
         " or type the line again; such characters come along with pasted text"),
        ("[" * 100_000, "f.yaml:1: more than 200 brackets are open here → close them, or quote a"
         " text that is made of brackets"),
        ("- " * 100_000, "f.yaml:1: a campaign file may have 20 levels; here are more → make it"
         " simpler"),
        ("- a\n" * 25_000, "f.yaml:20000: a campaign file may have 20,000 values; here are more"
         " → make it simpler"),
        (b"x" * (MAX_BYTES + 1), "f.yaml:1: the file has 1,000,001 bytes; a campaign file may have"
         " 1,000,000 → texts belong into template files; or split it into several campaigns"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_words_that_help(text, problem):
    assert told(text) == [problem]


@pytest.mark.parametrize("text", ["a: x  # a comment\n", "a: 'x #Tag'\n", "# a\n#b\na: x#y\n"])
def test_comments_and_quoted_tags_are_no_problem(text):
    assert told(text) == []


def test_a_byte_order_mark_and_other_line_ends_change_nothing():
    read = read_yaml("\ufeffa: 1\r\nb: 2\rc: 3\n".encode(), "f.yaml")
    assert (read.value, read.lines[("c",)]) == ({"a": "1", "b": "2", "c": "3"}, 3)


yamlish = st.text(st.sampled_from("ab: \n\t-[]{},#@`'\"|>&*!%?~\u2028é\x00"), max_size=60)


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), yamlish.map(str.encode)))
def test_any_bytes_are_read_or_told_and_never_raise(data):
    read = read_yaml(data, "f.yaml")
    assert read.whole or read.problems


@pytest.mark.parametrize(
    "piece", ["a: 1\n", "? ", "{a: ", "[a, ", "'", "a #b\n", "- @", "&a ", "|\n"]
)
def test_a_megabyte_of_anything_is_read_or_refused_within_seconds(piece):
    begun = time.monotonic()
    read_yaml((piece * MAX_BYTES)[:MAX_BYTES].encode(), "f.yaml")
    assert time.monotonic() - begun < 5
