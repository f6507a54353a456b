"""A folder of files in; campaigns out, and every mistake of every file as a person sees it."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.campaign.load import check_channels, load_campaigns
from outreach.campaign.values import Loaded

from .conftest import FORUM


def told(loaded):
    """The problems as a person sees them, the hint in the same line."""
    return [str(p).replace("\n    →", " →").removeprefix("campaigns/") for p in loaded.problems]


def test_a_right_file_is_a_campaign_whose_values_know_their_line(load):
    loaded = load(FORUM)
    assert loaded.problems == ()
    [campaign] = loaded.campaigns
    assert campaign.file == "campaigns/a.yaml"
    assert campaign.where("events", "forum", "zone") == "campaigns/a.yaml:10"
    assert campaign.where("messages", "reminder", "media") == "campaigns/a.yaml:19"


@pytest.mark.parametrize(
    ("was", "becomes", "problem"),
    [
        # keys
        ("title: F", "titel: F", [
            "a.yaml:1: the file has no title → write title: …",
            "a.yaml:3: there is no key titel here → did you mean title?"]),
        ("forum - 7 days", "forum - 7 days, if_late: ask", [
            "a.yaml:19: there is no key if_late here → did you mean if-late?"]),
        ("title: F", "file: x\ntitle: F", [
            "a.yaml:3: there is no key file here → did you mean title?"]),
        ("    zone: Asia/Bangkok\n", "    zone: Asia/Bangkok\n    zone: Asia/Seoul\n", [
            "a.yaml:11: zone stands here a second time; the first is in line 10"
            " → keep one of them"]),
        ("  reminder:", "  reminder: {}\n  reminder:", [
            "a.yaml:20: reminder stands here a second time; the first is in line 19"
            " → keep one of them"]),
        ("    date: 2025-08-25\n", "", [
            "a.yaml:6: events.forum has no date → write date: 2025-08-25"]),
        ("  reminder:", "  Reminder 2:", [
            "a.yaml:19: “Reminder 2” cannot be a name: small letters a to z, digits and hyphens,"
            " at most 60 → write reminder-2"]),
        ("{at: forum - 7 days}", "", [
            "a.yaml:19: nothing stands after “reminder” → for an idea without a time write"
            " reminder: {}"]),
        # commas and lists where a text was meant
        ("forum - 7 days}", "forum - 7 days, 10:00 Asia/Seoul}", [
            "a.yaml:19: “10:00 Asia/Seoul” became a key of its own: a comma separates in {…}"
            ' → quote the whole text: at: "forum - 7 days, 10:00 Asia/Seoul"']),
        ("Rethinking Urban", "Cities, towns", [
            "a.yaml:12: “towns Climate Actions” became a key of its own: a comma separates in {…}"
            ' → quote the whole text: value: "Cities, towns Climate Actions"']),
        ("Rethinking Urban Climate Actions", "cities, towns, people", [
            "a.yaml:12: “towns” and “people” became keys of their own: a comma separates in {…}"
            ' → quote the whole text: value: "cities, towns, people"']),
        ("title: Fifth International Forum on Low Carbon Cities", "title: [Cities, towns]", [
            "a.yaml:3: title should be one text, and a list stands here"
            ' → quote it if it is one text: "Cities, towns"']),
        ("register: tbc", "register: https://a.org/?a=1,2", [
            "a.yaml:13: nothing stands after “2” → write its value, tbc while that is not known,"
            " or take it out; if it belongs to the text of register, quote that whole text"]),
        ("title: Fifth", "title: #Fifth", [
            "a.yaml:3: #Fifth would be lost: an unquoted # starts a comment → quote the whole"
            " value: '#Fifth International Forum on Low Carbon Cities';"
            " a real comment has a blank after its #"]),
        # values
        ('"09:00"', "630", [
            "a.yaml:8: events.forum.starts: “630” is not a time of day → write it as 09:00"]),
        ('"09:00"', "“09:00”", [
            "a.yaml:8: events.forum.starts: the curly quotes of “09:00” are a part of its value"
            ' → write straight ones: "09:00"']),
        ('"17:00"', '"24:00"', [
            "a.yaml:9: events.forum.ends: a day ends before 24:00 → write 00:00 of the next day"]),
        ('"09:00"', "{tbc: me, plan-with: 9am}", [
            "a.yaml:8: events.forum.starts: “9am” is not a time of day → write it as 09:00"]),
        ("2025-08-25", "25/08/2025", [
            "a.yaml:7: events.forum.date: “25/08/2025” is not a date → write it as 2025-08-25"]),
        ("Asia/Bangkok", "Europe/Geneva", [
            "a.yaml:10: events.forum.zone: Europe/Geneva is not a zone"
            " → did you mean Europe/Zurich?"]),
        ("10:00 Asia/Seoul", "10:00", [
            "a.yaml:16: defaults.time: “10:00” is not a time with its zone"
            " → write it as 10:00 Asia/Seoul"]),
        ("[web, x]", "web", [
            "a.yaml:14: audiences.main.en should be a list, and “web” stands here → write [web]"]),
        ("forum - 7 days}", "forum - 7 days, days-off: never}", [
            "a.yaml:19: messages.reminder.days-off cannot be “never” → write before, after or"
            " keep"]),
        ("forum - 7 days}", "forum - 7 days, media: [{file: a.png, contains-map: maybe}]}", [
            "a.yaml:19: item 1 of messages.reminder.media has no alt → write alt: what the picture"
            " shows, or tbc",
            "a.yaml:19: contains-map in item 1 of messages.reminder.media should be yes or no, and"
            " “maybe” stands here → write yes or no"]),
        ("{at: forum - 7 days}", "soon", [
            "a.yaml:19: messages.reminder is made of keys, and “soon” stands here"
            " → write its keys below it, one a line (campaign-files.md lists them)"]),
        ("date: 2025-08-25", "date: [2025-08-25]", [
            "a.yaml:7: events.forum.date should be a date, and a list stands here"
            " → write 2025-08-25"]),
        # what must agree
        ("forum - 7 days", "form - 7 days", [
            "a.yaml:19: reminder: there is no event form in this campaign → did you mean forum?"]),
        ("forum - 7 days", "2025-03-30 02:30 Europe/Berlin", [
            "a.yaml:19: reminder: 02:30 on 30 March 2025 does not exist in Europe/Berlin, since"
            " the clocks change → write 01:59 or 03:00"]),
        ("forum - 7 days}", "forum + 1 day, not-after: forum.starts}", [
            "a.yaml:19: reminder would never be sent: it is due at 2025-08-26 10:00 Asia/Seoul,"
            " and its not-after (2025-08-25 02:00 UTC) has passed by then"
            " → give reminder a not-after of its own that is later"]),
        ("forum - 7 days}", "forum - 7 days, to: mian}", [
            "a.yaml:19: reminder: there is no audience mian → did you mean main?"]),
        ("  to: main\n", "", [
            "a.yaml:18: reminder goes to nobody: it has no to, and defaults has none"
            " → write to: …; known: main"]),
        ("{en: [web, x]}", "{en: [web, x], ko: [web]}", [
            "a.yaml:14: main has the language ko, which is none of the campaign's languages"
            " → add it under languages, or use en"]),
        ("tbc}", "www.example.org}", [
            "a.yaml:13: the link register is not an address: “www.example.org”"
            " → write https://…, or tbc"]),
        ('"17:00"', '"08:00"', [
            "a.yaml:9: forum ends before it starts → put one of them right"]),
        ('"09:00"', "tbc", []),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_to_do(load, was, becomes, problem):
    assert FORUM.count(was) == 1
    loaded = load(FORUM.replace(was, becomes))
    assert told(loaded) == problem
    assert loaded.unreadable == ({"lcc5"} if problem else set())
    assert len(loaded.campaigns) == (0 if problem else 1)


def test_a_goal_is_counted_in_something_that_is_counted(load):
    goals = """\
