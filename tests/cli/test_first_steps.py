"""What a careless or unlucky officer meets: told in words, and nothing is lost."""

import shutil

import pytest

from tests.cli.conftest import CAMPAIGN, KEY, Shell, applied


def test_a_missing_database_is_said_and_not_replaced(shell: Shell):
    shutil.rmtree(shell.home / "data")
    said = shell("status")
    assert said.code == 3
    assert "this office has no database: there is nothing at" in said.err
    assert "outreach init" in said.err
    assert not (shell.home / "data" / "outreach.db").exists()


def test_before_the_clock_has_run_nothing_has_ticked(shell: Shell):
    applied(shell)
    assert "Nothing has ticked yet: outreach run publishes what is due." in shell("status").out
    shell("tick", who="ana")
    assert "Last tick 0 seconds ago." in shell("status").out


def test_who_wrote_it_must_be_somebody(shell: Shell):
    """A slip of the pen would let the author clear their own words."""
    shell.write("campaigns/forum.yaml", CAMPAIGN.replace("written-by: ana", "written-by: anna"))
    said = shell("check")
    assert said.code == 1
    assert (
        "campaigns/forum.yaml:5: written-by names anna, who is not in config/people.toml"
        in said.out
    )
    assert "did you mean ana?" in said.out
    applied(shell)
    review = shell("review", who="bo")
    assert "outreach clear" not in review.out
    assert "not to be cleared: written-by names anna" in review.out


@pytest.mark.parametrize("becomes", ["a folder", "a broken link"])
def test_a_file_that_is_none_any_more_drops_nothing(shell: Shell, becomes):
    applied(shell)
    file = shell.home / "campaigns/forum.yaml"
    file.unlink()
    if becomes == "a folder":
        file.mkdir()
    else:
        file.symlink_to(shell.home / "nowhere")
    said = shell("check")
    assert said.code == 1
    assert "campaigns/forum.yaml: the file cannot be read" in said.out
    planned = shell("plan").out
    assert "its file cannot be read: it is left as it is" in planned
    assert "no longer in the campaign file" not in planned


def test_with_mistakes_a_plan_does_not_say_that_all_is_as_asked(shell: Shell):
    shell.write("campaigns/other.yaml", "campaign: other\n")
    applied(shell)
    said = shell("plan")
    assert "what stands is what the files ask for" not in said.out
    assert "mistakes in campaigns/other.yaml: left out of this plan; see outreach check" in said.out
    assert "Nothing to apply from the other files." in said.out
    assert shell("apply", who="ana", terminal=True).code == 1


def test_what_drops_too_much_names_the_whole_command(shell: Shell):
    applied(shell)
    for reading in ("forum/reminder/en",):
        shown = shell("review", reading, who="bo").out
        command = next(
            line.split("outreach ")[1] for line in shown.splitlines() if "outreach clear" in line
        )
        shell(*command.split(), who="bo")
    shell.write("campaigns/forum.yaml", CAMPAIGN.replace("reminder:", "another:"))
    shell.write("templates/posts/forum/another.md", "## en\n\nOther words.\n")
    planned = shell("plan").out
    command = planned.strip().splitlines()[-1].partition("outreach ")[2]
    assert command.endswith(" --really")
    declined = shell(*command.split()[:-1], who="ana")
    assert declined.code == 2
    assert f"if that is meant: outreach {command}" in declined.err
    assert shell(*command.split(), who="ana").code == 0


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("database", "data/outreach.db", "'data/outreach.db' is not the address of a database"),
        ("database", "mysql://x/y", "mysql is no database of ours"),
        ("listen", "127.0.0.1:99999", "'127.0.0.1:99999' is not a host and a port"),
        ("listen", "8025", "'8025' is not a host and a port"),
    ],
)
def test_settings_that_cannot_be_are_mistakes_with_their_line(shell: Shell, key, value, words):
    table = {"database": "desk", "listen": "web"}[key]
    shell.write("config/outreach.toml", f'[{table}]\n{key} = "{value}"\n')
    said = shell("check")
    assert said.code == 1
    assert f"config/outreach.toml:2: {words}" in said.out


def test_who_may_not_clear_is_not_offered_to(shell: Shell):
    applied(shell)
    shell.write(
        "config/people.toml",
        (shell.home / "config/people.toml")
        .read_text()
        .replace('roles = ["officer", "administrator"]', 'roles = ["officer"]', 1),
    )
    said = shell("clear", who="ana", terminal=True, types="q\n")
    assert said.code == 2
    assert "Ana Example may not do this: it needs the role clearer" in said.err


def test_a_task_is_shown_whole_and_saved_to_be_posted(shell: Shell, tmp_path):
    applied(shell)
    shown = shell("review", "forum/reminder/en@wechat").out
    assert "proposed  forum/reminder/en@wechat" in shown
    assert "\nThe forum opens in Bangkok on 25 August.\n" in shown  # no margin: it can be copied
    said = shell("review", "forum/reminder/en@wechat", "--save", str(tmp_path / "out"))
    assert "Its text and 0 pictures are in" in said.err
    assert (
        tmp_path / "out" / "text.txt"
    ).read_text() == "The forum opens in Bangkok on 25 August.\n"
    assert shell("review", "forum", "--save", str(tmp_path)).code == 2
    assert shell("review", "forum/nothing/en@web").code == 2
    assert KEY.partition("@")[0] in shell("review", KEY, "--json").out
