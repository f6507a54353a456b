"""Newsletters: who receives them, to what they agreed, who is not written to, and each mailing."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('consent_text',
    sa.Column('version', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('version')
    )
    op.create_table('mailing',
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('begun_at', sa.DateTime(), nullable=False),
    sa.Column('until', sa.DateTime(), nullable=False),
    sa.Column('over_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('token')
    )
    with op.batch_alter_table('mailing', schema=None) as batch_op:
        batch_op.create_index('ix_mailing_key', ['key'], unique=False)

    op.create_table('mailing_reader',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('subscriber', sa.Integer(), nullable=True),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('fate', sa.String(), nullable=False),
    sa.Column('claim', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_try', sa.DateTime(), nullable=True),
    sa.Column('tried_at', sa.DateTime(), nullable=True),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('hard', sa.Boolean(), nullable=False),
    sa.Column('bounced_at', sa.DateTime(), nullable=True),
    sa.Column('left_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('mailing_reader', schema=None) as batch_op:
        batch_op.create_index('ix_mailing_reader_digest', ['token', 'digest'], unique=True)
        batch_op.create_index('ix_mailing_reader_subscriber', ['subscriber'], unique=False)
        batch_op.create_index('ix_mailing_reader_turn', ['token', 'fate', 'next_try'], unique=False)

    op.create_table('subscriber',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('consent', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('agreed_at', sa.DateTime(), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(), nullable=True),
    sa.Column('token', sa.String(), nullable=True),
    sa.Column('wanted', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(), nullable=True),
    sa.Column('asks', sa.Integer(), nullable=False),
    sa.Column('invite_at', sa.DateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('ref'),
    sa.UniqueConstraint('token')
    )
    with op.batch_alter_table('subscriber', schema=None) as batch_op:
        batch_op.create_index('ix_subscriber_hash', ['channel', 'hash'], unique=True)
        batch_op.create_index('ix_subscriber_state', ['state'], unique=False)

    op.create_table('suppressed',
    sa.Column('hash', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('hash', 'channel')
    )
