"""The child program that renders texts: `render.py` starts it, feeds it, and ends it.

Jinja2's sandbox keeps a template from reaching the program; it does not keep it from asking for
too much memory or time (of 23 exhausting templates it stopped 8). So texts are rendered here,
in a process of their own that can be killed: it has a limit on memory, one on processor time,
no secrets in its environment, and imports nothing of the project.

It reads one job a line from standard input, `{"source", "context", "seconds", "output"}`, and
answers each with one line: `{"text", "uses", "problems"}`, where a problem is [line of the
source, what, hint, open]; or `{"memory": true}`, after which it ends.

A value of the context that is to be confirmed is `{"__tbc__": {"name", "who", "hint"}}`.
Printing, testing or comparing one is an open problem; so is naming one in a branch that is not
taken, since what is not known cannot be foreseen. Whom a text may mention is
`{"__mentions__": {name: value}}`; what a rehearsal prints instead of a fact, `{"__mark__": text}`.
"""

import contextlib
import difflib
import gc
import json
import math
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from decimal import Decimal, localcontext
from types import TracebackType
from typing import Any, NamedTuple, NoReturn

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
    pass_context,
)
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.utils import missing

# What a text for the public needs, and nothing that formats, evaluates, looks up attributes, or
# (`default`) turns a misspelt name into an answer.
FILTERS = (
    *("abs", "capitalize", "count", "first", "int", "join", "last", "length", "list"),
    *("lower", "number", "percent", "replace", "reverse", "round", "sort", "title", "trim"),
    *("unique", "upper"),
)
_DICT_METHODS = frozenset({"items", "keys", "values", "get"})
_FORBIDDEN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


class Trouble(NamedTuple):
    """What keeps a source from becoming a text; `line` counts from 1 within the source."""

    line: int
    what: str
    hint: str = ""
    open: bool = False


class ToBeConfirmed(Exception):
    """A text needs something that is not known yet. Neither AttributeError nor LookupError:
    Jinja2 takes those for "no such name" and goes on."""

    def __init__(self, fact: "Tbc") -> None:
        super().__init__(fact.what)
        self.fact = fact


