"""Pace: what each account may do, and the calls that count for it."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('account',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('life', sa.String(), nullable=False),
    sa.Column('told_until', sa.Double(), nullable=False),
    sa.Column('told_on_wall', sa.DateTime(), nullable=True),
    sa.Column('full_until', sa.Double(), nullable=False),
    sa.Column('until', sa.DateTime(), nullable=True),
    sa.Column('why', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('call',
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('messages', sa.Integer(), nullable=False),
    sa.Column('cost', sa.Integer(), nullable=False),
    sa.Column('over', sa.Double(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('account', 'attempt')
    )
    with op.batch_alter_table('call', schema=None) as batch_op:
        batch_op.create_index('ix_call_over', ['account', 'over'], unique=False)
