"""GET /api/auth/exports/{token}: the file that a mailed link leads to."""

from functions.auth import exporting
from functions.auth.database import database
from shared.api import Api
from shared.clock import now
from shared.responses import File

api = Api("auth", database)


@api.get("/api/auth/exports/{token}", status=303)
def download_export(token: str) -> File:
    """Lead to the file for some minutes. The token is the secret; 404 if it is unknown, or its time is over."""
    with database.reading() as sql:
        address = exporting.address(sql, token, now())
    return File("", "text/plain", headers={"Location": address})


handler = api.handler
