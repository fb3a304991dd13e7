"""Stands in for CloudFront: shows what lies in the public folder of a bucket, with the headers of the distribution."""

from __future__ import annotations

from urllib.parse import quote

import aiohttp
from aiohttp import web

from local.permissions.grants import CLOUDFRONT, access_key
from local.permissions.policy import Caller
from local.resources import PICTURES_PATH, REGION, Distribution

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
_KEPT = ("Cache-Control", "ETag", "Last-Modified")
_SECONDS = 10.0


class Pictures:
    """The routes under `PICTURES_PATH`. Start it before the gateway and stop it after."""

    def __init__(self, distribution: Distribution | None, aws_url: str) -> None:
        self._distribution, self._aws_url = distribution, aws_url
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open what the route needs."""
        arn = self._distribution.arn if self._distribution is not None else ""
        key = access_key(Caller(CLOUDFRONT, CLOUDFRONT, arn))
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/s3/aws4_request"}
        self._session = aiohttp.ClientSession(
            headers=signed, timeout=aiohttp.ClientTimeout(total=_SECONDS), auto_decompress=False
        )

    async def stop(self) -> None:
        """Close it again."""
        if self._session is not None:
            await self._session.close()

    def extend(self, app: web.Application) -> None:
        """Add the route to the gateway's application."""
        app.router.add_get(f"{PICTURES_PATH}/{{key:.+}}", self._show)

    async def _show(self, request: web.Request) -> web.Response:
        shown = await self._object(request.match_info["key"])
        if shown is None and self._distribution is not None and self._distribution.missing is not None:
            shown = await self._object(self._distribution.missing)
            if shown is not None:
                shown.set_status(404)
        return shown or web.Response(status=404, headers=_HEADERS)

    async def _object(self, key: str) -> web.Response | None:
        assert self._session is not None
        if self._distribution is None:
            return None
        path = quote(f"{self._distribution.bucket}/{self._distribution.folder}/{key}")
        try:
            async with self._session.get(f"{self._aws_url}/{path}") as answer:
                if answer.status != 200:
                    return None
                kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
                kept["Content-Type"] = answer.headers.get("Content-Type", "binary/octet-stream")
                return web.Response(body=await answer.read(), headers=_HEADERS | kept)
        except (aiohttp.ClientError, TimeoutError):
            return None
