"""The report as JSON: `Report.of(json.loads(...))` is the same report again.

What stands in it is said by docs/report.schema.json, which is made from the classes:

    python -m outreach.report.documents.data docs/report.schema.json
"""

import json
import sys
from pathlib import Path
from typing import Any

from outreach.report.value import VERSION, Report


def write(report: Report, *, template_folder: Path) -> bytes:
    """UTF-8, indented, with the format's version first; it needs no template."""
    return _written(report.as_data())


def schema() -> dict[str, Any]:
    """The JSON Schema of a report of this version."""
    from pydantic import TypeAdapter

    made = TypeAdapter(Report).json_schema()
    for one in (made, *made["$defs"].values()):
        one["additionalProperties"] = False
    made["properties"]["version"] = {"const": VERSION}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _written(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode()


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(_written(schema()))
