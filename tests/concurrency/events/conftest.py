"""Events with a real PostgreSQL, which several processes use at once."""

from tests.integration.events.conftest import programme as programme
