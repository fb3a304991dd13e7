"""The tickets service on a real database."""

from tests.histories import states_are_the_fold_of_their_events as states_are_the_fold_of_their_events
from tests.ticket_sales import sales as sales
