"""GET /api/docs: a page to read the API and try it."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from shared.api import Api
from shared.responses import File

PAGE = Path(__file__).resolve().parents[1] / "docs.html"
CACHE_SECONDS = 300

api = Api("platform")


@api.get("/api/docs", cache_seconds=CACHE_SECONDS)
def docs() -> File:
    """HTML, with a form to try each operation."""
    page = PAGE.read_text()
    return File(page, "text/html; charset=utf-8", headers={"Content-Security-Policy": _policy(page)})


@cache
def _policy(page: str) -> str:
    """The page may run its own script and style, known by their hashes, and call this API. Nothing else."""
    script, style = (_hash(page, tag) for tag in ("script", "style"))
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(page: str, tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert found is not None
    return "sha256-" + base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()


handler = api.handler
