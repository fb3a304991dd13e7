"""POST /api/auth/resend-verification: mail the link once more, or not: the answer is the same."""

from functions.auth import links
from functions.auth.database import database
from functions.auth.models import Accepted, EmailRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql

api = Api("auth", database)


@api.post("/api/auth/resend-verification", status=202)
def resend_verification(request: EmailRequest, sql: Sql) -> Accepted:
    """Mail another link that verifies the address, if it has an account that needs one."""
    links.request_verification(sql, request.email, now())
    return Accepted()


handler = api.handler
