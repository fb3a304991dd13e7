"""Which mails are wanted when something happens, and what each is told."""

from uuid import UUID

from shared.clock import iso
from shared.contracts import (
    ExportReady,
    MailRequested,
    OrderRefunded,
    PasswordResetRequested,
    PaymentFailed,
    UserErased,
    VerificationRequested,
)

ACCOUNT_ERASED = "account-erased"


def verification(request: VerificationRequested, message_id: UUID) -> MailRequested:
    """The link that proves an address; each request has a link, and a mail, of its own."""
    return MailRequested(
        mail_key=f"verify-email:{message_id}",
        template="verify-email",
        user_id=request.user_id,
        recipient_email=request.email,
        data={"firstName": request.first_name, "token": request.token},
    )


def password_reset(request: PasswordResetRequested, message_id: UUID) -> MailRequested:
    """The link that sets a new password."""
    return MailRequested(
        mail_key=f"reset-password:{message_id}",
        template="reset-password",
        user_id=request.user_id,
        recipient_email=request.email,
        data={"firstName": request.first_name, "token": request.token},
    )


def export_ready(export: ExportReady) -> MailRequested:
    """The link to what is held on the user: one mail for each export."""
    return MailRequested(
        mail_key=f"export-ready:{export.export_id}",
        template="export-ready",
        user_id=export.user_id,
        recipient_email=export.email,
        data={"firstName": export.first_name, "token": export.token, "until": iso(export.expires_at)},
    )


def account_erased(user: UserErased) -> MailRequested:
    """The last mail to somebody who wanted to be forgotten; the database knows it by this key."""
    return MailRequested(
        mail_key=f"{ACCOUNT_ERASED}:{user.user_id}",
        template=ACCOUNT_ERASED,
        user_id=user.user_id,
        recipient_email=user.email,
        data={"firstName": user.first_name, "email": user.email},
    )


def payment_failed(failure: PaymentFailed) -> MailRequested:
    """A payment failed, the seats are kept: one mail for each attempt."""
    return MailRequested(
        mail_key=f"payment-failed:{failure.attempt_id}",
        template="payment-failed",
        user_id=failure.user_id,
        order_id=failure.order_id,
        data={
            "orderNumber": failure.order_number,
            "message": failure.message,
            "payBy": iso(failure.pay_by),
        },
    )


def order_refunded(refund: OrderRefunded) -> MailRequested:
    """Money went back: one mail for each refund."""
    return MailRequested(
        mail_key=f"order-refunded:{refund.refund_id}",
        template="order-refunded",
        user_id=refund.user_id,
        order_id=refund.order_id,
        data={
            "orderNumber": refund.order_number,
            "amount": f"{refund.amount:.2f}",
            "currency": refund.currency,
            "fully": refund.fully,
            "ticketCount": len(refund.ticket_ids),
        },
    )
