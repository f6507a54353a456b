"""TOML as an officer typed it: its tables, or what is wrong with it, with its line, in their words.

tomllib says where it gave up and what it had hoped for; what was meant stands in the line.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from outreach.errors import Problem, WrongFiles

_CURLY: Final = re.compile("[“”„‟‘’]")
_HEADER: Final = re.compile(r"\s*\[+([^\[\]]+)\]")
_PART: Final = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^."']+))""")  # "card.png" is one name
_KEY: Final = re.compile(r"""\s*["']?([\w.-]+)["']?\s*=\s*""")


def read_toml(file: Path, shown: str) -> tuple[dict[str, Any], str]:
    """The tables of a file, and its text.

    Raises FileNotFoundError where there is none, and WrongFiles, at `shown:line`, where it cannot
    be read.
    """
    try:
        data: bytes | OSError = file.read_bytes()
    except OSError as error:
        data = error
    return parsed(data, shown)


def parsed(data: bytes | OSError, shown: str) -> tuple[dict[str, Any], str]:
    """The same of what was read, or of why it could not be."""
    if isinstance(data, FileNotFoundError):
        raise data
    if isinstance(data, OSError):
        problem = Problem(shown, f"it cannot be read: {data.strerror}", "look at its rights")
        raise WrongFiles([problem]) from data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem(f"{shown}:{line}", "this line is not UTF-8 text", "save it as UTF-8")
        raise WrongFiles([problem]) from error
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        line, what, hint = next(_explained(str(error), text))
        raise WrongFiles([Problem(f"{shown}:{line}", what, hint)]) from error


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The line of a key, or of the table around it."""
    line, wanted = 1, list(path)
    for number, here, header in _places(text):
        if header and here == wanted[: len(here)]:
            line = number
        elif not header and here == wanted[: len(here)]:
            return number
    return line


def _places(text: str) -> Iterator[tuple[int, list[str], bool]]:
    """Every line that names a table or a key: its number, the path, and whether it is a table's."""
    table: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(raw):
            table = [
                next(filter(None, part), "").strip() for part in _PART.findall(header[1].strip())
            ]
            yield number, table, True
        elif key := _KEY.match(raw):
            yield number, [*table, *key[1].split(".")], False


def _explained(said: str, text: str) -> Iterator[tuple[int, str, str]]:
    """What `said` means, with its line, likeliest first."""
    lines = text.splitlines() or [""]
    found = re.search(r"\(at line (\d+), column (\d+)\)$", said)
    line, column = (int(found[1]), int(found[2])) if found else (len(lines), 1)
    line = min(line, len(lines))
    here = lines[line - 1]
    rest = here[column - 1 :].strip()
    key = _KEY.match(here)
    name = key[1] if key else "name"
    if "twice" in said or "overwrite" in said or "immutable" in said:
        yield from _repeated(text, line)
    if _CURLY.search(here) and "Invalid value" in said:
        straight = _CURLY.sub("", rest.partition("#")[0].strip())
        yield line, "curly quotes stand here", f'write straight ones: {name} = "{straight}"'
    if "Invalid value" in said and not rest.partition("#")[0].strip():
        yield line, f"nothing stands after {name} =", f'write its value: {name} = "…"'
    if "Invalid value" in said and rest.lower() in ("true", "false", "yes", "no", "on", "off"):
        yes = rest.lower() in ("true", "yes", "on")
        yield line, f"{rest} is not yes or no here", f"write {name} = {str(yes).lower()}"
    if "Invalid value" in said:
        value = rest.partition(" #")[0].strip().replace('"', "")
        yield line, f"{name} has a text without quotes", f'write {name} = "{value}"'
    if "Illegal character '\\n'" in said or "Unterminated" in said:
        yield line, "the quote that opens in this line is not closed", "close it"
    if "Illegal character" in said:
        yield line, "an invisible character stands in this line", "type the line again"
    if "Unescaped" in said:
        yield line, "a \\ stands in a text", "write it twice, or put the text in '…'"
    if "Unclosed array" in said or "Unclosed inline" in said:
        opened = "[" if "array" in said else "{"
        where = [n for n, raw in enumerate(lines, 1) if re.search(rf"=\s*\{opened}", raw)]
        yield (where or [line])[-1], f"what opens with {opened} is not closed", "close it"
    if "table declaration" in said or "initial character for a key" in said:
        what = "this [name] of a table is not closed, or is no name"
        yield line, what, "write [its-name]: letters, digits and hyphens"
    if "after a key" in said or "Invalid statement" in said:
        yield line, "this line is no key with its value", 'write name = "..."'
    if "after a statement" in said:
        what = "something stands here after the end of the value"
        yield line, what, 'a text is in one pair of quotes; a quote within it is written \\"'
    yield (
        line,
        "this line cannot be understood",
        'text goes in quotes: name = "..."; a table begins with [its-name]',
    )


def _repeated(text: str, line: int) -> Iterator[tuple[int, str, str]]:
    """The key or table of this line, where one of the same name stands above it."""
    above: dict[tuple[str, ...], int] = {}
    for number, path, header in _places(text):
        named = tuple(path)
        if number == line and named in above:
            shown = f"[{'.'.join(path)}]" if header else path[-1]
            what = f"{shown} stands here a second time; the first is in line {above[named]}"
            yield number, what, "keep one of them"
        above.setdefault(named, number)
