"""A file's tree of texts becomes a Campaign, or the list of what is wrong with its keys and values.

pydantic does the typing and finds everything; here its findings get the place in the file where
an officer should look, and the officer's words.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from outreach.campaign import models
from outreach.campaign.models import Campaign
from outreach.campaign.reader import MAX_PROBLEMS, Path, Read
from outreach.campaign.when import said, short, spoken
from outreach.errors import Problem
from outreach.hints import did_you_mean

# Which model stands where in a file; "*" is any name, or any place in a list.
SHAPES: Final[tuple[tuple[tuple[str, ...], type[models.Frozen]], ...]] = (
    ((), models.Campaign),
    (("languages",), models.Languages),
    (("events", "*"), models.Event),
    (("events", "*", "sessions", "*"), models.Session),
    (("events", "*", "speakers", "*"), models.Speaker),
    (("facts", "*"), models.Fact),
    (("goals", "*"), models.Goal),
    (("defaults",), models.Defaults),
    (("messages", "*"), models.Message),
    (("messages", "*", "every"), models.Every),
    (("messages", "*", "media", "*"), models.Media),
)

# What to write where something is missing.
EXAMPLES: Final = {
    "campaign": "campaign: forum-2025",
    "programme": "programme: low-carbon-cities",
    "written-by": "written-by: officer",
    "audiences": "audiences: {main: {en: [web, x]}}",
    "messages": "messages: {save-the-date: {at: forum - 30 days}}",
    "date": "date: 2025-08-25",
    "starts": 'starts: "09:00", or {tbc: organizers, plan-with: "09:00"}',
    "ends": 'ends: "17:00", or {tbc: organizers, plan-with: "17:00"}',
    "zone": "zone: Asia/Bangkok",
    "source": 'source: "SOM-28 note, para. 7"',
    "alt": "alt: what the picture shows, or tbc",
    "by": "by: forum",
    "target": "target: 300, or tbc",
}

# What pydantic's errors (by how their type begins) expected, and what to write.
EXPECTED: Final = {
    "string_type": ("one text", "write one text"),
    "dataclass": ("one value, or tbc", "write one value, or tbc"),
    "time": ("a time of day", "write 09:00"),
    "date": ("a date", "write 2025-08-25"),
    "int": ("a whole number", "write a number, or tbc"),
    "bool": ("yes or no", "write yes or no"),
    "tuple": ("a list", "write […]"),
}


# Quotes as a word processor makes them; to YAML they are letters.
_CURLY: Final = re.compile("[“”„‟‘’‚](.*)[“”„‟‘’‚]")


class Mistake(NamedTuple):
    """Something wrong at `path`; a key that is missing has a path as well."""

    path: Path
    what: str
    hint: str


def typed(read: Read, file: str) -> tuple[Campaign | None, list[Problem]]:
    """The campaign of a file that was read whole, and all that is wrong with it, each once.

    With mistakes, the campaign is what is left without the messages' keys, facts, goals and
    links that are wrong, so that the rest can be checked as well; or None where others need
    what is wrong (an event, an audience), and would be reported for it.
    """
    tree = read.value
    if not isinstance(tree, dict):
        hint = "start with campaign: forum-2025, and one key a line"
        return None, [Problem(f"{file}:1", "a campaign file is made of keys", hint)]

    def at(path: Path) -> str:
        while path and path not in read.lines:
            path = path[:-1]
        return f"{file}:{read.lines.get(path, 1)}"

    # A lost #tag leaves its value empty, and has been told.
    told = {problem.where for problem in read.problems}
    found = list(islice(_odd_keys(tree, read.lines), MAX_PROBLEMS))
    campaign = None
    if len(found) < MAX_PROBLEMS:
        found = [o for o in found if _at(tree, o.path) != "" or at(o.path) not in told]
        campaign, wrong = _parsed(tree, read, file)
        first: dict[Path, Mistake] = {}
        for one in wrong:  # a union tells once for each of its branches
            if _at(tree, one.path) != "":
                first.setdefault(one.path, one)
        found += first.values()
        if wrong and _without(tree, [one.path for one in wrong]):
            campaign, _ = _parsed(tree, read, file)
    return campaign, [Problem(at(one.path), one.what, one.hint) for one in found]


def _places(tree: Any, pattern: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every (path, value) of `tree` that fits `pattern`."""
    if not pattern:
        yield path, tree
    elif pattern[0] != "*":
        if isinstance(tree, dict) and pattern[0] in tree:
            yield from _places(tree[pattern[0]], pattern[1:], (*path, pattern[0]))
    elif isinstance(tree, dict | list):
        for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
            yield from _places(value, pattern[1:], (*path, key))


def known_keys(model: type[models.Frozen]) -> tuple[str, ...]:
    """The keys that an officer may write for `model`, as written: `if-late`."""
    fields = model.model_fields.items()
    return tuple(field.alias or name for name, field in fields if not field.exclude)


