"""The three files of config/ as they were typed: checked, or every mistake with its line.

pydantic does the typing and finds everything, by the types in `outreach/config.py`; here its
findings get an officer's words, and what no type can say is looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from outreach.config import (
    POSTGRESQL,
    ChannelSettings,
    Configuration,
    PersonSettings,
    Settings,
    is_loopback,
    key_of,
    zone,
)
from outreach.errors import NotFound, Problem, WrongFiles
from outreach.hints import did_you_mean
from outreach.store.plain import file_of
from outreach.toml import line_of, parsed

Table = TypeVar("Table", Settings, ChannelSettings, PersonSettings)

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


def checked(home: Path, files: Mapping[str, bytes | OSError]) -> Configuration:
    """What the files say, by name: their bytes, or why they could not be read.

    Raises WrongFiles with every mistake in all of them.
    """
    problems: list[Problem] = []
    desk, desk_text = _tables("outreach.toml", files, problems)
    accounts, accounts_text = _tables("channels.toml", files, problems)
    people, people_text = _tables("people.toml", files, problems)
    settings = _one(Settings, desk, "config/outreach.toml", desk_text, (), problems)
    channels = {}
    for name, table in accounts.items():
        shown = "config/channels.toml"
        made = _one(ChannelSettings, _apart(table), shown, accounts_text, (name,), problems)
        if made:
            channels[name] = made
            problems += _channel_problems(name, made, accounts_text)
    roster = {}
    for name, table in people.items():
        found = _one(PersonSettings, table, "config/people.toml", people_text, (name,), problems)
        if found:
            roster[name] = found
    for name, made in channels.items():
        for who in made.posted_by:
            if people and who not in people:
                where = f"config/channels.toml:{line_of(accounts_text, (name, 'posted-by'))}"
                hint = did_you_mean(who, people) or "people are named in config/people.toml"
                problems.append(Problem(where, f"{who!r} is nobody of this office", hint))
    if settings:
        problems += _settings_problems(settings, desk_text)
    if problems or settings is None:
        raise WrongFiles(problems)
    return Configuration(home, settings, channels, roster, people_text)


def _tables(
    name: str, files: Mapping[str, bytes | OSError], problems: list[Problem]
) -> tuple[dict[str, Any], str]:
    shown, data = f"config/{name}", files[name]
    try:
        return parsed(data, shown)
    except FileNotFoundError:
        problems.append(Problem(shown, "there is no such file", "outreach init makes one"))
    except WrongFiles as error:
        problems += error.problems
    return {}, ""


def _apart(table: Any) -> Any:
    """A channel's table, its platform's own options apart."""
    if not isinstance(table, dict):
        return table
    ours = {one for name in _names(ChannelSettings) for one in (name, key_of(name))} - {"options"}
    known = {name: value for name, value in table.items() if name in ours}
    return {**known, "options": {n: str(v) for n, v in table.items() if n not in ours}}


def _names(kind: type) -> list[str]:
    return [one.name for one in fields(kind)]


def keys_of(kind: type) -> list[str]:
    """Every key of a table, and of the tables in it."""
    found = []
    for name, inner in get_type_hints(kind).items():
        if is_dataclass(inner) and isinstance(inner, type):
            found += keys_of(inner)
        elif name in _names(kind) and name != "options":
            found.append(key_of(name))
    return found


_CHECKS: Mapping[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Settings, ChannelSettings, PersonSettings)
}


def _one(
    kind: type[Table],
    table: Any,
    shown: str,
    text: str,
    path: tuple[str, ...],
    problems: list[Problem],
) -> Table | None:
    if not isinstance(table, dict):
        where = f"{shown}:{line_of(text, path)}"
        what = f"{path[-1]} stands in no table"
        problems.append(Problem(where, what, "put it below the [name] that it belongs to"))
        return None
    try:
        made: Table = _CHECKS[kind].validate_python(table)
    except ValidationError as error:
        wrong: Any
        for wrong in error.errors():
            loc = (*path, *(str(part) for part in wrong["loc"]))
            problems.append(_told(kind, wrong, f"{shown}:{line_of(text, loc)}", loc))
        return None
    return made


def _told(kind: type, found: Any, where: str, loc: tuple[str, ...]) -> Problem:
    name = loc[-1]
    if found["type"] == "unexpected_keyword_argument":
        hint = did_you_mean(name, _known(kind)) or "see configuration.md in the documentation"
        return Problem(where, f"{name} is not a key here", hint)
    if found["type"] == "missing":
        return Problem(where, f"{name} is missing")
    if found["type"] == "value_error":
        whose = ".".join(loc[:-1] if loc[-1].isdigit() else loc)  # a list's item has its key
        return Problem(where, f"{whose}: {found['msg'].removeprefix('Value error, ')}")
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
    "dataclass": ("a table", "write [{}] and its keys below it"),
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


def _known(kind: type) -> list[str]:
    """The keys of a table, and the names of those in it before theirs."""
    return [*map(key_of, _names(kind)), *keys_of(kind)]


def _settings_problems(settings: Settings, text: str) -> list[Problem]:
    problems = []
    shown = "config/outreach.toml"
    for path, named in (
        (("office", "also-zone"), settings.office.also_zone),
        (("report", "zone"), settings.report.zone),
    ):
        if named:
            try:
                zone(named)
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
    if file_of(url):  # nearly everybody's, and SQLAlchemy is heavy
        return None
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
    known = {*adapter.asks, *keys_of(ChannelSettings)}
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
            zone(settings.zone)
        except ValueError as error:
            problems.append(Problem(f"{shown}:{line_of(text, (name, 'zone'))}", str(error)))
    if settings.holidays:
        import holidays

        known_countries = holidays.list_supported_countries()
        for country in settings.holidays:
            if country not in known_countries:
                where = f"{shown}:{line_of(text, (name, 'holidays'))}"
                hint = "write a country's two letters: CN, JP, KP, KR, MN, RU, TH"
                problems.append(Problem(where, f"the holidays of {country!r} are not known", hint))
    if settings.money_per_month is not None and not settings.costs_over(adapter.limits.costs):
        where = f"{shown}:{line_of(text, (name, 'money-per-month'))}"
        what = f"what a post costs on {settings.platform} is not known"
        problems.append(Problem(where, what, "write post-costs = 0.10 as well (US dollars)"))
    return problems
