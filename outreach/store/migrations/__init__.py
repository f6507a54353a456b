"""Migrations by alembic, run from code: no file of settings, the same on every database."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

HERE = Path(__file__).parent


def configuration(engine: Engine | Connection | None = None) -> Config:
    """Alembic's configuration for this engine, or for a connection that is open."""
    config = Config(attributes=_given(engine))
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _given(engine: Engine | Connection | None) -> dict[str, Any]:
    return {"engine": engine} if engine else {}


def upgrade(engine: Engine | Connection) -> None:
    """Bring the tables to the newest revision; on a connection, within its transaction."""
    command.upgrade(configuration(engine), "head")


def known() -> set[str]:
    """Every revision that this program knows."""
    return {script.revision for script in ScriptDirectory(str(HERE)).walk_revisions()}
