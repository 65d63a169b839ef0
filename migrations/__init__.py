"""How the tables came to be, one numbered sentence after another (Alembic)."""
