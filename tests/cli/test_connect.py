"""`outreach connect`: what an officer is asked, what is tried, and where it is kept."""

import os
import re
import stat
import subprocess
import sys

import pytest

from tests.cli.conftest import Shell, declined
from tests.platforms.servers import TelegramNetwork, serving
from tests.platforms.servers_email import PASSWORD, USER, EmailNetwork
from tests.platforms.servers_facebook import FacebookNetwork
from tests.platforms.servers_oauth import LinkedInAuthority, MastodonAuthority, XAuthority
from tests.web.test_browser import CHROMIUM, browser  # noqa: F401 - a fixture


@pytest.fixture
def at(shell: Shell):
    """Serves a network, and writes the table of a channel there."""
    closers = []

    def serve(network, name: str, table: str) -> None:
        served = network.serving() if isinstance(network, EmailNetwork) else serving(network)
        closers.append(served)
        base = served.__enter__()
        file = shell.home / "config" / "channels.toml"
        file.write_text(
            f'{file.read_text()}\n[{name}]\nplatform = "{name}"\nbase = "{base}"\n{table}\n'
        )

    yield serve
    for one in closers:
        one.__exit__(None, None, None)


@pytest.fixture
def telegram(shell: Shell, at) -> TelegramNetwork:
    network = TelegramNetwork()
    at(network, "telegram", f'chat = "{network.CHATS[0]}"')
    return network


def env(shell: Shell) -> str:
    return (shell.home / ".env").read_text()


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestAsked:
    def test_a_token_is_asked_for_unseen_tried_without_a_post_and_kept(self, shell, telegram):
        said = shell("connect", "telegram", who="ana", types=telegram.TOKEN + "\n", terminal=True)
        assert said.code == 0, said
        assert "@BotFather" in said.out
        assert "Kept: token in" in said.out
        assert telegram.TOKEN not in said.said
        assert mode(shell.home / ".env") == 0o600
        assert env(shell) == f"OUTREACH_TELEGRAM_TOKEN='{telegram.TOKEN}'\n"
        assert telegram.posts == []
        [found] = [one for one in shell("doctor").out.splitlines() if "telegram" in one][:1]
        assert "outreach connect" not in found

    def test_a_token_that_is_refused_is_not_kept(self, shell, telegram):
        said = shell("connect", "telegram", "--stdin", who="ana", types="12:wrong-token\n")
        declined(said, 2, "token", "nothing was kept; begin again: outreach connect telegram")
        assert "12:wrong-token" not in said.said
        assert not (shell.home / ".env").exists()

    def test_a_network_that_is_away_refuses_nothing(self, shell, telegram):
        telegram.faults["read"] = "500 before"
        types = telegram.TOKEN + "\n"
        said = shell("connect", "telegram", "--stdin", who="ana", types=types)
        assert said.code == 1
        assert "It could not be tried now. ask again later: outreach doctor" in said.err
        assert telegram.TOKEN in env(shell)

    def test_other_lines_of_the_file_stay_and_others_may_not_read_it_any_more(
        self, shell, telegram
    ):
        shell.write(".env", "# ours\nOUTREACH_MAIL_PASSWORD=a$b c\nOUTREACH_TELEGRAM_TOKEN=old\n")
        (shell.home / ".env").chmod(0o644)
        shell("connect", "telegram", "--stdin", who="ana", types=telegram.TOKEN + "\n")
        assert env(shell) == (
            f"# ours\nOUTREACH_MAIL_PASSWORD=a$b c\nOUTREACH_TELEGRAM_TOKEN='{telegram.TOKEN}'\n"
        )
        assert mode(shell.home / ".env") == 0o600

    def test_a_secrets_directory_is_where_it_goes_if_there_is_one(
        self, shell, telegram, tmp_path, monkeypatch
    ):
        folder = tmp_path / "secrets"
        folder.mkdir()
        monkeypatch.setenv("OUTREACH_SECRETS_DIR", str(folder))
        said = shell("connect", "telegram", "--stdin", who="ana", types=telegram.TOKEN + "\n")
        assert said.code == 0, said
        assert [path.name for path in folder.iterdir()] == ["telegram_token"]
        assert (folder / "telegram_token").read_text().strip() == telegram.TOKEN
        assert mode(folder / "telegram_token") == 0o600
        assert not (shell.home / ".env").exists()

    def test_what_the_environment_gives_cannot_be_kept_in_a_file(
        self, shell, telegram, monkeypatch
    ):
        monkeypatch.setenv("OUTREACH_TELEGRAM_TOKEN", "from-the-environment")
        said = shell("connect", "telegram", "--stdin", who="ana", types=telegram.TOKEN + "\n")
        declined(said, 2, "OUTREACH_TELEGRAM_TOKEN is set in the environment")
        assert telegram.requests == []

    def test_nobody_to_ask(self, shell, telegram):
        said = shell("connect", "telegram", who="ana", terminal=False)
        declined(said, 2, "the bot's token is needed", "--stdin < FILE")

    @pytest.mark.parametrize("line", ["\n", "12:a\x1bb\n", "x" * 9000 + "\n"])
    def test_what_cannot_be_a_token(self, shell, telegram, line):
        said = shell("connect", "telegram", "--stdin", who="ana", types=line)
        assert said.code == 2
        assert telegram.requests == []

    def test_who_may(self, shell, telegram):
        declined(shell("connect", "telegram", "--stdin", types="x\n"), 2, "nobody is signed in")
        said = shell("connect", "telegram", "--stdin", who="cy", types=telegram.TOKEN + "\n")
        assert said.code == 2
        assert telegram.requests == []

    def test_it_stands_in_the_trail_without_the_secret(self, shell, telegram):
        shell("connect", "telegram", "--stdin", who="ana", types=telegram.TOKEN + "\n")
        said = shell("trail").out
        assert "ana: connected\n    telegram\n" in said
        assert telegram.TOKEN not in said

    def test_a_channel_without_an_account_or_without_a_name(self, shell, telegram):
        declined(shell("connect", "web", who="ana"), 2, "web needs no connecting")
        said = shell("connect", "wechat", who="ana")
        declined(said, 2, "wechat needs no connecting: people post there themselves")
        declined(shell("connect", "telegran", who="ana"), 2, "did you mean telegram?")

    def test_an_account_of_another_office_needs_no_connecting(self, shell, at):
        at(TelegramNetwork(), "request", 'to = "press@example.org"')
        said = shell("connect", "request", who="ana")
        declined(said, 2, "request needs no connecting: another office posts there")

    def test_a_newsletter_is_asked_for_what_its_table_makes_needed(self, shell, at):
        served = EmailNetwork()
        table = 'from = "News <news@example.org>"\nhost = "h"'
        at(served, "email", table)
        said = shell("connect", "email", who="ana")
        declined(said, 2, "email needs no connecting: its table names no user of the mail server")

        channels = shell.home / "config" / "channels.toml"
        channels.write_text(f'{channels.read_text()}user = "{USER}"\n')
        said = shell("connect", "email", "--stdin", who="ana", types="wrong-password\n")
        declined(said, 2, "nothing was kept; begin again: outreach connect email")
        assert "wrong-password" not in said.said
        said = shell("connect", "email", "--stdin", who="ana", types=PASSWORD + "\n")
        assert said.code == 0, said
        assert env(shell) == f"OUTREACH_EMAIL_PASSWORD='{PASSWORD}'\n"
        assert served.mails == []

    def test_what_is_to_be_confirmed_comes_first(self, shell, at):
        at(TelegramNetwork(), "telegram", 'chat = "tbc"')
        said = shell("connect", "telegram", who="ana")
        declined(said, 2, "the chat of telegram is still to be confirmed")

    def test_doctor_says_the_command_for_what_is_missing(self, shell, telegram):
        assert "outreach connect telegram" in shell("doctor").out


