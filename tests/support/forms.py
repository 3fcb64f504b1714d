"""A person at a page without JavaScript: reads the form, fills it in, sends it with the cookies that came along."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from aiohttp import ClientResponse

from tests.support.gateway import Gateway


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden":
            self.hidden[found.get("name") or ""] = found.get("value") or ""


@dataclass(slots=True)
class Person:
    """Keeps cookies as a browser would, and nothing else."""

    gateway: Gateway
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, path: str, **headers: str) -> ClientResponse:
        return self._keep(await self.gateway.ask(path, Cookie=self._cookie_line(), Accept="text/html", **headers))

    async def fill_in(self, path: str, *, action: str | None = None, **fields: str) -> ClientResponse:
        """Open a page and send its form with these fields added."""
        page = await self.open(path)
        hidden = hidden_fields(await page.text())
        return await self.post(action or path.partition("?")[0], {**hidden, **fields})

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> ClientResponse:
        url = f"{self.gateway.url}{path}"
        sent = {"Cookie": self._cookie_line(), "Sec-Fetch-Site": "same-origin", "Accept": "text/html", **headers}
        return self._keep(await self.gateway.client.post(url, data=fields, headers=sent, allow_redirects=False))

    def _keep(self, response: ClientResponse) -> ClientResponse:
        for name, morsel in response.cookies.items():
            # Browsers send quotes back as they came.
            self.cookies[name] = morsel.coded_value
            if morsel["max-age"] == "0":
                del self.cookies[name]
        return response

    def _cookie_line(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def hidden_fields(page: str) -> dict[str, str]:
    parser = _Inputs()
    parser.feed(page)
    return parser.hidden
