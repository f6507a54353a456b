"""Frozen reports on their way to whoever receives them: once to each address."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0013'


def upgrade() -> None:
    op.create_table(
        'report_mail',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('report', sa.Integer(), nullable=False),
        sa.Column('to', sa.String(), nullable=False),
        sa.Column('at', sa.DateTime(), nullable=False),
        sa.Column('by', sa.String(), nullable=False),
        sa.Column('begun_at', sa.DateTime(), nullable=True),
        sa.Column('outcome', sa.String(), nullable=False),
        sa.Column('ended_at', sa.DateTime(), nullable=True),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('next_try', sa.DateTime(), nullable=True),
        sa.Column('trouble', sa.String(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('report', 'to'),
    )
    op.create_index('ix_report_mail_ended', 'report_mail', ['ended_at'])
