"""The operations page names what an operator has to order from the providers."""

import re
from pathlib import Path

from functions.payments.webhooks import HANDLED

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


def test_the_page_names_every_event_that_a_webhook_is_needed_for_and_no_other() -> None:
    page = PAGE.read_text()
    named = re.findall(
        r"`([a-z]+(?:_[a-z]+)?\.[a-z_.]+)`", page.split("### Stripe\n")[1].split("### PayPal")[0]
    )
    named += re.findall(r"`([A-Z]+\.[A-Z.]+)`", page.split("### PayPal\n")[1].split("### SES")[0])

    assert sorted(named) == sorted(HANDLED)
