"""What an operator may tune in the tickets service."""

from shared.flags import Flag
from shared.settings import Setting

PURCHASE_STOP = Flag(
    "purchase_stop", False, "Whether nobody may reserve or buy for now; what is under way is finished"
)
PAYPAL = Flag("paypal", True, "Whether PayPal is offered, where we have an account there")
HOLD_SECONDS = Setting("hold_seconds", 600, "Seconds for which a reservation holds its seats")
PAY_SECONDS = Setting("pay_seconds", 900, "Seconds that a buyer has to pay once the purchase has begun")
SAGA_CHECK_SECONDS = Setting(
    "saga_check_seconds", 60, "Seconds after which an unfinished purchase is looked at again"
)
MINIMUM_PRICES = Setting(
    "minimum_prices",
    "0.50,AED:2.00,CZK:15.00,DKK:2.50,GBP:0.30,HKD:4.00,MXN:10.00,MYR:2.00,NOK:3.00,PLN:2.00,RON:2.00,SEK:3.00,"
    "THB:10.00",
    "What a ticket that is not free costs at least, because the payment provider charges no less; by currency",
)
RESENDS_PER_HOUR = Setting("ticket_resends_per_hour", 3, "Times an hour that one ticket is mailed again")
EVENT_CACHE_SECONDS = Setting("event_cache_seconds", 3600, "Seconds that Redis keeps an event")
INVENTORY_CACHE_SECONDS = Setting(
    "inventory_cache_seconds", 300, "Seconds that Redis keeps what is left of a ticket type"
)
VOID_BATCH = Setting("void_batch", 500, "Tickets of a cancelled event that are voided in one transaction")
VOID_STALL_SECONDS = Setting(
    "void_stall_seconds",
    120,
    "Seconds without progress after which the voiding of a cancelled event is resumed",
)
VOID_SWEEP_LIMIT = Setting(
    "void_sweep_limit", 20, "Cancelled events that one run of the sweep resumes at most"
)
AVAILABILITY_TRUST_SECONDS = Setting(
    "availability_trust_seconds", 1.0, "Age in seconds up to which a cached availability is shown as it is"
)
STOCK_EVENTS_PER_RUN = Setting(
    "stock_events_per_run", 500, "Events whose changed stock one run of the job tells others of, at most"
)
