"""A file in, tagged shots out. Knows nothing of the factory."""
