"""An office's first folder: what `outreach init` writes, and never writes over.

Settings, metrics and report templates are copied from the program; people.toml is written from
who was named; a small example campaign shows the format and can be deleted.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

from outreach.errors import NotAllowed

SPELLING = "ana:Ana Example:ana@example.org:officer,administrator"
COPIED = (
    "config/outreach.toml",
    "config/channels.toml",
    "config/metrics.toml",
    "config/bots.txt",
    *(f"config/house-style/{language}.yaml" for language in ("en", "ja", "ko", "mn", "ru", "zh")),
    "config/dates.toml",
    "config/som.toml",
    "config/partners.toml",
    "config/boilerplate.toml",
    "config/newsletter.toml",
    "templates/reports/monthly.docx",
    "templates/reports/monthly.html",
    "templates/reports/monthly.typ",
)
FOLDERS = (
    "campaigns",
    "config",
    "templates/posts",
    "templates/reports",
    "media",
)  # data/ is the store's
IGNORED = "# Never kept with the files: the database and its logs, and secrets.\ndata/\n.env\n"


@dataclass(frozen=True)
class Newcomer:
    """Somebody of a new office, as named on the command line."""

    id: str
    name: str
    email: str
    roles: tuple[str, ...]


def newcomer(text: str) -> Newcomer:
    """The person in "ana:Ana Example:ana@example.org:officer,administrator".

    Raises NotAllowed, with how to write it.
    """
    from outreach.config import Role

    known = get_args(Role)
    identity, *rest = text.strip().split(":")
    if len(rest) < 3:
        raise NotAllowed(f"{text!r} names nobody", f'write --person "{SPELLING}"')
    roles = tuple(role.strip() for role in rest[-1].split(",") if role.strip())
    name, email = ":".join(rest[:-2]), rest[-2]
    identity, name, email = an_id(identity), a_name(name), an_address(email)
    if wrong := [role for role in roles if role not in known]:
        raise NotAllowed(f"{wrong[0]} is not a role", f"roles are: {', '.join(known)}")
    return Newcomer(identity, name, email, roles)


def an_id(text: str) -> str:
    """A person's id, "ana". Raises NotAllowed, as the two below."""
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", text.strip()):
        raise NotAllowed(f"{text!r} is no id of a person", "small letters, digits and hyphens: ana")
    return text.strip()


def a_name(text: str) -> str:
    """A person's name, "Ana Example"."""
    if not text.strip() or not text.strip().isprintable():
        raise NotAllowed(f"{text!r} is no name of a person", "write it like Ana Example")
    return text.strip()


def an_address(text: str) -> str:
    """Where their notices go, "ana@example.org"; nowhere for "" """
    if text.strip() and not (
        re.fullmatch(r"[^@\s]+@[^@\s]+", text.strip()) and text.strip().isprintable()
    ):
        raise NotAllowed(f"{text!r} is no address", "write it like ana@example.org")
    return text.strip()


def can_work(people: Sequence[Newcomer]) -> None:
    """Raises NotAllowed where these people could not clear each other's posts."""
    example = f'--person "{SPELLING}" --person "bo:Bo Example:bo@example.org:clearer,administrator"'
    if len({person.id for person in people}) < max(2, len(people)):
        raise NotAllowed(
            "an office has at least two people, each named once: nobody clears their own posts",
            f"outreach init DIR {example}",
        )
    pairs = [
        (a, b)
        for a in people
        for b in people
        if a is not b and "officer" in a.roles and "clearer" in b.roles
    ]
    if not pairs:
        raise NotAllowed(
            "nobody could clear anything: one person writes (officer), another clears (clearer)",
            f"outreach init DIR {example}",
        )
    if not any("administrator" in person.roles for person in people):
        raise NotAllowed(
            "nobody could make tokens", "give one of them the role administrator as well"
        )


