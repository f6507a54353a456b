"""Alarms, what accounts said when they were asked, and an index of the mails that wait."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('account_check',
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('ok', sa.Boolean(), nullable=True),
    sa.Column('since', sa.DateTime(), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('expires', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('channel')
    )
    op.create_table('alarm',
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('where', sa.String(), nullable=False),
    sa.Column('host', sa.String(), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('todo', sa.String(), nullable=False),
    sa.Column('since', sa.DateTime(), nullable=False),
    sa.Column('seen_at', sa.DateTime(), nullable=False),
    sa.Column('told_at', sa.DateTime(), nullable=True),
    sa.Column('next_at', sa.DateTime(), nullable=False),
    sa.Column('over_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('about')
    )
    with op.batch_alter_table('mail', schema=None) as batch_op:
        batch_op.create_index(
            'ix_mail_waiting', ['id'], unique=False,
            sqlite_where=sa.text('sent_at IS NULL'), postgresql_where=sa.text('sent_at IS NULL'),
        )
