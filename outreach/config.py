"""The office's configuration.

Three files in config/: outreach.toml (the desk), channels.toml (accounts; no secrets) and
people.toml (who may do what). Secrets come from the environment, an .env file or a secrets
directory: a channel names its prefix, and `token` of the prefix TELEGRAM is
OUTREACH_TELEGRAM_TOKEN, or the file telegram_token. Mistakes are Problems with file and line,
all of them at once.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from outreach.errors import NotFound, Problem, Unusable, WrongFiles
from outreach.hints import did_you_mean
from outreach.platforms import Costs
from outreach.toml import line_of, read_toml

Model = TypeVar("Model", bound=BaseModel)

PREFIX = "OUTREACH_"
FOLDERS = ("campaigns", "templates", "media", "config")  # what an office writes itself
POSTGRESQL = "postgresql+psycopg"  # whichever way its address is begun

_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)\s*[-–]\s*((?:[01]\d|2[0-3]):[0-5]\d)")

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")

_NO_SECRETS = {"home", "secrets_dir"}  # settings that have the same prefix
_LONG = 6  # characters: shorter ones would be found in ordinary words; networks' tokens are long


class _Strict(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.rstrip("_").replace("_", "-"),
        populate_by_name=True,
    )


def _zone(value: str) -> str:
    if value not in _zones():
        hint = did_you_mean(value, _zones())
        raise ValueError(f"{value} is not a zone" + (f"; {hint}" if hint else ""))
    return value


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


class OfficeSettings(_Strict):
    """Who we are and where."""

    name: str = "The secretariat"
    zone: str = "UTC"  # times are shown in it first
    also_zone: str = ""  # and in this one beside it

    _zones = field_validator("zone")(_zone)


class DeskSettings(_Strict):
    """The desk itself."""

    database: str = "sqlite:///data/outreach.db"  # relative to the office's folder
    demo: bool = False  # a demo: --as works, and every page says so
    backups: str = "data/backups"  # a folder; relative to the office's


class WebSettings(_Strict):
    """The public pages: the feed and the short links."""

    public_url: str = ""  # https; empty until it answers from outside: links are direct then
    listen: str = "127.0.0.1:8025"
    watch: str = ""  # host and port of /healthz, /readyz and /metrics; none without it


class MailSettings(_Strict):
    """Notices by mail. Without a host they are kept, and shown by `outreach status`."""

    host: str = ""
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""  # the password is the secret mail_password
    from_: str = ""


class AlarmSettings(_Strict):
    """Who is told when the machine or a post needs somebody. The log is, always."""

    mail: tuple[str, ...] = ()  # through the server of [mail]
    telegram_chat: str = ""  # a staff chat's number, "-100…"; a bot of ours is in it
    secrets: str = "ALARMS"  # the prefix of the bot's secret: ALARMS_TOKEN
    telegram_base: str = ""  # another address than Telegram's own: a loopback server
    repeat_hours: int = Field(default=6, ge=1, le=168)
    free_mb: int = Field(default=500, ge=1)
    stuck_minutes: int = Field(default=5, ge=1, le=1440)

    @property
    def repeat(self) -> timedelta:
        return timedelta(hours=self.repeat_hours)

    @property
    def stuck(self) -> timedelta:
        return timedelta(minutes=self.stuck_minutes)

    @property
    def least_free(self) -> int:
        """Bytes."""
        return self.free_mb * 1_000_000


class ClearanceSettings(_Strict):
    """How long a yes lasts."""

    max_age_days: int | None = Field(default=None, ge=1)


class ReportSettings(_Strict):
    """The month's report."""

    zone: str = ""  # a month is a month in this zone; the office's zone unless said
    cut_off_days: int = Field(default=5, ge=0, le=60)
    distribution: str = "For internal use"


class Settings(_Strict):
    """config/outreach.toml."""

    office: OfficeSettings = OfficeSettings()
    desk: DeskSettings = DeskSettings()
    web: WebSettings = WebSettings()
    mail: MailSettings = MailSettings()
    alarms: AlarmSettings = AlarmSettings()
    clearance: ClearanceSettings = ClearanceSettings()
    report: ReportSettings = ReportSettings()


