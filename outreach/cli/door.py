"""What every command is given, and the one place where trouble becomes words and an exit code.

A command opens the desk, calls its verb, and hands the value to `show`. Nothing heavy is imported
here or at the top of any module of this package: help and completion must come at once.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from outreach.cli import logs, starter, tokens
from outreach.errors import NotAllowed, OutreachError, Unusable, WrongFiles

if TYPE_CHECKING:  # these bring the database with them
    from outreach.app import Outreach
    from outreach.clearance import Person

Verb = TypeVar("Verb", bound=Callable[..., None])

DONE, FOUND, DECLINED, UNUSABLE, OURS, STOPPED, UNHEARD = 0, 1, 2, 3, 70, 130, 141
EXITS = {
    DONE: "done",
    FOUND: "problems were found, or something needs a person",
    DECLINED: "the request was declined, or not understood",
    UNUSABLE: "the database or a folder cannot be used",
    OURS: "something went wrong inside outreach",
    STOPPED: "stopped with Ctrl-C, or at a question",
    UNHEARD: "whoever read the output went away",
}


class Opens(Protocol):
    """How a desk is opened: `outreach.app.open_desk`, or a test's own."""

    def __call__(self, home: Path | None, *, prepare: bool, make: bool) -> "Outreach": ...


def _open(home: Path | None, *, prepare: bool, make: bool) -> "Outreach":
    from outreach.app import open_desk

    return open_desk(home, prepare=prepare, make=make)


@dataclass
class Door:
    """One call of the program: which office, who acts, and whether somebody can be asked."""

    home: Path | None = None  # as --home says
    acting: str = ""  # as --as says
    open: Opens = _open
    terminal: bool | None = None  # None: look

    @property
    def asks(self) -> bool:
        """Whether a person sits there who can answer."""
        if self.terminal is None:
            return sys.stdin.isatty() and sys.stdout.isatty()
        return self.terminal

    @property
    def office(self) -> Path:
        """The office's folder. Raises NotFound where there is none."""
        from outreach.config import home_of

        return home_of(self.home)

    @contextmanager
    def desk(self, *, prepare: bool = True, make: bool = False) -> Iterator["Outreach"]:
        """The office's desk for as long as this lasts; its warnings go to the office's log."""
        home = self.office
        desk = self.open(home, prepare=prepare, make=make)
        try:
            with logs.to_file(home):
                yield desk
        finally:
            desk.close()

    def person(self, desk: "Outreach") -> "Person":
        """Who acts: the holder of OUTREACH_TOKEN, or of the token kept by `outreach login`.

        Raises NotAllowed where nobody is signed in, and for --as outside a demo.
        """
        if self.acting:
            if not desk.configuration.settings.desk.demo:
                raise NotAllowed(
                    "--as works in a demo only: here everybody acts with their own token",
                    "sign in: outreach login",
                )
            return desk.person(self.acting)
        token = os.environ.get("OUTREACH_TOKEN") or tokens.read(desk.home)
        if not token:
            raise NotAllowed(
                "nobody is signed in to this office here",
                "sign in with your token: outreach login   "
                "(an administrator makes you one: outreach people token NAME)",
            )
        return desk.whose(token)

    def anybody(self, desk: "Outreach") -> "Person | None":
        """Who acts, or None where nobody is signed in: for commands that only show."""
        if self.acting or os.environ.get("OUTREACH_TOKEN") or tokens.read(desk.home):
            return self.person(desk)
        return None


