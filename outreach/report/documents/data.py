"""The report as JSON: `Report.of(json.loads(...))` is the same report again."""

import json
from pathlib import Path

from outreach.report.value import Report


def write(report: Report, *, template_folder: Path) -> bytes:
    """UTF-8, indented, with the format's version first; it needs no template."""
    return (json.dumps(report.as_data(), ensure_ascii=False, indent=2) + "\n").encode()
