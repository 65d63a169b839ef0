"""Schedules catch up by a rule, their slots keep a report, and notices wait to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("schedule", sa.Column("catch_up", sa.String(length=8), server_default="latest", nullable=False))
    op.add_column("schedule", sa.Column("most", sa.Integer(), server_default="10", nullable=False))
    op.add_column("schedule", sa.Column("options", sa.JSON(), nullable=True))
    op.add_column("schedule_slot", sa.Column("state", sa.String(length=8), server_default="done", nullable=False))
    op.add_column("schedule_slot", sa.Column("attempt", sa.Integer(), server_default="1", nullable=False))
    op.add_column("schedule_slot", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("schedule_slot", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("schedule_slot", sa.Column("report", sa.JSON(), nullable=True))
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index(op.f("ix_notice_next_at"), "notice", ["next_at"], unique=False)


def downgrade() -> None:
    op.drop_table("notice")
    for column in ("report", "ended_at", "lease_until", "attempt", "state"):
        op.drop_column("schedule_slot", column)
    for column in ("options", "most", "catch_up"):
        op.drop_column("schedule", column)
