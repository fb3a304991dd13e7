"""The payments service on a real database and the simulated providers."""

from tests.histories import states_are_the_fold_of_their_events as states_are_the_fold_of_their_events
from tests.payments_shop import paypal_server as paypal_server
from tests.payments_shop import shop as shop
from tests.payments_shop import stripe_server as stripe_server
