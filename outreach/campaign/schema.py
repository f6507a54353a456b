"""The JSON Schema of campaign files, so that an editor completes keys and marks mistakes.

It is made from the models: a key that they gain is here at once. What a key is for stands in
`keys`.

Editors read YAML their own way: `300` is a number to them and `true` a truth value, while the
project takes both as typed. So a text may be any scalar here. What one key may say because of
another (an event's name in `at`, an audience in `to`) is for `outreach check`.
"""

import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from outreach.campaign import models, when
from outreach.campaign.keys import KEYS

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_TBC_WORD: Final = r"^\s*[Tt][Bb][Cc]\s*$"
_SCALAR: Final = ["string", "number", "boolean"]


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _portable(pattern: re.Pattern[str]) -> str:
    """A pattern of ours for every engine: named groups are spelled otherwise elsewhere."""
    return re.sub(r"\?P<\w+>", "?:", pattern.pattern)


def _text(pattern: str, *examples: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "examples": list(examples)}


def _any_case(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in word)


# What stands for the types that the models give a name to.
NAMED: Final[tuple[tuple[Any, dict[str, Any]], ...]] = (
    (models.Moment, _ref("moment")),
    (models.Lateness, _ref("lateness")),
    (models.Text, {"anyOf": [_ref("text"), _ref("tbc")]}),
    (models.Day, {"anyOf": [_ref("day"), _ref("tbc")]}),
    (models.Clock, {"anyOf": [_ref("clock"), _ref("tbc")]}),
    (models.Count, {"anyOf": [_ref("count"), _ref("tbc")]}),
    (models.Zone, _ref("zone")),
    (models.Wall, _ref("wall")),
    (models.Weekday, _ref("weekday")),
    (models.Country, _ref("country")),
    (models.Identifier, _ref("name")),
)

DEFINITIONS: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": _SCALAR, "description": "A text; quote it where it has # : or a comma."},
    "tbc": {
        "description": "To be confirmed: what would print it waits.",
        "anyOf": [
            {"type": "string", "pattern": _TBC_WORD, "examples": ["tbc"]},
            {
                "type": "object",
                "properties": {
                    "tbc": {"type": _SCALAR, "description": "who will confirm it"},
                    "plan-with": {
                        "type": _SCALAR,
                        "description": "what slots are planned with; it is never printed",
                    },
                },
                "required": ["tbc"],
                "additionalProperties": False,
                "examples": [{"tbc": "organizers", "plan-with": "09:00"}],
            },
        ],
    },
    "name": {
        **_text("^[a-z0-9]+(-[a-z0-9]+)*$", "forum-2025"),
        "type": ["string", "integer"],
        "maxLength": 60,
        "description": "Small letters a to z, digits and hyphens.",
    },
    "moment": {
        **_text(
            rf"^\s*(?:{_portable(when._ABSOLUTE)}|{_portable(when._RELATIVE)})\s*$",
            "forum - 7 days",
            "forum - 7 days, 10:00 Asia/Seoul",
            "forum.ends + 1 hour",
            "2025-08-18 10:00 Asia/Seoul",
        ),
        "description": "A moment: counted from an event of this file, or with date and zone.",
    },
    "lateness": {
        **_text(
            rf"^\s*(?:ask|{_portable(when._LATE)})\s*$", "send within 15 minutes, then ask", "ask"
        ),
        "description": "What happens to a cleared post that is found late.",
    },
    "day": {**_text(r"^\s*\d{4}-\d{2}-\d{2}\s*$", "2025-08-25"), "description": "A date."},
    "clock": {
        **_text(r"^\s*([01]?\d|2[0-3]):[0-5]\d\s*$", "09:00"),
        "description": "A time of day, in quotes.",
    },
    "wall": {
        **_text(r"^\s*([01]?\d|2[0-3]):[0-5]\d\s+\S.*$", "10:00 Asia/Seoul"),
        "description": "A time of day with its zone, in quotes.",
    },
    "zone": {
        "type": "string",
        "examples": ["Asia/Bangkok", "Asia/Seoul", "Asia/Tokyo", "Asia/Ulaanbaatar", "UTC"],
        "description": "A time zone's full name.",
    },
    "weekday": {
        "description": "A weekday, spelled out.",
        "anyOf": [
            {"enum": [day[:3] for day in when.WEEKDAYS]},
            {"enum": [day.capitalize() for day in when.WEEKDAYS]},
            _text(
                f"^(?:{'|'.join(_any_case(d) for day in when.WEEKDAYS for d in (day, day[:3]))})$",
                "monday",
            ),
        ],
    },
    "country": {
        **_text("^[A-Za-z]{2}$", "KR", "TH", "JP", "CN", "MN", "RU", "KP"),
        "description": "A country's two letters.",
    },
    "count": {
        "anyOf": [{"type": "integer"}, _text(r"^\s*[-+]?\d+\s*$", "300")],
        "description": "A whole number.",
    },
    "yes-or-no": {
        "enum": ["yes", "no", "true", "false", "on", "off", True, False],
        "description": "yes or no",
    },
}


def schema() -> dict[str, Any]:
    """The schema of a campaign file, draft 2020-12, as JSON has it."""
    definitions = dict(DEFINITIONS)
    top = _model(models.Campaign, definitions)
    return {
        "$schema": DRAFT,
        "title": "A campaign of outreach",
        "description": "What should be said, to whom, where, in which languages and when.",
        **top,
        "$defs": definitions,
    }


def _model(model: type[models.Frozen], definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(model, include_extras=True)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        key = field.alias or name
        one = {**_of(hints[name], definitions)}
        if least := next((m.min_length for m in field.metadata if hasattr(m, "min_length")), None):
            one["minItems"] = least
        what, example = KEYS.get(model.__name__, {}).get(key, ("", ""))
        one["description"] = f"{what}\n\nExample: {example}" if example else what
        if field.is_required():
            required.append(key)
        elif isinstance(field.default, str) and field.default:
            one["default"] = field.default
        properties[key] = one
    made = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of one type of the models."""
    for named, made in NAMED:
        if hint == named:
            return made
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _of(inner[0], definitions)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        choices = [_of(one, definitions) for one in inner if one is not types.NoneType]
        return choices[0] if len(choices) == 1 else {"anyOf": choices}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0], definitions)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        values = _of(inner[1], definitions)
        made = {"type": "object", "additionalProperties": values}
        return made if inner[0] is str else {**made, "propertyNames": _of(inner[0], definitions)}
    if origin is models.Tbc:
        return _ref("tbc")
    if hint is bool:
        return _ref("yes-or-no")
    if hint is str:
        return _ref("text")
    if isinstance(hint, type) and issubclass(hint, models.Frozen):
        name = hint.__name__.lower()
        if name not in definitions:
            definitions[name] = {}  # its place in the order
            definitions[name] = _model(hint, definitions)
        return _ref(name)
    raise TypeError(f"there is no schema for {hint}")