def lay_out(home: Path, people: Sequence[Newcomer], *, today: date) -> tuple[list[str], list[str]]:
    """Write what is missing in the office's folder; returns the files made, and those left.

    Nothing that exists is touched. A new office gets an example campaign.
    """
    new = not (home / "config" / "people.toml").exists()
    for folder in FOLDERS:
        (home / folder).mkdir(parents=True, exist_ok=True)
    files = {name: (source() / name).read_bytes() for name in COPIED}
    files[".gitignore"] = IGNORED.encode()
    if people:
        files["config/people.toml"] = people_toml(people).encode()
        if new and not any((home / "campaigns").iterdir()):
            files |= {
                name: text.encode() for name, text in example(people[0].id, today=today).items()
            }
    made = written(home, files)
    return made, [name for name in files if name not in made]


def written(home: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write what is not there, in this order; the names of what was written."""
    made = []
    for name, data in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        made.append(name)
    return made


def documentation() -> Path:
    """The folder with guide.md, the first page to read."""
    return source() / "docs"


def source() -> Path:
    """The program's own config/, templates/ and docs/: in the package, or beside a checkout's."""
    package = Path(__file__).parents[1]
    packed = package / "starter"
    return packed if packed.is_dir() else package.parent


def people_toml(people: Sequence[Newcomer]) -> str:
    """config/people.toml for these people."""
    head = (
        "# Who may do what. Roles: officer (writes, applies, holds, imports, reports), clearer\n"
        "# (clears and returns), translator, reviewer, administrator (tokens), guest (reads).\n"
        "# Nobody clears what they wrote, whatever their roles. A change takes effect when two\n"
        "# people have confirmed it with `outreach people confirm`.\n"
    )
    tables = (
        f"\n[{person.id}]\n"
        f"name = {_quoted(person.name)}\n"
        f"email = {_quoted(person.email)}\n"
        f"roles = [{', '.join(_quoted(role) for role in person.roles)}]\n"
        for person in people
    )
    return head + "".join(tables)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's as well, and `newcomer` has refused what neither prints.
    return json.dumps(text, ensure_ascii=False)


def example(author: str, *, today: date) -> dict[str, str]:
    """A first campaign and its texts, by file name; its event lies 60 days ahead."""
    return {
        "campaigns/example.yaml": _CAMPAIGN.format(author=author, day=today + timedelta(days=60)),
        **{f"templates/posts/example/{name}.md": text for name, text in _TEXTS.items()},
    }


_CAMPAIGN = """\
# An example to start from: copy it, or change it, or delete it. Nothing goes out by itself:
# outreach plan shows what it asks for, and a colleague has to clear it.
# The format is described in campaign-files.md of the documentation: outreach --help says where.

campaign: example
programme: low-carbon-cities
title: An example event
written-by: {author}
languages: {{source: en}}

events:
  event:
    date: {day}               # move it, and every message moves with it
    starts: "09:00"
    ends: "17:00"
    zone: Asia/Bangkok
    place: "An example hall, Bangkok"

links:
  programme: tbc                 # to be confirmed: a text that prints it waits

audiences:
  main: {{en: [web]}}              # the channels of config/channels.toml

defaults:
  time: "10:00 Asia/Bangkok"
  if-late: "send within 15 minutes, then ask"
  not-after: event.starts
  to: main

messages:                        # the texts are in templates/posts/example/
  save-the-date: {{at: event - 30 days}}
  programme: {{at: event - 14 days}}
  thank-you: {{}}                  # no time yet: an idea, listed and never sent
"""

_TEXTS = {
    "save-the-date": (
        "## en\n\n"
        "Save the date: {{ campaign.title }}\n\n"
        "{{ campaign.title }} takes place on {{ events.event.weekday }}, "
        "{{ events.event.date }}, at {{ events.event.place }}.\n"
    ),
    "programme": ("## en\n\nThe programme of {{ campaign.title }} is out: {{ links.programme }}\n"),
    "thank-you": ("## en\n\nThank you to everybody who took part in {{ campaign.title }}.\n"),
}
