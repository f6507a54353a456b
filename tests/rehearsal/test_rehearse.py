"""What a rehearsal shows is what the desk would do; the real office is only read."""

import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from outreach.campaign.load import load_campaigns
from outreach.campaign.occasions import occasions
from outreach.cli import rows
from outreach.errors import NotAllowed, NotFound
from outreach.post import Slot
from outreach.rehearsal import rehearse
from outreach.words import Zones
from tests.conftest import REPOSITORY, apply, clear_all
from tests.drafts import row, run_to, utc
from tests.rehearsal.conftest import FORUM, MADE, read, short

TEXT = "## en\n\nThe forum opens in Bangkok.\n"


def test_every_slot_of_the_forum_is_on_the_page_in_order_with_both_zones(forum, forum_page):
    loaded = load_campaigns(REPOSITORY / "campaigns", root=REPOSITORY)
    campaign = next(c for c in loaded.campaigns if c.file == FORUM)
    slots = [(o.slot.at, o.message) for o in occasions(campaign) if isinstance(o.slot, Slot)]
    assert len(slots) >= 7
    assert "Sat 26 Jul 2025, 08:00 Bangkok (10:00 Seoul)" in forum_page.text
    timeline = forum_page.text.partition("What became of it")[2].partition("Every post As")[0]
    place = 0
    for at, message in sorted(slots):
        told = f"{rows.Zones('Asia/Bangkok', 'Asia/Seoul').show(at)} {message}"
        place = timeline.index(told, place)
    asked = {(one.message, one.slot.at) for one in forum.posts if one.slot}
    assert asked == {(message, at) for at, message in slots}


def test_the_whole_run_is_seen_as_if_what_is_open_were_confirmed(forum, forum_page):
    assert {one.state for one in forum.posts} == {"published"}
    waiting = [one for one in forum.posts if one.waits]
    assert waiting
    assert all(one.at == one.slot.at for one in forum.posts if not one.by_hand)
    assert "⟦to be confirmed: links.register⟧" in forum_page.text
    assert "links.register is to be confirmed" in forum_page.text
    assert "as if confirmed" in forum_page.text


def test_days_and_hours_read_as_in_the_terminal():
    for zones in (("Asia/Bangkok", "Asia/Seoul"), ("UTC", ""), ("America/Lima", "Asia/Seoul")):
        at = utc("2025-07-26T20:00")
        assert Zones(*zones).show(at) == rows.Zones(*zones).show(at)


def test_as_it_stands_what_waits_is_missed_and_says_for_what(rehearsing):
    rehearsing.write(
        "  a: {at: forum - 3 days}\n  b: {at: forum - 2 days}\n",
        a=f"{TEXT}\n{{{{ links.register }}}}\n",
        b="## en\n\nOther words.\n",
    )
    assert rehearsing.outcomes(as_if_confirmed=False) == {
        "a/en@net": ("missed", "it was not cleared in time"),
        "b/en@net": ("published", ""),
    }
    text = read(rehearsing(as_if_confirmed=False)).text
    assert "it was not cleared in time: links.register is to be confirmed" in text
    assert "The forum opens in Bangkok. ⟦to be confirmed: links.register⟧" in text
    assert rehearsing.outcomes()["a/en@net"] == ("published", "")


def test_a_number_that_is_to_be_confirmed_is_marked_like_a_word(rehearsing):
    rehearsing.write(
        "  a: {at: forum - 3 days}\n",
        ("links:", "facts: {people: {value: tbc, source: note}}\nlinks:"),
        a="## en\n\n{{ facts.people | number }}, {{ facts.people | percent }} of them here.\n",
    )
    mark = "⟦to be confirmed: facts.people⟧"
    assert f"{mark}, {mark} of them here." in read(rehearsing()).text


