"""Cars, clips and jobs may be under embargo, and a job knows the cars that it is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

HELD = ("asset", "car", "job")


def upgrade() -> None:
    for table in HELD:
        op.add_column(table, sa.Column("embargo", sa.String(length=100), nullable=True))
    op.create_table(
        "job_car",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("embargo", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_car_job_id_job"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "slug", name=op.f("pk_job_car")),
    )


def downgrade() -> None:
    op.drop_table("job_car")
    for table in reversed(HELD):
        op.drop_column(table, "embargo")
