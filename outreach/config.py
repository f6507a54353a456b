"""The office's configuration.

Three files in config/: outreach.toml (the desk), channels.toml (accounts; no secrets) and
people.toml (who may do what). Secrets come from the environment, an .env file or a secrets
directory: a channel names its prefix, and `token` of the prefix TELEGRAM is
OUTREACH_TELEGRAM_TOKEN, or the file telegram_token. Mistakes are Problems with file and line,
all of them at once.
"""

import os
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import available_timezones

from outreach import kept
from outreach.errors import NotAllowed, NotFound, Unusable
from outreach.hints import did_you_mean
from outreach.platforms import Costs
from outreach.store.plain import file_of

PREFIX = "OUTREACH_"
FILES = ("outreach.toml", "channels.toml", "people.toml")
FOLDERS = ("campaigns", "templates", "media", "config")  # what an office writes itself
POSTGRESQL = "postgresql+psycopg"  # whichever way its address is begun

_HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)\s*[-–]\s*((?:[01]\d|2[0-3]):[0-5]\d)")

_SPAN = re.compile(r"(\d{1,4}) (minute|hour|day)s?( before)?", re.ASCII)

_NO_SECRETS = {"home", "secrets_dir"}  # settings that have the same prefix
_LONG = 6  # characters: shorter ones would be found in ordinary words; networks' tokens are long


@dataclass(frozen=True)
class Within:
    """The bounds of a number, or of how many: what pydantic calls ge, le and min_length."""

    ge: int | None = None
    le: int | None = None
    min_length: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        bounds = {name: value for name, value in vars(self).items() if value is not None}
        return {**handler(source), **bounds}


@dataclass(frozen=True)
class Checked:
    """A value that a function of ours looks at: ValueError, with the reason, for a wrong one."""

    check: Callable[[str], str]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self.check, handler(source))


def key_of(name: str) -> str:
    """How an attribute is written in a file: "from", "also-zone"."""
    return name.rstrip("_").replace("_", "-")


class _Table:
    """A table of a file. What else stands in it is a mistake.

    Values are plain, and pydantic is told by their types how to check them
    (`outreach/config_files.py`): whoever takes them from the cache does without it.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "alias_generator": key_of,
        "populate_by_name": True,
    }


def zone(value: str) -> str:
    """The name of a zone. ValueError for any other."""
    if value not in _zones():
        hint = did_you_mean(value, _zones())
        raise ValueError(f"{value} is not a zone" + (f"; {hint}" if hint else ""))
    return value


def _from_until(value: str) -> str:
    if value and not _HOURS.fullmatch(value):
        raise ValueError(f'{value!r} is not from and until; write "22:00-07:00"')
    return value


def span(text: str, *, before: bool = False) -> timedelta:
    """How long "30 minutes", "2 hours" or "7 days" are; below zero for "1 day before", where that
    may be. ValueError, in a sentence for officers, for anything else."""
    found = _SPAN.fullmatch(" ".join(text.split()))
    if not found or (found[3] and not before):
        or_before = ' or "1 day before"' if before else ""
        raise ValueError(f'{text!r} is not a span of time; write it as "2 hours"{or_before}')
    length = timedelta(**{f"{found[2]}s": int(found[1])})
    return -length if found[3] else length


def _reminder(value: str) -> str:
    span(value, before=True)
    return value


def _after(value: str) -> str:
    if value and span(value) <= timedelta(0):
        raise ValueError(f"{value!r} is no time at all; write it as 24 hours")
    return value


@lru_cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _hour(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f'{value!r} is no time of day; write it as "09:00"')
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+", value):
        raise ValueError(f"{value!r} is no mail address; write it as name@example.org")
    return value


Zone = Annotated[str, Checked(zone)]
Hour = Annotated[str, Checked(_hour)]
MailAddress = Annotated[str, Checked(_address)]
Hours = Annotated[str, Checked(_from_until)]
Reminder = Annotated[str, Checked(_reminder)]
After = Annotated[str, Checked(_after)]
Role = Literal["officer", "clearer", "translator", "reviewer", "administrator", "guest"]


@dataclass(frozen=True)
class OfficeSettings(_Table):
    """Who we are and where."""

    name: str = "The secretariat"
    zone: Zone = "UTC"  # times are shown in it first
    also_zone: str = ""  # and in this one beside it


@dataclass(frozen=True)
class DeskSettings(_Table):
    """The desk itself."""

    database: str = "sqlite:///data/outreach.db"  # relative to the office's folder
    demo: bool = False  # a demo: --as works, and every page says so
    backups: str = "data/backups"  # a folder; relative to the office's


@dataclass(frozen=True)
class WebSettings(_Table):
    """The public pages: the feed and the short links."""

    public_url: str = ""  # https; empty until it answers from outside: links are direct then
    listen: str = "127.0.0.1:8025"
    watch: str = ""  # host and port of /healthz, /readyz and /metrics; none without it


@dataclass(frozen=True)
class MailSettings(_Table):
    """Notices by mail. Without a host they are kept, and shown by `outreach status`."""

    host: str = ""
    port: Annotated[int, Within(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""  # the password is the secret mail_password
    from_: str = ""


@dataclass(frozen=True)
class AlarmSettings(_Table):
    """Who is told when the machine or a post needs somebody. The log is, always."""

    mail: tuple[str, ...] = ()  # through the server of [mail]
    telegram_chat: str = ""  # a staff chat's number, "-100…"; a bot of ours is in it
    secrets: str = "ALARMS"  # the prefix of the bot's secret: ALARMS_TOKEN
    telegram_base: str = ""  # another address than Telegram's own: a loopback server
    repeat_hours: Annotated[int, Within(ge=1, le=168)] = 6
    free_mb: Annotated[int, Within(ge=1)] = 500
    stuck_minutes: Annotated[int, Within(ge=1, le=1440)] = 5

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


@dataclass(frozen=True)
class ClearanceSettings(_Table):
    """How long a yes lasts."""

    max_age_days: Annotated[int, Within(ge=1)] | None = None


@dataclass(frozen=True)
class ReportSettings(_Table):
    """The month's report."""

    zone: str = ""  # a month is a month in this zone; the office's zone unless said
    cut_off_days: Annotated[int, Within(ge=0, le=60)] = 5
    programme: str = ""  # in the masthead; NEASPEC's name unless said
    distribution: str = "For internal use"
    languages: str = "English only"
    symbol: str = ""  # only one that the document has been given
    send_to: tuple[MailAddress, ...] = ()  # who is mailed a month's report, once a person sends it
    send_day: Annotated[int, Within(ge=1, le=28)] = 7  # of the month after: officers are asked
    send_time: Hour = "09:00"  # on that day, in the report's zone
    send_formats: Annotated[
        tuple[Literal["docx", "pdf", "html", "xlsx", "csv", "json"], ...], Within(min_length=1)
    ] = ("docx",)


