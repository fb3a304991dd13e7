"""By hand: look at servers that were restored from backups, before anybody relies on them (docs/operations.md)."""

from typing import Any

from functions.platform import databases, instance, restored
from shared.log import begin, invocation_id, logger

log = logger("platform")


def look_at_restored(event: dict[str, Any]) -> dict[str, Any]:
    """What is in the restored databases, by service; see `restored.look`.

    Args:
        event: `hosts`, the address of the restored server for each service that is to be looked at. The administrator's
            password is today's of the server that the backup was made of.
    """
    hosts: dict[str, str] = event["hosts"]
    return {
        service: restored.look(instance.administrator(service) | {"host": hosts[service]}, service)
        for service in databases.SERVICES
        if service in hosts
    }


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """See `look_at_restored`."""
    begin(log, invocation_id(context))
    seen = look_at_restored(event)
    log.info("restored databases were read", extra={"seen": seen})
    return seen