class Boundary(TyperCommand):
    """A command whose troubles end as words with a way out; never as a stack trace."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.Exit:
            raise
        except WrongFiles as error:
            _say(str(error), error.hint)
            raise typer.Exit(FOUND) from None
        except OutreachError as error:
            _say(str(error), error.hint)
            raise typer.Exit(UNUSABLE if isinstance(error, Unusable) else DECLINED) from None
        except (KeyboardInterrupt, typer.Abort):
            raise typer.Exit(STOPPED) from None
        except BrokenPipeError:
            hush()
            raise typer.Exit(UNHEARD) from None
        except OSError as error:
            if not error.filename:
                _ours(ctx.obj, error)
            _say(
                f"{error.filename} cannot be used: {error.strerror}",
                "see that it exists, and that you may read and write it",
            )
            raise typer.Exit(UNUSABLE) from None
        except Exception as error:
            _ours(ctx.obj, error)


def _ours(door: Door, error: Exception) -> NoReturn:
    try:
        home: Path | None = door.office
    except OutreachError:
        home = None
    kept = logs.keep_trace(home, error)
    _say(
        "something went wrong inside outreach; nothing was half-done",
        f"details are in {kept}" if kept else f"it was: {type(error).__name__}",
    )
    raise typer.Exit(OURS) from None


def _say(message: str, hint: str) -> None:
    from outreach.cli import rows

    typer.echo(rows.clean(message), err=True)
    if hint:
        typer.echo(f"→ {rows.clean(hint)}", err=True)


def hush() -> None:
    """Write to nobody from here on: the reader of our output has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Group(TyperGroup):
    """The commands. --home and --as may stand before or after the command's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _first(args))


def _first(args: Sequence[str]) -> list[str]:
    """The arguments with --home and --as at the front."""
    ours: list[str] = []
    rest: list[str] = []
    left = iter(args)
    for arg in left:
        if arg == "--":
            return [*ours, *rest, arg, *left]
        if arg in ("--home", "--as"):
            ours += [arg, *([value] if (value := next(left, None)) is not None else [])]
        elif arg.startswith(("--home=", "--as=")):
            ours.append(arg)
        else:
            rest.append(arg)
    return [*ours, *rest]


app = typer.Typer(
    cls=Group,
    name="outreach",
    help="Plan, clear, publish and measure a secretariat's social media campaigns.",
    epilog="\b\nA first day:\n"
    "  outreach init DIR      make the office's folder\n"
    "  outreach login         sign in with your token\n"
    "  outreach plan          see what the campaign files would publish\n"
    "  outreach apply         record exactly that\n"
    "  outreach review        read what waits; a colleague clears it\n"
    "  outreach run           publish what is cleared, when it is due\n\n"
    f"\b\nDocumentation:\n  {starter.documentation()}\n\n"
    "\b\nExit codes:\n" + "\n".join(f"  {code:<4} {words}" for code, words in EXITS.items()),
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: Rich alone would take longer than the rest of it
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def command(*examples: str, name: str | None = None) -> Callable[[Verb], Verb]:
    """Register a verb as a command; the examples stand at the end of its help."""
    shown = "\b\nExample:\n" if len(examples) == 1 else "\b\nExamples:\n"
    return app.command(name, cls=Boundary, epilog=shown + "\n".join(f"  {e}" for e in examples))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"outreach {version('outreach')}")
        raise typer.Exit(DONE)


@app.callback()
def outreach(
    ctx: typer.Context,
    home: Path | None = typer.Option(
        None, help="The office's folder, if not this one or one above. Or OUTREACH_HOME."
    ),
    acting: str = typer.Option("", "--as", metavar="NAME", help="Act as NAME: in a demo only."),
    _version: bool = typer.Option(
        False, "--version", help="Show the version.", is_eager=True, callback=_version
    ),
) -> None:
    door: Door = ctx.ensure_object(Door)
    door.home, door.acting = home or door.home, acting


def write_whole(file: Path, data: bytes) -> None:
    """A reader never sees half a file, nor loses the last one to a full disk."""
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(data)
    new.replace(file)


def as_json(data: Any) -> None:
    """Print a value for machines: dates as ISO 8601, letters as they are."""
    import json

    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def nobody_to_ask(what: str, instead: str) -> NotAllowed:
    """The error for a question that nobody is there to answer."""
    return NotAllowed(f"{what}, and there is no terminal to ask on", instead)


def choose(question: str, letters: str) -> str:
    """The first letter of an answer, one of `letters`; asks until there is one."""
    while True:
        answer = str(typer.prompt(f"{question} [{'/'.join(letters)}]")).strip().lower()[:1]
        if answer and answer in letters:
            return answer
