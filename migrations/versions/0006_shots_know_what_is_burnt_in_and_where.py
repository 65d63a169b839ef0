"""Shots know what is burnt into their picture, and where."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shot", sa.Column("regions", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("shot", "regions")
