"""How an office is made: its folder, its first people and their tokens."""

import json
import re

import pytest

from tests.cli.conftest import CHANNELS, TWO, Shell, declined


def tokens_in(said: str) -> dict[str, str]:
    return dict(re.findall(r"The token of (\w+), shown this once:\n  (\S+)", said))


class TestInit:
    def test_nothing_that_exists_is_written_over(self, new: Shell):
        new.write("config/channels.toml", "# ours\n" + CHANNELS)
        said = new("init", str(new.home), *TWO).out
        assert "left  config/channels.toml" in said
        assert (new.home / "config/channels.toml").read_text().startswith("# ours")

    def test_a_second_time_it_makes_no_token_and_changes_no_file(self, new: Shell):
        new("init", str(new.home), *TWO)
        before = {p: p.read_bytes() for p in new.home.rglob("*") if p.suffix in {".toml", ".yaml"}}
        again = new("init", str(new.home))
        assert again.code == 0
        assert tokens_in(again.out) == {}
        assert before == {p: p.read_bytes() for p in before}

    def test_the_example_campaign_has_no_mistake_and_nothing_of_it_is_past(self, new: Shell):
        new("init", str(new.home), *TWO)
        assert new("check").code == 0
        plan = json.loads(new("plan", "--json").out)
        assert [op["key"] for op in plan["operations"]] == [
            "example/save-the-date/en@web",
            "example/programme/en@web",
        ]
        kinds = {notice["kind"] for notice in plan["notices"]}
        assert kinds - {"advice"} == {"idea", "blocked"}  # a slot may be on a day off

    def test_secrets_and_the_database_are_kept_out_of_git(self, new: Shell):
        new("init", str(new.home), *TWO)
        assert {"data/", ".env"} <= set((new.home / ".gitignore").read_text().splitlines())

    def test_without_people_and_without_a_terminal_it_says_what_to_type(self, new: Shell):
        said = new("init", str(new.home))
        declined(said, 2, '--person "ana:Ana Example:ana@example.org:officer,administrator"')
        assert not new.home.exists()

    def test_on_a_terminal_it_asks_for_the_first_two(self, new: Shell):
        types = "ana\nAna Example\nana@example.org\nbo\nBo Example\n\n"
        made = new("init", str(new.home), types=types, terminal=True)
        assert set(tokens_in(made.out)) == {"ana", "bo"}

    def test_on_a_terminal_a_wrong_answer_is_asked_for_again_and_nothing_is_lost(self, new: Shell):
        types = "Ana!\nana\n \nAna Example\nana(at)example.org\nana@example.org\n"
        types += "ana\nbo\nBo Example\nbo@\nbo@example.org\n"
        made = new("init", str(new.home), types=types, terminal=True)
        assert made.code == 0, made
        assert set(tokens_in(made.out)) == {"ana", "bo"}
        for told in ("'Ana!' is no id", "'ana(at)example.org' is no address", "'bo@' is no addr"):
            assert told in made.err
        assert "ana is the first person's" in made.err
        assert "Bo Example <bo@example.org>" in new("people").out

    def test_people_are_not_added_to_an_office_that_has_some(self, new: Shell):
        new("init", str(new.home), *TWO)
        said = new("init", str(new.home), "--person", "di:Di Example::officer")
        declined(said, 2, "has its people already", "config/people.toml", "outreach people confirm")

    def test_it_says_where_the_documentation_is(self, new: Shell):
        assert "The documentation is in " in new("init", str(new.home), *TWO).out

    def test_names_are_written_so_that_they_are_read_back(self, new: Shell):
        name = 'Ana "the pen" O\\Neil: [x] = 안나'
        new("init", str(new.home), "--person", f"ana:{name}:a@example.org:officer", *TWO[2:])
        people = new("people").out
        assert f"{name} <a@example.org>: officer" in people

    @pytest.mark.parametrize(
        ("people", "why"),
        [
            (TWO[:2], "at least two people"),
            ([*TWO[:2], *TWO[:2]], "each named once"),
            ([*TWO[:2], "--person", "bo:Bo::officer"], "nobody could clear anything"),
            (["--person", "a:A::officer", "--person", "b:B::clearer"], "nobody could make tokens"),
            (["--person", "ana"], "'ana' names nobody"),
            (["--person", "Ana!:A::officer"], "is no id of a person"),
            (["--person", "ana:A:nowhere:officer"], "'nowhere' is no address"),
            (["--person", "ana:A::boss"], "boss is not a role"),
        ],
    )
    def test_people_who_could_not_work_are_declined_and_nothing_is_made(self, new, people, why):
        declined(new("init", str(new.home), *people), 2, why)
        assert not new.home.exists()