def _odd_keys(tree: dict[str, Any], lines: Mapping[Path, int]) -> Iterator[Mistake]:
    """Unknown keys, which are taken out of the tree, and keys without a value."""
    for pattern, model in SHAPES:
        known = known_keys(model)
        for path, node in _places(tree, pattern):
            before = ""
            apart: dict[str, list[str]] = {}  # by its key, what commas took off a text
            for key in list(node) if isinstance(node, dict) else ():
                if key in known:
                    before = key
                    continue
                value = node.pop(key)
                if value == "" and isinstance(node.get(before), str):
                    apart.setdefault(before, []).append(key)
                else:
                    hint = did_you_mean(key, known) or f"known here: {', '.join(known)}"
                    yield Mistake((*path, key), f"there is no key {short(key)} here", hint)
            for key, pieces in apart.items():
                those = " and ".join(f"“{short(piece)}”" for piece in pieces)
                became = "a key of its own" if len(pieces) == 1 else "keys of their own"
                what = f"{those} became {became}: a comma separates in {{…}}"
                whole = short(", ".join([node[key], *pieces]))
                yield Mistake((*path, pieces[0]), what, f'quote the whole text: {key}: "{whole}"')
    yield from _empty(tree, (), lines)


def _empty(
    node: Any, path: Path, lines: Mapping[Path, int], before: Path = ()
) -> Iterator[Mistake]:
    """Keys and items that nothing stands after."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            here = (*path, key)
            yield from _empty(
                value, here, lines, before if lines.get(before) == lines[here] else ()
            )
            before = here if value != "" else before
    elif node == "" and path:
        hint = "write its value, tbc while that is not known, or take it out"
        if len(path) == 2 and path[0] == "messages":
            hint = f"for an idea without a time write {path[1]}: {{}}"
        if before and not isinstance(path[-1], int):
            hint += f"; if it belongs to the text of {short(before[-1])}, quote that whole text"
        name = "this item" if isinstance(path[-1], int) else f"“{short(path[-1])}”"
        yield Mistake(path, f"nothing stands after {name}", hint)


def _parsed(tree: dict[str, Any], read: Read, file: str) -> tuple[Campaign | None, list[Mistake]]:
    """The campaign that pydantic makes of the tree, or all that it finds wrong."""
    try:
        campaign = Campaign.model_validate({**tree, "file": file, "lines": read.lines})
    except ValidationError as errors:
        found = errors.errors(include_url=False)[: 10 * MAX_PROBLEMS]
        return None, [_mistake(error, tree) for error in found]
    return campaign, []


def _mistake(error: Mapping[str, Any], tree: dict[str, Any]) -> Mistake:
    """One of pydantic's errors, where it stands in the file and in an officer's words."""
    path: Path = ()
    node: Any = tree
    for part in error["loc"]:  # what is not in the tree is a union's branch, or a missing key
        item = isinstance(node, list) and isinstance(part, int)
        if part in node if isinstance(node, dict) else item:
            path, node = (*path, part), node[part]
    name = spoken(path) or "the file"
    last = str(error["loc"][-1])
    if error["type"] == "missing":
        hint = f"write {EXAMPLES.get(last, last + ': …')}"
        return Mistake((*path, last), f"{name} has no {last}", hint)
    if last == "[key]":
        return Mistake(path, *_not_a_name(path[-1]))
    return Mistake(path, *_words(error, name, node))


def _words(error: Mapping[str, Any], name: str, node: Any) -> tuple[str, str]:
    """What is wrong with the value `node`, and what to do."""
    kind = error["type"]
    if isinstance(node, str) and (found := _CURLY.fullmatch(node.strip())):
        what = f"{name}: the curly quotes of {short(node.strip())} are a part of its value"
        return what, f'write straight ones: "{short(found[1])}"'
    if kind == "value_error":
        what, hint = said(error["ctx"]["error"])
        return f"{name}: {what}", hint
    for begin, (expected, hint) in EXPECTED.items():
        if kind.startswith(begin):
            stands = "a mapping {…}" if isinstance(node, dict) else f"“{short(node)}”"
            stands = "a list" if isinstance(node, list) else stands
            one = isinstance(node, str) or begin in ("time", "date", "int")
            todo = hint.replace("…", str(node)) if one else _quoted(node)
            return f"{name} should be {expected}, and {stands} stands here", todo
    if kind == "literal_error":
        allowed = error["ctx"]["expected"].replace("'", "")
        return f"{name} cannot be “{short(node)}”", f"write {allowed}"
    if kind.startswith("string_"):
        return _not_a_name(node)
    stands = f"“{short(node)}”" if isinstance(node, str) else "a list"
    todo = EXAMPLES.get(name, "its keys below it, one a line (campaign-files.md lists them)")
    return f"{name} is made of keys, and {stands} stands here", f"write {todo}"


def _quoted(node: Any) -> str:
    if isinstance(node, list) and all(isinstance(one, str) for one in node):
        return f'quote it if it is one text: "{short(", ".join(node))}"'
    return "quote it if it is one text" if isinstance(node, dict | list) else ""


def _not_a_name(given: object) -> tuple[str, str]:
    fits = re.sub(r"[^a-z0-9]+", "-", str(given).lower())[:60].strip("-") or "forum-2025"
    return (
        f"“{short(given)}” cannot be a name: small letters a to z, digits and hyphens, at most 60",
        f"write {short(fits)}",
    )


def _at(tree: Any, path: Path) -> Any:
    """The value at `path`, or None where a key is missing."""
    for part in path:
        if isinstance(tree, dict) and part not in tree:
            return None
        tree = tree[part]
    return tree


def _without(tree: dict[str, Any], wrong: Collection[Path]) -> bool:
    """Take out what is wrong and needed by nothing else; False where something else needs it."""
    for path in wrong:
        own = (
            {"messages": 3, "facts": 2, "goals": 2, "links": 2}.get(str(path[0])) if path else None
        )
        if own is None or len(path) < 2:
            return False
        parent = _at(tree, path[:own][:-1])
        if isinstance(parent, dict):
            parent.pop(path[:own][-1], None)
    return True
