"""Services on real databases, for machines that drive them through any sequence of operations."""

from tests.payments_shop import paypal_server as paypal_server
from tests.payments_shop import shop as shop
from tests.payments_shop import stripe_server as stripe_server
from tests.ticket_sales import sales as sales
