"""The one layout of campaign files: what it looks like, and that it never changes what they say."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.campaign.edit import Document
from outreach.campaign.reader import read_yaml
from outreach.campaign.tidy import mistakes, tidied, tidy
from outreach.errors import NotAllowed, WrongFiles
from tests.campaign.test_edit import ALL, comments, values
from tests.conftest import REPOSITORY

WILD = b"""


a:    # one
      # two
      b:   { x : 1,y: [ a,b ] }  # three
      t: 10:30
      l:
      - a
      -   k: v
          m:   >-
             folded
               and more


             after two empty lines


          # four
          n: "q
            r"
      - - x
        - y


# five
z: {a: 1,
   # six
   b: [1,
 2], c: long
    plain
}
messages:
  a: {at: forum}
  # seven
  b:
    at: forum
  c: {}"""

TIDY = """\
a:    # one
  # two
  b: {x: 1, y: [a, b]}           # three
  t: "10:30"
  l:
    - a
    - k: v
      m: >-
        folded
          and more


        after two empty lines

      # four
      n: "q
        r"
    - - x
      - y

# five
z: {a: 1,
  # six
  b: [1,
    2], c: long
    plain
}

messages:
  a: {at: forum}

  # seven
  b:
    at: forum

  c: {}
"""


def document(data: bytes | str) -> Document:
    return Document(data.encode() if isinstance(data, str) else data, "campaigns/forum.yaml")


def test_what_it_looks_like():
    it = document(WILD)
    assert tidy(it)
    assert it.text() == TIDY
    assert not tidy(it)


@pytest.mark.parametrize("name", sorted(p.name for p in (REPOSITORY / "campaigns").iterdir()))
def test_our_own_campaigns_keep_every_line(name: str):
    """Empty lines may come, since colleagues write without this."""
    text = (REPOSITORY / "campaigns" / name).read_text(encoding="utf-8")
    assert [line for line in tidied(text).splitlines() if line] == [
        line for line in text.splitlines() if line
    ]


def test_line_ends_and_the_mark_at_the_beginning_stay():
    it = document(b"\xef\xbb\xbf" + WILD.replace(b"\n", b"\r\n"))
    assert tidy(it)
    assert it.data() == b"\xef\xbb\xbf" + TIDY.encode().replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "text", ["? a\n: b\n", "---\na: b\n", "a: |2\n    x\n", "%YAML 1.1\n---\na: b\n"]
)
def test_what_is_written_in_an_unusual_way_is_left_alone(text: str):
    it = document(text)
    with pytest.raises(NotAllowed, match="cannot be tidied safely"):
        tidy(it)
    assert it.text() == text


def test_mistakes_are_told_whatever_their_kind():
    wrong = {
        b"campaign: [": "not closed",
        b"campaign: x": "no programme",
        (REPOSITORY / "campaigns/forum-2025.yaml").read_bytes() + b"\nmesages: {}": "mesages",
    }
    for data, word in wrong.items():
        assert word in "\n".join(str(problem) for problem in mistakes(data, "campaigns/x.yaml"))
    right = (REPOSITORY / "campaigns/forum-2025.yaml").read_bytes()
    assert mistakes(right, "campaigns/forum-2025.yaml") == []


@given(st.dictionaries(st.sampled_from(["a", "messages", "c"]), values, min_size=1))
def test_whatever_the_values_they_stay_and_once_is_enough(tree: dict[str, Any]):
    it = document("first: x   # a comment\n")
    for key, value in tree.items():
        it.set(key, value=value)
    before = it.get()
    tidy(it)
    assert it.get() == read_yaml(it.data(), "").value == before
    assert "# a comment" in it.text()
    assert not tidy(it)


@given(st.data())
def test_however_it_is_laid_out_values_and_comments_stay(data: st.DataObject):
    text = data.draw(st.sampled_from([ALL.decode(), WILD.decode(), TIDY]))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        there = re.compile(r"[ \n,:]").search(text, at)
        if there:
            new = data.draw(st.sampled_from(["", "  ", "\n", " \n  ", "   # c\n", "\n\n\n", ", "]))
            text = text[: there.start()] + new + text[there.end() :]
    try:
        it = document(text)
    except WrongFiles:
        return
    before, said = it.get(), comments(text)
    try:
        tidy(it)
    except NotAllowed:
        assert it.text() == text
        return
    assert it.get() == before
    assert [one for one in said if one and one not in it.text()] == []
    assert not tidy(it)
