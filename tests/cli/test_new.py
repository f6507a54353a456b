"""`outreach new`: the next campaign from the last, a first one, and a message more."""

import json
from itertools import count
from pathlib import Path

import pytest

from outreach.campaign.edit import Document
from outreach.campaign.load import load_campaigns
from outreach.campaign.models import Campaign, Tbc
from outreach.campaign.tidy import mistakes, tidied
from outreach.compose.texts import Section, read_texts
from tests.cli.conftest import Answer, Shell, declined
from tests.conftest import REPOSITORY

NEXT = ("new", "campaign", "forum-2026", "--from", "forum-2025", "--event", "2026-09-01")

OLD = """\
# The forum of 2025.
campaign: old
programme: low-carbon-cities
title: The Fifth Forum            # as the note says
written-by: ana
languages: {source: en, also: [ko]}
events:
  forum: {date: 2025-08-25, starts: "09:00", ends: "17:00", zone: Asia/Bangkok, place: "Bangkok",
    speakers: [{id: one, names: {en: One}, consent: yes}]}
  visit:
    date: 2025-08-26              # the day after
    starts: {tbc: organizers, plan-with: "10:00"}
    zone: Asia/Bangkok
facts: {theme: {value: "A theme, in words", source: "Note, para. 7"}}
links: {event: https://example.org/forum}
goals: {registrations: {target: 300, baseline: 12, by: "2025-08-24 18:00 Asia/Seoul", from: hand}}
audiences:
  main: {en: [web], ko: [web]}
defaults: {time: "10:00 Asia/Seoul", to: main, embargo: 2025-06-01 00:00 Asia/Seoul}
messages:
  first:
    at: forum - 30 days
    media:
      - {file: card.png, alt: A card}   # expires 2025-12-31
      - file: gone.png
        alt: Another
      - {file: card.png, alt: A card, expires: 2026-08-02}
      - {file: card.png, alt: A card, expires: 2026-08-03}
      - {file: card.png, alt: A card, expires: tbc}
  second: {at: "2025-08-18 10:00 Asia/Seoul", template: posts/old/own/two.md}   # by the note
  third: {at: forum - 3 days, template: posts/shared.md}
  fourth: {}
"""

TEXT = """\
For people: keep it short.

## en
The forum of 2025 is on {{ events.forum.date }}.

## ko (from 1234; translator: Kim; reviewer: Lee)
포럼.

## ko @web (translator: Kim)
포럼!
"""


@pytest.fixture
def forum(shell: Shell) -> Shell:
    """An office with the forum's own campaign, its texts, and its people and channels."""
    (shell.home / "campaigns/forum.yaml").unlink()
    shell.write("config/channels.toml", _read("config/channels.toml"))
    shell.write("config/partners.toml", _read("config/partners.toml"))
    shell.write("config/boilerplate.toml", _read("config/boilerplate.toml"))
    shell.write("config/people.toml", _read("config/people.toml"))
    shell.write("campaigns/forum-2025.yaml", _read("campaigns/forum-2025.yaml"))
    for path in (REPOSITORY / "templates/posts/forum").iterdir():
        shell.write(f"templates/posts/forum/{path.name}", path.read_text(encoding="utf-8"))
    return shell


@pytest.fixture
def old(shell: Shell) -> Shell:
    shell.write("campaigns/old.yaml", OLD)
    shell.write("media/card.png", "a picture")
    for name in ("old/first", "old/own/two", "shared"):
        shell.write(f"templates/posts/{name}.md", TEXT)
    return shell


def _read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def campaign(shell: Shell, name: str) -> Campaign:
    loaded = load_campaigns(shell.home / "campaigns", root=shell.home)
    return next(one for one in loaded.campaigns if one.campaign == name)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for part in ("campaigns", "templates", "media")
        for p in (folder / part).rglob("*")
        if p.is_file()
    }


def done(answer: Answer) -> Answer:
    assert answer.code == 0, answer
    return answer


