"""Changes to campaign files keep everything else: comments, order, quotes, line ends, layout."""

import difflib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.campaign.edit import Document
from outreach.campaign.reader import read_yaml
from outreach.errors import Changed, NotAllowed, WrongFiles
from tests.conftest import REPOSITORY

FORUM = (REPOSITORY / "campaigns" / "forum-2025.yaml").read_bytes()

ALL = b"""\
# What stands at the head.
campaign: forum   # its name

events:           # dated things
  # the forum itself
  forum:
    date: 2025-08-25          # a Monday
    starts: {tbc: organizers, plan-with: "09:00"}
    place: 'It''s here'
    hour: 10:30
    said: no
    empty:
    long: >-   # folded
      a text on
      two lines

    kept: |+
      kept

    sessions:
      - id: one
        # about its title
        title: One
      - id: two
      -
        id: three
# at the margin
lists:
- a   # first
- b
- [c, "d"]
none: []
flow: {a: 1, b: [x, y],   # why
  c: {d: e}}
tail:
  last: z   # the end
  # afterword
"""


def document(data: bytes = ALL) -> Document:
    return Document(data, "campaigns/forum.yaml")


def changed(before: bytes, after: Document) -> list[str]:
    """The lines that went and came, as a colleague sees them in a comparison."""
    lines = difflib.ndiff(before.decode().splitlines(), after.text().splitlines())
    return [line for line in lines if line[0] in "+-"]


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in inner if isinstance(tree, dict | list) else ():
        found += places(value, (*path, key))
    return found


def comments(text: str) -> list[str]:
    """Every comment, word for word."""
    return [line.partition("# ")[2].strip() for line in text.splitlines() if "# " in line]


TREE = read_yaml(ALL, "").value
PLACES = places(TREE)
SCALARS = [p for p in PLACES if isinstance(document().get(*p), str)]