class Tbc:
    """A fact to be confirmed: whatever is done with it raises ToBeConfirmed."""

    __slots__ = ("hint", "what")

    def __init__(self, name: str, who: str = "", hint: str = "") -> None:
        self.what = f"{name} is to be confirmed" + (f" by {who}" if who else "")
        self.hint = hint

    def _open(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise ToBeConfirmed(self)

    def __getattr__(self, name: str) -> NoReturn:
        raise ToBeConfirmed(self)

    __str__ = __repr__ = __format__ = __bool__ = __len__ = __iter__ = __getitem__ = _open
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = __contains__ = _open
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _open
    __int__ = __float__ = __index__ = __call__ = __neg__ = __abs__ = __round__ = _open


class Mark(str):
    """What a rehearsal prints in the place of what is to be confirmed, numbers included."""

    __slots__ = ()


class Unknown(StrictUndefined):
    """A name that is not known; its message ends, behind a NUL, with the nearest known one."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[Exception] = UndefinedError,
    ) -> None:
        if hint is None and name is not None:
            known = list(obj) if isinstance(obj, dict) else []
            hint = f"{name} is not known\0{nearest(str(name), known)}"
        super().__init__(hint, obj, name, exc)  # type: ignore[arg-type]  # as Jinja2 itself calls it


class Sandbox(ImmutableSandboxedEnvironment):
    """Plain text, strict names, no loader, few filters; a key comes before a method of dict."""

    def __init__(self) -> None:
        super().__init__(
            undefined=Unknown,
            autoescape=False,  # plain text; what shows it as HTML escapes it there
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,  # constants are computed when rendered, within the limits
            cache_size=0,
            finalize=_printed,
        )
        self.filters |= {"number": number, "percent": percent}
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.globals = {"range": safe_range}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_CALLED = {
    "NoneType": "nothing at all",
    "builtin_function_or_method": "a method",
    "bool": "true or false",
    "dict": "names and values",
}


class Mentions:
    """`mention('incheon')`: what a partner is called here."""

    __slots__ = ("_known",)

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known

    def __call__(self, name: object = "") -> Any:
        if name in self._known:
            return self._known[str(name)]
        near = nearest(str(name), self._known)
        there = near and f"\0mention('{near}')"
        raise UndefinedError(f"{str(name)[:60] or 'nobody'} is not in config/partners.toml{there}")


class Slip(Exception):
    """A slip of the pen, with what to do about it."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def _printed(value: Any) -> Any:
    """What may be printed: text and numbers. A list, a method or None is a slip of the pen."""
    if isinstance(value, Tbc | StrictUndefined):
        return value
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    str(value)  # a list of what is to be confirmed is that, before it is anything else
    what = _CALLED.get(type(value).__name__, f"a {type(value).__name__}")
    hint = "name one value; of a list, | join(', ') prints all"
    raise Slip(f"this would print {what}, as Python writes it", hint)


# --- numbers ------------------------------------------------------------------------------

_TYPED = re.compile(
    r"(?P<figures>[-\u2212]?[0-9]{1,20}(?:\.(?P<decimals>[0-9]{1,20}))?)(?P<percent>[ \u00a0]?%)?"
)
_SEPARATED = re.compile(
    r"(?P<whole>[-\u2212]?[0-9]{1,3}(?P<by>[ ,.'’_\u00a0\u202f])[0-9]{3}(?:(?P=by)[0-9]{3})*)"
    r"(?:[.,](?P<decimals>[0-9]{1,20}))?"
)


@pass_context
def number(context: Context, value: object) -> str:
    """As the language of the text writes it, with the decimals that were typed: "1,200"."""
    if isinstance(value, Mark):
        return value
    typed = _typed(value)
    if typed["percent"]:
        raise Slip(f"“{typed[0]}” is a percentage", "print it with | percent")
    return _written(context, typed, "decimal_formats")


@pass_context
def percent(context: Context, value: object) -> str:
    """ "12.5", or "12.5%", as the language of the text writes a percentage."""
    return value if isinstance(value, Mark) else _written(context, _typed(value), "percent_formats")


def _typed(value: object) -> re.Match[str]:
    """A number as a person typed it, or as a template has computed it.

    Figures and a decimal point alone: "1,200" is one thousand two hundred in one language and a
    little over one in another, and a guess would be printed in six.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 5000 / 2 has no decimals that anybody typed
    text = str(value).strip()  # of what is to be confirmed, or not known, this raises
    if found := _TYPED.fullmatch(text):
        return found
    said = text if len(text) <= 60 else f"{text[:59]}…"
    if found := _SEPARATED.fullmatch(text):
        figures = found["whole"].replace(found["by"], "")
        figures += f".{found['decimals']}" if found["decimals"] else ""
        hint = f"type {figures}: each language's own separators are put in"
        raise Slip(f"“{said}” is a number with separators", hint)
    hint = "type it in figures alone, as 1200 or 1200.5; or print it without | number or | percent"
    raise Slip(f"“{said}” is not a number", hint)


def _written(context: Context, typed: re.Match[str], formats: str) -> str:
    from babel import Locale, UnknownLocaleError  # a text without numbers does not wait for it

    try:
        locale = Locale.parse(context.get("language", "en"), sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    pattern = copy(getattr(locale, formats)[None])
    pattern.frac_prec = (len(typed["decimals"] or ""),) * 2  # a fact is not rounded
    with localcontext(prec=60):  # more than the figures of any number that is read
        value = Decimal(typed["figures"].replace("\u2212", "-")).scaleb(-pattern.scale)
        return str(pattern.apply(value, locale))


def nearest(name: str, known: Iterable[Any], cutoff: float = 0.6) -> str:
    """The known name that was probably meant, or ""; difflib takes seconds over a paragraph."""
    if len(name) > 60:
        return ""
    close = difflib.get_close_matches(name, [str(k) for k in known], 1, cutoff)
    return close[0] if close else ""


def main() -> None:
    """Answer jobs until standard input ends. The limit of memory (bytes) is the one argument."""
    _limit("RLIMIT_AS", int(sys.argv[1]))
    _limit("RLIMIT_CORE", 0)
    work = Work()
    answer = sys.stdout
    sys.stdout = sys.stderr
    answer.write("ready\n")
    answer.flush()
    for line in sys.stdin:
        try:
            said = work.do(json.loads(line))
        except MemoryError:
            said = {"memory": True}
            gc.collect()
        answer.write(json.dumps(said) + "\n")
        answer.flush()
        if "memory" in said:
            return


def _limit(name: str, amount: int) -> None:
    # Windows has no such limits, and some systems refuse one; there the parent's clock ends us.
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        limit = getattr(resource, name)
        resource.setrlimit(limit, (amount, resource.getrlimit(limit)[1]))


def _limit_time(seconds: float) -> None:
    """Processor time for this job: ends us even where the parent is no longer there to do it."""
    _limit("RLIMIT_CPU", math.ceil(time.process_time() + seconds) + 1)


class Work:
    """Renders jobs; a source is compiled once."""

    def __init__(self) -> None:
        self._environment = Sandbox()
        self._compiled: dict[str, tuple[Template, list[Reference]] | Trouble] = {}

    def do(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one job; MemoryError passes."""
        _limit_time(job["seconds"])
        source = job["source"]
        if source not in self._compiled:
            self._compiled[source] = self._compile(source)
        compiled = self._compiled[source]
        if isinstance(compiled, Trouble):
            return {"text": None, "uses": [], "problems": [compiled]}
        template, references = compiled
        context = _revive(job["context"])
        known = {**context, **self._environment.globals}
        problems = list(dict.fromkeys(filter(None, (r.trouble(known) for r in references))))
        text = None
        if not problems:
            text, problem = _render(template, context, job["output"])
            problems = [problem] if problem else []
        uses = sorted({".".join(map(str, r.path)) for r in references})
        return {"text": text, "uses": uses, "problems": problems}

    def _compile(self, source: str) -> "tuple[Template, list[Reference]] | Trouble":
        try:
            tree = self._environment.parse(source)
            for node in tree.find_all(_FORBIDDEN):
                return Trouble(node.lineno, "a text may not bring in other files", "write it here")
            references = _references(tree)
            return self._environment.from_string(source), references
        except TemplateSyntaxError as error:
            return self._syntax(error)
        except RecursionError:
            return Trouble(1, "nested too deeply", "make it simpler")
        except SyntaxError as error:  # Python's own, from the code that Jinja2 wrote
            return Trouble(1, f"cannot be read: {error.msg}", "make it simpler")

    def _syntax(self, error: TemplateSyntaxError) -> Trouble:
        what = (error.message or "cannot be read").rstrip(".")
        what = what.replace("Jinja was looking for the following tags:", "There should be")
        if what.startswith("No filter named"):
            name = what.split("'")[1]
            near = nearest(name, FILTERS, 0.7)  # they are short: "format" is not "sort"
            there = f"there are: {', '.join(FILTERS)}"
            hint = f"did you mean {near}? " + there if near else there
            return Trouble(error.lineno, f"the text may not use the filter {name!r}", hint)
        hint = "{{ … }} prints a name, {% … %} is a command, {# … #} a comment; each must be closed"
        return Trouble(error.lineno, f"the template cannot be read: {what}", hint)


class Reference:
    """A name of the context that a text mentions: `facts.theme`, and in which line."""

    def __init__(self, path: tuple[str | int, ...], line: int) -> None:
        self.path = path
        self.line = line

    def trouble(self, known: Mapping[str, Any]) -> Trouble | None:
        """Whether it is unknown or to be confirmed; what only rendering can tell is None."""
        here: Any = known
        for depth, step in enumerate(self.path):
            if isinstance(here, Tbc):
                break
            if not isinstance(here, dict):
                return None
            if step not in here:
                if depth and step in _DICT_METHODS:
                    return None
                return self._unknown(depth, step, list(here))
            here = here[step]
        if isinstance(here, Tbc):
            return Trouble(self.line, here.what, here.hint, open=True)
        return None

    def _unknown(self, depth: int, step: str | int, known: list[Any]) -> Trouble:
        before = [*map(str, self.path[:depth])]
        what = ".".join([*before, str(step)]) + " is not known"
        if str(step).startswith("__"):
            return Trouble(self.line, f"the text may not use {step}", "take it out")
        near = nearest(str(step), known)
        names = ".".join(before)
        some = ", ".join(sorted(str(name) for name in known if name != "range")[:12])
        hint = f"did you mean {'.'.join([*before, near])}?" if near else f"known are: {some}"
        if not known:
            hint = f"there is nothing in {names} yet; add it to the campaign file"
        return Trouble(self.line, what, hint)


def _references(tree: nodes.Template) -> "list[Reference]":
    """Every path of the context that the text mentions, in the order in which it stands there."""
    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)}
    own |= {"loop", "caller", "varargs", "kwargs"}
    return list(_walk(tree, own))


