"""What a database's errors mean for the person who waits, and what to do about them."""

from outreach.errors import Unusable

_TROUBLES = (
    (
        ("database is locked", "database table is locked"),
        "the database is locked by another program",
        "close what has it open (a second outreach, a database viewer), then try again",
    ),
    (
        ("lock timeout", "deadlock detected", "idle-in-transaction"),
        "the database is busy",
        "try again in a moment",
    ),
    (
        ("password authentication failed", "no password supplied", 'role "'),
        "the database server refused the login",
        "see its user and password in [desk] database, or in OUTREACH_DATABASE",
    ),
    (
        (
            "connection refused",
            "could not translate host",
            "failed to resolve",
            "timeout expired",
            "connection timeout",
            "name or service not known",
            "no such file or directory",
        ),
        "the database server cannot be reached",
        "see that it runs, and its address in [desk] database, or in OUTREACH_DATABASE",
    ),
    (
        (
            "server closed the connection",
            "terminating connection",
            "connection is closed",
            "starting up",
            "shutting down",
            "connection is lost",
            "recovery mode",
            "the connection is closed",
            "ssl connection has been closed",
            "connection reset",
            "consuming input failed",
            "sending query",
        ),
        "the database server ended the connection",
        "it may be starting anew; try again in a moment",
    ),
    (
        ("too many connections", "too many clients", "remaining connection slots"),
        "the database server takes no more connections",
        "raise its max_connections, or end what has them",
    ),
    (
        ("readonly database", "read-only"),
        "the database is read-only",
        "give this user the right to write it and the folder it is in",
    ),
    (
        ("disk is full", "no space left", "disk i/o error"),
        "the disk is full or failing",
        "make room, then try again; nothing was half-written",
    ),
    (
        ("unable to open database file",),
        "the database file cannot be opened",
        "see that its folder exists and may be written",
    ),
    (
        ("file is not a database", "malformed"),
        "the database file is damaged or is no database",
        "restore the last backup: outreach restore FILE --replace",
    ),
    (
        ("no such table", "does not exist"),
        "the database has no tables yet",
        "run: outreach init",
    ),
)


def meaning(error: object, place: object) -> Unusable | None:
    """What a database at `place` said, in words with a way out; None for what is not known."""
    told = str(error).lower()
    for signs, what, hint in _TROUBLES:
        if any(sign in told for sign in signs):
            return Unusable(f"{what} ({place})", hint)
    return None
