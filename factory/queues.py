"""The tasks that the product sends by name, the queue in which each waits, and the one client that sends them.

A queue is a need: `rendering` wants cores and ffmpeg, `chunks` the same for the films of others, `tagging` cores and
the tagger, `tagging-gpu` a CUDA device besides, `duties` little of anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from celery import Celery

from factory.store.job import QUEUE_OF

Tagging = Literal["cpu", "gpu"]

QUEUES: Final = {**QUEUE_OF, "help": "chunks", "look": "duties", "reap": "duties"}
TAGGING_GPU: Final = "tagging-gpu"  # takes the place of `tagging` where FACTORY_TAGGING=gpu
EVERY: Final = (*dict.fromkeys(QUEUES.values()), TAGGING_GPU)

EXPIRES: Final = {"help": 60.0}  # seconds after which nobody needs to hear it any more

# A send must fail fast, not wait: the relay keeps the bell and rings it at its next turn. A worker that is cut off is
# told nothing: it gives up a connection on which two health checks in a row got no answer.
TRANSPORT: Final[dict[str, Any]] = {"socket_connect_timeout": 3, "socket_timeout": 10, "health_check_interval": 10}


def queue_of(task: str, tagging: Tagging = "cpu") -> str:
    """Return the queue in which a task waits, for the FACTORY_TAGGING of this house."""
    queue = QUEUES[task]
    return TAGGING_GPU if (queue, tagging) == ("tagging", "gpu") else queue


def sender(broker_url: str, tagging: Tagging = "cpu") -> Callable[[str, str], None]:
    """Return `send(task, argument)` for this broker. It raises where the broker does not take the message."""
    client = Celery("autoreel-sender", broker=broker_url, set_as_current=False)
    client.conf.update(
        broker_transport_options=TRANSPORT, broker_connection_timeout=3, task_serializer="json", task_ignore_result=True
    )

    def send(task: str, argument: str) -> None:
        client.send_task(task, args=[argument], queue=queue_of(task, tagging), expires=EXPIRES.get(task), retry=False)

    return send
