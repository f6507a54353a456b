"""Figures: the newest of each, collections that are claimed, daily readings that may be thinned."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'

THINNABLE = (
    "OLD.subject = OLD.channel AND OLD.rung = '' AND OLD.period = '' AND OLD.batch IS NULL "
    "AND OLD.\"by\" = '' AND NOT EXISTS (SELECT 1 FROM cited WHERE cited.snapshot = OLD.id)"
)


def upgrade() -> None:
    op.create_table('latest',
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('metric', sa.String(), nullable=False),
    sa.Column('snapshot', sa.Integer(), nullable=False),
    sa.Column('value', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('taken_at', sa.DateTime(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('called', sa.String(), nullable=False),
    sa.Column('by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'metric'),
    sqlite_with_rowid=False
    )
    op.create_table('cited',
    sa.Column('snapshot', sa.Integer(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('snapshot')
    )
    # Added in place: a table that SQLite makes anew loses the triggers that guard it.
    op.add_column('snapshot', sa.Column('called', sa.String(), server_default='', nullable=False))
    op.drop_index('ix_snapshot_channel', 'snapshot')
    op.drop_index('ix_snapshot_period', 'snapshot')
    _some('ix_snapshot_month', 'snapshot', ['period'], "period <> ''")
    _some('ix_snapshot_batch', 'snapshot', ['batch'], "batch IS NOT NULL")
    for column in (
        sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
        sa.Column('retry_at', sa.DateTime(), nullable=True),
        sa.Column('owner', sa.String(), server_default='', nullable=False),
        sa.Column('lease_life', sa.String(), server_default='', nullable=False),
        sa.Column('lease_until', sa.Double(), server_default='0', nullable=False),
    ):
        op.add_column('collection', column)
    op.drop_index('ix_collection_open', 'collection')
    _some('ix_collection_due', 'collection', ['channel', 'at'], "done_at IS NULL")
    _some('ix_collection_lost', 'collection', ['done_at'], "outcome = 'expired_window'")
    _some('ix_clearance_override', 'clearance', ['at'], "override <> ''")
    _some('ix_short_link_kit', 'short_link', ['key'], "substr(key, 1, 8) = 'toolkit:'")
    op.create_index('ix_delivery_published', 'delivery', ['published_at'])
    op.create_index('ix_click_at', 'click', ['at', 'key'])
    op.execute(
        "INSERT INTO latest (subject, metric, snapshot, value, reason, note, taken_at, source, "
        'called, "by") SELECT subject, metric, id, value, reason, note, taken_at, source, called, '
        '"by" FROM (SELECT *, row_number() OVER (PARTITION BY subject, metric '
        "ORDER BY taken_at DESC, id DESC) AS age FROM snapshot WHERE period = '' AND "
        "(batch IS NULL OR batch NOT IN (SELECT id FROM import_batch "
        "WHERE undone_at IS NOT NULL))) AS every WHERE age = 1"
    )
    _guard()


def _some(name: str, table: str, columns: list[str], which: str) -> None:
    where = sa.text(which)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def _guard() -> None:
    """Snapshots cannot be deleted, but for an account's daily readings that no report cites."""
    name = "snapshot_no_delete"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {name}")
        op.execute(
            f"CREATE TRIGGER {name} BEFORE DELETE ON snapshot WHEN NOT ({THINNABLE}) "
            "BEGIN SELECT RAISE(ABORT, 'snapshot is append-only'); END"
        )
    else:
        op.execute(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF {THINNABLE} THEN RETURN OLD; END IF; "
            "RAISE EXCEPTION 'snapshot is append-only'; END $$"
        )
