"""What a route that needs it is told of the request itself."""

import pytest

from shared.requests import RawRequest
from tests.support import CLOUDFRONT, proxy_event


@pytest.mark.parametrize(
    "forwarded",
    [
        f"203.0.113.7, {CLOUDFRONT}",
        f"198.51.100.1, 203.0.113.7, {CLOUDFRONT}",
        f"198.51.100.1,198.51.100.2,203.0.113.7,{CLOUDFRONT}",
        f"not an address, 203.0.113.7, {CLOUDFRONT}",
    ],
)
def test_the_caller_s_address_is_what_cloudfront_saw_whatever_the_caller_says(forwarded: str) -> None:
    event = proxy_event("POST", "/api/auth/login", "/api/auth/login", headers={"X-Forwarded-For": forwarded})

    assert RawRequest(event).source_ip == "203.0.113.7"


def test_without_cloudfront_it_is_what_the_gateway_saw() -> None:
    event = proxy_event("GET", "/", "/", headers={"X-Forwarded-For": "203.0.113.7"})

    assert RawRequest(event).source_ip == CLOUDFRONT
