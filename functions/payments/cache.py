"""The payments service's connection to Redis; connects on first use."""

from shared.cache import Cache

cache = Cache("payments")
