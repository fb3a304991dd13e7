"""`If-Match`: the version of an event that a change is meant for (RFC 9110, section 13.1.1)."""

import re

from shared.errors import BadInput


def wanted_version(if_match: str | None) -> int | None:
    """The version in an `If-Match` header, as a number or an entity tag; None if any will do.

    Raises:
        BadInput: neither.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'(?:W/)?(")?(\d{1,9})(?(1)")', if_match.strip())
    if found is None:
        raise BadInput.field("If-Match", "Must be the version of the event")
    return int(found[2])
