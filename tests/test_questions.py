"""The house's style at clearance: an E blocks, a W is told, an H is decided and recorded."""

import shutil

import pytest

from outreach.errors import NotAllowed
from tests.conftest import REPOSITORY, Office, apply, state

CAMPAIGN = """
campaign: c
programme: low-carbon-cities
title: News
written-by: ana
audiences: {main: {en: [net]}}
messages:
  news: {at: "2025-07-21 09:00 Asia/Bangkok", to: main}
"""
KEY = "c/news/en@net"


@pytest.fixture
def made(office: Office):
    shutil.copytree(REPOSITORY / "config" / "house-style", office.home / "config" / "house-style")

    def made(text: str):
        office.campaign(CAMPAIGN, news=f"## en\n{text}\n")
        desk = office.open()
        apply(desk)
        return desk, desk.files().drafts[KEY]

    return made


def test_what_blocks_is_a_mistake_with_rule_source_and_proposal(made):
    desk, draft = made("The forum opens on 25th August.")
    [problem] = draft.blocked
    assert problem.mistake
    assert problem.where == "templates/posts/c/news.md:2"
    assert problem.what.startswith("“25th August” (D01: ")
    assert "25 August 2025" in problem.hint
    assert not desk.readings()[0].renderings


def test_what_warns_is_advice_and_stops_nothing(made):
    desk, draft = made("The center is open.")
    assert [problem.advice for problem in draft.advice] == [True]
    assert draft.blocked == ()
    assert desk.readings()[0].renderings


@pytest.mark.parametrize("public", ["", "https://desk.example.org"])
def test_a_video_is_seen_behind_a_short_address_and_wants_its_captions(office, made, public):
    office.write(
        "config/outreach.toml", f'[office]\nname = "Desk"\n[web]\npublic-url = "{public}"\n'
    )
    links = 'links: {talk: "https://www.youtube.com/watch?v=1"}\nmessages:'
    campaign = CAMPAIGN.replace("messages:", links)
    for text, told in (("Watch: {{ links.talk }}", 1), ("With captions: {{ links.talk }}", 0)):
        office.campaign(campaign, news=f"## en\n{text}\n")
        draft = office.open().files().drafts[KEY]
        assert ("youtube" in draft.post.parts[0].text) is not bool(public)
        found = [problem for problem in draft.advice if "A04" in problem.what]
        assert ["youtube.com/watch?v=1" in problem.what for problem in found] == [True] * told


class TestADecision:
    TEXT = "Ships on the Sea of Japan."

    def test_it_is_asked_of_the_clearer(self, made):
        desk, draft = made(self.TEXT)
        assert [problem.what.partition(":")[0] for problem in draft.questions] == [
            "“Sea of Japan” (G01"
        ]
        [reading] = desk.readings()
        assert len(reading.questions) == 1
        with pytest.raises(NotAllowed, match="a person decides about c/news/en@net") as refused:
            desk.clear(reading.name, reading.fingerprint, by=desk.person("bo"))
        assert refused.value.hint.endswith('--decided "…"')
        assert state(desk, KEY) == "proposed"

    def test_it_is_recorded_with_its_reason(self, made):
        desk, _ = made(self.TEXT)
        [reading] = desk.readings()
        desk.clear(
            reading.name, reading.fingerprint, by=desk.person("bo"), decided="as the note has it"
        )
        assert state(desk, KEY) == "cleared"
        [(_, who, what, why)] = [one for one in desk.trail(KEY) if one[2].startswith("decided")]
        assert (who, why) == ("bo", "as the note has it")
        assert "G01" in what


def test_a_mistake_in_the_rules_is_told_with_the_files(made, office):
    desk, _ = made("Words.")
    office.write("config/house-style/en.yaml", "version: 1\nlanguage: en\nrulez: []\n")
    assert any("config/house-style/en.yaml" in p.where for p in desk.files().mistakes)


def test_the_office_own_campaign_and_texts_are_in_style():
    from outreach.campaign.load import load_campaigns
    from outreach.compose.style import load_style

    house = load_style(REPOSITORY / "config" / "house-style")
    assert house.problems == ()
    loaded = load_campaigns(REPOSITORY / "campaigns", root=REPOSITORY)
    for path in sorted((REPOSITORY / "templates" / "posts").rglob("*.md")):
        found = house.lint(
            path.read_text(),
            template=True,
            titles=[campaign.title for campaign in loaded.campaigns],
        )
        assert [str(one) for one in found if one.severity == "E"] == [], path
