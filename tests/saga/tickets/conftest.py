"""The tickets service on a real database."""

from tests.ticket_sales import sales as sales
