"""Alembic's entrance: one connection, one transaction, the tables of the whole program."""

from contextlib import nullcontext

from alembic import context
from sqlalchemy import Engine

from outreach.clearance import Clearance  # noqa: F401 - as above
from outreach.delivery import Delivery  # noqa: F401 - each registers its tables
from outreach.pace import Call  # noqa: F401 - as above
from outreach.store import tables  # noqa: F401 - as above
from outreach.store.base import Base
from outreach.subscribers import Subscriber  # noqa: F401 - as above

given = context.config.attributes["engine"]
own = isinstance(given, Engine)  # else a connection, whose transaction is the caller's

with given.connect() if own else nullcontext(given) as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if own:
        connection.commit()
