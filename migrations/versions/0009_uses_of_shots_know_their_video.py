"""Uses of shots know the video that they are for, so that a rerun of a video does not wait for its own shots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shot_use", sa.Column("video", sa.String(length=64), nullable=True))
    op.drop_index(op.f("ix_shot_use_series"), table_name="shot_use")
    op.create_index(op.f("ix_shot_use_series_used_at"), "shot_use", ["series", "used_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_shot_use_series_used_at"), table_name="shot_use")
    op.create_index(op.f("ix_shot_use_series"), "shot_use", ["series"], unique=False)
    op.drop_column("shot_use", "video")
