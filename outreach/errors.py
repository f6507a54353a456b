"""
Everything that can go wrong, on one screen.

* OutreachError          a person asked for something that we must decline
  - NotAllowed           not in this state, or not by this person
  - Changed              it is no longer what was read, or what the plan was made from
  - NotFound             there is no such thing; the nearest one is in the hint
  - WrongFiles           mistakes in files, all of them, each with file and line
  - TooMuch              legal, but so large that it has to be asked for twice
  - Unusable             the database or a folder cannot be used: locked, read-only, full, too new
* PlatformError          a network did not take a part of a post
  - Refused              nothing is live, and asking again will not help
  - NotNow               nothing is live; ask again later
  - Uncertain            it may be live: look before doing anything else
  - Handed               a person has it now; they will say when it is live
* CannotTell             this network offers no way to look

One question divides every failure of a network: could it be live?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file, or in a post, that a person should put right.

    `where` is "campaigns/forum-2025.yaml:41" or a post's key. `open` marks a fact that is
    *to be confirmed*: no mistake, but what would print it waits. `advice` marks what nothing waits
    for and a person should know: a slot on a holiday, a key that nothing acts upon yet.
    """

    where: str
    what: str
    hint: str = ""
    open: bool = False
    advice: bool = False

    @property
    def mistake(self) -> bool:
        return not (self.open or self.advice)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"\n    → {self.hint}" if self.hint else "")


class OutreachError(Exception):
    """A request we decline. The message says why, the hint says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NotAllowed(OutreachError):
    """Not in this state, or not by this person."""


class Changed(OutreachError):
    """It is no longer what was read, or what the plan was made from."""


class NotFound(OutreachError):
    """There is no such thing."""


class WrongFiles(OutreachError):
    """Mistakes in files: all of them, each with file and line."""

    def __init__(self, problems: Sequence[Problem], hint: str = "") -> None:
        count = len(problems)
        super().__init__(
            "\n".join(str(problem) for problem in problems),
            hint or f"put {'this' if count == 1 else f'these {count}'} right and run it again",
        )
        self.problems = tuple(problems)


class TooMuch(OutreachError):
    """Legal, but so large that it has to be asked for twice."""


class Unusable(OutreachError):
    """The database or a folder cannot be used."""


class PlatformError(Exception):
    """A network did not take a part of a post."""


class Refused(PlatformError):
    """Nothing is live, and asking again will not help."""


class NotNow(PlatformError):
    """Nothing is live; ask again after `wait`.

    `everything`: the network has said so of all that the account posts, not of this post alone.
    """

    def __init__(
        self, reason: str, wait: timedelta = timedelta(minutes=1), *, everything: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait, self.everything = wait, everything


class Uncertain(PlatformError):
    """It may be live: look before doing anything else."""


class Handed(PlatformError):
    """A person has it now, who posts it and tells us its address."""


class CannotTell(PlatformError):
    """This network offers no way to look; a person has to."""
