"""The campaign of this office: the Fifth International Forum on Low Carbon Cities."""

import re
from pathlib import Path

import pytest

from outreach.campaign.load import load_campaigns
from outreach.campaign.models import Tbc
from outreach.campaign.occasions import slots

OFFICE = Path(__file__).parents[2]
TEXTS = OFFICE / "templates" / "posts" / "forum"


@pytest.fixture(scope="module")
def forum():
    loaded = load_campaigns(OFFICE / "campaigns", root=OFFICE)
    assert [str(problem) for problem in loaded.problems if problem.mistake] == []
    return next(one for one in loaded.campaigns if one.campaign == "forum-2025")


def test_its_messages_are_due_from_t_30_to_t_7(forum):
    due = {name: f"{s.wall} {s.zone} = {s.at:%d %B %H:%M}Z" for name, s in slots(forum).items()}
    assert due == {
        "save-the-date": "2025-07-26T10:00 Asia/Seoul = 26 July 01:00Z",
        "registration-open": "2025-08-04T10:00 Asia/Seoul = 04 August 01:00Z",
        "programme": "2025-08-11T10:00 Asia/Seoul = 11 August 01:00Z",
        "reminder": "2025-08-22T10:00 Asia/Seoul = 22 August 01:00Z",
        "day-of": "2025-08-25T08:00 Asia/Bangkok = 25 August 01:00Z",
        "thank-you": "2025-08-26T10:00 Asia/Seoul = 26 August 01:00Z",
        "recap": "2025-09-01T10:00 Asia/Seoul = 01 September 01:00Z",
    }


def test_what_the_note_does_not_give_is_to_be_confirmed(forum):
    event = forum.events["forum"]
    assert event.starts == Tbc(who="organizers", plan_with="09:00")
    assert isinstance(event.speakers, Tbc)
    assert all(isinstance(link, Tbc) for link in forum.links.values())
    assert all(isinstance(goal.target, Tbc) for goal in forum.goals.values())


def test_every_fact_has_its_paragraph_of_the_note(forum):
    assert {fact.source for fact in forum.facts.values()} == {
        "SOM-28 note, para. 7",
        "SOM-28 note, para. 9",
    }


def test_every_message_has_its_texts_and_prints_what_the_campaign_has(forum):
    assert {path.stem for path in TEXTS.glob("*.md")} == set(forum.messages)
    known = {f"facts.{name}" for name in forum.facts} | {f"links.{name}" for name in forum.links}
    known |= {f"events.forum.{name}" for name in ("date", "weekday", "starts", "ends", "place")}
    for path in TEXTS.glob("*.md"):
        text = path.read_text()
        headings = re.findall(r"^## (.*)$", text, re.M)
        assert headings[:2] == ["en", "en @x"]
        translated = [heading.partition(" ")[0] for heading in headings[2:]]
        wanted = forum.messages[path.stem].to == "all"
        assert translated == (["zh", "ko", "ru", "ja", "mn"] if wanted else [])
        assert all(
            re.fullmatch(r"\w\w \(from \w{4}; translator: open; reviewer: open\)", heading)
            for heading in headings[2:]
        )
        more = {"campaign.title", "unofficial", "mention('incheon')", "mention('un-habitat')"}
        assert set(re.findall(r"{{ ([^}]+) }}", text)) <= known | more


@pytest.mark.parametrize(
    ("message", "open_facts"),
    [
        ("save-the-date", set()),
        ("registration-open", {"links.register"}),
        ("programme", {"links.programme"}),
        ("reminder", {"links.register"}),
        ("day-of", {"events.forum.starts", "links.live"}),
        ("thank-you", set()),
        ("recap", {"links.recap"}),
    ],
)
def test_a_message_waits_for_what_it_prints_and_for_nothing_else(message, open_facts):
    text = (TEXTS / f"{message}.md").read_text()
    for section in re.split(r"^## .*$", text, flags=re.M)[1:]:
        printed = re.findall(r"{{ (links\.\w+|events\.forum\.(?:starts|ends)) }}", section)
        assert set(printed) == open_facts