class TestInABrowser:
    X = 'handle = "@neaspec"\nclient-id = "app-1"'

    def pasted(self, shell: Shell, network, channel: str, *, wrong: str = "", more=()):
        """Type the command, open what it says, agree, and paste where the browser ended."""
        command = ["connect", channel, "--paste", "--stdin", *more]
        with subprocess.Popen(
            [sys.executable, "-m", "outreach", "--home", str(shell.home), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **shell._environment("ana"), "PYTHONUNBUFFERED": "1"},
        ) as process:
            if channel != "mastodon":
                process.stdin.write(f"{network.APP_SECRET}\n")
                process.stdin.flush()
            said, address = "", ""
            while not address:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                said += line
                found = re.search(r"^  (http\S+)$", line)
                address = found[1] if found else ""
            back = wrong or agreed(address)
            out, err = process.communicate(back + "\n", timeout=60)
        assert "Traceback" not in err
        return process.returncode, said + out, err

    def test_x_is_connected_over_ssh_by_pasting_and_publishes(self, shell, at):
        network = XAuthority()
        at(network, "x", self.X)
        code, out, err = self.pasted(shell, network, "x")
        assert (code, err) == (0, "")
        assert "callback address exactly http://127.0.0.1:8027/connected" in out
        assert "x @neaspec: “NEASPEC”, tokens accepted" in out
        assert network.wrong == []
        assert network.posts == []
        for secret in (network.APP_SECRET, *network.tokens, *network.refreshes):
            assert secret not in out
        assert {*re.findall(r"^(\w+)=", env(shell), re.MULTILINE)} == {
            "OUTREACH_X_CLIENT_SECRET",
            "OUTREACH_SECRET_KEY",
        }
        found = shell("doctor").out
        assert "tokens accepted" in found
        assert "outreach connect x" not in found

    def test_an_address_of_another_walk_gives_nothing(self, shell, at):
        network = XAuthority()
        at(network, "x", self.X)
        wrong = "http://127.0.0.1:8027/connected?state=another&code=c"
        code, _, err = self.pasted(shell, network, "x", wrong=wrong)
        assert code == 2
        assert "not the answer to what was just opened" in err
        assert network.asked == []
        assert "CLIENT_SECRET" not in env(shell)

    def test_another_account_than_the_channels_is_refused(self, shell, at):
        network = XAuthority()
        at(network, "x", 'handle = "@another"\nclient-id = "app-1"')
        code, _, err = self.pasted(shell, network, "x")
        assert code == 2
        assert "these tokens are for @neaspec, but channels.toml says @another" in err
        assert "outreach connect x" in shell("doctor").out

    def test_linkedin_is_connected_for_a_year(self, shell, at):
        network = LinkedInAuthority()
        at(network, "linkedin", f'page = "{network.PAGE}"\nclient-id = "{network.APP}"')
        code, out, err = self.pasted(shell, network, "linkedin")
        assert (code, err) == (0, "")
        assert "linkedin page 2414183: “NEASPEC”, token accepted" in out
        assert network.wrong == []

    def test_a_mastodon_server_makes_the_app_itself_and_its_token_is_a_plain_secret(
        self, shell, at
    ):
        network = MastodonAuthority()
        at(network, "mastodon", 'handle = "@neaspec@mastodon.example"')
        code, out, err = self.pasted(shell, network, "mastodon")
        assert (code, err) == (0, "")
        assert env(shell) == f"OUTREACH_MASTODON_TOKEN='{network.TOKEN}'\n"
        assert network.TOKEN not in out

    def test_by_hand_takes_the_place_of_what_was_connected(self, shell, at):
        network = XAuthority()
        at(network, "x", self.X)
        assert self.pasted(shell, network, "x")[0] == 0
        network.withdraw_all()
        types = "".join(f"{value}\n" for value in network.SECRETS.values())
        said = shell("connect", "x", "--by-hand", "--stdin", who="ana", types=types)
        assert said.code == 0, said
        assert "tokens accepted" in shell("doctor").out

    @pytest.mark.browser
    @pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: a walk is unproven")
    def test_a_whole_walk_in_a_real_browser(self, shell, at, browser):  # noqa: F811 - a fixture
        network = XAuthority()
        network.redirects.clear()
        at(network, "x", self.X)
        shell.write(".env", f"OUTREACH_X_CLIENT_SECRET={network.APP_SECRET}\n")
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "outreach", "--home", str(shell.home)),
                *("connect", "x", "--port", str(free_port(network))),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **shell._environment("ana"), "PYTHONUNBUFFERED": "1"},
        ) as process:
            out = ""
            while not (found := re.search(r"^  (http\S+)$", out, re.MULTILINE)):
                line = process.stdout.readline()
                assert line, process.stderr.read()
                out += line
            page = browser.new_page()
            page.goto(found[1])
            page.click("#agree")
            page.wait_for_selector("text=Thank you")
            page.close()
            rest, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
        assert "tokens accepted" in rest
        assert network.wrong == []
        assert len(network.refreshes) == 1


