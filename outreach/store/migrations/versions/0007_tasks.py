"""Tasks and requests: what is told once, links that open one task; posts that others made; and an
index for what may be live before its slot."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table('adopted',
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('campaign', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('whose', sa.String(), nullable=False),
    sa.Column('published_on', sa.DateTime(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('url')
    )
    op.create_table('errand',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('about', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('fingerprint', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('to', sa.String(), nullable=False),
    sa.Column('step', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('begun_at', sa.DateTime(), nullable=True),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_try', sa.DateTime(), nullable=True),
    sa.Column('trouble', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('about')
    )
    with op.batch_alter_table('errand', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_errand_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_errand_key'), ['key'], unique=False)
        batch_op.create_index(
            'ix_errand_open', ['id'], unique=False,
            sqlite_where=sa.text("outcome = ''"), postgresql_where=sa.text("outcome = ''"),
        )
    op.create_table('task_link',
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('fingerprint', sa.String(), nullable=False),
    sa.Column('who', sa.String(), nullable=False),
    sa.Column('ends_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('sha256')
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index(
            'ix_delivery_marked', ['state', 'at'], unique=False,
            sqlite_where=sa.text("look_since IS NOT NULL"),
            postgresql_where=sa.text("look_since IS NOT NULL"),
        )