def _walk(node: nodes.Node, own: set[str]) -> "Iterator[Reference]":
    steps: list[str | int] = []
    inner = node
    while isinstance(inner, nodes.Getattr | nodes.Getitem):
        if isinstance(inner, nodes.Getattr):
            steps.append(inner.attr)
        elif isinstance(inner.arg, nodes.Const) and isinstance(inner.arg.value, str | int):
            steps.append(inner.arg.value)
        else:
            steps.clear()
            yield from _walk(inner.arg, own)
        inner = inner.node
    if isinstance(inner, nodes.Name):
        if inner.ctx == "load" and inner.name not in own:
            yield Reference((inner.name, *reversed(steps)), node.lineno)
        return
    for child in inner.iter_child_nodes():
        yield from _walk(child, own)


def _revive(value: Any) -> Any:
    if isinstance(value, dict):
        if "__tbc__" in value:
            return Tbc(**value["__tbc__"])
        if "__mentions__" in value:
            return Mentions(_revive(value["__mentions__"]))
        if "__mark__" in value:
            return Mark(value["__mark__"])
        return {name: _revive(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_revive(item) for item in value]
    return value


def _render(
    template: Template, context: Mapping[str, Any], most: int
) -> tuple[str | None, Trouble | None]:
    """The text, or the one problem that stopped it."""
    text: list[str] = []
    length = 0
    try:
        for piece in template.root_render_func(template.new_context(dict(context))):
            length += len(piece)
            if length > most:
                what = f"the text is longer than {most:,} characters"
                return None, Trouble(1, what, "look for a loop that repeats too often")
            text.append(piece)
        whole = "".join(text)
        whole.encode()  # half of a surrogate pair, which "\\ud83d" can make, is no text
    except MemoryError:
        raise
    except ToBeConfirmed as error:
        return None, Trouble(_line(template, error), error.fact.what, error.fact.hint, open=True)
    except Slip as error:
        return None, Trouble(_line(template, error), str(error), error.hint)
    except SecurityError as error:
        what = f"the text may not use this: {str(error).rstrip('.')}"
        return None, Trouble(_line(template, error), what, "take it out")
    except UndefinedError as error:
        what, _, near = str(error).partition("\0")
        hint = f"did you mean {near}?" if near else ""
        return None, Trouble(_line(template, error), what, hint)
    except RecursionError as error:
        what = "a macro calls itself without end"
        return None, Trouble(_line(template, error), what, "take the call out")
    except Exception as error:  # a text can make Python raise anything
        what = f"this cannot be computed: {error or type(error).__name__}"
        return None, Trouble(_line(template, error), what, "make it simpler")
    return whole, None


def _line(template: Template, error: BaseException) -> int:
    """The line of the source that raised: the innermost frame that is the template's own."""
    line = 1
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


if __name__ == "__main__":
    main()
