"""The kits that partners were given, by version: what to recall when something changes."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table(
        'toolkit',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('campaign', sa.String(), nullable=False),
        sa.Column('partner', sa.String(), nullable=False),
        sa.Column('language', sa.String(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('made_at', sa.DateTime(), nullable=False),
        sa.Column('by', sa.String(), nullable=False),
        sa.Column('sha256', sa.String(), nullable=False),
        sa.Column('texts', sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('campaign', 'partner', 'language', 'version'),
    )
