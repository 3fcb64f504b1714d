"""A small application without a login of its own, to stand behind the gateway."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.resources import resource_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from jinja2 import Template

_PAGES = {
    "/": ("Home", "This is the application's start page. It was opened, so the gateway let you in."),
    "/public": ("Public", "Everybody may read this page, logged in or not."),
    "/members": ("Members", "This page is for people who are logged in."),
    "/admin": (
        "Admin",
        "A page for administrators, once a rule asks for the role. Until then: for people who are logged in.",
    ),
}
_LARGEST_BODY = 16 * 1024 * 1024
# aiohttp's default of 8 kB is less than browsers and nginx let through.
_LONGEST_LINE = 64 * 1024


def create_application(*, log_out_url: str) -> web.Application:
    """Join the pages, which greet by name, and what programs call."""
    environment = Environment(
        loader=FileSystemLoader(resource_folder("templates") / "demo"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = _page_handler(environment.get_template("page.html.j2"), log_out_url=log_out_url)
    application = web.Application(client_max_size=_LARGEST_BODY)
    application.add_routes(
        [
            *(web.get(path, page) for path in _PAGES),
            web.get("/api/convos", list_conversations),
            web.get("/api/agents/v1/chat/completions", complete),
            web.post("/api/agents/v1/chat/completions", complete),
            web.route("*", "/headers", show_headers),
        ]
    )
    return application


@asynccontextmanager
async def application_running(*, log_out_url: str, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve, unless said otherwise on a free port of this machine, and give the address for the proxy to be told."""
    runner = web.AppRunner(
        create_application(log_out_url=log_out_url),
        access_log=None,
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_LINE,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound_host, bound_port = runner.addresses[0][:2]
        yield f"http://{bound_host}:{bound_port}"
    finally:
        await runner.cleanup()


def _page_handler(template: Template, *, log_out_url: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def page(request: web.Request) -> web.Response:
        title, sentence = _PAGES[request.path]
        text = template.render(
            title=title,
            sentence=sentence,
            here=request.path,
            pages=[(path, label) for path, (label, _) in _PAGES.items()],
            name=_visitor(request),
            identity=_identity(request),
            log_out_url=log_out_url,
        )
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    return page


async def list_conversations(request: web.Request) -> web.Response:
    titles = ("What a forward-auth gateway is", "Names for a cat", "Tomorrow's talk")
    return web.json_response(
        [
            {"conversationId": f"demo-{number}", "title": title, "user": _visitor(request)}
            for number, title in enumerate(titles, start=1)
        ]
    )


async def complete(request: web.Request) -> web.Response:
    """Answer in the shape of a chat completion, with what was said."""
    model, said = "echo", ""
    if request.method == "POST":
        try:
            asked = await request.json()
            model, said = str(asked.get("model", model)), str(asked["messages"][-1]["content"])
        except (ValueError, LookupError, TypeError, AttributeError):
            return web.json_response(
                {"error": "Bad request", "message": 'Send {"messages": [{"role": "user", "content": "…"}]}.'},
                status=web.HTTPBadRequest.status_code,
            )
    content = f"Hello, {_visitor(request) or 'stranger'}. You said: {said or 'nothing'}"
    message = {"role": "assistant", "content": content}
    return web.json_response(
        {
            "id": "chatcmpl-demo",
            "object": "chat.completion",
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
    )


async def show_headers(request: web.Request) -> web.Response:
    """Answer with every header as it arrived, in order, and with the length of the body."""
    headers = [[name, _text(value)] for name, value in request.headers.items()]
    content = {"method": request.method, "headers": headers, "body_length": len(await request.read())}
    return web.json_response(content, dumps=lambda value: json.dumps(value, ensure_ascii=False, indent=2))


def _visitor(request: web.Request) -> str:
    return _text(request.headers.get("Remote-Name") or request.headers.get("Remote-User") or "")


def _identity(request: web.Request) -> list[tuple[str, str]]:
    return [(name, _text(value)) for name, value in request.headers.items() if name.lower().startswith("remote-")]


def _text(value: str) -> str:
    """Bytes that are not UTF-8 arrive as surrogates, which no page can hold."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
