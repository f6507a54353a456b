"""Migrations by alembic, run from code: no file of settings, the same on every database."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, for this connection."""
    config = Config(attributes={"connection": connection} if connection else {})
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection) -> None:
    """Bring the tables to the newest revision, all in the connection's transaction.

    Alembic's own would end after each migration on SQLite, and let a process that started at the
    same moment in between.
    """
    command.upgrade(configuration(connection), "head")


def known() -> set[str]:
    """Every revision that this program knows."""
    return {script.revision for script in ScriptDirectory(str(HERE)).walk_revisions()}
