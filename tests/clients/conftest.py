"""A portal, and LibreChat in a browser that is at its address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.demo import free_port
from tests.support.gateway import Gateway, environment, start_gateway
from tests.support.node import LibreChat, start_librechat


@pytest.fixture
def settings() -> dict[str, str]:
    """Give what a test wants set beside the usual."""
    return {}


@pytest.fixture
async def portal(tmp_path: Path, settings: dict[str, str]) -> AsyncIterator[Gateway]:
    port = free_port()
    environ = environment(
        tmp_path,
        GATEWAY_LISTEN=f"127.0.0.1:{port}",
        ALLOW_REGISTRATION="true",
        ROLE_CASE="upper",
        **settings,
    )
    environ["GATEWAY_PUBLIC_URL"] = f"http://localhost:{port}"
    async with start_gateway(environ) as gateway:
        yield gateway


@pytest.fixture
async def librechat(portal: Gateway) -> AsyncIterator[LibreChat]:
    async with start_librechat(portal.settings.public_url) as page:
        yield page
