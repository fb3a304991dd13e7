"""Auth with real PostgreSQL and Valkey: the fixture `desk`."""

from tests.integration.auth.conftest import desk as desk
