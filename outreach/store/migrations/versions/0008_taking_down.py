"""Incidents: what is taken down, and the evidence that is kept first; and corrections."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table('incident',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('take_down',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('incident', sa.Integer(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('retry_at', sa.DateTime(), nullable=True),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('owner', sa.String(), nullable=False),
    sa.Column('lease_life', sa.String(), nullable=False),
    sa.Column('lease_until', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('key')
    )
    with op.batch_alter_table('take_down', schema=None) as batch_op:
        batch_op.create_index('ix_take_down_incident', ['incident'], unique=False)
        batch_op.create_index(
            'ix_take_down_open', ['channel'], unique=False,
            sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"),
        )
    op.create_table('evidence',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('incident', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('data', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('evidence', schema=None) as batch_op:
        batch_op.create_index('ix_evidence_key', ['key'], unique=False)
    op.create_table('correction',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('campaign', sa.String(), nullable=False),
    sa.Column('message', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('was', sa.JSON(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('fingerprint', sa.String(), nullable=False),
    sa.Column('authors', sa.JSON(), nullable=False),
    sa.Column('questions', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(), nullable=False),
    sa.Column('wall', sa.String(), nullable=False),
    sa.Column('zone', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('cleared_by', sa.String(), nullable=False),
    sa.Column('ended_at', sa.DateTime(), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('retry_at', sa.DateTime(), nullable=True),
    sa.Column('owner', sa.String(), nullable=False),
    sa.Column('lease_life', sa.String(), nullable=False),
    sa.Column('lease_until', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('correction', schema=None) as batch_op:
        batch_op.create_index('ix_correction_key', ['key'], unique=False)
        batch_op.create_index(
            'ix_correction_open', ['channel'], unique=False,
            sqlite_where=sa.text("state = 'cleared'"), postgresql_where=sa.text("state = 'cleared'"),
        )
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.add_column(sa.Column('gone_at', sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column('stays', sa.String(), server_default='', nullable=False))
    # What was kept of a post before it was taken down is only ever added to.
    for verb in ("UPDATE", "DELETE"):
        name = f"evidence_no_{verb.lower()}"
        if op.get_bind().dialect.name == "sqlite":
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON evidence "
                "BEGIN SELECT RAISE(ABORT, 'evidence is append-only'); END"
            )
        else:
            op.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'evidence is append-only'; END $$"
            )
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON evidence "
                f"FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
