"""The auth service's connection to Redis."""

from shared.cache import Cache

cache = Cache("auth")
