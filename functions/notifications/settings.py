"""What an operator may change about mails without a deployment."""

from shared.flags import Flag
from shared.settings import Setting

MAIL_FROM = Setting(
    "mail_from", "Box Office <tickets@box-office.example>", "Who mails come from; SES must know the domain"
)
RESEND_AFTER_SECONDS = Setting(
    "resend_after_seconds", 60, "Seconds after which a mail that was not sent is put on its queue again"
)
RESEND_LIMIT = Setting("resend_limit", 200, "Mails that one run of the resend job takes at most")
GIVE_UP_HOURS = Setting("mail_give_up_hours", 24, "Hours after which a mail that cannot be sent is given up")
MAIL_PROVIDER_ORDER = Flag(
    "mail_provider_order",
    ["ses", "sendgrid"],
    "Who sends mails, the first choice first; one not configured is passed over",
    among=("ses", "sendgrid"),
)
CIRCUIT_FAILURES = Setting(
    "mail_circuit_failures", 3, "Failures in a row after which a mail provider is left alone"
)
CIRCUIT_SECONDS = Setting(
    "mail_circuit_seconds", 60, "Seconds for which a mail provider that failed is left alone"
)
WEBHOOK_SECONDS = Setting(
    "sendgrid_webhook_seconds",
    600,
    "Seconds after which a signed report of SendGrid's is too old to be taken",
)
RETRY_BOUNCED_HOURS = Setting(
    "mail_retry_bounced_hours",
    24,
    "Hours after which a verification mail is tried at an address that bounced before",
)
