"""The metric dictionary: what each figure means, and what may be added to what.

The words and flags are data, in config/metrics.toml. A figure that may not be added (reach: the
same person on two days, two posts or two networks) raises when someone tries; it does not return
a number. A figure that is missing makes a sum missing, never smaller.

A network that renames or redefines a figure breaks its series. The dictionary says from which day
which of its figures is ours, and what was counted under two definitions is never compared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from outreach.errors import OutreachError, Problem, WrongFiles
from outreach.toml import line_of, read_toml

Kind = Literal["counter", "gauge", "ratio"]
Over = Literal["posts", "days", "channels"]


class NotAdditive(OutreachError):
    """These figures may not be added: the sum would mean nothing."""


class Reason(StrEnum):
    """Why there is no figure."""

    NOT_OFFERED = "not_offered"
    NO_PERMISSION = "no_permission"
    BELOW_THRESHOLD = "below_threshold"
    EXPIRED_WINDOW = "expired_window"
    COLLECTION_FAILED = "collection_failed"
    NOT_YET_FINAL = "not_yet_final"
    METRIC_RETIRED = "metric_retired"
    MANUAL_PENDING = "manual_pending"
    DIRECT_LINKS = "direct_links"
    NO_LINKS = "no_links"
    WHOLE_MONTHS = "whole_months"

    @property
    def sentence(self) -> str:
        """The reason as a report prints it, without its full stop."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NOT_OFFERED: "The network does not offer this figure",
    Reason.NO_PERMISSION: "The network did not permit us to read this figure",
    Reason.BELOW_THRESHOLD: "The network gives this figure only above a minimum audience",
    Reason.EXPIRED_WINDOW: "The network no longer gave this figure when it was collected",
    Reason.COLLECTION_FAILED: "The figure could not be collected",
    Reason.NOT_YET_FINAL: "The figure was not yet final at the cut-off",
    Reason.METRIC_RETIRED: "The network has retired this figure",
    Reason.DIRECT_LINKS: (
        "The posts printed direct links, not short ones of this desk, so that nobody counted who "
        "followed them"
    ),
    Reason.NO_LINKS: "The posts printed no link that could be followed",
    Reason.WHOLE_MONTHS: (
        "Only totals of whole months were entered, and those cannot be cut to other days"
    ),
    Reason.MANUAL_PENDING: "The figure is read by hand and had not been entered at the cut-off",
}


@dataclass(frozen=True)
class Network:
    """What one network calls a figure. `parts`: our own figures that add up to it there.

    `begins` is the first day on which that holds, `until` the first on which it does not any more.
    """

    name: str = ""
    definition: str = ""
    source: str = ""
    parts: tuple[str, ...] = ()
    begins: date | None = None
    until: date | None = None

    @property
    def series(self) -> str:
        """What is counted under it can be compared with whatever has the same, and nothing else."""
        return f"{self.name}, from {self.begins}" if self.begins else self.name


@dataclass(frozen=True)
class Metric:
    """One figure: what it counts, in which unit, and over what it may be added.

    `kind`: a counter only grows; a gauge is read at a moment; a ratio is never added nor averaged.
    `also`: other column heads that mean it in a CSV file. `networks`: by platform's name, what it
    is there, oldest first.
    """

    name: str
    label: str
    definition: str
    unit: str
    kind: Kind
    sum_posts: bool = False
    sum_days: bool = False
    sum_channels: bool = False
    caution: str = ""  # printed wherever it is added over channels
    source: str = ""
    also: tuple[str, ...] = ()
    networks: Mapping[str, Sequence[Network]] = field(default_factory=dict)

    def adds_over(self, over: Over) -> bool:
        """Whether figures of several posts, days or channels may be added."""
        return {"posts": self.sum_posts, "days": self.sum_days, "channels": self.sum_channels}[over]

    def on(self, platform: str, day: date) -> Network | None:
        """What it is on a network on this day; None where the dictionary does not say."""
        for one in self.networks.get(platform, ()):
            if (one.begins is None or one.begins <= day) and (one.until is None or day < one.until):
                return one
        return None

    def after(self, platform: str, name: str) -> Network | None:
        """What took the place of the figure of this name on a network; None where nothing did."""
        known = self.networks.get(platform, ())
        found = [new for old, new in pairwise(known) if old.name == name and new.name != name]
        return found[0] if found else None

    def parts(self, platform: str) -> Sequence[str]:
        """Our own figures that add up to it on a network, as it is there today."""
        known = self.networks.get(platform, ())
        return known[-1].parts if known else ()

    def series(self, platform: str, day: date, called: str = "") -> str:
        """Which series a figure belongs to that was counted on a network on this day.

        `called`: the network's own name of what it was asked for, where that is known.
        """
        known = self.networks.get(platform, ())
        now = self.on(platform, day)
        if called and (now is None or now.name != called):
            now = next((one for one in known if one.name == called), Network(called))
        return now.series if now else ""


def add(metric: Metric, values: Iterable[int | None], *, over: Over) -> int | None:
    """The sum; None where a value is missing, or where there is nothing to add.

    Raises NotAdditive where the metric may not be added over posts, days or channels.
    """
    if not metric.adds_over(over):
        raise NotAdditive(
            f"{metric.label.lower()} may not be added over {over}: {metric.definition}",
            "print it for each alone",
        )
    known: list[int] = []
    for value in values:
        if value is None:
            return None
        known.append(value)
    return sum(known) if known else None


