"""Several processes on one database; what is due, found at once; figures above two thousand million."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('process',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(), nullable=False),
    sa.Column('seen_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_index('ix_delivery_when', 'delivery', ['state', 'at'])
    if op.get_bind().dialect.name == 'postgresql':  # SQLite's integers are wide enough
        op.alter_column('snapshot', 'value', type_=sa.BigInteger(), existing_type=sa.Integer())
