"""GET /api/openapi.json: the OpenAPI document, made from the code when this was built (`make openapi`)."""

from pathlib import Path

from shared.api import Api
from shared.responses import JSON, File

DOCUMENT = Path(__file__).resolve().parents[1] / "openapi.json"
CACHE_SECONDS = 300

api = Api("platform")


@api.get("/api/openapi.json", cache_seconds=CACHE_SECONDS)
def openapi() -> File:
    """OpenAPI 3.1."""
    return File(DOCUMENT.read_text(), JSON)


handler = api.handler
