"""The Celery door: `celery -A workers.app worker` and `celery -A workers.app beat`."""
