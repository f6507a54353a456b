"""A kit as files: a page to read first, each text, a sheet, pictures; and all of it as one zip.

Nothing here depends on when or where it runs: the same kit gives the same bytes. Until when a text
must wait is printed in every file, and stands in every picture's name, since it has no room for it.
"""

import csv
import io
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outreach.compose.languages import UNOFFICIAL
from outreach.post import Picture
from outreach.toolkit import Entry, Kit

README, SHEET, RECALL = "README.html", "posts.csv", "RECALL.txt"
_CUT = "-" * 40
_NUMBERS = re.compile(r"[=+\-@\t\r]")  # what a spreadsheet would take for a formula
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def files(kit: Kit) -> dict[str, bytes]:
    """Every file of the kit by its path in it, in order."""
    made = {README: _readme(kit).encode(), SHEET: _sheet(kit)}
    if kit.recalls:
        made[RECALL] = _recall(kit).encode()
    for entry in kit.entries:
        made[f"texts/{_stem(kit, entry)}.txt"] = _text(kit, entry).encode()
        for path, picture in pictures(kit, entry):
            made[path] = picture.data
            if picture.captions:
                made[captions(path, picture)] = picture.captions.data
    return dict(sorted(made.items()))


def zipped(kit: Kit, made: dict[str, bytes]) -> bytes:
    """The files below one folder, as a zip that is the same whenever it is written."""
    at = max(kit.made_at.astimezone(UTC), datetime(1980, 1, 1, tzinfo=UTC))
    into = io.BytesIO()
    with ZipFile(into, "w", ZIP_DEFLATED, compresslevel=9) as package:
        for path, data in made.items():
            entry = ZipInfo(f"{kit.stem}/{path}", at.timetuple()[:6])
            entry.compress_type, entry.create_system, entry.external_attr = (
                ZIP_DEFLATED,
                3,
                0o644 << 16,
            )
            package.writestr(entry, data)
    return into.getvalue()


def pictures(kit: Kit, entry: Entry) -> list[tuple[str, Picture]]:
    """The paths of an entry's pictures in the kit."""
    folder = f"pictures/{_safe(entry.channel)}"
    return [
        (f"{folder}/{_stem(kit, entry)}-{number}.{picture.name.rpartition('.')[2]}", picture)
        for number, picture in enumerate(entry.pictures, start=1)
    ]


def captions(path: str, video: Picture) -> str:
    """Where the captions of a video at this path are in the kit; "" where it has none."""
    words = video.captions
    ending = words.type.rpartition("/")[2] if words else ""
    return f"{path.rpartition('.')[0]}.{words.language}.{ending}" if words else ""


def moment(at: datetime, zone: str) -> str:
    """ "11 August 2025, 09:00 (Seoul time; 00:00 UTC)" """
    local, utc = at.astimezone(ZoneInfo(zone)), at.astimezone(UTC)
    here = f"{local.day} {local:%B %Y, %H:%M}"
    if local.utcoffset() == utc.utcoffset():
        return f"{here} UTC"
    other_day = "" if local.date() == utc.date() else f"{utc.day} {utc:%B}, "
    return f"{here} ({_city(zone)} time; {other_day}{utc:%H:%M} UTC)"


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """What the page says, by language and name; {places} are filled."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Speech:
    """Saying things in a language, with times in a zone; in English what it has no words for."""

    language: str
    zone: str

    @property
    def spoken(self) -> str:
        return self.language if self.language in words() else "en"

    def say(self, name: str, **places: object) -> str:
        return words()[self.spoken][name].format(**places)

    def moment(self, at: datetime) -> str:
        if self.spoken == "en":
            return moment(at, self.zone)
        from babel.dates import format_date, get_timezone_location

        local, utc = at.astimezone(ZoneInfo(self.zone)), at.astimezone(UTC)
        here = f"{format_date(local, 'long', locale=self.spoken)} {local:%H:%M}"
        if local.utcoffset() == utc.utcoffset():
            return f"{here} UTC"
        city = get_timezone_location(self.zone, locale=self.spoken, return_city=True)
        other_day = "" if local.date() == utc.date() else f"{utc:%Y-%m-%d} "
        return f"{here} ({city}; {other_day}{utc:%H:%M} UTC)"


def rules(kit: Kit, entry: Entry, language: str = "en") -> list[str]:
    """When a text may be used, a sentence each; the embargo first."""
    speech = Speech(language, kit.zone)
    told = {"embargo": entry.embargo, "not-before": entry.not_before, "not-after": entry.until}
    return [speech.say(name, at=speech.moment(at)) for name, at in told.items() if at]


def embargoes(kit: Kit, language: str = "en") -> list[str]:
    """The kit's embargoes as they are printed; mostly one."""
    speech = Speech(language, kit.zone)
    found = sorted({entry.embargo for entry in kit.entries if entry.embargo})
    return [speech.say("embargo", at=speech.moment(at)) for at in found]


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _stem(kit: Kit, entry: Entry) -> str:
    local = entry.not_before.astimezone(ZoneInfo(kit.zone))
    when = f"{local:%Y-%m-%d-%H%M}-{_safe(_city(kit.zone))}"
    return f"not-before-{when}_{_safe(entry.message)}_{_safe(entry.channel)}"