@dataclass(frozen=True)
class FiguresSettings(_Table):
    """Figures that were collected."""

    daily_months: Annotated[int, Within(ge=2, le=1200)] = 24  # that followers are kept day by day


@dataclass(frozen=True)
class Settings(_Table):
    """config/outreach.toml."""

    office: OfficeSettings = OfficeSettings()
    desk: DeskSettings = DeskSettings()
    web: WebSettings = WebSettings()
    mail: MailSettings = MailSettings()
    alarms: AlarmSettings = AlarmSettings()
    clearance: ClearanceSettings = ClearanceSettings()
    report: ReportSettings = ReportSettings()
    figures: FiguresSettings = FiguresSettings()


@dataclass(frozen=True)
class ChannelSettings(_Table):
    """One table of config/channels.toml. Keys beyond these are the platform's own `options`."""

    platform: str
    title: str = ""
    languages: Annotated[tuple[str, ...], Within(min_length=1)] = ("en",)
    zone: str = ""
    secrets: str = ""  # the prefix of its secrets
    utm_source: str = ""
    quiet_hours: Hours = ""  # "22:00-07:00" in its zone: a slot within them is advised against
    base: str = ""  # another address than the network's own: a loopback server
    posts_per_minute: Annotated[int, Within(ge=1)] | None = None  # calls: a thread makes several
    posts_per_day: Annotated[int, Within(ge=1)] | None = None  # in any 24 hours
    posts_per_month: Annotated[int, Within(ge=1)] | None = None  # in any 31 days
    money_per_month: Annotated[Decimal, Within(ge=0)] | None = None  # US dollars
    # US dollars, where not as we know it
    post_costs: Annotated[Decimal, Within(ge=0)] | None = None
    linked_post_costs: Annotated[Decimal, Within(ge=0)] | None = None  # one with an address
    posted_by: tuple[str, ...] = ()  # who posts there by hand; every officer unless said
    reminders: tuple[Reminder, ...] | None = None  # ["30 minutes", "2 hours"] after the task
    missed_after: After = ""  # "24 hours": without an address by then it is missed
    lead_working_days: Annotated[int, Within(ge=1, le=60)] | None = None  # of another office
    holidays: tuple[str, ...] = ()  # the countries in which those days are counted: ["TH"]
    options: Mapping[str, str] = field(default_factory=dict)

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


@dataclass(frozen=True)
class PersonSettings(_Table):
    """One table of config/people.toml."""

    name: str
    roles: tuple[Role, ...]
    email: str = ""


