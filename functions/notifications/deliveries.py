"""What became of a mail after its provider took it: events come late, twice and in any order, and only lead on."""

from functions.notifications import delivery_repository, repository
from functions.notifications.models import Happened, Report
from shared import outbox
from shared.clock import now
from shared.contracts import MailStatusChanged
from shared.database import Row, Sql
from shared.log import logger
from shared.metrics import count

# A mail that was delivered may bounce yet, at a server behind the first one; and whoever complains has got it.
_ORDER = ("SENT", "DELIVERED", "BOUNCED", "COMPLAINED")
_STATUS = {
    Happened.TAKEN: "SENT",
    Happened.NOTED: "SENT",
    Happened.DELIVERED: "DELIVERED",
    Happened.BOUNCED: "BOUNCED",
    Happened.UNDELIVERED: "BOUNCED",
    Happened.COMPLAINED: "COMPLAINED",
}
_SUPPRESSING = {Happened.BOUNCED: "BOUNCED", Happened.COMPLAINED: "COMPLAINED"}


def record_all(sql: Sql, reports: list[Report]) -> None:
    """Take down a batch, mail by mail in the order of their ids: two batches never wait for each other in a circle."""
    for report in sorted(reports, key=lambda report: (report.notification_id, report.at)):
        record(sql, report)


def record(sql: Sql, report: Report) -> None:
    """Take down what a provider tells of a mail, tell those who wait for it, and spare addresses that do not work.

    A mail that we do not know is passed over: it is another stage's, or was erased.
    """
    mail = delivery_repository.lock_mail(sql, report.notification_id)
    if mail is None:
        logger("notifications").info("report of an unknown mail", extra={"provider": report.provider})
        return
    is_found = mail["status"] == "PENDING" or _was_given_up(mail)
    if is_found and not _found_sent(sql, mail, report):
        return
    status = _STATUS[report.happened]
    known = "SENT" if is_found else mail["delivery_status"]
    if known in _ORDER and _ORDER.index(status) > _ORDER.index(known):
        delivery_repository.set_delivery(
            sql, mail["id"], delivery_status=status, note=report.reason, at=now()
        )
        _tell(sql, mail, status)
        _spare(sql, mail, report)
        count("notifications", "MailReported", provider=report.provider, status=status)
    elif report.happened is Happened.NOTED and known == "SENT":
        delivery_repository.set_delivery(
            sql, mail["id"], delivery_status="SENT", note=report.reason, at=now()
        )


def _was_given_up(mail: Row) -> bool:
    """After a day of answers that never came; a suppressed one was given to nobody."""
    return mail["status"] == "FAILED" and mail["delivery_status"] is None


def _found_sent(sql: Sql, mail: Row, report: Report) -> bool:
    """The provider's answer was lost, and here is the news that it has the mail. False if no address is known."""
    person = repository.recipient(sql, mail["user_id"])
    mail["recipient_email"] = mail["recipient_email"] or (person and person["email"])
    if mail["recipient_email"] is None:
        return False
    if mail["status"] == "FAILED":
        repository.reopen(sql, mail["id"])
    repository.mark_sent(
        sql,
        mail["id"],
        recipient_email=mail["recipient_email"],
        subject="",
        provider=report.provider,
        message_id=report.message_id,
        at=report.at,
    )
    _tell(sql, mail, "SENT")
    return True


def _spare(sql: Sql, mail: Row, report: Report) -> None:
    why = _SUPPRESSING.get(report.happened)
    if why is not None:
        delivery_repository.suppress(
            sql, mail["recipient_email"].lower(), reason=why, notification_id=mail["id"], at=report.at
        )


def _tell(sql: Sql, mail: Row, delivery_status: str) -> None:
    outbox.publish(
        sql,
        MailStatusChanged(
            notification_id=mail["id"],
            user_id=mail["user_id"],
            order_id=mail["order_id"],
            template=mail["template_name"],
            status="SENT",
            delivery_status=delivery_status,
            asked_at=mail["created_at"],
        ),
        subject=mail["id"],
    )
