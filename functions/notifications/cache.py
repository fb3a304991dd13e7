"""The notifications service's connection to Redis, which knows the circuits of its providers."""

from shared.cache import Cache

cache = Cache("notifications")
