"""The published message contracts: what services tell each other, one class per message type and version.

Changes are additive: a consumer ignores fields it does not know. Ids, amounts and states only, except in a message
marked SENSITIVE (an address, a name, a link token), whose outbox row is blanked once it is published.
"""

from shared.contracts.auth import (
    ExportDiscarded,
    ExportPartReady,
    ExportReady,
    ExportRequested,
    NoLinkDue,
    PasswordResetRequested,
    UserChanged,
    UserErased,
    VerificationRequested,
)
from shared.contracts.base import (
    Contract,
)
from shared.contracts.events import (
    EventCancelled,
    EventPublished,
    EventState,
    EventUpdated,
)
from shared.contracts.notifications import (
    MailRequested,
    MailStatusChanged,
)
from shared.contracts.payments import (
    AttemptRequested,
    LatePaymentReceived,
    OrderCancelled,
    OrderChanged,
    OrderDisputed,
    OrderLine,
    OrderPaid,
    OrderRefunded,
    PaymentFailed,
    PaymentUnheard,
    RefundMade,
    RefundRequested,
    RefundShare,
    SecondPaymentFound,
    WebhookReceived,
)
from shared.contracts.tickets import (
    IssuedTicket,
    LatePaymentRefused,
    OrderIssued,
    OrderReleased,
    PurchaseStopped,
    StockChanged,
    TicketCheckedIn,
    TicketDeliveryChanged,
    TicketsVoided,
    TypeStock,
    VoidsRequested,
)

__all__ = [
    "AttemptRequested",
    "Contract",
    "EventCancelled",
    "EventPublished",
    "EventState",
    "EventUpdated",
    "ExportDiscarded",
    "ExportPartReady",
    "ExportReady",
    "ExportRequested",
    "IssuedTicket",
    "LatePaymentReceived",
    "LatePaymentRefused",
    "MailRequested",
    "MailStatusChanged",
    "NoLinkDue",
    "OrderCancelled",
    "OrderChanged",
    "OrderDisputed",
    "OrderIssued",
    "OrderLine",
    "OrderPaid",
    "OrderRefunded",
    "OrderReleased",
    "PasswordResetRequested",
    "PaymentFailed",
    "PaymentUnheard",
    "PurchaseStopped",
    "RefundMade",
    "RefundRequested",
    "RefundShare",
    "SecondPaymentFound",
    "StockChanged",
    "TicketCheckedIn",
    "TicketDeliveryChanged",
    "TicketsVoided",
    "TypeStock",
    "UserChanged",
    "UserErased",
    "VerificationRequested",
    "VoidsRequested",
    "WebhookReceived",
]