def _safe(name: str) -> str:
    return _NO_NAME.sub("-", name).strip("-.") or "text"


def _heading(kit: Kit) -> str:
    return f"{kit.title}\nKit for {kit.name} ({kit.language}), version {kit.version}"


def _text(kit: Kit, entry: Entry) -> str:
    """What to know, a line, and then nothing but the text."""
    over = f"Too long there by {entry.over} {entry.unit}: shorten the address."
    shown = pictures(kit, entry)
    told = [
        _heading(kit),
        f"{entry.message}, for {entry.network}",
        *rules(kit, entry),
        *(
            f"Picture: {path}\nIts alt text: {one.alt}"
            for path, one in shown
            if one.kind != "video"
        ),
        *(f"Video: {path}\nWhat one sees: {one.alt}" for path, one in shown if one.kind == "video"),
        *(f"Its captions: {captions(path, one)}" for path, one in shown if one.captions),
        *(f"Credit: {one.credit}" for one in entry.pictures if one.credit),
        *([over] if entry.over else []),
    ]
    named = zip(entry.names, entry.parts, strict=True)
    parts = [f"{_CUT} {name}".rstrip() + f"\n{part}" for name, part in named]
    return "\n".join([*told, *parts, ""])


def _sheet(kit: Kit) -> bytes:
    """A row a part, with a mark by which spreadsheets know it for UTF-8."""
    into = io.StringIO()
    rows = csv.writer(into, lineterminator="\r\n")
    rows.writerow(
        [
            *("message", "language", "network", "part", "text", "characters", "alt texts"),
            *("pictures", "embargo until", "do not publish before", "do not publish after"),
            "kit version",
        ]
    )
    for entry in kit.entries:
        for number, part in enumerate(entry.parts, start=1):
            shown = [] if number > 1 else pictures(kit, entry)
            row = (
                entry.message,
                kit.language,
                entry.network,
                entry.names[number - 1].removeprefix("part ") or "1 of 1",
                part,
                str(len(part)),
                "\n".join(picture.alt for _, picture in shown),
                "\n".join(path for path, _ in shown),
                moment(entry.embargo, kit.zone) if entry.embargo else "",
                moment(entry.not_before, kit.zone),
                moment(entry.until, kit.zone) if entry.until else "",
                f"v{kit.version}",
            )
            rows.writerow([f" {one}" if _NUMBERS.match(one) else one for one in row])
    return into.getvalue().encode("utf-8-sig")


def _recall(kit: Kit) -> str:
    lines = [
        _heading(kit),
        *embargoes(kit),
        "",
        "RECALL. Please do not use these texts of earlier versions any more. Where one is",
        "published already, take it down; where it says so, put the new one in its place.",
        "",
    ]
    for one in kit.recalls:
        what = "withdrawn, do not use" if one.gone else f"changed, use the one of v{kit.version}"
        of = ", ".join(f"v{number}" for number in one.versions)
        lines.append(f"* {one.message}, for {one.network} ({of}): {what}")
        lines.append(f"  It begins: {one.begins}")
    return "\n".join([*lines, ""])


def _readme(kit: Kit) -> str:
    speech = Speech(kit.language, kit.zone)

    def named(entry: Entry, number: int) -> str:
        if entry.names[number].startswith("part "):
            of = sum(name.startswith("part ") for name in entry.names)
            return speech.say("part", number=number + 1, of=of)
        return speech.say("comment") if number else ""

    return (
        _templates()
        .get_template("readme.html")
        .render(
            kit=kit,
            say=speech.say,
            spoken=speech.spoken,
            unofficial="" if speech.spoken == "en" else UNOFFICIAL[speech.spoken],
            named=named,
            embargoes=embargoes(kit, kit.language),
            moment=speech.moment,
            # The one embargo of all stands in the frame at the top.
            rules=lambda entry: rules(kit, entry, kit.language)[
                bool(entry.embargo and len(embargoes(kit)) == 1) :
            ],
            pictures=lambda entry: pictures(kit, entry),
            captions=captions,
            recall_file=RECALL,
            sheet=SHEET,
            days=_days(kit),
        )
    )


def _days(kit: Kit) -> list[tuple[str, list[Entry]]]:
    """The entries by message, in the order in which they are due."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(kit.entries, key=lambda one: (one.not_before, one.message, one.network)):
        found.setdefault(entry.message, []).append(entry)
    return list(found.items())


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