def test_a_picture_s_end_that_is_to_be_confirmed_does_not_keep_the_post_from_the_page(
    rehearsing, picture
):
    rehearsing.office.write("media/a.png", picture("navy"))
    media = "media: [{file: a.png, alt: A blue square, expires: tbc}]"
    rehearsing.write(f"  a: {{at: forum - 3 days, {media}}}\n", a=TEXT)
    assert rehearsing.outcomes()["a/en@net"] == ("published", "")
    assert rehearsing.outcomes(as_if_confirmed=False)["a/en@net"][0] == "missed"


def test_together_and_a_language_that_is_missing_is_shown_as_the_desk_would_do_it(
    rehearsing, office
):
    rehearsing.write(
        "  a: {at: forum - 3 days, release: together}\n  b: {at: forum - 2 days}\n",
        ("{en: [net]}", "{en: [net], ko: [hand]}"),
        a=TEXT,
        b="## en\n\nOther words.\n\n## ko (from 1234; translator: cy; reviewer: bo)\n\n다른 말\n",
    )
    shown = rehearsing.outcomes(as_if_confirmed=False)

    desk = office.open()
    desk.tick()
    apply(desk)
    clear_all(desk)
    run_to(office, desk, utc("2025-08-22T01:00"))
    run_to(office, desk, utc("2025-08-22T01:15"))
    for name in ("a/en@net", "a/ko@hand"):
        real = row(desk, f"c/{name}")
        assert shown[name] == (str(real.state), real.reason), name
    assert shown["a/en@net"] == ("missed", "it was not sent in time")
    text = read(rehearsing(as_if_confirmed=False)).text
    assert "its languages go out together, and ko could not" in text

    shown = rehearsing.outcomes()
    assert shown["a/en@net"][0] == shown["a/ko@hand"][0] == "published"
    assert "⟦to be confirmed: the text in ko⟧" in read(rehearsing()).text


def test_as_ready_lets_the_ready_language_go(rehearsing):
    rehearsing.write(
        "  a: {at: forum - 3 days, release: as-ready}\n",
        ("{en: [net]}", "{en: [net], ko: [hand]}"),
        a=TEXT,
    )
    states = {name: o[0] for name, o in rehearsing.outcomes(as_if_confirmed=False).items()}
    assert states == {"a/en@net": "published", "a/ko@hand": "missed"}


def test_what_nobody_may_clear_is_missed_from_the_moment_at_which_it_is_late(rehearsing, office):
    rehearsing.write("  a: {at: forum - 3 days}\n", ("written-by: ana", "written-by: bo"), a=TEXT)
    shown = rehearsing()
    assert [(one.state, one.reason) for one in shown.posts] == [
        ("missed", "it was not cleared in time")
    ]
    assert shown.needed[0].who == ()
    text = read(shown).text
    assert "nobody of the office may clear it, since nobody clears what they wrote" in text
    assert "nobody of the office may" in text.partition("By the end of")[2]


def test_a_stop_minutes_after_its_slot_is_past_before_a_person_can_post_it(rehearsing):
    rehearsing.write(
        '  a: {at: forum - 3 days, not-after: "2025-08-22 10:03 Asia/Seoul"}\n',
        ("{en: [net]}", "{en: [net, hand]}"),
        a=TEXT,
    )
    assert rehearsing.outcomes() == {
        "a/en@net": ("published", ""),
        "a/en@hand": ("missed", "nobody said that it was posted in time"),
    }


def test_a_series_goes_out_again_and_again_its_texts_taking_turns(rehearsing):
    rehearsing.write(
        "  a:\n    every: {days: [mon], time: '10:00 Asia/Seoul', from: forum - 85 days, "
        "until: forum + 36 days}\n",
        a="## en 1\n\nOne thing.\n\n## en 2\n\nAnother thing.\n",
    )
    shown = rehearsing()
    assert [one.state for one in shown.posts] == ["published"] * len(shown.posts)
    mondays = [one.slot.at.date() for one in shown.posts]
    assert len(mondays) == 18 and mondays == sorted(mondays)  # 60 days ahead there are nine
    texts = [one.post.parts[0].text for one in shown.posts]
    assert texts == ["One thing.", "Another thing."] * 9
    (needed,) = shown.needed
    assert len(needed.slots) == 18


