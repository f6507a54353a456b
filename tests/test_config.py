"""The office's configuration: every mistake at once, and no secret where it could be read."""

import traceback
from pathlib import Path

import pytest

from outreach.accounts import Accounts
from outreach.config import home_of, read_configuration, without_secrets
from outreach.errors import NotFound, Unusable, WrongFiles
from tests.conftest import Office

SECRET = "123456:hushhushhush"


def mistakes(office: Office) -> list[tuple[str, str, str]]:
    """(where, what, hint) of everything that is wrong in the three files."""
    with pytest.raises(WrongFiles) as wrong:
        read_configuration(office.home)
    return [(problem.where, problem.what, problem.hint) for problem in wrong.value.problems]


def desk_file(office: Office, text: str) -> list[tuple[str, str, str]]:
    office.write("config/outreach.toml", text)
    return mistakes(office)


def people_file(office: Office, text: str) -> list[tuple[str, str, str]]:
    office.write("config/people.toml", text)
    return mistakes(office)


def channels_file(office: Office, text: str) -> list[tuple[str, str, str]]:
    office.write("config/channels.toml", text)
    return mistakes(office)


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(monkeypatch):
    for name in ("HOME", "DATABASE", "SECRETS_DIR", "TELEGRAM_TOKEN"):
        monkeypatch.delenv(f"OUTREACH_{name}", raising=False)


