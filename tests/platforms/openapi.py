"""What an OpenAPI document has against a body: required, unknown, enum, type, pattern, length."""

import re
from collections.abc import Callable, Mapping
from typing import Any


def against(document: Mapping[str, Any]) -> Callable[..., list[str]]:
    """A check of a body against what the document says of the POST to a path."""

    def wrong(schema, value, where="body"):
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            return min((wrong(one, value, where) for one in schema["anyOf"]), key=len)
        types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
        if not isinstance(value, types.get(schema.get("type"), object)):
            return [f"{where}: not {schema['type']}"]
        found = []
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{where}: {value!r} is not one of {schema['enum']}")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{where}: {value!r} is not {schema['pattern']}")
        if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
            found.append(f"{where}: longer than {schema['maxLength']}")
        if isinstance(value, dict):
            found += [f"{where}: no {n}" for n in schema.get("required", []) if n not in value]
            for name, inner in value.items():
                if name not in schema.get("properties", {}):
                    found.append(f"{where}: unknown {name}")
                else:
                    found += wrong(schema["properties"][name], inner, f"{where}.{name}")
        if isinstance(value, list):
            if len(value) > schema.get("maxItems", len(value)):
                found.append(f"{where}: more than {schema['maxItems']}")
            found += [w for item in value for w in wrong(schema["items"], item, where)]
        return found

    def check(path, body):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        return wrong(content["application/json"]["schema"], body)

    return check
