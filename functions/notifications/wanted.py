"""Which mails are wanted when something happens, and what each is told."""

from uuid import UUID

from shared.clock import iso
from shared.contracts import (
    MailRequested,
    OrderRefunded,
    PasswordResetRequested,
    PaymentFailed,
    VerificationRequested,
)


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
