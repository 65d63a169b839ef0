"""Is this broker one that keeps what it is given?"""

from __future__ import annotations

import time

import redis

from factory.errors import FactoryError

PATIENCE = 20.0  # seconds that a worker waits for a broker that starts beside it


class BrokerUnusable(FactoryError):
    code = "broker-unusable"


class BrokerDropsKeys(BrokerUnusable):
    """A full Redis with such a policy deletes waiting messages and says nothing."""

    code = "broker-drops-keys"


def check_broker(url: str, *, patience: float = PATIENCE) -> None:
    """Raise unless the Redis at `url` answers and refuses, when full, to drop keys that have no expiry."""
    if not url:
        raise BrokerUnusable(
            "FACTORY_BROKER_URL is not set, so there is no broker to take jobs from",
            next_step="set it to redis://host:6379/0, or let `factory serve` work jobs off without a broker",
        )
    policy = _policy(url, patience)
    if policy.startswith("allkeys"):
        raise BrokerDropsKeys(
            f"the Redis broker has maxmemory-policy {policy}: when it is full it deletes waiting jobs without a word",
            next_step="run `redis-cli CONFIG SET maxmemory-policy noeviction`, and set the same in redis.conf",
        )


def _policy(url: str, patience: float) -> str:
    """Return the eviction policy. INFO tells it even where CONFIG is forbidden, as on hosted servers."""
    give_up = time.monotonic() + patience
    while True:
        try:
            with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=5) as client:
                return str(client.info("memory").get("maxmemory_policy", ""))
        except (redis.RedisError, ValueError) as error:
            if isinstance(error, ValueError) or time.monotonic() > give_up:
                raise BrokerUnusable(
                    f"the broker does not answer: {error}",
                    next_step="check FACTORY_BROKER_URL and that Redis runs and can be reached from here",
                ) from error
            time.sleep(0.5)
