"""Shots that show the same moments are known as such."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SHOT_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("shot", sa.Column("twins", SHOT_ID, nullable=True))
    op.create_index(op.f("ix_shot_twins"), "shot", ["twins"], unique=False)
    for name in ("sketch", "glances"):
        op.create_table(
            f"shot_{name}",
            sa.Column("shot_id", SHOT_ID, nullable=False),
            sa.Column(name, sa.LargeBinary(), nullable=False),
            sa.ForeignKeyConstraint(
                ["shot_id"], ["shot.id"], name=op.f(f"fk_shot_{name}_shot_id_shot"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("shot_id", name=op.f(f"pk_shot_{name}")),
        )
    op.create_table(
        "shot_twin",
        sa.Column("shot_id", SHOT_ID, nullable=False),
        sa.Column("twin_id", SHOT_ID, nullable=False),
        sa.Column("likeness", sa.Double(), nullable=False),
        sa.Column("seconds", sa.String(length=64), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.Column("mirrored", sa.Boolean(), nullable=False),
        sa.CheckConstraint("shot_id < twin_id", name=op.f("ck_shot_twin_order")),
        sa.ForeignKeyConstraint(["shot_id"], ["shot.id"], name=op.f("fk_shot_twin_shot_id_shot"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["twin_id"], ["shot.id"], name=op.f("fk_shot_twin_twin_id_shot"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shot_id", "twin_id", name=op.f("pk_shot_twin")),
    )
    op.create_index(op.f("ix_shot_twin_twin_id"), "shot_twin", ["twin_id"], unique=False)


def downgrade() -> None:
    op.drop_table("shot_twin")
    op.drop_table("shot_glances")
    op.drop_table("shot_sketch")
    op.drop_index(op.f("ix_shot_twins"), table_name="shot")
    op.drop_column("shot", "twins")
