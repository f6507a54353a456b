"""Files of rules with mistakes: each is told with its line, and leaves the other rules alone."""

# ruff: noqa: E501 - a table reads as a table

import re
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.compose.style import House, load_style
from outreach.compose.style.rules import unsafe
from tests.compose.style.conftest import RULES

FILE = """\
version: 1
language: en
signed-off-by: {signed}
sources: {{ours: our recommendation}}
rules:
- id: X01
  severity: W
  re: 'word'
  use: another
  src: [ours]
- id: X02
{rule}
"""
WELL = ("severity: E", "re: 'bad'", "src: [ours]")


def loaded(folder: Path, *lines: str, signed: str = "open") -> House:
    rule = "\n".join(f"  {line}" for line in lines)
    (folder / "en.yaml").write_text(FILE.format(rule=rule, signed=signed), "utf-8")
    return load_style(folder, root=folder.parent)


def test_a_rule_is_read_as_it_stands(folder):
    house = loaded(
        folder, *WELL, "use: good", "note: a note", "profile: [post]", "except: [bad luck]"
    )
    assert house.problems == ()
    [finding] = house.lint("bad luck, bad news")
    assert (finding.column, finding.proposal, finding.note) == (11, "good", "a note")
    assert finding.source == "our recommendation"
    assert house.lint("bad", profile="document") == []