goals:
  registratons: {target: 300, by: forum, from: hand}
  hosts: {target: -2, by: forum, from: hand, measure: offers-to-host, source: work plan}
  visits: {target: tbc, by: forum, from: links, measure: reach}
"""
    loaded = load(FORUM.replace("audiences:", f"{goals}audiences:"))
    first, second, third = told(loaded)
    assert first == (
        "a.yaml:15: the goal registratons is counted in nothing: there is no 'registratons'"
        " → did you mean registrations?"
    )
    assert second.startswith("a.yaml:16: the target of hosts is below zero")
    assert third.startswith(
        "a.yaml:17: the goal visits is counted in nothing: there is no 'reach' → measure: one of "
        "mails-sent"
    )


def test_mistakes_of_every_kind_in_every_file_are_told_at_once(load):
    loaded = load(
        one=FORUM.replace("value: R", "valeu: R").replace("forum - 7", "form - 7"),
        two="campaign: two\ntitle: @x\n",
        three=FORUM.replace("lcc5", "three"),
    )
    assert told(loaded) == [
        "one.yaml:12: there is no key valeu here → did you mean value?",
        "one.yaml:12: facts.theme has no value → write value: …",
        "one.yaml:19: reminder: there is no event form in this campaign → did you mean forum?",
        "two.yaml:2: a value may not start with @ unless it is quoted → write '@x'",
    ]
    assert loaded.unreadable == {"lcc5", "two"}
    assert [campaign.campaign for campaign in loaded.campaigns] == ["three"]


def test_two_files_of_one_name_are_both_left_alone(load):
    loaded = load(one=FORUM, two=FORUM)
    assert told(loaded) == [
        "two.yaml:1: the campaign lcc5 stands in campaigns/one.yaml as well"
        " → give one of them another name"
    ]
    assert (loaded.campaigns, loaded.unreadable) == ((), {"lcc5"})


def test_what_nothing_acts_upon_yet_is_noted_and_no_mistake(load):
    loaded = load(FORUM.replace("7 days}", "7 days, if-cancelled: drop}"))
    assert told(loaded) == [
        "a.yaml:19: if-cancelled is read, and nothing acts upon it yet"
        " → if the event is off, take it out here"
    ]
    assert loaded.problems[0].advice
    assert not loaded.problems[0].mistake
    assert len(loaded.campaigns) == 1


def test_a_file_without_an_id_is_known_by_its_own_name(load):
    assert load(broken="title: [").unreadable == {"broken"}


def test_there_is_no_folder(tmp_path):
    assert told(load_campaigns(tmp_path / "campaigns", root=tmp_path)) == [
        "campaigns: there is no such folder → outreach init"
    ]


def test_other_files_of_the_folder_are_left_alone(load, tmp_path):
    load(FORUM)
    (tmp_path / "campaigns" / ".a.yaml").write_text("an editor's: [")
    (tmp_path / "campaigns" / "notes.txt").write_text("call Bangkok")
    assert load_campaigns(tmp_path / "campaigns", root=tmp_path).problems == ()


def test_an_unknown_channel_is_told_with_the_nearest_one(forum):
    [problem] = check_channels(forum(("[web, x]", "[web, telegramm]")), ["web", "x", "telegram"])
    assert str(problem) == (
        "campaigns/a.yaml:14: the audience main names the channel telegramm, and there is none\n"
        "    → did you mean telegram?"
    )


edits = st.tuples(st.integers(0, len(FORUM)), st.integers(0, 30), st.text(max_size=12))


@settings(deadline=None)
@given(st.binary(max_size=100) | edits)
def test_any_bytes_in_a_folder_are_loaded_or_told(given_bytes):
    if isinstance(given_bytes, tuple):
        start, length, text = given_bytes
        given_bytes = (FORUM[:start] + text + FORUM[start + length :]).encode("utf-8", "replace")
    with TemporaryDirectory() as root:
        (Path(root) / "a.yaml").write_bytes(given_bytes)
        begun = time.monotonic()
        loaded = load_campaigns(Path(root), root=Path(root))
        assert time.monotonic() - begun < 5
    assert isinstance(loaded, Loaded)
    mistakes = [problem for problem in loaded.problems if problem.mistake]
    assert bool(loaded.campaigns) != bool(mistakes)
    assert bool(loaded.unreadable) == bool(mistakes)


def test_a_file_of_a_thousand_mistakes_tells_a_hundred_in_no_time(load):
    begun = time.monotonic()
    loaded = load("\n".join(f"{'key' * 10}{n}: {{a: b}}" for n in range(3000)))
    assert len(loaded.problems) == 100
    assert time.monotonic() - begun < 5
