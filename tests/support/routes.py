"""What the router of a gateway knows, without serving it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from gateway.app import create_app
from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.storage.database import Database
from tests.support.gateway import environment


@asynccontextmanager
async def unserved_app(data_dir: Path) -> AsyncIterator[web.Application]:
    settings = load_settings(None, (), environment(data_dir)).settings
    async with Database.opened(settings.database) as database:
        yield create_app(settings, load_secrets(settings), database)


def routes_of(app: web.Application) -> set[tuple[str, str]]:
    """Give method and path of each route, but HEAD, which aiohttp answers beside each GET."""
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