class ChannelSettings(BaseModel):
    """One table of config/channels.toml. Keys beyond these are the platform's own options."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
    )

    platform: str
    title: str = ""
    languages: tuple[str, ...] = Field(default=("en",), min_length=1)
    zone: str = ""
    secrets: str = ""  # the prefix of its secrets
    utm_source: str = ""
    quiet_hours: str = ""  # "22:00-07:00" in its zone: a slot within them is advised against
    base: str = ""  # another address than the network's own: a loopback server
    posts_per_minute: int | None = Field(default=None, ge=1)  # calls: a thread makes several
    posts_per_day: int | None = Field(default=None, ge=1)  # in any 24 hours
    posts_per_month: int | None = Field(default=None, ge=1)  # in any 31 days
    money_per_month: Decimal | None = Field(default=None, ge=0)  # US dollars
    post_costs: Decimal | None = Field(default=None, ge=0)  # US dollars, where not as we know it
    linked_post_costs: Decimal | None = Field(default=None, ge=0)  # one with an address

    @field_validator("quiet_hours")
    @classmethod
    def _from_until(cls, value: str) -> str:
        if value and not _HOURS.fullmatch(value):
            raise ValueError(f'{value!r} is not from and until; write "22:00-07:00"')
        return value

    @property
    def quiet(self) -> tuple[time, time] | None:
        """From when until when its audience sleeps, or None."""
        found = _HOURS.fullmatch(self.quiet_hours)
        return (time.fromisoformat(found[1]), time.fromisoformat(found[2])) if found else None

    @property
    def budgets(self) -> list[tuple[int, timedelta]]:
        """How many calls the office wants within how long, at most."""
        given = (
            (self.posts_per_minute, timedelta(minutes=1)),
            (self.posts_per_day, timedelta(days=1)),
            (self.posts_per_month, timedelta(days=31)),
        )
        return [(calls, per) for calls, per in given if calls is not None]

    def costs_over(self, known: Costs | None) -> Costs | None:
        """What a post costs: as the network's adapter knows it, or as the office says."""
        post, linked = self.post_costs, self.linked_post_costs
        if known is None:
            return None if post is None else Costs(post, post if linked is None else linked)
        return replace(
            known,
            post=known.post if post is None else post,
            linked=known.linked if linked is None else linked,
        )

    @property
    def options(self) -> dict[str, str]:
        return {name: str(value) for name, value in (self.model_extra or {}).items()}


class PersonSettings(_Strict):
    """One table of config/people.toml."""

    name: str
    email: str = ""
    roles: tuple[
        Literal["officer", "clearer", "translator", "reviewer", "administrator", "guest"], ...
    ]


@dataclass(frozen=True)
class Configuration:
    """Everything that the three files say. `home` is the office's folder."""

    home: Path
    settings: Settings
    channels: Mapping[str, ChannelSettings]
    people: Mapping[str, PersonSettings]
    people_text: str = ""

    @property
    def report_zone(self) -> str:
        return self.settings.report.zone or self.settings.office.zone

    @property
    def database(self) -> str:
        """The database's address, a relative SQLite path taken from the office's folder.

        A server's password is the secret database_password, or stands in the address that the
        secret `database` gives instead of the file.
        """
        url = self.secret("database") or self.settings.desk.database
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str((self.home / url.removeprefix(prefix)).resolve())
        if url.startswith("postgresql"):
            return _with_password(url, self.secret("database_password"))
        return url

    @property
    def backups(self) -> Path:
        """The folder of backups, unless another one is named."""
        return self.home / self.settings.desk.backups

    def never_to_be_written(self) -> frozenset[str]:
        """Every secret of this office, by value: none may stand in a file that is copied."""
        known = _secrets(self.home)
        values = [v for name, v in known.items() if name not in {*_NO_SECRETS, "database"}]
        for url in (self.database, self.settings.desk.database):
            if password := urlsplit(url).password:
                values += [password, unquote(password)]
        return frozenset(value for value in values if len(value) >= _LONG)

    def secret(self, name: str) -> str:
        """A secret by its lower-case name ("telegram_token"), or "".

        Looked for in the environment, then in .env, then in the secrets directory that
        OUTREACH_SECRETS_DIR names.
        """
        return _secrets(self.home).get(name.lower(), "")

    def secrets_of(self, channel: str) -> dict[str, str]:
        """A channel's secrets by the adapter's names; those that are missing are left out."""
        from outreach.platforms import load, secrets_of

        settings = self.channels[channel]
        prefix = (settings.secrets or channel).replace("-", "_").lower()
        names = secrets_of(load(settings.platform))
        return {n: value for n in names if (value := self.secret(f"{prefix}_{n}"))}

    def secret_names(self, channel: str) -> list[str]:
        """The names under which a channel's missing secrets are looked for."""
        from outreach.platforms import load

        settings = self.channels[channel]
        prefix = (settings.secrets or channel).replace("-", "_").upper()
        have = self.secrets_of(channel)
        return [
            f"{PREFIX}{prefix}_{n.upper()}" for n in load(settings.platform).needs if n not in have
        ]


