"""What an operator may change about mails without a deployment."""

from shared.settings import Setting

MAIL_FROM = Setting(
    "mail_from", "Box Office <tickets@box-office.example>", "Who mails come from; SES must know the domain"
)
RESEND_AFTER_SECONDS = Setting(
    "resend_after_seconds", 60, "Seconds after which a mail that was not sent is put on its queue again"
)
RESEND_LIMIT = Setting("resend_limit", 200, "Mails that one run of the resend job takes at most")
GIVE_UP_HOURS = Setting("mail_give_up_hours", 24, "Hours after which a mail that cannot be sent is given up")
