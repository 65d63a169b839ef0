"""The tasks that the product sends by name, the queue in which each waits, and the one client that sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from celery import Celery

from factory.store.job import QUEUE_OF

QUEUES: Final = {**QUEUE_OF, "look": "duties", "reap": "duties"}

# A send must fail fast, not wait: the relay keeps the bell and rings it at its next turn.
TRANSPORT: Final[dict[str, Any]] = {"socket_connect_timeout": 3, "socket_timeout": 10, "health_check_interval": 25}


def sender(broker_url: str) -> Callable[[str, str], None]:
    """Return `send(task, argument)` for this broker. It raises where the broker does not take the message."""
    client = Celery("autoreel-sender", broker=broker_url, set_as_current=False)
    client.conf.update(
        broker_transport_options=TRANSPORT, broker_connection_timeout=3, task_serializer="json", task_ignore_result=True
    )

    def send(task: str, argument: str) -> None:
        client.send_task(task, args=[argument], queue=QUEUES[task], retry=False)

    return send
