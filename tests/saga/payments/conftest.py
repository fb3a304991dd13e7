"""The payments service on a real database and the simulated Stripe."""

from tests.payments_shop import shop as shop
from tests.payments_shop import stripe_server as stripe_server
