"""Mails that simulated providers took, as files: `<time>-<id>.eml`, and the envelope beside it as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from local.faults import SLOW_SECONDS, AnswerLost, OrderedFault

TIMEOUT_SECONDS = 60.0


def write(
    folder: Path, id_: str, source: str, recipients: list[str], raw: str, provider: str = "ses"
) -> None:
    """Write one mail; the envelope comes last, so that whoever lists envelopes finds the mail beside each."""
    at = datetime.now(UTC)
    name = f"{at.strftime('%Y%m%dT%H%M%S.%fZ')}-{id_}"
    addresses = dict.fromkeys(parseaddr(recipient)[1] for recipient in recipients)
    envelope = {
        "id": id_,
        "sentAt": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "from": source,
        "to": list(addresses),
        "provider": provider,
    }
    (folder / f"{name}.eml").write_text(raw, newline="")
    draft = folder / f"{name}.tmp"
    draft.write_text(json.dumps(envelope))
    draft.rename(folder / f"{name}.json")


def with_fault(mode: str | None, deliver: Callable[[], Any]) -> Any:
    """Take a mail, with what was ordered to go wrong on the way. Raises OrderedFault."""
    failure = OrderedFault("a fault was ordered for this mail")
    if mode in ("error", "kill_before"):
        raise failure
    if mode == "timeout":
        time.sleep(TIMEOUT_SECONDS)
        raise failure
    if mode == "slow":
        time.sleep(SLOW_SECONDS)
    message = deliver()
    if mode == "duplicate":
        deliver()
    if mode == "kill_after":
        raise AnswerLost(str(failure))
    return message
