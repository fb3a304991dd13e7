"""The page that shows the API runs its own script, and nothing else may run on it."""

import base64
import hashlib
import re

from functions.platform.routes import docs
from tests.support import call


def test_it_is_a_page() -> None:
    reply = call(docs.handler, "GET", "/api/docs")

    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/api/openapi.json" in reply.body


def test_only_its_own_script_may_run() -> None:
    reply = call(docs.handler, "GET", "/api/docs")
    policy = reply.headers["Content-Security-Policy"]
    script = re.search(r"<script>(.*?)</script>", reply.body, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()

    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_nothing_comes_from_elsewhere_and_nothing_is_read_as_html() -> None:
    page = docs.PAGE.read_text()

    assert not re.findall(r"""(?:src|href)=["'](?!/api/)""", page)
    assert "innerHTML" not in page
    assert not re.findall(r"\son\w+=", page)
