"""Which stories make which function run; a function of the template that is in none fails the test."""

from collections.abc import Callable

from tests.faults.aftermath import given_back_elsewhere, lost, paid_too_late, won
from tests.faults.leftovers import (
    asked_again,
    hesitated,
    left_behind,
    nobody_asked,
    stopped,
    unsent,
    untold,
    voiding_stopped,
)
from tests.faults.scenarios import (
    World,
    approved_at_paypal,
    audited,
    authenticated,
    called_off,
    delivered,
    exported,
    given_up,
    illustrated,
    paid,
    paid_for_nothing,
    paid_with_another_card,
    past,
    refunded,
)

Story = Callable[[World], None]
_BUYING = (paid, paid_with_another_card, authenticated)
_PRIVACY = (exported,)
_SWEEPING = (left_behind,)

# By the function's name without the stage.
STORIES: dict[str, tuple[Story, ...]] = {
    "tickets-reserve": _BUYING,
    "tickets-purchase": _BUYING,
    "payments-process": (paid_with_another_card,),
    "payments-refund": (refunded,),
    "payments-stripe-webhook": (authenticated, won, lost, given_back_elsewhere),
    "payments-paypal-webhook": (approved_at_paypal, paid_too_late),
    "tickets-saga-reserve": _BUYING,
    "tickets-saga-issue": _BUYING,
    "tickets-saga-notify": _BUYING,
    "tickets-saga-release": (called_off,),
    "payments-saga-charge": _BUYING,
    "payments-saga-await-payment": (paid_with_another_card, stopped, asked_again),
    "payments-saga-cancel-payment": (called_off,),
    "payments-saga-refund-payment": (paid_for_nothing,),
    "auth-consumer-exports": _PRIVACY,
    "events-consumer-tickets": _BUYING,
    "events-consumer-payments": _BUYING,
    "events-consumer-images": (illustrated,),
    "events-consumer-users": _PRIVACY,
    "notifications-consumer-users": _PRIVACY,
    "notifications-consumer-payments": (paid_with_another_card, refunded),
    "notifications-consumer-mail": _BUYING,
    "notifications-consumer-ses": (delivered,),
    "payments-consumer-attempts": (paid_with_another_card, approved_at_paypal),
    "payments-consumer-webhooks": (authenticated, approved_at_paypal, won, lost, given_back_elsewhere),
    "payments-consumer-refunds": (refunded, called_off, paid_too_late),
    "payments-consumer-tickets": (*_BUYING, won, paid_too_late),
    "payments-consumer-mail": _BUYING,
    "payments-consumer-users": _PRIVACY,
    "payments-consumer-buyers": _PRIVACY,
    "payments-consumer-events": (paid,),
    "tickets-consumer-events": (paid,),
    "tickets-consumer-payments": (refunded, called_off, won, lost, paid_too_late),
    "tickets-consumer-voids": (called_off,),
    "tickets-consumer-notifications": (paid, delivered),
    "tickets-consumer-orders": _BUYING,
    "tickets-consumer-users": _PRIVACY,
    "auth-job-sweep-messages": _SWEEPING,
    "events-job-sweep-messages": _SWEEPING,
    "notifications-job-sweep-messages": _SWEEPING,
    "payments-job-sweep-messages": _SWEEPING,
    "tickets-job-sweep-messages": _SWEEPING,
    "auth-job-ask-for-exports": (nobody_asked,),
    "auth-job-forget-expired": _SWEEPING,
    "events-job-complete-events": (past,),
    "events-job-remove-images": (illustrated,),
    "notifications-job-resend-mail": (unsent,),
    "payments-job-resume-payments": (hesitated,),
    "tickets-job-expire-holds": (given_up,),
    "tickets-job-tell-stock": (given_up,),
    "tickets-job-resume-purchases": (hesitated, untold),
    "platform-job-audit": (audited,),
    "tickets-job-resume-voiding": (voiding_stopped,),
}
ALL: tuple[Story, ...] = tuple(dict.fromkeys(story for stories in STORIES.values() for story in stories))
