"""How every template of a report is run: sandboxed, strict, escaped, with errors for officers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from outreach.errors import Problem, WrongFiles


def environment() -> ImmutableSandboxedEnvironment:
    """A Jinja2 environment in which a name that is not there is a mistake, and text stays text."""
    return ImmutableSandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, finalize=_as_text, trim_blocks=True
    )


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Turns what is wrong with a template into a Problem with its file and, where known, line."""
    try:
        yield
    except TemplateSyntaxError as error:
        where = f"{file}:{error.lineno}" if file.suffix != ".docx" else str(file)
        problem = Problem(where, f"not a template: {error.message}", _BACK)
        raise WrongFiles([problem]) from error
    except UndefinedError as error:
        problem = Problem(str(file), f"prints what a report does not have: {error.message}", _BACK)
        raise WrongFiles([problem]) from error
    except SecurityError as error:
        problem = Problem(str(file), f"asks for what a template may not have: {error}", _BACK)
        raise WrongFiles([problem]) from error
    except TemplateError as error:
        raise WrongFiles([Problem(str(file), f"cannot be filled in: {error}", _BACK)]) from error


def missing(file: Path) -> WrongFiles:
    """There is no template: `raise missing(file) from error`."""
    return WrongFiles([Problem(str(file), "the report's template is not there", _BACK)])


_BACK = "`outreach init` writes the template that came with the program"


def _as_text(value: object) -> object:
    """What is printed, escaped, without the characters that no XML may hold.

    Braces are written as references, since docxtpl takes `{_{` in finished text for a tag.
    """
    if hasattr(value, "__html__") or isinstance(value, StrictUndefined):
        return value
    safe = str(escape(printable(str(value)))).replace("{", "&#123;").replace("}", "&#125;")
    return Markup(safe)  # noqa: S704 -- escaped just here


def printable(text: str) -> str:
    """A text with a mark in the place of each character that no document may hold."""
    return "".join(one if may_stand(one) else "\ufffd" for one in text)


def may_stand(one: str) -> bool:
    """Whether XML may hold this letter."""
    # XML 1.0, production 2 (Char); \a and \f are left out there, and docxtpl would break pages.
    code = ord(one)
    return one in "\t\n\r" or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
