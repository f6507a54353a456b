"""The JSON Schema takes what the project takes, refuses a slip, and describes every key."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from outreach.campaign.keys import KEYS
from outreach.campaign.models import Campaign
from outreach.campaign.reader import read_yaml
from outreach.campaign.schema import schema
from outreach.campaign.typed import SHAPES, known_keys, typed
from outreach.campaign.when import parse_late, parse_when
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "campaign-files.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
OURS = {p.name: p.read_text(encoding="utf-8") for p in (REPOSITORY / "campaigns").glob("*.yaml")}

# The tables of the page, by the model that they describe.
TABLES = {
    "The campaign": "Campaign",
    "An event": "Event",
    "A goal": "Goal",
    "Defaults": "Defaults",
    "A message": "Message",
}
SCHEMA = schema()
CHECKER = Draft202012Validator(SCHEMA)


def wrong(text: str) -> list[str]:
    """What the schema finds in a file, every scalar as typed."""
    read = read_yaml(text.encode(), "campaigns/forum.yaml")
    assert read.problems == []
    return [f"{error.json_path}: {error.message}" for error in CHECKER.iter_errors(read.value)]


def as_editors_read(node: Any) -> Any:
    """The same as an editor has it: numbers and truth values of YAML 1.2."""
    if isinstance(node, dict):
        return {key: as_editors_read(value) for key, value in node.items()}
    if isinstance(node, list):
        return [as_editors_read(value) for value in node]
    if node in ("true", "false"):
        return node == "true"
    return int(node) if re.fullmatch(r"\d+", node) else node


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(model, key, what it is, example) of every row of the page's tables."""
    for part in re.split(r"^\*\*", PAGE.partition("## Every key")[2], flags=re.MULTILINE)[1:]:
        model = TABLES[part.partition("**")[0].rstrip(".")]
        for line in re.findall(r"^\| (`.*) \|$", part, re.MULTILINE):
            keys, what, example = line.split(" | ")
            for key in re.findall("`([^`]+)`", keys):
                yield model, key, what, example


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    json.dumps(SCHEMA)


@pytest.mark.parametrize("name", OURS)
def test_our_campaigns_are_right(name: str):
    assert wrong(OURS[name]) == []
    tree = as_editors_read(read_yaml(OURS[name].encode(), name).value)
    assert list(CHECKER.iter_errors(tree)) == []


def test_the_example_of_the_page_is_right():
    assert wrong(EXAMPLE) == []
    assert list(CHECKER.iter_errors(as_editors_read(read_yaml(EXAMPLE.encode(), "").value))) == []


@pytest.mark.parametrize(
    ("right", "slip"),
    [
        ("programme:", "program:"),
        ("  to: main", "  too: main"),
        ("date: 2030-05-20", "date: 20 May 2030"),
        ("days-off: keep", "days-off: stay"),
        ("release: together", "release: at-once"),
        ("consent: no", "consent: perhaps"),
        ('time: "10:00 Asia/Seoul"', 'time: "10:00"'),
        ("if-late: ask", "if-late: send it"),
        ("at: forum + 1 day", "at: the day after"),
        ("target: 300", "target: many"),
        ("days: [mon]", "days: []"),
        ("days: [mon]", "days: [1]"),
        ("starts: {tbc: organizers, plan-with:", "starts: {tbc: organizers, plan:"),
        ("written-by: officer\n", ""),
        ("  idea: {}", "  An Idea: {}"),
    ],
)
def test_a_slip_is_refused(right: str, slip: str):
    assert right in EXAMPLE
    assert wrong(EXAMPLE.replace(right, slip, 1)) != []


@pytest.mark.parametrize(
    ("usual", "unusual"),
    [("days: [mon]", "days: [Monday, thu, FRI]"), ("target: 300", "target: TBC"),
     ("title: An example forum", "title: 2030"), ("consent: no", "consent: off"),
     ('ends: "17:00"', "ends: 17:00"), ("holidays: [TH", "holidays: [th")],
)  # fmt: skip
def test_it_refuses_nothing_that_the_project_takes(usual: str, unusual: str):
    text = EXAMPLE.replace(usual, unusual, 1)
    campaign, problems = typed(read_yaml(text.encode(), "x.yaml"), "x.yaml")
    assert (isinstance(campaign, Campaign), problems) == (True, [])
    assert wrong(text) == []


@pytest.mark.parametrize(
    "text",
    ["forum", "forum.starts", "forum - 7 days, 10:00 Asia/Seoul", "2025-08-18 10:00 Asia/Seoul",
     "working days from forum - 12 days", "forum − 2 weeks", "forum + 3 working days",
     "tomorrow at noon", "forum - many days", "10:00", "25 August", "forum -", ""],
)  # fmt: skip
def test_moments_are_told_as_the_project_tells_them(text: str):
    checker = Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": "#/$defs/moment"})
    try:
        parse_when(text)
    except ValueError:
        assert not checker.is_valid(text)
    else:
        assert checker.is_valid(text)


def test_rules_for_late_posts_are_told_as_the_project_tells_them():
    checker = Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": "#/$defs/lateness"})
    for text in ("ask", "send within 2 hours, then ask"):
        parse_late(text)
        assert checker.is_valid(text)
    assert not checker.is_valid("send")


def test_every_key_is_there_and_described():
    models = {model.__name__: model for _, model in SHAPES}
    shapes = {name: SCHEMA["$defs"].get(name.lower(), SCHEMA) for name in models}
    assert set(KEYS) == set(models)
    for name, model in models.items():
        properties = shapes[name]["properties"]
        assert set(properties) == set(known_keys(model)) == set(KEYS[name])
        assert shapes[name]["additionalProperties"] is False
        for key, one in properties.items():
            assert one["description"].strip(), f"{name}.{key}: add it to outreach/campaign/keys.py"


def test_keys_are_described_in_the_words_of_the_page():
    """Where this fails, outreach/campaign/keys.py says something else than the page."""
    described = {(model, key) for model, key, _, _ in rows()}
    for model, key, what, _ in rows():
        assert KEYS[model][key][0] == what
    assert {(m, key) for m in TABLES.values() for key in KEYS[m]} == described


def test_every_example_of_a_key_is_right():
    definitions = SCHEMA["$defs"]
    shapes = {"Campaign": SCHEMA} | {m: definitions[m.lower()] for m in KEYS if m != "Campaign"}
    for model, keys in KEYS.items():
        for key, (_, example) in keys.items():
            if not example:
                continue
            read = read_yaml(example.encode(), "example.yaml")
            assert (read.problems, list(read.value)) == ([], [key]), example
            one = {"$defs": definitions, **shapes[model]["properties"][key]}
            assert list(Draft202012Validator(one).iter_errors(read.value[key])) == [], example
