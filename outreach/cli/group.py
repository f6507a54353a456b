"""The commands by name: each is imported when it is typed, so that `outreach --help` comes at once.

The table below is what help lists; a test holds each line to what its command says of itself.
"""

from collections.abc import Iterator, MutableMapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from outreach.cli.door import DONE, EXITS, Door

COMMANDS = {
    "office": {
        "init": "Make an office's folder, its database and its first people.",
        "login": "Sign in to this office with your personal token.",
        "people": "List people, confirm a changed people.toml, or make a token.",
        "doctor": "Say which account will fail, and why, before the day.",
    },
    "files": {
        "check": "Show every mistake of every file, with its line and what to do.",
        "plan": "Show what applying the campaign files would change, and why.",
        "apply": "Record a plan, exactly as it was shown.",
    },
    "clearing": {
        "review": "Show what waits for clearance, as the public would see it.",
        "clear": "Say yes to a message, exactly as you have read it.",
        "return": "Send a message back to its authors.",
        "trail": "Show everything that happened to a post: when, who, what, why.",
    },
    "running": {
        "status": "Show what needs a person, what is next, what cannot go out.",
        "tick": "Take one turn of the clock: publish what is due.",
        "run": "Run the desk: publish what is due, serve the public pages.",
        "hold": "Stop publishing at once: all, a campaign, channel or message.",
        "release": "End a hold, and show what became late meanwhile.",
        "settle": "Decide what the program cannot know, or should not do alone.",
    },
    "figures": {
        "import": "Show the figures of a CSV file, ask, and keep them.",
        "report": "Compute a month and write it as Word, web page and JSON.",
    },
}
"""The modules of this package, their commands, and what each does."""

_MODULES = {name: module for module, commands in COMMANDS.items() for name in commands}


class _OnDemand(MutableMapping[str, Any]):
    """Commands by name; the module of one is imported when it is looked up."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = dict.fromkeys(_MODULES)

    def __getitem__(self, name: str) -> Any:
        if self._known[name] is None:
            module = import_module(f"outreach.cli.{_MODULES[name]}")
            made: Any = typer.main.get_command(module.app)
            self._known |= made.commands
        return self._known[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._known[name] = command

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class Group(TyperGroup):
    """The commands. --home and --as may stand before or after the command's name."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _OnDemand()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _first(args))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([line for lines in COMMANDS.values() for line in lines.items()])


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
    "\b\nExit codes:\n" + "\n".join(f"  {code:<4} {words}" for code, words in EXITS.items()),
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: Rich alone would take longer than the rest of it
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


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
