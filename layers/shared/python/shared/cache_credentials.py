"""ElastiCache's IAM authentication for redis-py."""

import os

from redis.credentials import CredentialProvider

from shared.iam import cache_token


class IamCredentials(CredentialProvider):
    """Signs a fresh token for each connection; the cache's name comes from `CACHE_NAME`."""

    def __init__(self, user: str) -> None:
        self._user = user

    def get_credentials(self) -> tuple[str, str]:
        """User name and token."""
        return self._user, cache_token(os.environ["CACHE_NAME"], self._user)