class TestTheNextCampaign:
    def test_the_next_forum_is_made_from_the_last(self, forum: Shell):
        before = tree(forum.home)
        said = done(forum(*NEXT))
        last, new = campaign(forum, "forum-2025"), campaign(forum, "forum-2026")
        assert f"{new.events['forum'].day}" == "2026-09-01"
        assert {n: m.at and m.at.written for n, m in new.messages.items()} == {
            n: m.at and m.at.written for n, m in last.messages.items()
        }
        assert new.audiences == last.audiences
        assert all(isinstance(fact.value, Tbc) for fact in new.facts.values())
        assert {fact.source for fact in new.facts.values()} == {"to be confirmed"}
        assert all(isinstance(link, Tbc) for link in new.links.values())
        assert all(isinstance(goal.target, Tbc) for goal in new.goals.values())
        assert isinstance(new.events["forum"].place, Tbc)
        assert before.items() <= tree(forum.home).items()
        made = [line.split()[1] for line in said.out.splitlines() if line.startswith("made ")]
        assert set(made) == set(tree(forum.home)) - set(before)
        assert "Next: " in said.out
        assert "outreach check" in said.out

    def test_what_was_written_for_people_stays(self, forum: Shell):
        done(forum(*NEXT))
        text = (forum.home / "campaigns/forum-2026.yaml").read_text(encoding="utf-8")
        assert text.startswith("# Made from campaigns/forum-2025.yaml: find out what is tbc;")
        assert "audiences:\n  main: {en: [web, x, telegram, wechat]}            # wechat is" in text
        assert (
            "title: Fifth International Forum on Low Carbon Cities   # was forum-2025's: check"
        ) in text
        assert tidied(text) == text

    def test_translations_are_stale_and_wait_for_their_reviewer(self, forum: Shell):
        done(forum(*NEXT))
        said = done(forum("languages", "forum-2026"))
        row = next(line for line in said.out.splitlines() if "save-the-date" in line)
        assert row.split()[1:] == ["source", "stale", "stale", "stale", "stale", "stale"]

    def test_it_has_no_mistakes_and_nothing_of_it_can_be_cleared_yet(self, forum: Shell):
        done(forum(*NEXT))
        found = json.loads(forum("check", "--json").out)
        assert found["mistakes"] == []
        assert any("campaigns/forum-2026.yaml" in one["hint"] for one in found["open"])

    def test_what_is_dated_moves_and_says_so(self, old: Shell):
        said = done(old("new", "campaign", "next", "--from", "old", "--event", "2026-09-01"))
        text = (old.home / "campaigns/next.yaml").read_text(encoding="utf-8")
        document = Document(text.encode(), "next.yaml")
        moved = "moved by 372 days: check"
        assert f"    date: 2026-09-02              # the day after; {moved}\n" in text
        assert document.get("messages", "second", "at") == "2026-08-25 10:00 Asia/Seoul"
        assert f"# by the note; {moved}\n" in text
        assert document.get("goals", "registrations", "by") == "2026-08-31 18:00 Asia/Seoul"
        assert document.get("defaults", "embargo") == "2026-06-08 00:00 Asia/Seoul"
        assert document.get("messages", "first", "at") == "forum - 30 days"
        assert mistakes(text.encode(), "next.yaml") == []
        assert "look  templates/posts/next/first.md:4 names 2025\n" in said.out

    def test_hours_place_and_people_are_to_be_confirmed_and_slots_stay(self, old: Shell):
        done(old("new", "campaign", "next", "--from", "old", "--event", "2026-09-01"))
        document = Document.read(old.home / "campaigns/next.yaml")
        assert document.get("events", "forum") == {
            "date": "2026-09-01",
            "starts": {"tbc": "ana", "plan-with": "09:00"},
            "ends": {"tbc": "ana", "plan-with": "17:00"},
            "zone": "Asia/Bangkok",
            "place": "tbc",
            "speakers": "tbc",
        }
        assert document.get("events", "visit", "starts") == {
            "tbc": "organizers",
            "plan-with": "10:00",
        }
        assert document.get("goals", "registrations", "target") == "tbc"
        assert document.get("goals", "registrations", "baseline") == "tbc"
        assert document.get("facts", "theme") == {"value": "tbc", "source": "to be confirmed"}
        assert document.get("links", "event") == "tbc"

    def test_pictures_are_flagged_that_expire_or_are_gone(self, old: Shell):
        done(old("new", "campaign", "next", "--from", "old", "--event", "2026-09-01"))
        text = (old.home / "campaigns/next.yaml").read_text(encoding="utf-8")
        assert "# expires 2025-12-31; may card.png still be used? check\n" in text
        assert "- file: gone.png   # gone.png is not in media/: check\n" in text
        # The message is due on 2026-08-02, thirty days before the event.
        assert "# card.png may not be used from 2026-08-02 on: check\n" in text
        assert "expires: 2026-08-03}\n" in text
        assert "expires: tbc}   # may card.png still be used? check\n" in text
        line = text.splitlines().index(next(x for x in text.splitlines() if "2026-08-02" in x)) + 1
        told = f"campaigns/next.yaml:{line}: card.png may not be used from 2026-08-02 on, and the"
        assert f"{told} post is due 2026-08-02 10:00 Asia/Seoul" in old("check").out

    def test_texts_are_copied_wherever_they_were(self, old: Shell):
        said = done(old("new", "campaign", "next", "--from", "old", "--event", "2026-09-01"))
        document = Document.read(old.home / "campaigns/next.yaml")
        assert document.get("messages", "second", "template") == "posts/next/own-two.md"
        assert document.get("messages", "third", "template") == "posts/next/posts-shared.md"
        made = (old.home / "templates/posts/next/own-two.md").read_text(encoding="utf-8")
        assert made == TEXT.replace(
            "(from 1234; translator: Kim; reviewer: Lee)",
            "(from 0000; translator: Kim; reviewer: open)",
        ).replace("(translator: Kim)", "(from 0000; translator: Kim; reviewer: open)")
        assert "look  templates/posts/old/fourth.md is not there" in said.out

    def test_no_source_text_has_the_hash_that_stands_for_none(self, old: Shell):
        words = (f"Words, number {number}." for number in count())
        text = next(one for one in words if Section("en", "", 0, 1, one).hash.startswith("0000"))
        ko = "## ko (from 0000; translator: Kim; reviewer: Lee)\n\n단어들입니다.\n"
        old.write("templates/posts/old/first.md", f"## en\n\n{text}\n\n{ko}")
        done(old("new", "campaign", "next", "--from", "old", "--event", "2026-09-01"))
        file = old.home / "templates/posts/next/first.md"
        assert {s.made_from for s in read_texts(file, "").sections} == {"", "ffff"}

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (("forum-2026",), ["there is a campaign forum-2026 already", "campaigns/forum-2026"]),
            (("x", "--from", "forum-2052", "--event", "2026-09-01"), ["did you mean forum-20"]),
            (("x", "--from", "forum-2025"), ["needs the day", "--event 2026-09-01"]),
            (("x", "--from", "forum-2025", "--event", "2026-02-30"), ["no 2026-02-30"]),
            (("x", "--from", "forum-2025", "--event", "soon"), ["“soon” is not a date"]),
            (("Forum 2027",), ["cannot be a name", "write forum-2027"]),
            (("x", "--at", "forum"), ["--at is not for a campaign"]),
        ],
    )
    def test_what_cannot_be_is_declined_with_a_way_out(self, forum: Shell, args, words):
        done(forum(*NEXT))
        before = tree(forum.home)
        declined(forum("new", "campaign", *args), 2, *words)
        assert tree(forum.home) == before

    def test_nothing_is_written_over(self, forum: Shell):
        forum.write("templates/posts/forum-2026/recap.md", "## en\nmine\n")
        before = tree(forum.home)
        declined(forum(*NEXT), 2, "templates/posts/forum-2026/recap.md is there already")
        assert tree(forum.home) == before

    def test_a_broken_campaign_is_no_model(self, forum: Shell):
        forum.write("campaigns/forum-2025.yaml", _read("campaigns/forum-2025.yaml") + "mesages: {}")
        declined(forum(*NEXT), 1, "there is no key mesages here", "did you mean messages?")

    def test_a_campaign_without_an_event_has_none_to_be_moved(self, old: Shell):
        text = OLD[: OLD.index("events:")] + (
            "audiences:\n  main: {en: [web], ko: [web]}\ndefaults: {to: main}\nmessages:\n"
            "  news: {at: 2025-08-18 10:00 Asia/Seoul, template: posts/old/first.md}\n"
        )
        old.write("campaigns/old.yaml", text)
        declined(
            old("new", "campaign", "a", "--from", "old", "--event", "2026-01-01"), 2, "no event"
        )
        done(old("new", "campaign", "a", "--from", "old"))
        made = (old.home / "campaigns/a.yaml").read_text(encoding="utf-8")
        assert "at: 2025-08-18 10:00 Asia/Seoul" in made
        assert "   # as it was: check\n" in made


