"""The auditor on the databases of services that have sold something."""

from tests.payments_shop import paypal_server as paypal_server
from tests.payments_shop import shop as shop
from tests.payments_shop import stripe_server as stripe_server
from tests.ticket_sales import sales as sales
from tests.whole_shop import whole_shop as whole_shop
