"""The topology of compose.yaml from this machine's own packages: servers, two gateways, an application, nginx."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.config.settings import Settings
from gateway.credentials.passwords import generate_password
from gateway.demo.application import application_running
from gateway.demo.errors import DemoFailed
from gateway.demo.nginx import find_nginx, listen_on_loopback, nginx_running
from gateway.proxy_config.nginx import render
from tests.support.gateway import ADMIN_EMAIL
from tests.support.servers.gateway import GatewayProcess
from tests.support.servers.postgresql import postgresql_is_installed, running_postgresql
from tests.support.servers.redis import running_redis

GATEWAYS = 2
_HOST = "localhost"

Say = Callable[[str], None]


class ClusterFailed(Exception):
    """The cluster cannot be started; the message names the cause and the cure."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a visitor and a curious operator have to know."""

    application: str
    portal: str
    password: str = field(repr=False)
    gateways: list[GatewayProcess]


def require_programs() -> None:
    """Raise `ClusterFailed` unless everything that is started is there."""
    missing = []
    try:
        find_nginx()
    except DemoFailed:
        missing.append("nginx-light")
    if not postgresql_is_installed():
        missing.append("postgresql")
    if shutil.which("redis-server") is None:
        missing.append("redis-server")
    if missing:
        message = f"Missing on this machine. Install with: sudo apt-get install {' '.join(missing)}"
        raise ClusterFailed(message)


@asynccontextmanager
async def running_cluster(*, port: int, portal_port: int, say: Say) -> AsyncIterator[Cluster]:
    """Start in the order of need and end in the other; raise `ClusterFailed` for a port that is taken."""
    require_programs()
    portal = f"http://{_HOST}:{portal_port}"
    async with AsyncExitStack() as stack:
        listeners = [_listen(stack, number) for number in (port, portal_port)]
        say("PostgreSQL ...")
        database = (await asyncio.to_thread(stack.enter_context, running_postgresql())).new_database()
        say("Redis ...")
        redis = await asyncio.to_thread(stack.enter_context, running_redis())
        password = generate_password()
        environ = _shared_environment(portal) | {"DATABASE_URL": database, "REDIS_URL": redis.url}
        environ["INITIAL_ORG_ADMIN_PASSWORD"] = password
        gateways = []
        for number in range(1, GATEWAYS + 1):
            say(f"Gateway {number} ...")
            own = Path(stack.enter_context(TemporaryDirectory(prefix=f"gateway-{number}-")))
            gateways.append(await _start_gateway(stack, own, environ))
        say("Application and nginx ...")
        application = await stack.enter_async_context(application_running(log_out_url=f"{portal}/logout"))
        files = render(
            Settings.model_validate({"public_url": portal}),
            site=_HOST,
            application=application,
            listen=f"127.0.0.1:{port}",
            gateways=[gateway.url for gateway in gateways],
            portal_listen=f"127.0.0.1:{portal_port}",
        )
        stack.enter_context(nginx_running(listeners[0], files, listeners[1]))
        yield Cluster(f"http://{_HOST}:{port}", portal, password, gateways)
        say("Ending: nginx, application, gateways, Redis, PostgreSQL")


def _shared_environment(portal: str) -> dict[str, str]:
    """Give what is the same for all of them. Replicas with secrets of their own would log each other's people out."""
    return {
        "GATEWAY_PUBLIC_URL": portal,
        "INITIAL_ORG_ADMIN_EMAIL": ADMIN_EMAIL,
        **{
            name: secrets.token_hex(32)
            for name in ("BASIC_AUTH_JWT_SECRET", "GATEWAY_API_KEY_SALT", "GATEWAY_ENCRYPTION_KEY")
        },
    }


async def _start_gateway(stack: AsyncExitStack, folder: Path, environ: dict[str, str]) -> GatewayProcess:
    gateway = GatewayProcess(folder, {**environ, "GATEWAY_DATA_DIR": str(folder / "data")})
    stack.push_async_callback(asyncio.to_thread, gateway.stop)
    await asyncio.to_thread(gateway.start)
    return gateway


def _listen(stack: AsyncExitStack, port: int) -> socket.socket:
    try:
        return stack.enter_context(listen_on_loopback(port))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"Port {port} cannot be used ({reason}). Choose others: make cluster PORT=8090 PORTAL_PORT=9191"
        raise ClusterFailed(message) from error
