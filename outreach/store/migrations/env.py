"""Alembic's entrance: the caller's connection and transaction, the tables of the whole program."""

from alembic import context

from outreach.clearance import Clearance  # noqa: F401 - as above
from outreach.delivery import Delivery  # noqa: F401 - each registers its tables
from outreach.pace import Call  # noqa: F401 - as above
from outreach.store import tables  # noqa: F401 - as above
from outreach.store.base import Base
from outreach.subscribers import Subscriber  # noqa: F401 - as above

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