class TestMistakes:
    def test_all_of_all_three_files_are_told_at_once_each_with_its_line(self, office):
        office.write(
            "config/outreach.toml",
            '[office]\nname = "N"\nzone = "Asia/Bangkock"\n\n[mail]\nport = 0\n',
        )
        office.write(
            "config/channels.toml",
            '[web]\nplatform = "fed"\n\n[net]\nplatform = "memory"\nhandel = "x"\n',
        )
        office.write(
            "config/people.toml",
            '[ana]\nname = "Ana"\nroles = ["boss"]\n\n[bo]\nroles = ["clearer"]\n',
        )
        assert [where for where, _, _ in mistakes(office)] == [
            "config/outreach.toml:3",
            "config/outreach.toml:6",
            "config/channels.toml:2",
            "config/channels.toml:6",
            "config/people.toml:3",
            "config/people.toml:5",
        ]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            (
                '[office]\nnme = "N"\n',
                ("config/outreach.toml:2", "nme is not a key here", "did you mean name?"),
            ),
            (
                "[ofice]\n",
                ("config/outreach.toml:1", "ofice is not a key here", "did you mean office?"),
            ),
            (
                "[desk]\nqqq = 1\n",
                (
                    "config/outreach.toml:2",
                    "qqq is not a key here",
                    "see configuration.md in the documentation",
                ),
            ),
        ],
    )
    def test_an_unknown_key_is_told_with_the_nearest(self, office, text, told):
        assert desk_file(office, text) == [told]

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ('[office]\nzone = "Asia/Bangkock"\n', 2),
            ('[office]\nzone = "UTC"\nalso-zone = "Asia/Bangkock"\n', 3),
            ('[report]\nzone = "Asia/Bangkock"\n', 2),
        ],
    )
    def test_an_unknown_zone_is_told_with_the_nearest(self, office, text, line):
        [(where, what, hint)] = desk_file(office, text)
        assert where == f"config/outreach.toml:{line}"
        assert "Asia/Bangkock is not a zone; did you mean Asia/Bangkok?" in f"{what}; {hint}"

    def test_a_channels_zone_too(self, office):
        [(where, what, _)] = channels_file(office, '[a]\nplatform = "memory"\nzone = "Asia/Seul"\n')
        assert (where, what) == (
            "config/channels.toml:3",
            "Asia/Seul is not a zone; did you mean Asia/Seoul?",
        )

    def test_an_unknown_platform_is_told_with_the_nearest_or_all(self, office):
        text = '[a]\nplatform = "telegramm"\n[b]\nplatform = "myspace"\n[c]\nplatform = "Twitter"\n'
        assert channels_file(office, text) == [
            (
                "config/channels.toml:2",
                "there is no platform 'telegramm'",
                "did you mean telegram?",
            ),
            (
                "config/channels.toml:4",
                "there is no platform 'myspace'",
                "known are: bluesky, email, facebook, feed, linkedin, manual, mastodon, memory, "
                "request, telegram, x",
            ),
            ("config/channels.toml:6", "there is no platform 'Twitter'", "did you mean x?"),
        ]

    def test_an_option_that_the_platform_does_not_know_is_told_with_the_nearest(self, office):
        assert channels_file(office, '[t]\nplatform = "telegram"\nchta = "@n"\n') == [
            ("config/channels.toml:3", "chta is not an option of telegram", "did you mean chat?")
        ]

    def test_an_option_that_its_platform_cannot_use_is_told_with_its_line(self, office):
        text = '[m]\nplatform = "mastodon"\nhandle = "@neaspec"\ncharacters = 0\n'
        assert channels_file(office, text) == [
            (
                "config/channels.toml:3",
                "'@neaspec' names no server",
                'write handle = "@name@server"',
            ),
            (
                "config/channels.toml:4",
                "characters cannot be '0'",
                "write what the server says that it takes: characters = 500",
            ),
        ]

    @pytest.mark.parametrize("name", ["a/b", "a@b", "a b"])
    def test_a_channel_whose_name_would_break_a_key_is_refused(self, office, name):
        [(where, what, _)] = channels_file(office, f'["{name}"]\nplatform = "memory"\n')
        assert where == "config/channels.toml:1"
        assert "is no name for a channel" in what

    def test_what_is_no_toml_is_told_with_its_line(self, office):
        assert desk_file(office, "[office]\nname = The secretariat\n") == [
            (
                "config/outreach.toml:2",
                "name has a text without quotes",
                'write name = "The secretariat"',
            )
        ]

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("languages = 'en'", ("x.languages should be a list", "write languages = ['en']")),
            ("title = 5", ("x.title should be a text, and 5 stands here", 'write title = "…"')),
        ],
    )
    def test_a_value_of_another_kind_is_told_in_words(self, office, line, expected):
        text = f'[x]\nplatform = "memory"\n{line}\n'
        [(where, what, hint)] = channels_file(office, text)
        assert where == "config/channels.toml:3"
        assert what.startswith(expected[0])
        assert hint == expected[1].replace("'", '"')

    def test_a_role_that_there_is_not_is_told_with_the_nearest(self, office):
        people = (office.home / "config/people.toml").read_text().replace("clearer", "claerer")
        assert people_file(office, people) == [
            ("config/people.toml:10", "bo.roles cannot be 'claerer'", "did you mean clearer?")
        ]

    def test_a_file_that_is_missing_and_one_that_is_no_text(self, office):
        (office.home / "config/people.toml").unlink()
        assert desk_file(office, b'[office]\nname = "caf\xe9"\n') == [
            ("config/outreach.toml:2", "this line is not UTF-8 text", "save it as UTF-8"),
            ("config/people.toml", "there is no such file", "outreach init makes one"),
        ]

    def test_mail_without_a_sender_is_a_mistake(self, office):
        [(where, what, _)] = desk_file(office, '[mail]\nhost = "mail.example.org"\n')
        assert (where, what) == ("config/outreach.toml:1", "from is missing")


class TestPublicAddress:
    @pytest.mark.parametrize(
        "url", ["http://links.example.org", "ftp://x.org", "links.example.org"]
    )
    def test_what_the_public_follows_is_https(self, office, url):
        assert desk_file(office, f'[web]\npublic-url = "{url}"\n') == [
            (
                "config/outreach.toml:2",
                f"{url} is not https",
                "the public follows these addresses: use https, or leave it empty",
            )
        ]

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:8025", "http://localhost:8025", "http://[::1]"]
    )
    def test_http_is_for_this_machine_and_then_nothing_goes_to_the_public(self, office, url):
        office.write("config/outreach.toml", f'[web]\npublic-url = "{url}"\n')
        office.write(
            "config/channels.toml",
            '[net]\nplatform = "memory"\n[by-hand]\nplatform = "manual"\n',
        )
        desk = office.open()
        unready = Accounts(desk.configuration, desk.store, office.clock).unready()
        assert list(unready) == ["by-hand"]
        assert "leads to this machine only" in unready["by-hand"]


