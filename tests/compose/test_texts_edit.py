"""One section of a text file changes, and every other byte of it stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.compose.texts import parse_texts
from outreach.compose.texts_edit import set_section
from outreach.errors import NotAllowed

FILE = """\
For whoever translates: the theme is a locked title.

## en

Save the date.
---
More below.

## en @x

Short.


##  zh   ( from 3f2a;translator: Li ;reviewer: open )

中文。

## nonsense @@
kept as it is
## en 2
Another.
"""
NAMES = [("en", "", 0), ("en", "x", 0), ("zh", "", 0), ("en", "", 2)]

texts = st.text(
    st.sampled_from("ab #\\{}-\n\r中🌍") | st.characters(codec="utf-8"), min_size=1, max_size=40
)
word = st.text(st.sampled_from("abÄ -.中"), min_size=1).map(str.strip).filter(bool)
notes = st.fixed_dictionaries(
    {}, optional={"from": st.just("3f2a9c"), "translator": word, "reviewer": word}
)
breaks = st.sampled_from(["\n", "\r\n", "\r"])


def sections(text: str):
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return {(s.language, s.target, s.number): s for s in parse_texts(plain, "").sections}


def others(text: str, name: tuple[str, str, int]):
    return {key: (s.source, s.made_from) for key, s in sections(text).items() if key != name}


def test_the_text_changes_and_the_lines_around_it_stay():
    made = set_section(FILE, "en", "x", 0, source="Shorter.\nYes.", notes={})
    assert made == FILE.replace("Short.\n", "Shorter.\nYes.\n")


def test_a_heading_stays_as_it_is_written_while_it_says_the_same():
    same = {"from": "3f2a", "translator": "Li", "reviewer": "open"}
    made = set_section(FILE, "zh", "", 0, source="新。", notes=same)
    assert made == FILE.replace("中文。", "新。")
    made = set_section(FILE, "zh", "", 0, source="中文。", notes={**same, "from": "aaaa"})
    assert "\n## zh (from aaaa; translator: Li; reviewer: open)\n\n中文。\n" in made


def test_a_new_section_stands_behind_the_last_of_its_language_or_at_the_end():
    made = set_section(FILE, "zh", "wechat", 0, source="短。", notes={"from": "3f2a"})
    assert made == FILE.replace(
        "## nonsense", "## zh @wechat (from 3f2a)\n\n短。\n\n## nonsense"
    )  # fmt: skip
    assert set_section(FILE, "ko", "", 1, source="한", notes={}) == FILE + "\n## ko 1\n\n한\n"
    assert set_section("", "en", "", 0, source="A", notes={}) == "## en\n\nA\n"


def test_a_heading_above_nothing_gets_its_text():
    made = set_section("## en\n\nA\n\n## ko (from 3f2a)\n", "ko", "", 0, source="가", notes={})
    assert made == "## en\n\nA\n\n## ko\n\n가\n"


def test_a_line_that_looks_like_a_heading_is_a_text():
    made = set_section("## en\nA\n", "en", "", 0, source="## not\n# one", notes={})
    assert made == "## en\n\\## not\n# one\n"
    assert sections(made)["en", "", 0].source.strip() == "## not\n# one"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", {}),
        (" \n", {}),
        ("\\## x", {}),
        ("A", {"from": "xyz"}),
        ("A", {"translator": "a; b"}),
        ("A", {"reviewer": "a (b)"}),
        ("A", {"reviewer": "a\nb"}),
        ("A", {"editor": "a"}),
    ],
)
def test_what_a_file_cannot_hold_is_refused(source, said):
    with pytest.raises(NotAllowed):
        set_section(FILE, "en", "", 0, source=source, notes=said)


@given(
    st.sampled_from([*NAMES, ("ko", "", 0), ("en", "web", 3)]),
    texts,
    notes,
    breaks,
    st.booleans(),
    st.booleans(),
)
def test_a_text_is_read_back_and_every_other_byte_stays(name, source, said, br, bom, cut):
    before = ("\ufeff" if bom else "") + FILE.replace("\n", br)
    before = before.rstrip("\r\n") if cut else before
    try:
        made = set_section(before, *name, source=source, notes=said)
    except NotAllowed:
        return
    plain = source.replace("\r\n", "\n").replace("\r", "\n").strip()
    found = sections(made)[name]
    assert found.source.strip() == plain
    assert (found.made_from, found.translator, found.reviewer) == tuple(
        said.get(note, "") for note in ("from", "translator", "reviewer")
    )
    assert others(made, name) == others(before, name) or cut
    assert made.startswith(before[: before.index("## en")])
    for line in before.splitlines(keepends=True):
        if "nonsense" in line or "kept as it is" in line:
            assert line in made
    assert set_section(made, *name, source=source, notes=said) == made


def test_the_refusals_of_the_property_test_are_only_those_above():
    for name in NAMES:
        assert set_section(FILE, *name, source="Any\ntext", notes={"reviewer": "Bo"}) != FILE