def combine(metric: Metric, network: str, figures: Mapping[str, int | None]) -> int | None:
    """The figure of one post on a network that gives it in parts: likes, replies and so on.

    The network's own figure where it gives one; None where a part is missing.
    """
    if metric.name in figures:
        return figures[metric.name]
    total = 0
    parts = metric.parts(network)
    for part in parts:
        value = figures.get(part)
        if value is None:
            return None
        total += value
    return total if parts else None


def load_metrics(file: Path) -> Mapping[str, Metric]:
    """The dictionary of config/metrics.toml, by name and in its order.

    Raises WrongFiles with every mistake and its line.
    """
    try:
        tables, text = read_toml(file, str(file))
    except FileNotFoundError as error:
        problem = Problem(str(file), "there is no such file", "outreach init makes one")
        raise WrongFiles([problem]) from error
    problems: list[Problem] = []
    found: dict[str, Metric] = {}
    for name, table in tables.items():
        wrong = list(_mistakes(table, _KEYS))
        problems += [
            Problem(f"{file}:{line_of(text, (name,))}", f"{name}: {what}") for what in wrong
        ]
        networks = table.get("networks", {}) if isinstance(table, dict) else {}
        for platform, given in networks.items() if isinstance(networks, dict) else ():
            for what in _in_turn(given):
                at = f"{file}:{line_of(text, (name, 'networks', platform))}"
                problems.append(Problem(at, f"{name}: networks.{platform}: {what}"))
                wrong.append(what)
        if not wrong:
            found[name] = _metric(name, table)
    problems += [
        Problem(
            f"{file}:{line_of(text, (name,))}", f"{name}: there is no metric {part!r} to make it of"
        )
        for name, metric in found.items()
        for networks in metric.networks.values()
        for part in {part for network in networks for part in network.parts}
        if part not in tables
    ]
    if problems:
        raise WrongFiles(problems)
    return found


_KEYS: Mapping[str, tuple[type, bool]] = {  # key: its type, and whether it must be there
    "label": (str, True),
    "definition": (str, True),
    "unit": (str, True),
    "kind": (str, True),
    "sum-posts": (bool, True),
    "sum-days": (bool, True),
    "sum-channels": (bool, True),
    "caution": (str, False),
    "source": (str, False),
    "also": (list, False),
    "networks": (dict, False),
}
_NETWORK_KEYS: Mapping[str, tuple[type, bool]] = {
    "name": (str, False),
    "definition": (str, False),
    "source": (str, False),
    "parts": (list, False),
    "from": (date, False),
    "until": (date, False),
}
_WORDS = {
    str: "a text",
    bool: "true or false",
    list: "a list of texts",
    dict: "a table",
    date: "a day, without quotes: 2025-11-15",
}


def _mistakes(table: object, keys: Mapping[str, tuple[type, bool]]) -> Iterable[str]:
    if not isinstance(table, dict):
        yield "must be a table"
        return
    for key, value in table.items():
        if key not in keys:
            near = get_close_matches(key, keys, 1)
            yield f"unknown key {key!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        elif not isinstance(value, keys[key][0]) or isinstance(value, datetime):
            yield f"{key} must be {_WORDS[keys[key][0]]}"
        elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
            yield f"{key} must be a list of texts"
    for key, (_, needed) in keys.items():
        if needed and key not in table:
            yield f"{key} is missing"
    kind = table.get("kind")
    if isinstance(kind, str) and kind not in get_args(Kind):
        yield f"kind must be counter, gauge or ratio, not {kind!r}"
    if kind == "ratio" and any(table.get(f"sum-{over}") is True for over in get_args(Over)):
        yield "a ratio is never added"


def _turns(given: object) -> list[Any]:
    """One table, or several that took turns."""
    return given if isinstance(given, list) else [given]


def _in_turn(given: object) -> Iterator[str]:
    """What is wrong with what a network calls a figure, or called it in turn."""
    turns = _turns(given)
    mistakes = [what for one in turns for what in _mistakes(one, _NETWORK_KEYS)]
    yield from mistakes
    if mistakes:
        return
    for one in turns:
        if "from" in one and "until" in one and one["until"] <= one["from"]:
            yield f"it ends on {one['until']}, before it begins"
    for old, new in pairwise(turns):
        if "until" not in old:
            yield f"say until when it was {old.get('name', 'the one above')!r}"
        elif "from" not in new:
            yield f"say from when it is {new.get('name', 'the one below')!r}"
        elif new["from"] < old["until"]:
            yield f"two hold on {new['from']}: the older one stands first, and ends first"


def _metric(name: str, table: Mapping[str, Any]) -> Metric:
    words = {key.replace("-", "_"): value for key, value in table.items()}
    words["also"] = tuple(words.get("also", ()))
    words["networks"] = {
        platform: tuple(_network(one) for one in _turns(given))
        for platform, given in words.get("networks", {}).items()
    }
    return Metric(name=name, **words)


def _network(given: Mapping[str, Any]) -> Network:
    words = {"begins" if key == "from" else key: value for key, value in given.items()}
    return Network(**{**words, "parts": tuple(words.get("parts", ()))})