class TestSecrets:
    @pytest.fixture
    def configuration(self, office):
        office.write("config/channels.toml", '[telegram]\nplatform = "telegram"\nchat = "@n"\n')
        return read_configuration(office.home)

    def test_the_environment_comes_before_env_and_that_before_the_directory(
        self, configuration, office, monkeypatch, tmp_path
    ):
        def token() -> dict[str, str]:
            return configuration.secrets_of("telegram")

        assert token() == {}
        assert configuration.secret_names("telegram") == ["OUTREACH_TELEGRAM_TOKEN"]
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "telegram_token").write_text("of the directory\n")
        monkeypatch.setenv("OUTREACH_SECRETS_DIR", str(tmp_path / "secrets"))
        assert token() == {"token": "of the directory"}
        office.write(".env", "OUTREACH_TELEGRAM_TOKEN=of-${env}$x\n")
        assert token() == {"token": "of-${env}$x"}
        monkeypatch.setenv("OUTREACH_TELEGRAM_TOKEN", "of the environment")
        assert token() == {"token": "of the environment"}
        monkeypatch.setenv("OUTREACH_TELEGRAM_TOKEN", "")  # an empty one does not count
        assert token() == {"token": "of-${env}$x"}

    def test_a_file_of_the_directory_may_bear_the_whole_name(
        self, configuration, monkeypatch, tmp_path
    ):
        (tmp_path / "OUTREACH_TELEGRAM_TOKEN").write_text(SECRET)
        monkeypatch.setenv("OUTREACH_SECRETS_DIR", str(tmp_path))
        assert configuration.secrets_of("telegram") == {"token": SECRET}

    def test_the_prefix_is_the_channels_name_unless_it_says_otherwise(self, office):
        office.write(
            "config/channels.toml",
            '[tg-ko]\nplatform = "telegram"\n[tg]\nplatform = "telegram"\nsecrets = "SHARED"\n',
        )
        configuration = read_configuration(office.home)
        assert configuration.secret_names("tg-ko") == ["OUTREACH_TG_KO_TOKEN"]
        assert configuration.secret_names("tg") == ["OUTREACH_SHARED_TOKEN"]

    def test_a_secret_that_an_account_can_work_without_is_read_and_never_missing(self, office):
        office.write("config/channels.toml", '[li]\nplatform = "linkedin"\npage = "1"\n')
        office.write(".env", "OUTREACH_LI_CLIENT_SECRET=one\n")
        configuration = read_configuration(office.home)
        assert configuration.secrets_of("li") == {"client_secret": "one"}
        assert configuration.secret_names("li") == ["OUTREACH_LI_TOKEN"]

    def test_a_directory_that_is_not_there_is_said_in_words(
        self, configuration, monkeypatch, tmp_path
    ):
        monkeypatch.setenv("OUTREACH_SECRETS_DIR", str(tmp_path / "none"))
        with pytest.raises(Unusable, match="the secrets cannot be read from .*none"):
            configuration.secret("telegram_token")

    def test_a_secret_is_in_no_repr(self, configuration, monkeypatch, office):
        monkeypatch.setenv("OUTREACH_TELEGRAM_TOKEN", SECRET)
        desk = office.open()
        assert desk.configuration.secrets_of("telegram") == {"token": SECRET}  # it is there
        shown = [
            desk,
            desk.configuration,
            Accounts(desk.configuration, desk.store, office.clock),
            desk.channels,
            desk.platforms,
            desk.unready,
            desk.status(),
        ]
        assert [value for value in shown if SECRET in f"{value!r}"] == []

    def test_a_secret_that_cannot_be_read_is_in_no_error(
        self, configuration, monkeypatch, tmp_path
    ):
        (tmp_path / "telegram_token").write_bytes(SECRET.encode() + b"\xff")
        monkeypatch.setenv("OUTREACH_SECRETS_DIR", str(tmp_path))
        with pytest.raises(Unusable) as refused:
            configuration.secret("telegram_token")
        told = "".join(traceback.format_exception(refused.value)) + refused.value.hint
        assert SECRET not in told

    def test_a_secret_is_taken_out_of_what_is_logged(self, office, monkeypatch):
        monkeypatch.setenv("OUTREACH_TELEGRAM_TOKEN", SECRET)
        assert without_secrets(f"GET /bot{SECRET}/getMe", office.home) == "GET /bot***/getMe"


