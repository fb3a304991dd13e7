"""How PayPal signs what it delivers: https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod."""

import base64
import uuid
import zlib

from local.paypal_simulator import followups
from local.paypal_simulator.calls import stamp
from local.paypal_simulator.certificates import NAME, Signer
from local.simulation.deliveries import Manners

ALGORITHM = "SHA256withRSA"


def headers(payload: bytes, signer: Signer, webhook_id: str, base: str) -> dict[str, str]:
    """The headers of one transmission."""
    transmission_id, time = str(uuid.uuid4()), stamp()
    signed = f"{transmission_id}|{time}|{webhook_id}|{zlib.crc32(payload)}"
    return {
        "Content-Type": "application/json",
        "User-Agent": "PayPal/AUHD-1.0-1 (simulated)",
        "PAYPAL-AUTH-ALGO": ALGORITHM,
        "PAYPAL-AUTH-VERSION": "v2",
        "PAYPAL-CERT-URL": f"{base}/v1/notifications/certs/{NAME}",
        "PAYPAL-TRANSMISSION-ID": transmission_id,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signer.sign(signed.encode())).decode(),
        "PAYPAL-TRANSMISSION-TIME": time,
    }


def manners(signer: Signer, webhook_id: str, base: str) -> Manners:
    """Deliveries signed for this webhook."""
    return Manners(
        lambda payload: headers(payload, signer, webhook_id, base),
        lambda store: followups.run_due(store, base),
        followups.next_due,
    )
