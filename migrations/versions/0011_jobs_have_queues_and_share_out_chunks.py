"""Jobs have a queue, a priority, a deadline, a trace; clips come in by jobs; queues have bounds; chunks are shared."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WAITING = (  # what waits, in the order in which it is taken
    ("ix_job_waiting", ("created_at", "id"), "IS NULL"),
    ("ix_job_with_deadline", ("deadline", "created_at", "id"), "IS NOT NULL"),
)
STATES = (
    "queued",
    "planning",
    "rendering",
    "review",
    "approved",
    "published",
    "withdrawn",
    "failed",
    "dead",
    "cancelled",
)
OF_A_JOB = ("shot_use", "job_car", "job_timeline", "job_step", "job_output", "outbox")


def upgrade() -> None:
    allow((*STATES, "done"))
    op.add_column("job", sa.Column("queue", sa.String(length=32), server_default="rendering", nullable=False))
    op.add_column("job", sa.Column("priority", sa.SmallInteger(), server_default="5", nullable=False))
    op.add_column("job", sa.Column("deadline", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job", sa.Column("traceparent", sa.String(length=64), nullable=True))
    for name, columns, which in WAITING:
        where = sa.text(f"state = 'queued' AND deadline {which}")
        op.create_index(
            name, "job", ["queue", sa.text("priority DESC"), *columns], sqlite_where=where, postgresql_where=where
        )
    op.create_table(
        "queue",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("most_running", sa.Integer(), nullable=True),
        sa.Column("most_waiting", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queue")),
    )
    op.create_table(
        "job_chunk",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("aspect", sa.String(length=8), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_chunk_job_id_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "key", name=op.f("pk_job_chunk")),
    )


def downgrade() -> None:
    op.drop_table("job_chunk")
    forget_clips()
    op.drop_table("queue")
    for name, *_ in WAITING:
        op.drop_index(name, "job")
    for column in ("traceparent", "deadline", "priority", "queue"):
        op.drop_column("job", column)
    allow(STATES)


def allow(states: tuple[str, ...]) -> None:
    """Let jobs be in these states. SQLite alters no check: it writes the table anew from what can be read of it, which
    the indexes of what waits are not. So they are made after this and dropped before it."""
    with op.batch_alter_table("job") as job:
        job.drop_constraint(op.f("ck_job_state"), type_="check")
        job.create_check_constraint(op.f("ck_job_state"), f"state IN ({', '.join(map(repr, states))})")


def forget_clips() -> None:
    """Delete the jobs that the code of old can neither show nor do, and what hangs on them: no foreign key is followed
    while tables change."""
    job = sa.table("job", sa.column("id"), sa.column("kind"), sa.column("state"))
    unknown = sa.or_(job.c.kind == "ingest", job.c.state == "done")
    for name in OF_A_JOB:
        table = sa.table(name, sa.column("job_id"))
        op.execute(sa.delete(table).where(table.c.job_id.in_(sa.select(job.c.id).where(unknown))))
    op.execute(sa.delete(job).where(unknown))
