"""The officers' reference of campaign files is complete, and its example is right."""

import re
from pathlib import Path

import pytest

from outreach.campaign import models
from outreach.campaign.typed import SHAPES, known_keys

PAGE = (Path(__file__).parents[2] / "docs" / "campaign-files.md").read_text()
[EXAMPLE] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
KEYS = sorted({(model.__name__, key) for _, model in SHAPES for key in known_keys(model)})


@pytest.mark.parametrize(("model", "key"), KEYS)
def test_every_key_stands_in_the_reference_and_in_its_example(model, key):
    assert f"`{key}`" in PAGE
    assert re.search(rf"(^|[\s{{])({key}):", EXAMPLE)


def test_every_model_of_a_file_has_its_place():
    assert {model for _, model in SHAPES} == set(models.Frozen.__subclasses__())


def test_the_example_is_read_without_a_mistake(load):
    loaded = load(EXAMPLE)
    assert [str(problem) for problem in loaded.problems if problem.mistake] == []
    assert [campaign.campaign for campaign in loaded.campaigns] == ["example-forum"]
    assert loaded.campaigns[0].facts["participants"].value == "1200"  # as `| number` reads it


def test_every_time_in_the_table_is_read():
    from outreach.campaign.when import parse_when

    table = PAGE.partition("## Time")[2].partition("For `not-after`")[0]
    first = re.findall(r"^\| (`.*?) \|", table, re.M)
    for written in re.findall(r"`(.+?)`", " ".join(first)):
        assert parse_when(written).written == written
