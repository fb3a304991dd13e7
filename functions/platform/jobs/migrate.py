"""Once per deployment, before the services' functions change: bring the five databases up to date."""

from typing import Any

from functions.platform import databases, instance
from shared.job import job
from shared.log import logger


def migrate(_event: dict[str, Any]) -> int:
    """Prepare every service's database; the number of migrations applied. An error fails the deployment."""
    applied = [
        name
        for service in databases.SERVICES
        for name in databases.prepare(instance.administrator(service), service)
    ]
    logger("platform").info("databases are up to date", extra={"applied": applied})
    return len(applied)


handler = job("platform", migrate)
