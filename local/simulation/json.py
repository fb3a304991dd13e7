"""A provider's object as its JSON: nested, nullable and wide, so it is handled as JSON throughout a simulator."""

from typing import Any

Json = dict[str, Any]
