"""What came of it: registrations, attendance, downloads and numbers typed by hand; and costs."""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.create_table('outcome_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('campaign', sa.String(), nullable=False),
    sa.Column('measure', sa.String(), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('first', sa.String(), nullable=False),
    sa.Column('last', sa.String(), nullable=False),
    sa.Column('undone_at', sa.DateTime(), nullable=True),
    sa.Column('undone_by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('outcome_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outcome_entry_campaign'), ['campaign'], unique=False)
        batch_op.create_index(batch_op.f('ix_outcome_entry_sha256'), ['sha256'], unique=False)

    op.create_table('outcome_count',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('entry', sa.Integer(), nullable=False),
    sa.Column('day', sa.String(), nullable=False),
    sa.Column('session', sa.String(), nullable=False),
    sa.Column('country', sa.String(), nullable=False),
    sa.Column('sex', sa.String(), nullable=False),
    sa.Column('youth', sa.String(), nullable=False),
    sa.Column('organisation', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('document', sa.String(), nullable=False),
    sa.Column('value', sa.Integer(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('outcome_count', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outcome_count_entry'), ['entry'], unique=False)

    op.create_table('cost',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('campaign', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('amount', sa.String(), nullable=False),
    sa.Column('unit', sa.String(), nullable=False),
    sa.Column('day', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('undone_at', sa.DateTime(), nullable=True),
    sa.Column('undone_by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('cost', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cost_campaign'), ['campaign'], unique=False)