def _with_password(url: str, password: str) -> str:
    from sqlalchemy.engine import make_url

    made = make_url(url).set(drivername=POSTGRESQL)
    if password and not made.password:
        made = made.set(password=password)
    return made.render_as_string(hide_password=False)


def _secrets(home: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    found: dict[str, str] = {}
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    try:
        for path in Path(folder).iterdir() if folder else ():
            if path.is_file():
                found[path.name.lower().removeprefix(PREFIX.lower())] = path.read_text().strip()
        # As typed: a secret may hold a dollar sign.
        written = dotenv_values(home / ".env", interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is not text"
        where = getattr(error, "filename", None) or folder or home / ".env"
        raise Unusable(
            f"the secrets cannot be read from {where}: {told}",
            "secrets stand in the environment, in .env, or in the folder OUTREACH_SECRETS_DIR",
        ) from None  # whose words may hold a secret's bytes
    for source in (written, os.environ):
        for name, value in source.items():
            if name.startswith(PREFIX) and value:
                found[name.removeprefix(PREFIX).lower()] = value.strip()
    return found


def _secrets_seen(home: Path) -> tuple[object, ...]:
    """What tells whether any secret may have changed; cheaper than reading them all."""
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    files = [home / ".env", *(sorted(Path(folder).iterdir()) if folder else ())]
    told = [(path, path.stat().st_mtime_ns) for path in files if path.exists()]
    ours = [(name, value) for name, value in os.environ.items() if name.startswith(PREFIX)]
    return tuple(told), tuple(ours)


@lru_cache(maxsize=1)
def _secrets_lately(home: Path, *_seen: object) -> dict[str, str]:
    """The secrets, for each line of a log."""
    return _secrets(home)


def without_secrets(text: str, home: Path | None) -> str:
    """The text with every secret of this office replaced by ***: for logs."""
    known = _secrets_lately(home or Path(), *_secrets_seen(home or Path()))
    if password := urlsplit(known.get("database", "")).password:
        known = {**known, "": unquote(password)}
    for secret in sorted(
        (value for name, value in known.items() if name not in _NO_SECRETS and len(value) >= _LONG),
        key=len,
        reverse=True,
    ):
        text = text.replace(secret, "***")
    return text


def home_of(start: Path | None = None) -> Path:
    """The office's folder: OUTREACH_HOME, or the nearest one upwards with config/outreach.toml.

    Raises NotFound where there is none.
    """
    if start is None and (named := os.environ.get(f"{PREFIX}HOME")):
        start = Path(named)
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "config" / "outreach.toml").is_file():
            return folder
    raise NotFound(
        f"{start} is not an office's folder, and is in none",
        "make one with: outreach init DIR   (or go to yours, or name it with --home DIR)",
    )


def read_configuration(home: Path) -> Configuration:
    """The three files. Raises WrongFiles with every mistake in all of them."""
    problems: list[Problem] = []
    config = home / "config"
    desk, desk_text = _read(config / "outreach.toml", home, problems)
    accounts, accounts_text = _read(config / "channels.toml", home, problems)
    people, people_text = _read(config / "people.toml", home, problems)
    settings = _one(Settings, desk, "config/outreach.toml", desk_text, (), problems)
    channels = {}
    for name, table in accounts.items():
        made = _one(
            ChannelSettings, table, "config/channels.toml", accounts_text, (name,), problems
        )
        if made:
            channels[name] = made
            problems += _channel_problems(name, made, accounts_text)
    roster = {}
    for name, table in people.items():
        found = _one(PersonSettings, table, "config/people.toml", people_text, (name,), problems)
        if found:
            roster[name] = found
    if settings:
        problems += _settings_problems(settings, desk_text)
    if problems or settings is None:
        raise WrongFiles(problems)
    return Configuration(home, settings, channels, roster, people_text)


def _read(path: Path, home: Path, problems: list[Problem]) -> tuple[dict[str, Any], str]:
    shown = str(path.relative_to(home))
    try:
        return read_toml(path, shown)
    except FileNotFoundError:
        problems.append(Problem(shown, "there is no such file", "outreach init makes one"))
    except WrongFiles as error:
        problems += error.problems
    return {}, ""


def _one(
    model: type[Model],
    table: Any,
    shown: str,
    text: str,
    path: tuple[str, ...],
    problems: list[Problem],
) -> Model | None:
    if not isinstance(table, dict):
        where = f"{shown}:{line_of(text, path)}"
        what = f"{path[-1]} stands in no table"
        problems.append(Problem(where, what, "put it below the [name] that it belongs to"))
        return None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        for found in error.errors():
            loc = (*path, *(str(part) for part in found["loc"]))
            problems.append(_told(model, found, f"{shown}:{line_of(text, loc)}", loc))
        return None


def _told(model: type[BaseModel], found: Any, where: str, loc: tuple[str, ...]) -> Problem:
    name = loc[-1]
    if found["type"] == "extra_forbidden":
        known = [f.alias or n for m in _models(model) for n, f in m.model_fields.items()]
        hint = did_you_mean(name, known) or "see configuration.md in the documentation"
        return Problem(where, f"{name} is not a key here", hint)
    if found["type"] == "missing":
        return Problem(where, f"{name} is missing")
    if found["type"] == "value_error":
        return Problem(where, f"{'.'.join(loc)}: {found['msg'].removeprefix('Value error, ')}")
    return Problem(where, *_words(found, loc))


# What pydantic's errors (by how their type begins) expected, and what to write.
_EXPECTED = {
    "string": ("a text", 'write {} = "…"'),
    "tuple": ("a list", 'write {} = ["…"]'),
    "int": ("a whole number", "write {} = 25"),
    "bool": ("yes or no", "write {} = true, or false"),
    "decimal": ("an amount in US dollars", "write {} = 25"),
    "finite": ("an amount in US dollars", "write {} = 25"),
    "too_short": ("a list with something in it", 'write {} = ["…"]'),
    "model": ("a table", "write [{}] and its keys below it"),
}


def _words(found: Any, loc: tuple[str, ...]) -> tuple[str, str]:
    """What is wrong with a value, and what to do."""
    given, told = found["input"], found.get("ctx", {})
    stands = repr(given) if len(repr(given)) <= 60 else repr(given)[:59] + "…"
    in_list = loc[-1].isdigit()  # an item of the list that has the key
    name = loc[-2] if in_list else loc[-1]
    whose = ".".join(loc[:-1] if in_list else loc)
    if found["type"] == "literal_error":
        known = re.findall("'([^']*)'", told["expected"])
        hint = did_you_mean(str(given), known) or f"known are: {', '.join(known)}"
        return f"{whose} cannot be {stands}", hint
    for bound, words in (("ge", "at least"), ("le", "at most")):
        if bound in told:
            return f"{whose} cannot be {stands}", f"write a number of {words} {told[bound]}"
    for begin, (expected, hint) in _EXPECTED.items():
        if found["type"].startswith(begin):
            todo = hint.format(name)
            if begin == "tuple" and isinstance(given, str):
                todo = f'write {name} = ["{given}"]'
            return f"{whose} should be {expected}, and {stands} stands here", todo
    return f"{whose} cannot be {stands}", "see configuration.md in the documentation"


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    inner = [f.annotation for f in model.model_fields.values()]
    return [model, *(m for m in inner if isinstance(m, type) and issubclass(m, BaseModel))]


def _settings_problems(settings: Settings, text: str) -> list[Problem]:
    problems = []
    shown = "config/outreach.toml"
    for path, zone in (
        (("office", "also-zone"), settings.office.also_zone),
        (("report", "zone"), settings.report.zone),
    ):
        if zone:
            try:
                _zone(zone)
            except ValueError as error:
                problems.append(Problem(f"{shown}:{line_of(text, path)}", str(error)))
    if wrong := _database_problem(settings.desk.database):
        where = f"{shown}:{line_of(text, ('desk', 'database'))}"
        problems.append(Problem(where, *wrong))
    for key, listen, like in (
        ("listen", settings.web.listen, "127.0.0.1:8025"),
        ("watch", settings.web.watch or "127.0.0.1:0", "127.0.0.1:8026"),
    ):
        host, _, port = listen.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65_535:
            where = f"{shown}:{line_of(text, ('web', key))}"
            what = f"{listen!r} is not a host and a port"
            problems.append(Problem(where, what, f'write it like "{like}"'))
    url = settings.web.public_url
    if url and not url.startswith("https://") and not is_loopback(url):
        problems.append(
            Problem(
                f"{shown}:{line_of(text, ('web', 'public-url'))}",
                f"{url} is not https",
                "the public follows these addresses: use https, or leave it empty",
            )
        )
    elif url and not urlsplit(url).hostname:
        where = f"{shown}:{line_of(text, ('web', 'public-url'))}"
        problems.append(Problem(where, f"{url} names no host", "write https://links.example.org"))
    if settings.mail.host and not settings.mail.from_:
        where = f"{shown}:{line_of(text, ('mail', 'from'))}"
        problems.append(Problem(where, "from is missing", 'from = "desk@example.org"'))
    problems += _alarm_problems(settings, text)
    return problems


def _alarm_problems(settings: Settings, text: str) -> list[Problem]:
    """Alarms that could reach nobody."""
    where = f"config/outreach.toml:{line_of(text, ('alarms', 'mail'))}"
    problems = [
        Problem(where, f"{address!r} is no address", 'write it like "ops@example.org"')
        for address in settings.alarms.mail
        if not _ADDRESS.fullmatch(address)
    ]
    if settings.alarms.mail and not settings.mail.host:
        what = "alarms are to go by mail, and there is no mail server"
        problems.append(Problem(where, what, "set host and from of [mail]"))
    return problems


def _database_problem(url: str) -> tuple[str, str] | None:
    """What is wrong with a database's address, and what to write; None where it can be opened."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    like = 'write it like "sqlite:///data/outreach.db"'
    try:
        made = make_url(url)
        if made.get_backend_name() not in ("sqlite", "postgresql"):
            return f"{made.get_backend_name()} is no database of ours", like
        if made.get_backend_name() == "postgresql":
            made = made.set(drivername=POSTGRESQL)
        made.get_dialect().import_dbapi()
    except (ArgumentError, ValueError):
        return f"{url!r} is not the address of a database", like
    except NoSuchModuleError:
        return f"{url.partition(':')[0]} is no database of ours", like
    except ImportError as error:
        return (
            f"{made.get_backend_name()} needs the package {error.name}",
            f"pip install 'outreach[postgresql]', or {like}",
        )
    return None


def _channel_problems(name: str, settings: ChannelSettings, text: str) -> list[Problem]:
    from outreach.platforms import PLATFORMS, load, nearest, plugins

    shown = "config/channels.toml"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        where, hint = f"{shown}:{line_of(text, (name,))}", "letters, digits and hyphens: [web-ja]"
        return [Problem(where, f"{name!r} is no name for a channel: posts' keys hold it", hint)]
    try:
        adapter = load(settings.platform)
    except NotFound as error:
        near = nearest(settings.platform, {*PLATFORMS, *plugins.names()})
        hint = f"did you mean {near}?" if near else error.hint
        return [Problem(f"{shown}:{line_of(text, (name, 'platform'))}", str(error), hint)]
    if isinstance(adapter, plugins.Broken):
        return []  # it costs this channel, not the office: see `Accounts.unready`
    problems = []
    known = {*adapter.asks, *(f.alias or n for n, f in ChannelSettings.model_fields.items())}
    for option in settings.options:
        if option not in known:
            problems.append(
                Problem(
                    f"{shown}:{line_of(text, (name, option))}",
                    f"{option} is not an option of {settings.platform}",
                    did_you_mean(option, known) or f"known are: {', '.join(sorted(known))}",
                )
            )
    for option, what, hint in plugins.mistakes(adapter, settings.options, settings.platform):
        problems.append(Problem(f"{shown}:{line_of(text, (name, option))}", what, hint))
    if settings.zone:
        try:
            _zone(settings.zone)
        except ValueError as error:
            problems.append(Problem(f"{shown}:{line_of(text, (name, 'zone'))}", str(error)))
    if settings.money_per_month is not None and not settings.costs_over(adapter.limits.costs):
        where = f"{shown}:{line_of(text, (name, 'money-per-month'))}"
        what = f"what a post costs on {settings.platform} is not known"
        problems.append(Problem(where, what, "write post-costs = 0.10 as well (US dollars)"))
    return problems


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine or its private network."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def real_now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)
