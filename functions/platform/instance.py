"""How the migrations reach a PostgreSQL server itself: past the proxy, as its administrator, over verified TLS."""

import os
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from shared import parameters
from shared.database import LOOPBACK

CONNECT_TIMEOUT_SECONDS = 5

# A server's certificate is signed by RDS's own authorities (the proxy's is not), which no public bundle has.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
RDS_AUTHORITIES = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
DOWNLOAD_TIMEOUT_SECONDS = 10


def administrator(service: str) -> dict[str, Any]:
    """psycopg2's parameters of a connection to a service's server as its administrator, without `dbname`.

    The secret is RDS's own, which holds a name and a password and changes every week; where the server is, the
    environment says. Services may share a server.

    Raises:
        Unavailable: the secret could not be read.
    """
    secret = parameters.secret(os.environ[f"{service.upper()}_ADMIN_SECRET_ARN"])
    host = os.environ[f"{service.upper()}_ADMIN_HOST"]
    return {
        "host": host,
        "port": int(os.environ["ADMIN_PORT"]),
        "user": secret["username"],
        "password": secret["password"],
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "box-office-migrate",
        **_security(host),
    }


def _security(host: str) -> dict[str, str]:
    if host in LOOPBACK:
        return {"sslmode": "disable"}
    return {"sslmode": "verify-full", "sslrootcert": str(_authorities())}


def _authorities() -> Path:
    """RDS's authorities in a file, downloaded over TLS that a public authority vouches for."""
    import certifi
    import urllib3

    pool = urllib3.PoolManager(ca_certs=certifi.where())
    answer = pool.request("GET", RDS_AUTHORITIES, timeout=DOWNLOAD_TIMEOUT_SECONDS, retries=3)
    if answer.status != 200:
        raise ConnectionError(f"{RDS_AUTHORITIES} answered {answer.status}")
    file = Path(gettempdir()) / "rds-authorities.pem"
    file.write_bytes(answer.data)
    return file