def test_a_series_that_begins_long_after_the_first_message_is_rehearsed_too(rehearsing):
    rehearsing.write(
        "  first: {at: forum - 300 days}\n"
        "  a:\n    every: {days: [mon], time: '10:00 Asia/Seoul', from: forum - 20 days, "
        "until: forum - 1 day}\n",
        first=TEXT,
        a="## en 1\n\nOne thing.\n\n## en 2\n\nAnother thing.\n",
    )
    assert [(one.message, one.state) for one in rehearsing().posts] == [
        ("first", "published"),
        *[("a", "published")] * 2,
    ]


def test_a_clearance_is_needed_by_the_last_working_day_from_those_who_did_not_write_it(rehearsing):
    rehearsing.write(
        "  a: {at: forum}\n",
        ("to: main}", "to: main, holidays: [KR]}"),
        ("date: 2025-08-25", "date: 2025-08-18"),
        a=TEXT,
    )
    (needed,) = rehearsing().needed
    # Monday 18 August; before it a weekend, and on Friday the 15th the Liberation Day.
    assert (str(needed.by), needed.who, needed.authors) == (
        "2025-08-14",
        ("Bo Example",),
        ("Ana Example",),
    )


def test_a_hold_of_the_real_desk_holds_the_rehearsal(rehearsing, office):
    rehearsing.write(
        "  a: {at: forum - 3 days}\n  b: {at: forum - 2 days}\n", a=TEXT, b="## en\n\nMore.\n"
    )
    desk = office.open()
    apply(desk)
    desk.hold("message:c/a", "the room is not sure", by=desk.person("ana"))
    shown = rehearsing()
    assert [(one.message, one.state) for one in shown.posts] == [
        ("a", "missed"),
        ("b", "published"),
    ]
    assert "on hold (message:c/a)" in shown.posts[0].reason
    assert "the room is not sure" in read(shown).text