@dataclass(frozen=True)
class Configuration:
    """Everything that the three files say. `home` is the office's folder."""

    home: Path
    settings: Settings
    channels: Mapping[str, ChannelSettings]
    people: Mapping[str, PersonSettings]
    people_text: str = ""

    def must_have(self, channel: str) -> None:
        """Raises NotFound for a channel that is not in config/channels.toml."""
        if channel not in self.channels:
            known = "channels stand in config/channels.toml"
            near = did_you_mean(channel, self.channels)
            raise NotFound(f"there is no channel {channel!r}", near or known)

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
        from outreach.platforms import load

        settings = self.channels[channel]
        names = (*_needed(settings), *getattr(load(settings.platform), "uses", ()))
        return {n: value for n in names if (value := self.secret(self.secret_of(channel, n)))}

    def secret_of(self, channel: str, name: str) -> str:
        """Under which name `secret` finds a channel's secret of the adapter's name."""
        prefix = (self.channels[channel].secrets or channel).replace("-", "_").lower()
        return f"{prefix}_{name}"

    def place_of(self, name: str) -> Path:
        """The file in which a secret stands, or would stand.

        Raises NotAllowed where the environment gives it: what a file says would not count.
        """
        if variable := next(
            (v for v, given in os.environ.items() if given and v.upper() == _variable(name)), ""
        ):
            raise NotAllowed(
                f"{variable} is set in the environment, which comes before every file",
                "take it out there, or give it the new value there",
            )
        folder, written = os.environ.get(f"{PREFIX}SECRETS_DIR"), self.home / ".env"
        if folder and not any(key.upper() == _variable(name) for key in _dotenv(written)):
            files = {path.name.lower().removeprefix(PREFIX.lower()): path for path in _in(folder)}
            return files.get(name, Path(folder) / name)
        return written

    def keep_secret(self, name: str, value: str) -> Path:
        """Write a secret where the office keeps its secrets, readable by its owner alone; the file.

        Raises NotAllowed as `place_of`, OSError where it cannot be written.
        """
        place = self.place_of(name)
        if place.name == ".env" and place.parent == self.home:
            from dotenv import set_key

            if place.exists():
                place = place.resolve()  # which stays what it is where it is a link
                place.chmod(0o600)  # before there is a new secret in it
            known = {key.upper(): key for key in _dotenv(place)}
            set_key(place, known.get(_variable(name), _variable(name)), value)
        else:
            new = place.with_name(f".{place.name}.new")
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
                made.write(value + "\n")
            new.replace(place)
        return place

    def secret_names(self, channel: str) -> list[str]:
        """The names under which a channel's missing secrets are looked for."""
        have = self.secrets_of(channel)
        missing = [name for name in _needed(self.channels[channel]) if name not in have]
        return [_variable(self.secret_of(channel, name)) for name in missing]


def _needed(settings: ChannelSettings) -> tuple[str, ...]:
    """The secrets that a channel cannot work without."""
    from outreach.platforms import Chooses, load

    adapter = load(settings.platform)
    if isinstance(adapter, Chooses):
        return adapter.secrets_for(settings.options)
    needs: tuple[str, ...] = adapter.needs
    return needs


def _variable(name: str) -> str:
    return f"{PREFIX}{name}".upper()


def _with_password(url: str, password: str) -> str:
    from sqlalchemy.engine import make_url

    made = make_url(url).set(drivername=POSTGRESQL)
    if password and not made.password:
        made = made.set(password=password)
    return made.render_as_string(hide_password=False)


def _in(folder: str) -> list[Path]:
    """The files of the secrets directory; one that begins with a full stop is not done yet."""
    return [
        path for path in Path(folder).iterdir() if path.is_file() and not path.name.startswith(".")
    ]


def _dotenv(file: Path) -> Mapping[str, str | None]:
    if not file.exists():
        return {}
    from dotenv import dotenv_values

    return dotenv_values(file, interpolate=False)  # as typed: a secret may hold a dollar sign


def _secrets(home: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR")
    try:
        for path in _in(folder) if folder else ():
            found[path.name.lower().removeprefix(PREFIX.lower())] = path.read_text().strip()
        written = _dotenv(home / ".env")
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


_in_use: deque[str] = deque(maxlen=500)  # what stands in no file, the latest last


def never_in_logs(*values: str) -> None:
    """From now on these are secrets too: tokens that stand in no file, as they are used."""
    _in_use.extend(value for value in values if value and value not in _in_use)


def without_secrets(text: str, home: Path | None) -> str:
    """The text with every secret of this office replaced by ***: for logs."""
    known = _secrets_lately(home or Path(), *_secrets_seen(home or Path()))
    known = {**known, **{f"in use {n}": value for n, value in enumerate(_in_use.copy())}}
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
    """The three files. Raises WrongFiles with every mistake in all of them.

    What was right before, in exactly these files, is taken from this person's cache: nothing is
    imported then that checks it.
    """
    files = {name: _content(home / "config" / name) for name in FILES}
    key = repr(files)
    if found := kept.read(home, key, kept.CONFIGURED):
        before: Configuration = found[0]
        return replace(before, home=home)
    from outreach.config_files import checked

    made = checked(home, files)
    if file_of(made.settings.desk.database):  # another address may hold a password
        kept.keep(home, key, [made], kept.CONFIGURED)
    return made


def _content(file: Path) -> bytes | OSError:
    try:
        return file.read_bytes()
    except OSError as error:
        return error


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
