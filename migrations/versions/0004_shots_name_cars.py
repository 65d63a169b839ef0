"""Shots name cars: what a shot's words say of the catalogue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "shot_mention",
        sa.Column("car_id", sa.Integer(), nullable=False),
        sa.Column("shot_id", BIG, nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["car_id"], ["car.id"], name=op.f("fk_shot_mention_car_id_car"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["shot_id"], ["shot.id"], name=op.f("fk_shot_mention_shot_id_shot"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("car_id", "shot_id", name=op.f("pk_shot_mention")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_shot_mention_shot_id"), "shot_mention", ["shot_id"], unique=False)


def downgrade() -> None:
    op.drop_table("shot_mention")
