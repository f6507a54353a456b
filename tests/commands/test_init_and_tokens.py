"""How an office is made, and how people become somebody in it."""

import json
import re
import stat
from pathlib import Path

import pytest

from tests.commands.conftest import CHANNELS, TWO, Shell
from tests.conftest import Clock


@pytest.fixture
def new(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "office", Clock(), {})


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
        assert {notice["kind"] for notice in plan["notices"]} == {"idea", "blocked"}

    def test_secrets_and_the_database_are_kept_out_of_git(self, new: Shell):
        new("init", str(new.home), *TWO)
        assert {"data/", ".env"} <= set((new.home / ".gitignore").read_text().splitlines())

    def test_without_people_and_without_a_terminal_it_says_what_to_type(self, new: Shell):
        declined = new("init", str(new.home))
        assert declined.code == 2
        assert '--person "ana:Ana Example:ana@example.org:officer,administrator"' in declined.err
        assert not new.home.exists()

    def test_on_a_terminal_it_asks_for_the_first_two(self, new: Shell):
        types = "ana\nAna Example\nana@example.org\nbo\nBo Example\n\n"
        made = new("init", str(new.home), types=types, terminal=True)
        assert set(tokens_in(made.out)) == {"ana", "bo"}

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
        declined = new("init", str(new.home), *people)
        assert (declined.code, why in declined.err) == (2, True), declined.err
        assert not new.home.exists()


class TestTokens:
    def test_a_token_is_kept_for_its_owner_alone_and_one_that_others_read_is_refused(self, shell):
        said = shell("login", "--token-stdin", types=shell.tokens["ana"]).out
        file = Path(re.search(r"kept in (.*)\.$", said.strip())[1])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert shell("hold", "all", "--why", "a test").code == 0
        file.chmod(0o640)
        refused = shell("release", "all")
        assert refused.code == 2
        assert "others on this machine may read your token" in refused.err

    def test_a_wrong_token_is_declined_and_not_kept(self, shell, tmp_path):
        declined = shell("login", "--token-stdin", types="not-a-token\n")
        assert declined.code == 2
        assert "this token is not known" in declined.err
        assert not list((tmp_path / "xdg").rglob("*.token"))

    def test_on_a_terminal_login_asks_and_does_not_show_what_is_typed(self, shell):
        said = shell("login", types=shell.tokens["bo"] + "\n", terminal=True)
        assert "You are Bo Example" in said.out
        assert shell.tokens["bo"] not in said.said

    def test_without_a_terminal_login_says_how(self, shell):
        declined = shell("login")
        assert (declined.code, "--token-stdin" in declined.err) == (2, True)

    def test_nobody_signed_in_is_told_to_sign_in(self, shell):
        declined = shell("hold", "all", "--why", "x")
        assert declined.code == 2
        assert "outreach login" in declined.err

    def test_as_somebody_is_declined_outside_a_demo(self, shell):
        declined = shell("--as", "bo", "hold", "all", "--why", "x")
        assert declined.code == 2
        assert "--as works in a demo only" in declined.err

    def test_as_somebody_works_in_a_demo_before_and_after_the_command(self, shell):
        shell.write("config/outreach.toml", "[desk]\ndemo = true\n")
        assert shell("--as", "bo", "hold", "all", "--why", "x").code == 0
        assert shell("release", "all", "--as=bo").code == 0

    def test_an_administrator_makes_tokens_and_the_one_before_ends(self, shell):
        said = shell("people", "token", "cy", who="ana").out
        fresh = said.split()[-1]
        old, shell.tokens["cy"] = shell.tokens["cy"], fresh
        assert "You are Cy Example" in shell("login", "--token-stdin", types=fresh).out
        assert shell("login", "--token-stdin", types=old).code == 2
        assert shell("people", "token", "ana", who="cy").code == 2

    def test_a_changed_people_file_needs_two_people(self, shell):
        people = (shell.home / "config/people.toml").read_text()
        shell.write("config/people.toml", people.replace("Cy Example", "Cy Sample"))
        assert "waits for a second person" in shell("people", "confirm", who="ana").out
        assert "Cy Example" in shell("people").out
        assert "is in force" in shell("people", "confirm", who="bo").out
        assert "Cy Sample" in shell("people").out
