"""The text file of a message: headings, variants, rotation, and what bad files get."""

from pathlib import Path

import pytest

from outreach.compose.texts import Section, Texts, read_texts

SHOWN = "templates/posts/forum/teaser.md"


def texts_of(tmp_path: Path, text: str | bytes) -> Texts:
    path = tmp_path / "teaser.md"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_texts(path, SHOWN)


def test_a_file_is_read_into_its_sections(tmp_path: Path) -> None:
    texts = texts_of(
        tmp_path,
        "For colleagues.\n"
        "# Not a heading of ours\n"
        "## en\n"
        "Hello\n"
        "## zh (from 3f2a; translator: Li Wei; reviewer: open)\n"
        "你好\n"
        "## en @x 2\n"
        "Hi\n",
    )
    assert texts.problems == ()
    assert texts.sections == (
        Section("en", "", 0, 4, "Hello"),
        Section("zh", "", 0, 6, "你好", made_from="3f2a", translator="Li Wei", reviewer="open"),
        Section("en", "x", 2, 8, "Hi\n"),
    )


def test_a_windows_file_with_a_byte_order_mark_is_the_same_file(tmp_path: Path) -> None:
    texts = texts_of(tmp_path, b"\xef\xbb\xbf## en\r\nHello\r\n")
    assert texts.sections == (Section("en", "", 0, 2, "Hello\n"),)


def test_a_backslash_keeps_two_signs_from_being_a_heading(tmp_path: Path) -> None:
    texts = texts_of(tmp_path, "## en\n\\## two signs\na \\## b\n")
    assert texts.sections[0].source == "## two signs\na \\## b\n"


@pytest.mark.parametrize(
    ("platform", "channel", "text"),
    [
        ("x", "x-seoul", "for the account"),
        ("x", "x-bangkok", "for X"),
        ("feed", "web", "for all"),
        ("feed", "x", "for X"),  # a channel may have a platform's name
    ],
)
def test_the_section_that_fits_most_closely_wins(
    tmp_path: Path, platform: str, channel: str, text: str
) -> None:
    texts = texts_of(tmp_path, "## en @x\nfor X\n## en\nfor all\n## en @x-seoul\nfor the account\n")
    section = texts.closest("en", platform, channel)
    assert section is not None
    assert section.source.strip() == text


def test_there_is_no_closest_section_in_another_language(tmp_path: Path) -> None:
    assert texts_of(tmp_path, "## en\nHello\n").closest("ko", "feed", "web") is None


def test_of_a_rotation_the_first_is_taken(tmp_path: Path) -> None:
    section = texts_of(tmp_path, "## en 2\ntwo\n## en 1\none\n").closest("en", "feed", "web")
    assert section is not None
    assert section.source.strip() == "one"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## english\nHi", f"{SHOWN}:1: not a heading that is understood: ## english"),
        ("## en\nHi\n##en @x\nHo", f"{SHOWN}:3: not a heading that is understood: ##en @x"),
        ("## en\nHi\n## Notes\nHo", f"{SHOWN}:3: not a heading that is understood: ## Notes"),
        ("## en\nHi\n## zh (by: Li)\nHo", f"{SHOWN}:3: by is not a note of a heading"),
        ("## zh (from 3)\nHi", f"{SHOWN}:1: what follows `from` is the beginning of a hash"),
        ("## en\nHi\n## en\nHo", f"{SHOWN}:3: this section stands here twice"),
        ("## en\n\n## zh\nHo", f"{SHOWN}:1: this section is empty"),
        ("Only a comment", f"{SHOWN}:1: there is no section in it"),
        ("", f"{SHOWN}:1: there is no section in it"),
        (b"## en\nHi\ncaf\xe9", f"{SHOWN}:3: not UTF-8"),
        ("## en\n" + "x" * 100_000, f"{SHOWN}: larger than 100 kB"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str | bytes, expected: str) -> None:
    (problem,) = texts_of(tmp_path, text).problems
    assert str(problem).startswith(expected)
    assert problem.hint


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    texts = texts_of(tmp_path, "## english\nHi\n## en\n\n## zh\n一\n## zh\n二\n")
    assert [problem.where for problem in texts.problems] == [f"{SHOWN}:{n}" for n in (1, 3, 7)]


def test_a_missing_file_is_told_with_the_path_to_create(tmp_path: Path) -> None:
    (problem,) = read_texts(tmp_path / "none.md", SHOWN).problems
    assert str(problem) == (
        f"{SHOWN}: there is no such file\n    → create {SHOWN} and begin it with the line `## en`"
    )


def test_the_hash_changes_with_the_text_and_not_with_blanks_around_it() -> None:
    hashes = [Section("en", "", 0, 1, text).hash for text in ("Hi", "\nHi \n", "Ho")]
    assert hashes[0] == hashes[1] == "3639efcd"
    assert hashes[2] != hashes[0]


def test_a_part_is_found_by_its_line_unless_a_loop_writes_parts() -> None:
    section = Section("en", "", 0, 10, "one\n---\ntwo\n---\nthree")
    assert [section.line_of(part, 3) for part in range(3)] == [10, 12, 14]
    assert section.line_of(4, 5) == 10
