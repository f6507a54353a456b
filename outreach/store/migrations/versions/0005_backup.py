"""An older copy is noticed by its heartbeat's mark; and what a part's token is made from."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    with op.batch_alter_table('heartbeat', schema=None) as batch_op:
        batch_op.add_column(sa.Column('pulse', sa.String(), server_default='', nullable=False))
    meta = sa.table('meta', sa.column('name', sa.String), sa.column('value', sa.String))
    op.bulk_insert(meta, [{'name': 'seed', 'value': secrets.token_hex(32)}])