class TestAFirstCampaign:
    def test_it_is_right_and_commented_and_small(self, shell: Shell):
        said = done(shell("new", "campaign", "study-tour", "--event", "2030-05-20"))
        text = (shell.home / "campaigns/study-tour.yaml").read_text(encoding="utf-8")
        assert f"{campaign(shell, 'study-tour').events['event'].day}" == "2030-05-20"
        assert tidied(text) == text
        assert text.count("check") >= 3
        assert "made  templates/posts/study-tour/save-the-date.md" in said.out
        assert "written-by: ana\n" in text
        assert "study-tour" not in shell("check").out.partition("to be confirmed")[0]

    def test_without_a_day_one_serves_to_plan_with(self, shell: Shell):
        done(shell("new", "campaign", "study-tour"))
        assert isinstance(campaign(shell, "study-tour").events["event"].date, Tbc)


class TestAMessage:
    def test_it_is_added_below_the_others_and_gets_its_headings(self, forum: Shell):
        before = _read("campaigns/forum-2025.yaml")
        said = done(
            forum("new", "message", "forum-2025/week", "--at", "forum - 7 days", "--to", "all")
        )
        after = (forum.home / "campaigns/forum-2025.yaml").read_text(encoding="utf-8")
        assert after == before + "  week: {at: forum - 7 days, to: all}\n"
        texts = (forum.home / "templates/posts/forum/week.md").read_text(encoding="utf-8")
        assert texts.partition("\n\n")[2] == (
            "## en\n"
            "\n## zh (from 0000; translator: open; reviewer: open)\n"
            "\n## ko (from 0000; translator: open; reviewer: open)\n"
            "\n## ru (from 0000; translator: open; reviewer: open)\n"
            "\n## ja (from 0000; translator: open; reviewer: open)\n"
            "\n## mn (from 0000; translator: open; reviewer: open)\n"
        )
        assert "added week to campaigns/forum-2025.yaml" in said.out
        assert "made  templates/posts/forum/week.md" in said.out
        told = forum("check").out
        assert "templates/posts/forum/week.md:5: this section is empty" in told

    def test_without_a_time_it_is_an_idea(self, forum: Shell):
        done(forum("new", "message", "forum-2025/idea"))
        assert campaign(forum, "forum-2025").messages["idea"].at is None

    def test_a_text_that_is_there_is_left(self, forum: Shell):
        forum.write("templates/posts/forum/week.md", "## en\nmine\n")
        said = done(forum("new", "message", "forum-2025/week", "--at", "forum - 7 days"))
        assert "left  templates/posts/forum/week.md (it was there already)" in said.out
        assert (forum.home / "templates/posts/forum/week.md").read_text() == "## en\nmine\n"

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (("forum-2025/recap",), ["has a message recap already", "campaigns/forum-2025.yaml:"]),
            (("forum-2052/week",), ["no campaign forum-2052", "did you mean forum-2025?"]),
            (("week",), ["write it as forum-2026/recap"]),
            (("forum-2025/A Week",), ["cannot be a name", "write a-week"]),
            (
                ("forum-2025/week", "--at", "form - 7 days"),
                ["no event form", "did you mean forum?"],
            ),
            (("forum-2025/week", "--at", "forum minus one"), ["is not a time", "write it as"]),
            (("forum-2025/week", "--at", "forum + 9 days"), ["would never be sent", "not-after"]),
            (("forum-2025/week", "--to", "al"), ["no audience al", "did you mean all?"]),
            (("forum-2025/week", "--from", "x"), ["--from is not for a message"]),
        ],
    )
    def test_what_cannot_be_is_declined_with_a_way_out(self, forum: Shell, args, words):
        before = tree(forum.home)
        declined(forum("new", "message", *args), 2, *words)
        assert tree(forum.home) == before

    def test_only_campaigns_and_messages_can_be_made(self, shell: Shell):
        declined(shell("new", "post", "x"), 2, "post is nothing that can be made here")