def fingerprints(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_files_and_database_of_the_real_office_are_the_same_to_the_byte(rehearsing, office):
    rehearsing.write("  a: {at: forum - 3 days}\n", a=TEXT)
    desk = office.open()
    apply(desk)  # and leave what it wrote in the database's log
    before = fingerprints(office.home)
    assert any(name.endswith("-wal") for name in before)
    rehearsing()
    assert fingerprints(office.home) == before
    desk.close()
    before = fingerprints(office.home)
    rehearsing()
    assert fingerprints(office.home) == before


def test_an_office_without_a_database_does_not_get_one(rehearsing, office):
    rehearsing.write("  a: {at: forum - 3 days}\n", a=TEXT)
    before = sorted(path.name for path in office.home.iterdir())
    rehearsing()
    assert sorted(path.name for path in office.home.iterdir()) == before
    assert not (office.home / "data").exists()


def test_a_database_that_cannot_be_read_is_remarked_upon(rehearsing, office):
    rehearsing.write("  a: {at: forum - 3 days}\n", a=TEXT)
    office.write("data/outreach.db", b"this is no database at all " * 100)
    shown = rehearsing()
    assert shown.posts[0].published
    assert "could not be read" in shown.remarks[0]


def test_slots_that_are_past_are_rehearsed_as_if_today_were_before_them(rehearsing, office):
    rehearsing.write(
        "  a: {at: forum - 3 days}\n", ("date: 2025-08-25", "date: 2019-08-25"), a=TEXT
    )
    (one,) = rehearsing().posts
    assert (one.state, one.slot.wall) == ("published", "2019-08-22T10:00")


def test_an_idea_is_listed_and_never_sent(rehearsing):
    rehearsing.write("  a: {to: main}\n", a=TEXT)
    shown = rehearsing()
    assert [one.state for one in shown.posts] == [""]
    assert "no time yet: listed, never sent" in read(shown).text


def test_mistakes_are_shown_beside_what_could_be_made(rehearsing, office):
    rehearsing.write(
        "  a: {at: forum - 3 days}\n  b: {at: forum - 2 days}\n",
        a="## en\n\n{{ facts.nothing }}\n",
        b="## en\n\nMore.\n",
    )
    shown = rehearsing()
    assert [p.where for p in shown.mistakes] == ["templates/posts/c/a.md:3"]
    assert {short(one): one.state for one in shown.posts} == {
        "a/en@net": "missed",
        "b/en@net": "published",
    }
    assert "its files have a mistake: facts.nothing is not known" in read(shown).text


def test_a_mistake_that_hides_behind_an_open_fact_is_found(rehearsing):
    rehearsing.write(
        "  a: {at: forum - 3 days}\n",
        a="## en\n\n{{ links.register }} {{ [1, 2] }}\n",
    )
    assert any("would print" in problem.what for problem in rehearsing().mistakes)


def test_settings_with_a_mistake_still_make_a_page(rehearsing, office):
    rehearsing.write("  a: {at: forum - 3 days}\n", a=TEXT)
    office.write("config/channels.toml", '[net]\nplatform = "nothing"\n')
    shown = rehearsing()
    assert shown.mistakes[0].where == "config/channels.toml:2"
    assert "The files have mistakes that leave nothing to show" in read(shown).text
    office.write("config/dates.toml", '"08-06" = 1\n')
    rehearsing.office.write("config/channels.toml", '[net]\nplatform = "memory"\n')
    assert rehearsing().mistakes[0].where == "config/dates.toml:1"


def test_only_the_named_campaigns_are_rehearsed(rehearsing, office):
    rehearsing.write("  a: {at: forum - 3 days}\n", a=TEXT)
    office.write("campaigns/broken.yaml", "campaign: broken\n")
    one = rehearse(office.home, [Path("campaigns/c.yaml")], made=MADE)
    assert (one.files, one.mistakes) == (("campaigns/c.yaml",), ())
    assert rehearsing().mistakes
    with pytest.raises(NotFound, match=r"there is no file campaigns/d\.yaml"):
        rehearse(office.home, [Path("campaigns/d.yaml")], made=MADE)
    office.write("elsewhere.yaml", "campaign: c\n")
    with pytest.raises(NotAllowed, match="not a campaign of this office"):
        rehearse(office.home, [office.home / "elsewhere.yaml"], made=MADE)


def test_channels_that_could_not_publish_today_are_told(rehearsing):
    rehearsing.write("  a: {at: forum - 3 days}\n", ("{en: [net]}", "{en: [net, x]}"), a=TEXT)
    shown = rehearsing()
    assert [one.state for one in shown.posts] == ["published", "published"]
    assert [(one.channel, "secrets" in one.why) for one in shown.unready] == [("X", True)]


def test_it_never_opens_the_office_database_for_writing(rehearsing, office, monkeypatch):
    rehearsing.write("  a: {at: forum - 3 days}\n", a=TEXT)
    apply(office.open())
    opened = []
    connect = sqlite3.dbapi2.connect
    monkeypatch.setattr(
        sqlite3.dbapi2,
        "connect",
        lambda file, *a, **k: (opened.append(file), connect(file, *a, **k))[1],
    )
    rehearsing()
    assert opened and not [file for file in opened if str(office.home) in str(file)]


def test_a_copy_of_the_folder_elsewhere_makes_the_same_page(rehearsing, office, tmp_path):
    rehearsing.write("  a: {at: forum - 3 days}\n", a=TEXT)
    shutil.copytree(office.home, tmp_path / "copy")
    one, other = rehearsing(), rehearse(tmp_path / "copy", [], made=MADE)
    assert read(one).html == read(other).html
