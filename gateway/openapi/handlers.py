"""The description of the API: for programs, and as a page for those who write them."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aiohttp import web

import gateway
from gateway.openapi.document import openapi_document
from gateway.openapi.page import read_sections, read_shapes
from gateway.web.pages import security_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.openapi.operation import DescribedRoute
    from gateway.web.portal import Portal

_ETAG_DIGITS = 16


class ApiDescription:
    """`GET /openapi.json`, `GET /docs`. Both are made when somebody asks for the first time, and kept."""

    def __init__(self, *, portal: Portal, routes: Sequence[DescribedRoute]) -> None:
        self._portal = portal
        self._routes = routes

    async def show_document(self, request: web.Request) -> web.Response:
        """Answer the document, or 304 to whoever has it already."""
        etag = hashlib.sha256(self._bytes).hexdigest()[:_ETAG_DIGITS]
        # It may be kept, unlike every other answer: it holds nothing of anybody's.
        headers = {"ETag": f'"{etag}"', "Cache-Control": "no-cache"}
        if any(known.value in (etag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=self._bytes, content_type="application/json", headers=headers)

    async def show_page(self, _request: web.Request) -> web.Response:
        headers = security_headers(secure=self._portal.cookie.secure)
        return web.Response(text=self._page, content_type="text/html", headers=headers)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return openapi_document(
            self._routes,
            title=self._portal.pages.site_name,
            version=gateway.__version__,
            public_url=self._portal.public_url,
            session_cookie=self._portal.cookie.name,
        )

    @cached_property
    def _bytes(self) -> bytes:
        return json.dumps(self._document, ensure_ascii=False, separators=(",", ":")).encode()

    @cached_property
    def _page(self) -> str:
        return self._portal.pages.render(
            "api_docs.html",
            introduction=self._document["info"]["description"].split("\n\n"),
            version=self._document["info"]["version"],
            sections=read_sections(self._document),
            shapes=read_shapes(self._document),
        )
