"""GET /.well-known/ticket-keys.json: the public keys that verify QR codes without asking us."""

from functions.tickets import qr_codes
from functions.tickets.models import TicketKeys
from shared.api import Api

api = Api("tickets")


@api.get("/.well-known/ticket-keys.json", cache_seconds=300)
def ticket_keys() -> TicketKeys:
    """A JWK set; a QR code names its key by `kid`."""
    return TicketKeys(keys=qr_codes.public_keys())


handler = api.handler