@pytest.mark.parametrize(
    ("lines", "line", "what", "hint"),
    [
        ((*WELL, "excpt: [a]"), 15, "there is no key excpt here", "did you mean except?"),
        (("severity: E", "re: '('", "src: [ours]"), 13, "not a regular expression", "finds one of"),
        (("severity: X", *WELL[1:]), 12, "X is no severity", "known: E, W, H"),
        (WELL[1:], 11, "nothing is no severity", "known"),
        (("severity: E", "check: serial_coma", "src: [ours]"), 13, "serial_coma is no check", "did you mean serial_comma?"),
        ((*WELL, "profile: [posts]"), 15, "posts is no profile", "did you mean post?"),
        ((*WELL, "profile: post"), 15, "profile is a list of texts", "write profile: [one, another]"),
        ((*WELL, "also-in: [quotations]"), 15, "quotations is no place", "did you mean quotation?"),
        ((*WELL, "every-language: yes"), 15, "yes is no answer", "known: true, false"),
        ((*WELL, "most: many"), 15, "many is no number", "write most: 3"),
        (("severity: E", "src: [ours]"), 11, "X02 needs either re or check", "write one of them"),
        ((*WELL, "check: serial_comma"), 11, "X02 needs either re or check", "write one of them"),
        (WELL[:2], 11, "X02 names no source", "write src"),
        (("severity: E", "re: 'bad'", "src: [theirs]"), 14, "theirs is no source of this file", ""),
        (("severity: E", "re: '(a+)+b'", "src: [ours]"), 13, "could take for ever", "make it simpler"),
        (("severity: E", "re: 'a*'", "src: [ours]"), 13, "also finds nothing at all", "a letter"),
        ((*WELL, "use: [a, b]"), 15, "use is a text", "quotes"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_the_other_rules_hold(folder, lines, line, what, hint):
    house = loaded(folder, *lines)
    [problem] = house.problems
    assert problem.where == f"house-style/en.yaml:{line}"
    assert what in problem.what
    assert hint in problem.hint
    assert [one.rule for one in house.lint("a word")] == ["X01"]


def test_ids_are_told_apart_in_a_file_and_between_files(folder):
    house = loaded(folder, *WELL, "id: X01")
    assert "stands here a second time" in house.problems[0].what
    text = FILE.format(signed="open", rule="  severity: E\n  re: 'bad'\n  src: [ours]")
    (folder / "en.yaml").write_text(text)
    (folder / "ru.yaml").write_text(text.replace("language: en", "language: ru"))
    house = load_style(folder, root=folder.parent)
    assert [(p.where, p.what) for p in house.problems] == [
        ("house-style/ru.yaml:6", "X01 stands in house-style/en.yaml:6 as well"),
        ("house-style/ru.yaml:11", "X02 stands in house-style/en.yaml:11 as well"),
    ]


def test_an_id_is_not_given_twice_in_one_file(folder):
    (folder / "en.yaml").write_text(FILE.format(signed="open", rule="  severity: E\n  re: 'bad'\n  src: [ours]").replace("X02", "X01"))  # fmt: skip
    [problem] = load_style(folder).problems
    assert problem.what == "X01 stands here a second time; the first is in line 6"


def test_who_signs_off_is_known(folder):
    assert loaded(folder, *WELL).unsigned == ("en",)
    assert loaded(folder, *WELL, signed="An Editor").unsigned == ()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "there are no rules in it"),
        (b"- a\n- b\n", "keys and values belong here"),
        (b"rules: x\n", "a list belongs here"),
        (b"rules: [x]\n", "keys and values belong here"),
        (b"language: ru\n", "ru is not this file's language"),
        (b"sources: [a]\n", "sources name references"),
        (b"\xff\xfe", "not UTF-8"),
        (b"rules: [", "not closed"),
        (b"a" * 2_000_000, "over 1,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(folder, data, what):
    (folder / "en.yaml").write_bytes(data)
    house = load_style(folder)
    assert what in house.problems[0].what
    assert house.lint("any text") == []


def test_a_folder_without_rules_is_told(folder):
    assert load_style(folder).problems[0].what == "there are no rules in this folder"
    assert load_style(folder / "none").problems[0].what == "there is no such folder"


# --- names --------------------------------------------------------------------------------


def test_a_name_lists_what_it_is_not(folder):
    (folder / "ru.yaml").write_text(
        "language: ru\nsources: {a: b}\nnames:\n"
        "- {id: R01, name: Республика Корея, not: [Корея], severity: W, src: [a]}\n",
        "utf-8",
    )
    house = load_style(folder)
    assert house.problems == ()
    text = "Республика Корея; Корея; Кореянка"
    told = house.lint(text, language="ru")
    assert [(one.column, one.proposal) for one in told] == [(19, "Республика Корея")]


# --- patterns -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(a|ab)*c", "(?:a*)*", "((a{2,})b)+", "(a|b){2,5}", "a*b*", ".*.*x", r"(x)\1", "(?P<a>x)(?P=a)",
     "a{200}b{0,101}", "[a-z]{0,99}[a-z]{0,99}[a-z]{0,99}x", "a" * 1001, "(?x)a+ # )\n", "(a?)*", "(a{,})+",
     "(?i:(a+))+", "(?<=a)(b+c)+"],
)  # fmt: skip
def test_a_pattern_that_could_take_for_ever_is_refused(pattern):
    assert unsafe(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["a+", "(?:ab)+", "(?:a|b)?", r"\b\d{1,2}(?:st|nd) (?:May|June)\b", r"\(+", "[(+*)]+", r"[\])]+x", "(?i)word", "a{3}b*"],
)  # fmt: skip
def test_a_plain_pattern_is_accepted(pattern):
    assert unsafe(pattern) == ""


@given(st.text(alphabet="ab()[]{}*+?|\\^$.,0129-!<=:P", max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_pattern_is_refused_or_done_in_time(pattern):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compiled = re.compile(pattern, re.MULTILINE)
        except (re.error, OverflowError, RecursionError):
            return
    if unsafe(pattern):
        return
    started = time.perf_counter()
    for text in ("a" * 400, "ab" * 200, "a" * 399 + "9"):
        for _ in compiled.finditer(text):
            pass
    assert time.perf_counter() - started < 5


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_gives_rules_or_problems(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("rules")
    (folder / "en.yaml").write_bytes(data)
    house = load_style(folder)
    assert house.problems or not data.strip() or house.sheets
    house.lint("any text")


@given(st.integers(0, 10_000), st.integers(0, 255))
@settings(max_examples=60)
def test_the_house_with_one_byte_changed_gives_rules_or_problems(tmp_path_factory, at, byte):
    data = bytearray((RULES / "en.yaml").read_bytes())
    data[at % len(data)] = byte
    folder = tmp_path_factory.mktemp("rules")
    (folder / "en.yaml").write_bytes(data)
    load_style(folder).lint("A text of South Korea, on 25th August.")
