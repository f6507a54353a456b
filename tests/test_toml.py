"""What is wrong with a TOML file, in an officer's words: never in those of a parser."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.errors import WrongFiles
from outreach.toml import line_of, read_toml


def told(folder: Path, text: str) -> str:
    """The one problem of a file with this text."""
    (folder / "a.toml").write_text(text, encoding="utf-8")
    with pytest.raises(WrongFiles) as error:
        read_toml(folder / "a.toml", "a.toml")
    [problem] = error.value.problems
    return f"{problem.where}: {problem.what} → {problem.hint}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\n[x]\nb = 2\n[x]\n", "a.toml:4: [x] stands here a second time; the first is in li"),
        ("[x]\nb = 1\nc = 1\nb = 2\n", "a.toml:4: b stands here a second time; the first is in "),
        ("[x]\nb = 1\n[y]\nb = 2\nb = 3\n", "a.toml:5: b stands here a second time; the first is"),
        ("x = 1\n[x]\n", "a.toml:2: [x] stands here a second time; the first is in line 1 → keep"),
        ('a = "one\nb = 1\n', "a.toml:1: the quote that opens in this line is not closed → close"),
        ("a = “one”\n", 'a.toml:1: curly quotes stand here → write straight ones: a = "one"'),
        ("a = one two # why\n", 'a.toml:1: a has a text without quotes → write a = "one two"'),
        ("a = \n", "a.toml:1: nothing stands after a = → write its value"),
        ("a = True\n", "a.toml:1: True is not yes or no here → write a = true"),
        ('a = "one "two" three"\n', "a.toml:1: something stands here after the end of the value"),
        ('b = 1\na = ["one"\n', "a.toml:2: what opens with [ is not closed"),
        ("[x\na = 1\n", "a.toml:1: this [name] of a table is not closed"),
        ("a one\n", 'a.toml:1: this line is no key with its value → write name = "..."'),
        ('a = "C:\\q"\n', "a.toml:1: a \\ stands in a text → write it twice"),
        ('a = "\x01"\n', "a.toml:1: an invisible character stands in this line"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_write(tmp_path, text, expected):
    assert told(tmp_path, text).startswith(expected)


def test_what_cannot_be_read_at_all(tmp_path):
    (tmp_path / "a.toml").mkdir()
    with pytest.raises(WrongFiles, match="a.toml: it cannot be read: Is a directory"):
        read_toml(tmp_path / "a.toml", "a.toml")
    with pytest.raises(FileNotFoundError):
        read_toml(tmp_path / "b.toml", "b.toml")


def test_the_line_of_a_key_is_found_in_its_own_table():
    text = "[a]\nname = 1\n[b]\nother = 1\nname = 2\n"
    assert line_of(text, ("a", "name")) == 2
    assert line_of(text, ("b", "name")) == 5
    assert line_of(text, ("b", "none")) == 3


@given(st.text(max_size=80).map(str.encode) | st.binary(max_size=80))
def test_no_file_brings_the_reader_down(tmp_path_factory, data):
    file = tmp_path_factory.mktemp("toml") / "a.toml"
    for before in (b"", b"[x]\na = "):
        file.write_bytes(before + data)
        try:
            tables, _ = read_toml(file, "a.toml")
        except WrongFiles as error:
            [problem] = error.problems
            assert problem.what
            assert problem.hint
        else:
            assert isinstance(tables, dict)


def test_a_quoted_name_with_a_full_stop_is_one_name():
    text = '[a.b]\nc = 1\n["card.png"]\nd = 1\n[ x . "y.z" ]\ne = 1\n'
    assert line_of(text, ("card.png", "d")) == 4
    assert line_of(text, ("a", "b", "c")) == 2
    assert line_of(text, ("x", "y.z", "e")) == 6
