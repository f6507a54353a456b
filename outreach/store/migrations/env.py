"""Alembic's entrance: one connection, one transaction, the tables of the whole program."""

from alembic import context

from outreach.clearance import Clearance  # noqa: F401 - as above
from outreach.delivery import Delivery  # noqa: F401 - each registers its tables
from outreach.pace import Call  # noqa: F401 - as above
from outreach.store import Base, tables  # noqa: F401 - as above

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