class TestPlaces:
    def test_the_office_is_found_from_anywhere_in_it(self, office):
        assert home_of(office.home / "campaigns") == office.home

    def test_the_environment_names_it(self, office, monkeypatch):
        monkeypatch.setenv("OUTREACH_HOME", str(office.home))
        assert home_of() == office.home

    def test_elsewhere_is_none(self, tmp_path):
        with pytest.raises(NotFound, match="is not an office's folder") as refused:
            home_of(tmp_path)
        assert "outreach init DIR" in refused.value.hint

    def test_a_relative_database_is_the_offices_wherever_one_stands(
        self, office, monkeypatch, tmp_path
    ):
        monkeypatch.chdir(tmp_path)
        configuration = read_configuration(office.home)
        assert configuration.database == f"sqlite:///{office.home}/data/outreach.db"

    def test_the_environment_names_another_database(self, office, monkeypatch):
        monkeypatch.setenv("OUTREACH_DATABASE", "postgresql+psycopg://db.example.org/outreach")
        configuration = read_configuration(office.home)
        assert configuration.database == "postgresql+psycopg://db.example.org/outreach"

    def test_the_month_is_the_offices_unless_the_report_has_its_own_zone(self, office):
        assert read_configuration(office.home).report_zone == "Asia/Bangkok"
        office.write("config/outreach.toml", '[report]\nzone = "Asia/Seoul"\n')
        assert read_configuration(office.home).report_zone == "Asia/Seoul"


def test_the_files_that_come_with_the_program_have_no_mistakes():
    read_configuration(Path(__file__).parent.parent)


class TestLimitsAndMoney:
    """What the office adds to its networks' own limits."""

    X = '[x]\nplatform = "x"\nhandle = "@neaspec"\n'

    @pytest.mark.parametrize(
        ("line", "what", "hint"),
        [
            (
                "posts-per-day = 0",
                "x.posts-per-day cannot be 0",
                "write a number of at least 1",
            ),
            (
                'posts-per-minute = "many"',
                "x.posts-per-minute should be a whole number, and 'many' stands here",
                "write posts-per-minute = 25",
            ),
            (
                "posts-per-month = 2.5",
                "x.posts-per-month should be a whole number, and 2.5 stands here",
                "write posts-per-month = 25",
            ),
            (
                "money-per-month = -1",
                "x.money-per-month cannot be -1",
                "write a number of at least 0",
            ),
            (
                'money-per-month = "25 USD"',
                "x.money-per-month should be an amount in US dollars, and '25 USD' stands here",
                "write money-per-month = 25",
            ),
            (
                "post-costs = inf",
                "x.post-costs should be an amount in US dollars, and inf stands here",
                "write post-costs = 25",
            ),
            (
                "linked-post-cost = 1",
                "linked-post-cost is not an option of x",
                "did you mean linked-post-costs?",
            ),
        ],
    )
    def test_a_mistake_is_told_with_its_line_and_what_to_write(self, office, line, what, hint):
        told = channels_file(office, f"{self.X}{line}\n")
        assert told == [("config/channels.toml:4", what, hint)]

    def test_money_needs_to_know_what_a_post_costs(self, office):
        text = '[net]\nplatform = "memory"\nmoney-per-month = 25\n'
        assert channels_file(office, text) == [
            (
                "config/channels.toml:3",
                "what a post costs on memory is not known",
                "write post-costs = 0.10 as well (US dollars)",
            )
        ]
        office.write("config/channels.toml", f"{text}post-costs = 0.10\n")
        assert read_configuration(office.home).channels["net"].money_per_month == 25

    def test_what_the_office_says_a_post_costs_goes_before_what_the_adapter_knows(self, office):
        office.write(
            "config/channels.toml",
            f"{self.X}money-per-month = 10\nlinked-post-costs = 0.30\nposts-per-day = 17\n",
        )
        found = office.open().paces["x"]
        assert (str(found.costs.post), str(found.costs.linked)) == ("0.015", "0.3")
        assert [str(rule) for rule in found.rules] == [
            "the network's limit (100 in 15 minutes)",
            "the network's limit (10,000 in a day)",
            "the office's own limit (17 in a day)",
        ]