def agreed(address: str) -> str:
    """Where a browser ends whose person agrees."""
    import html
    from urllib.request import urlopen

    with urlopen(address, timeout=10) as page:
        return html.unescape(re.search(r'id=agree href="([^"]+)"', page.read().decode())[1])


def free_port(network) -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    network.redirects.add(f"http://127.0.0.1:{port}/connected")
    return port


class TestFacebook:
    def test_a_persons_token_is_changed_for_the_pages_own(self, shell, at):
        network = FacebookNetwork()
        at(network, "facebook", f'page = "{network.PAGE}"\napp = "{network.APP}"')
        types = f"{network.PERSON}\n{network.SECRET}\n"
        said = shell("connect", "facebook", "--stdin", who="ana", types=types)
        assert said.code == 0, said
        assert f"OUTREACH_FACEBOOK_TOKEN='{network.TOKEN}'" in env(shell)
        for secret in (network.TOKEN, network.PERSON, network.SECRET):
            assert secret not in said.said


def test_a_secret_is_in_no_file_of_the_office_but_its_place(shell, telegram):
    shell.run("connect", "telegram", "--stdin", who="ana", types=telegram.TOKEN + "\n")
    found = [
        path.relative_to(shell.home).as_posix()
        for path in shell.home.rglob("*")
        if path.is_file() and telegram.TOKEN.encode() in path.read_bytes()
    ]
    assert found == [".env"]
