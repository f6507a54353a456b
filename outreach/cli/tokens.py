"""A person's own token on this machine: one file for each office, readable by nobody else."""

import hashlib
import os
import stat
from pathlib import Path

from outreach.errors import NotAllowed


def folder() -> Path:
    """Where this person's tokens are kept: $XDG_CONFIG_HOME/outreach."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "outreach"


def path(home: Path) -> Path:
    """The file of the token for the office in `home`."""
    return folder() / f"{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:12]}.token"


def read(home: Path) -> str:
    """The token that is kept for this office, or "".

    Raises NotAllowed where others could have read it: then it opens too much.
    """
    file = path(home)
    try:
        with file.open(encoding="utf-8") as opened:
            # Asked of the open file: its name could lead elsewhere a moment later.
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            if mode & 0o077:
                raise NotAllowed(
                    f"others on this machine may read your token in {file} ({mode:o})",
                    f"chmod 600 {file}, then get a new token: outreach people token NAME",
                )
            return opened.read().strip()
    except FileNotFoundError:
        return ""


def keep(home: Path, token: str) -> Path:
    """Keep the token for this office, in place of the one before; returns the file."""
    file = path(home)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(f".{os.getpid()}")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(token + "\n")
    new.replace(file)
    return file
