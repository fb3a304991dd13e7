"""A rendered mail as bytes: HTML and text side by side, pictures inside the HTML (RFC 2045, 2387, 2392)."""

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

from functions.notifications.models import Rendered

# Plain ASCII on the wire: some relays still break 8-bit mails, and a broken one fails its DKIM signature.
POLICY = SMTP.clone(cte_type="7bit")

# Stricter than the standard library, which makes the best of anything: one address, nothing quoted, no comments.
_WORD = r"""[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+"""
_PLAIN = re.compile(rf"(?P<local>{_WORD})@(?P<domain>{_WORD})")
_NAMED = re.compile(rf"(?P<name>[^<>\x00-\x1f\x7f]*?) *<{_PLAIN.pattern}>")


class BadAddress(Exception):
    """Not an address that a mail can be sent to."""


def compose(id: UUID, rendered: Rendered, *, sender: Address, recipient: Address, date: datetime) -> bytes:
    """The mail `id` as it goes to the provider.

    Its Message-ID is made of `id`, so that whoever gets a mail twice can tell. (SES puts its own in its place; what the
    recipient sees is ours in `X-Notification-Id`. https://docs.aws.amazon.com/ses/latest/dg/header-fields.html)

    Args:
        sender, recipient: from `address`. Their type refuses line breaks and lists, and so do the headers: nothing that
            a template or a user says can add a header or a Bcc.
        date: when the mail was asked for.
    """
    mail = EmailMessage(policy=POLICY)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = rendered.subject
    mail["Date"] = date
    mail["Message-ID"] = f"<{id}@{sender.domain}>"
    mail["X-Notification-Id"] = str(id)
    mail["Auto-Submitted"] = "auto-generated"  # no out-of-office answers, please (RFC 3834)
    mail.set_content(rendered.text)
    mail.add_alternative(rendered.html, subtype="html")
    html = mail.get_body(("html",))
    assert isinstance(html, EmailMessage)
    for picture in rendered.pictures:
        html.add_related(
            picture.png,
            maintype="image",
            subtype="png",
            cid=f"<{picture.content_id}>",
            filename=picture.file_name,
            disposition="inline",
        )
    return mail.as_bytes()


def address(text: str) -> Address:
    """An address from `Name <local@domain>` or `local@domain`; a domain beyond ASCII in the form that DNS knows.

    Raises:
        BadAddress: it is not one, or one that SES does not take (a local part beyond ASCII).
    """
    parts = _PLAIN.fullmatch(text) or _NAMED.fullmatch(text)
    if parts is None:
        raise BadAddress(text)
    try:
        domain = parts["domain"].encode("idna").decode()
        parts["local"].encode("ascii")
        return Address(parts.groupdict().get("name", ""), parts["local"], domain)
    except ValueError as wrong:  # UnicodeError is one
        raise BadAddress(text) from wrong
