"""PayPal's webhooks, verified without asking PayPal: its library has nothing for that.

Signed is `transmission id|time|webhook id|CRC32 of the body`, by RSA and SHA-256, with a certificate that the message
itself points to (https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod). So that address is
held against PayPal's own hosts, and the certificate's chain against the roots that everybody trusts. A checksum is no
digest: another body with the same CRC32 is easily made by who has seen one signature, so a verified message is a hint
and no more: what it names is fetched.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import ssl
import urllib.error
import urllib.request
import warnings
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from functions.payments.gateways.gateway import BadSignature, GatewayUnavailable, WebhookEvent
from functions.payments.gateways.paypal_answers import charge_named_in, order_named_in

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa

PAYPAL_HOSTS = ("api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com")
_CERTIFICATE_PATH = re.compile(r"/v1/notifications/certs/[A-Za-z0-9_-]{1,200}")
_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_ALGORITHM = "SHA256withRSA"
_LARGEST_CERTIFICATE = 65_536
_MOST_CERTIFICATES = 20


class Certificates:
    """The certificates that PayPal signs webhooks with: fetched once by this process, judged before each use.

    Args:
        api_base: our account's API; another one than PayPal's serves its certificates, too.
        root: PEM of what is trusted instead of the well-known roots, with such an API.
    """

    def __init__(self, api_base: str, root: str | None, *, timeout_seconds: float) -> None:
        self._own_base = None if urlsplit(api_base).hostname in PAYPAL_HOSTS else api_base
        self._root = root if self._own_base else None
        self._timeout_seconds = timeout_seconds
        self._known: dict[str, list[x509.Certificate]] = {}

    def at(self, url: str) -> x509.Certificate:
        """The certificate at this address.

        Raises:
            BadSignature: not an address of PayPal's, no certificate, or one that nobody we trust has signed.
            GatewayUnavailable: it cannot be fetched now.
        """
        from cryptography import x509

        if not self._is_paypal(url):
            raise BadSignature
        chain = self._known.get(url)
        if chain is None:
            try:
                chain = x509.load_pem_x509_certificates(self._fetch(url))
            except ValueError as problem:
                raise BadSignature from problem
        self._check(chain)
        if len(self._known) < _MOST_CERTIFICATES:
            self._known[url] = chain
        return chain[0]

    def _is_paypal(self, url: str) -> bool:
        parts = urlsplit(url)
        if self._own_base is not None:
            path = url.removeprefix(self._own_base) if url.startswith(self._own_base) else ""
            return _CERTIFICATE_PATH.fullmatch(path) is not None
        return (
            (parts.scheme, parts.netloc in PAYPAL_HOSTS) == ("https", True)
            and _CERTIFICATE_PATH.fullmatch(parts.path) is not None
            and not parts.query
        )

    def _fetch(self, url: str) -> bytes:
        import certifi

        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=certifi.where()))
        opener = urllib.request.build_opener(tls, _NoRedirect)
        try:
            with opener.open(url, timeout=self._timeout_seconds) as answer:
                pem: bytes = answer.read(_LARGEST_CERTIFICATE)
        except urllib.error.HTTPError as refused:
            raise (BadSignature() if refused.code < 500 else GatewayUnavailable()) from None
        except (OSError, ValueError):
            raise GatewayUnavailable() from None
        return pem

    def _check(self, chain: list[x509.Certificate]) -> None:
        """From PayPal's certificate up to a root that is trusted, each in force and signed by the next."""
        at = datetime.now(UTC)
        if not chain or not (self._own_base or _is_of_paypal(chain[0])):
            raise BadSignature
        for position, certificate in enumerate(chain):
            if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
                raise BadSignature
            if position > 0 and not _may_sign(certificate):
                raise BadSignature
            if self._is_signed_by_root(certificate):
                return
            if position + 1 == len(chain) or not _signed(certificate, chain[position + 1]):
                raise BadSignature

    def _is_signed_by_root(self, certificate: x509.Certificate) -> bool:
        at = datetime.now(UTC)
        return any(
            root.subject == certificate.issuer
            and root.not_valid_after_utc >= at
            and _signed(certificate, root)
            for root in self._roots
        )

    @cached_property
    def _roots(self) -> list[x509.Certificate]:
        import certifi

        return _readable(self._root or certifi.contents())


def _readable(pem: str) -> list[x509.Certificate]:
    """Those of the certificates that keep to the rules: one old root that does not takes no other with it."""
    from cryptography import x509

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for certificate in _PEM.findall(pem):
            with suppress(ValueError, UserWarning):
                found.append(x509.load_pem_x509_certificate(certificate.encode()))
    return found


@dataclass(frozen=True)
class WebhookWindow:
    """How old a webhook may be, and by how much its time may be ahead of ours.

    PayPal repeats a webhook for three days, and does not say that it signs it anew
    (https://developer.paypal.com/api/rest/webhooks/rest/#link-notificationdelivery).
    """

    oldest: timedelta
    ahead: timedelta

    def check(self, sent: str) -> None:
        """Raises BadSignature: the time `sent` lies outside; ValueError: it is no time."""
        age = datetime.now(UTC) - datetime.fromisoformat(sent).astimezone(UTC)
        if not -self.ahead <= age <= self.oldest:
            raise BadSignature


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An address of PayPal's is one only as long as nobody sends us elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def verify(
    raw_body: bytes,
    headers: Mapping[str, str],
    webhook_ids: Iterable[str],
    certificates: Certificates,
    window: WebhookWindow,
) -> WebhookEvent:
    """The event in a webhook that was signed for one of these ids of ours; an empty one is none.

    Raises:
        BadSignature, GatewayUnavailable: see `PaymentGateway.verify_webhook`.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import rsa

    sent = {name: headers.get(f"paypal-{name}", "") for name in _HEADERS}
    if not all(sent.values()) or sent["auth-algo"] != _ALGORITHM:
        raise BadSignature
    key = certificates.at(sent["cert-url"]).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadSignature
    try:
        signature = base64.b64decode(sent["transmission-sig"], validate=True)
        signed = [
            f"{sent['transmission-id']}|{sent['transmission-time']}|{id_}|{zlib.crc32(raw_body)}"
            for id_ in webhook_ids
            if id_
        ]
        if not any(_made(key, signature, text) for text in signed):
            raise BadSignature
        window.check(sent["transmission-time"])
        return event_in(json.loads(raw_body))
    except (
        InvalidSignature,
        binascii.Error,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as problem:
        raise BadSignature from problem


def _made(key: rsa.RSAPublicKey, signature: bytes, text: str) -> bool:
    """Whether the key made this signature of the text."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


_HEADERS = ("transmission-id", "transmission-time", "transmission-sig", "cert-url", "auth-algo")


def event_in(event: dict[str, Any]) -> WebhookEvent:
    """What an event is about: https://developer.paypal.com/api/rest/webhooks/event-names/."""
    item, type_ = event["resource"], event["event_type"]
    id_ = str(item.get("id") or item.get("dispute_id") or "")
    charge_id = charge_named_in(item)
    if type_.startswith("CHECKOUT.ORDER."):
        intent_id: str | None = id_
    else:
        intent_id = order_named_in(item)
    if charge_id is None and intent_id is None and type_.startswith("PAYMENT.CAPTURE."):
        charge_id = id_
    return WebhookEvent(event["id"], type_, id_, intent_id, charge_id)


def _is_of_paypal(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = names.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        hosts = []
    common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return any(host.endswith(".paypal.com") for host in [*hosts, *(str(name.value) for name in common)])


def _may_sign(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True
