"""How people become somebody in an office: their tokens, and the file that names them."""

import re
import stat
from pathlib import Path

from tests.cli.conftest import declined


class TestTokens:
    def test_a_token_is_kept_for_its_owner_alone_and_one_that_others_read_is_refused(self, shell):
        said = shell("login", "--token-stdin", types=shell.tokens["ana"]).out
        file = Path(re.search(r"kept in (.*)\.$", said.strip())[1])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert shell("hold", "all", "--why", "a test").code == 0
        file.chmod(0o640)
        refused = shell("release", "all")
        declined(refused, 2, "others on this machine may read your token")

    def test_a_wrong_token_is_declined_and_not_kept(self, shell):
        said = shell("login", "--token-stdin", types="not-a-token\n")
        declined(said, 2, "this token is not known", "outreach login")
        assert not list(shell.account("").rglob("*.token"))

    def test_on_a_terminal_login_asks_and_does_not_show_what_is_typed(self, shell):
        said = shell("login", types=shell.tokens["bo"] + "\n", terminal=True)
        assert "You are Bo Example" in said.out
        assert shell.tokens["bo"] not in said.said

    def test_without_a_terminal_login_says_how(self, shell):
        declined(shell("login"), 2, "--token-stdin")

    def test_nobody_signed_in_is_told_to_sign_in(self, shell):
        said = shell("hold", "all", "--why", "x")
        declined(said, 2, "nobody is signed in", "outreach login")

    def test_as_somebody_is_declined_outside_a_demo(self, shell):
        said = shell("--as", "bo", "hold", "all", "--why", "x")
        declined(said, 2, "--as works in a demo only")
        said = shell("hold", "all", "--why", "x", "--as", "bo")
        declined(said, 2, "--as works in a demo only")

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

    def test_a_renewed_token_ends_the_one_that_was_kept(self, shell):
        old = shell.tokens.pop("bo")
        assert shell("login", "--token-stdin", who="bo", types=old).code == 0
        said = shell("people", "token", "bo", who="ana")
        fresh = said.out.splitlines()[1].strip()
        declined(shell("hold", "all", "--why", "a try", who="bo"), 2, "has been replaced")
        assert shell("login", "--token-stdin", who="bo", types=fresh).code == 0
        assert shell("hold", "all", "--why", "a try", who="bo").code == 0

    def test_people_are_listed_with_their_addresses_and_roles(self, shell):
        assert "cy           Cy Example <cy@example.org>: guest" in shell("people").out

    def test_a_changed_people_file_needs_two_people(self, shell):
        people = (shell.home / "config/people.toml").read_text()
        shell.write("config/people.toml", people.replace("Cy Example", "Cy Sample"))
        assert "waits for a second person" in shell("people", "confirm", who="ana").out
        assert "Cy Example" in shell("people").out
        assert "is in force" in shell("people", "confirm", who="bo").out
        assert "Cy Sample" in shell("people").out
