"""The payments service on a real database and the simulated Stripe."""

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.payments_shop import Shop, open_shop
from tests.stripe_server import Endpoint, StripeServer, running_stripe


@pytest.fixture(scope="session")
def _stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StripeServer, Endpoint]]:
    with running_stripe(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def shop(
    payments_db: TestDatabase, aws: Cloud, extension: Extension, _stripe: tuple[StripeServer, Endpoint]
) -> Iterator[Shop]:
    """Payments, open for business."""
    with open_shop(payments_db, aws, extension, _stripe) as opened:
        yield opened