texts = st.text(max_size=30) | st.sampled_from(
    ["10:30", "no", "2025-08-25", "tbc", "", " ", "a: b", "a #b", "#b", "- a", "{a}", "it's",
     '"q"', "“q”", "x\ny", "~", "null", "1_000", "1.10", "@x", "`", "%", "&a", "*a", "!t", "? a",
     "https://example.org/a?b=c#d", "forum - 7 days, 10:00 Asia/Seoul", "\x00", "\u2028", "\ufeff",
     "\x85", "a,b", "a, b", "[", "…", "---", "... x", "|", ">-", "=", "<<", "\\", "a\\b", "🌍"]
)  # fmt: skip
values = st.recursive(
    texts | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def as_read(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return {key: as_read(one) for key, one in value.items()}
    return [as_read(one) for one in value] if isinstance(value, list) else value


def with_(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    head, *rest = path
    if isinstance(tree, dict):
        return {**tree, head: with_(tree.get(head, {}), tuple(rest), value)}
    return [with_(o, tuple(rest), value) if n == head else o for n, o in enumerate(tree)]


class TestWhatChanges:
    def test_a_value_and_nothing_else(self):
        it = Document(FORUM, "campaigns/forum-2025.yaml")
        it.set("events", "forum", "date", value="2025-09-01")
        assert changed(FORUM, it) == ["-     date: 2025-08-25", "+     date: 2025-09-01"]

    def test_quotes_stay_and_comments_stay(self):
        it = document()
        it.set("events", "forum", "starts", "plan-with", value="10:00")
        it.set("events", "forum", "place", value="It's there")
        it.set("campaign", value="other")
        assert '    starts: {tbc: organizers, plan-with: "10:00"}\n' in it.text()
        assert "    place: 'It''s there'\n" in it.text()
        assert "campaign: other   # its name\n" in it.text()

    def test_what_becomes_known_replaces_what_was_to_be_confirmed(self):
        it = Document(FORUM, "campaigns/forum-2025.yaml")
        it.set("events", "forum", "starts", value="09:30")
        it.set("links", "register", value="https://example.org/r")
        assert '    starts: "09:30"   # slots are computed from it\n' in it.text()
        assert "links: {event: tbc, register: https://example.org/r, programme: tbc" in it.text()

    def test_a_new_key_stands_below_the_last_one_with_its_indentation(self):
        it = Document(FORUM, "campaigns/forum-2025.yaml")
        it.set("messages", "extra", value={"at": "forum - 1 day", "to": "main"})
        it.set("events", "forum", "sessions", 0, value={"id": "one", "starts": "09:00"})
        assert changed(FORUM, it) == [
            '+     sessions: [{id: one, starts: "09:00"}]',
            "+   extra: {at: forum - 1 day, to: main}",
        ]

    def test_a_long_value_gets_lines_of_its_own(self):
        it = document()
        speakers = [{"id": f"person-{n}", "names": {"en": "A Rather Long Name"}} for n in range(3)]
        it.set("events", "forum", "speakers", value=speakers)
        assert (
            "    speakers:\n"
            "      - {id: person-0, names: {en: A Rather Long Name}}\n"
            "      - {id: person-1, names: {en: A Rather Long Name}}\n"
        ) in it.text()

    def test_a_block_becomes_one_value_and_its_key_keeps_its_comment(self):
        it = document()
        it.set("events", value="tbc")
        assert (
            "events: tbc           # dated things\n  # the forum itself\n# at the margin\nlists:"
        ) in it.text()

    def test_keys_and_items_go_with_their_own_comment_only(self):
        it = document()
        it.remove("events", "forum", "date")
        it.remove("lists", 0)
        it.remove("events", "forum", "sessions", 0, "id")
        assert changed(ALL, it) == [
            "-     date: 2025-08-25          # a Monday",
            "-       - id: one",
            "+       -",
            "- - a   # first",
        ]

    def test_what_is_missing_on_the_way_is_made(self):
        it = document()
        it.set("goals", "registrations", "target", value="300")
        assert it.text().endswith(
            "  last: z   # the end\ngoals: {registrations: {target: 300}}\n  # afterword\n"
        )

    def test_a_mapping_that_stands_there_keeps_what_does_not_differ(self):
        it = document()
        it.set("flow", value={"a": "1", "b": ["x", "z"], "c": {"d": "e", "f": "g"}})
        assert changed(ALL, it) == [
            "- flow: {a: 1, b: [x, y],   # why",
            "+ flow: {a: 1, b: [x, z],   # why",
            "-   c: {d: e}}",
            "+   c: {d: e, f: g}}",
        ]

    def test_line_ends_and_the_mark_at_the_beginning_stay(self):
        data = b"\xef\xbb\xbf" + ALL.replace(b"\n", b"\r\n")
        it = document(data)
        it.set("tail", "new", value="a")
        it.set("events", value="tbc")
        assert it.data().startswith(b"\xef\xbb\xbf# What")
        assert it.data().count(b"\n") == it.data().count(b"\r\n")
        assert b"last: z   # the end\r\n  new: a\r\n" in it.data()

    def test_a_file_without_a_last_line_end_grows_all_the_same(self):
        it = document(b"a:\n  b: c")
        it.set("a", "d", value="e")
        it.set("f", value="g")
        assert it.text() == "a:\n  b: c\n  d: e\nf: g"

    def test_a_note_stands_at_the_end_of_the_line(self):
        it = document()
        for path in [
            ("events", "forum", "date"),
            ("events", "forum", "long"),
            ("flow",),
            ("none",),
        ]:
            it.note(*path, text="check")
        assert "date: 2025-08-25          # a Monday; check\n" in it.text()
        assert "long: >-   # folded; check\n" in it.text()
        assert "  c: {d: e}}   # check\n" in it.text()
        assert "none: []   # check\n" in it.text()


class TestPromises:
    @given(st.sampled_from(PLACES), values)
    def test_a_value_is_read_back_as_it_was_set_and_nothing_else_changes(self, path, value):
        it = document()
        it.set(*path, value=value)
        expected = with_(TREE, path, as_read(value))
        assert it.get(*path) == as_read(value)
        assert read_yaml(it.data(), "").value == expected
        assert Document(it.data(), "again").text() == it.text()

    @given(st.sampled_from(SCALARS), texts)
    def test_every_comment_stays(self, path, value):
        it = document()
        it.set(*path, value=value)
        before, after = comments(ALL.decode()), comments(it.text())
        assert [one for one in before if one not in after] == []

    @given(st.sampled_from(PLACES), texts, values)
    def test_a_new_key_or_item_changes_no_line_that_is_there(self, path, key, value):
        it = document()
        inside = it.get(*path)
        if isinstance(inside, str) or key in inside:
            return
        name: Any = key if isinstance(inside, dict) else len(inside)
        it.set(*path, name, value=value)
        assert it.get(*path, name) == as_read(value)
        assert it.get(*path) == (
            {**inside, name: as_read(value)} if isinstance(inside, dict) else
            [*inside, as_read(value)]
        )  # fmt: skip

    @given(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4))
    def test_what_is_taken_out_is_gone_and_the_rest_stays(self, paths):
        it = document()
        for path in paths:
            inside = it.get(*path[:-1])
            there = it.get(*path) is not None
            it.remove(*path)
            if there:
                expected = (
                    {k: v for k, v in inside.items() if k != path[-1]}
                    if isinstance(inside, dict)
                    else [v for n, v in enumerate(inside) if n != path[-1]]
                )
                assert it.get(*path[:-1]) == expected

    @given(values)
    def test_the_same_value_again_changes_nothing(self, value):
        it = document()
        it.set("tail", "last", value=value)
        once = it.text()
        it.set("tail", "last", value=value)
        assert it.text() == once
        it.set("tail", "last", value="z")

    @given(st.dictionaries(st.sampled_from("abc"), values, min_size=1), st.data())
    def test_a_file_of_any_shape(self, tree, data):
        it = document(b"first: x\n")
        for key, value in tree.items():
            it.set(key, value=value)
        whole = {"first": "x", **as_read(tree)}
        assert it.get() == whole
        path = data.draw(st.sampled_from(places(whole)))
        it.set(*path, value="changed")
        assert it.get() == with_(whole, path, "changed")


class TestFiles:
    def test_it_is_written_in_one_step_with_the_rights_it_had(self, tmp_path: Path):
        file = tmp_path / "forum.yaml"
        file.write_bytes(ALL)
        file.chmod(0o640)
        it = Document.read(file)
        it.set("campaign", value="other")
        it.write()
        assert b"campaign: other   # its name" in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o640
        it.set("campaign", value="third")
        it.write()
        assert [one.name for one in tmp_path.iterdir()] == ["forum.yaml"]

    def test_a_file_that_changed_meanwhile_is_left_alone(self, tmp_path: Path):
        file = tmp_path / "forum.yaml"
        file.write_bytes(ALL)
        it = Document.read(file, shown="campaigns/forum.yaml")
        it.set("campaign", value="other")
        file.write_bytes(FORUM)
        with pytest.raises(Changed, match="campaigns/forum.yaml has changed"):
            it.write()
        assert file.read_bytes() == FORUM
        assert [one.name for one in tmp_path.iterdir()] == ["forum.yaml"]

    def test_a_link_stays_a_link(self, tmp_path: Path):
        (tmp_path / "real.yaml").write_bytes(ALL)
        (tmp_path / "link.yaml").symlink_to("real.yaml")
        it = Document.read(tmp_path / "link.yaml")
        it.set("campaign", value="other")
        it.write()
        assert (tmp_path / "link.yaml").is_symlink()
        assert b"campaign: other" in (tmp_path / "real.yaml").read_bytes()

    @pytest.mark.parametrize("data", [b"", b"- a", b"a: [", b"a: 1\na: 2", b"\xff", b"a: *b"])
    def test_a_broken_file_is_refused_with_its_problems(self, tmp_path: Path, data: bytes):
        file = tmp_path / "forum.yaml"
        file.write_bytes(data)
        with pytest.raises(WrongFiles) as refused:
            Document.read(file, shown="campaigns/forum.yaml")
        assert refused.value.problems[0].where.startswith("campaigns/forum.yaml:")

    def test_no_file_is_refused(self, tmp_path: Path):
        with pytest.raises(WrongFiles, match="cannot be read"):
            Document.read(tmp_path / "nothing.yaml")

    @pytest.mark.parametrize(
        "path", [("campaign", "x"), ("lists", "x"), ("lists", 9), ("events", 0), ()]
    )
    def test_a_path_that_leads_nowhere_is_refused(self, path):
        it = document()
        with pytest.raises(NotAllowed):
            it.set(*path, value="x")
        assert it.text() == ALL.decode()
