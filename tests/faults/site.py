"""A site to do harm to: gateways in processes of their own, with a relay before each of their servers."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.demo.nginx import listen_on_loopback, nginx_running
from gateway.proxy_config.nginx import render
from tests.faults.history import CutOff
from tests.faults.load import Target
from tests.support.gateway import environment
from tests.support.protected_site import HOST, settings_asking
from tests.support.servers.gateway import GatewayProcess
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.redis import RedisServer, running_redis
from tests.support.servers.relay import Relay, running_relay

_SECRETS = {
    "BASIC_AUTH_JWT_SECRET": "one and the same for every replica of the site",
    "GATEWAY_API_KEY_SALT": "the salt of every replica of the site, one and the same",
    "GATEWAY_ENCRYPTION_KEY": "the key of every replica of the site, one and the same",
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What kind of site a fault needs."""

    replicas: int = 2
    workers: int = 1
    grace_seconds: int = 60
    behind_nginx: bool = False
    on_sqlite: bool = False
    # A small file system of its own under the SQLite file, in megabytes: only root can make one.
    disk_megabytes: int = 0


DEFAULT_SETUP = Setup()


class Replica:
    """One gateway, and the relays by which alone it reaches its servers."""

    def __init__(self, name: str, folder: Path, environ: dict[str, str], *, workers: int) -> None:
        self.name = name
        self.config = folder / "gateway.yaml"
        self.config.write_text("access_control: {default_policy: one_factor}\n")
        self.process = GatewayProcess(folder, environ, "--config", str(self.config), "--workers", str(workers))
        self.database: Relay | None = None
        self.redis: Relay | None = None

    @property
    def target(self) -> Target:
        return Target(self.name, self.process.url)

    async def start(self) -> None:
        await asyncio.to_thread(self.process.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self.process.stop)

    async def kill(self) -> None:
        await asyncio.to_thread(self.process.kill)


@dataclass(slots=True)
class Site:
    """Everything that a fault may be done to."""

    setup: Setup
    replicas: list[Replica]
    targets: list[Target]
    redis: RedisServer
    postgresql: PostgresqlProcess | None
    database_name: str
    sqlite_file: Path
    cut_offs: list[CutOff] = field(default_factory=list)

    def note_cut_off(self, replica: Replica, since: float) -> None:
        """Say that this one has heard neither from the database nor by the doorbell until now."""
        cut_off = CutOff(replica.name, since, time.monotonic(), self.setup.grace_seconds)
        self.cut_offs.append(cut_off)


@asynccontextmanager
async def running_site(setup: Setup, postgresql: PostgresqlProcess | None) -> AsyncIterator[Site]:
    """Run one until the block ends, with nothing in its database but the administrator."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gateway-faults-")))
        redis = await asyncio.to_thread(stack.enter_context, running_redis())
        url = await asyncio.to_thread(postgresql.new_database) if postgresql and not setup.on_sqlite else ""
        site = Site(setup, [], [], redis, postgresql, url.rpartition("/")[2], folder / "shared" / "gateway.db")
        for number in range(setup.replicas):
            site.replicas.append(await _replica(stack, site, f"gateway-{number + 1}", folder))
        for replica in site.replicas:
            stack.push_async_callback(replica.stop)
            await replica.start()
        site.targets = [replica.target for replica in site.replicas]
        if setup.behind_nginx:
            site.targets = [_nginx(stack, site, folder)]
        yield site


async def _replica(stack: AsyncExitStack, site: Site, name: str, folder: Path) -> Replica:
    """Make one that is not started yet."""
    own = folder / name
    own.mkdir()
    data = site.sqlite_file.parent if site.setup.on_sqlite else own / "data"
    data.mkdir(exist_ok=True)
    if site.setup.disk_megabytes:
        stack.enter_context(_small_disk(data, megabytes=site.setup.disk_megabytes))
    redis = await stack.enter_async_context(running_relay(site.redis.port))
    environ = {**environment(data), **_SECRETS, "OUTAGE_GRACE": f"{site.setup.grace_seconds}s"}
    environ["REDIS_URL"] = f"redis://127.0.0.1:{redis.port}/0"
    database = None
    if not site.setup.on_sqlite:
        assert site.postgresql is not None
        database = await stack.enter_async_context(running_relay(site.postgresql.port))
        environ["DATABASE_URL"] = f"postgresql://postgres@127.0.0.1:{database.port}/{site.database_name}"
    replica = Replica(name, own, environ, workers=site.setup.workers)
    replica.database, replica.redis = database, redis
    return replica


@contextmanager
def _small_disk(folder: Path, *, megabytes: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _nginx(stack: AsyncExitStack, site: Site, folder: Path) -> Target:
    """Start nginx, which plays the application as well: another one would take the processor from those it is about."""
    listener, applications = listen_on_loopback(0), listen_on_loopback(0)
    port, application = (one.getsockname()[1] for one in (listener, applications))
    files = render(
        settings_asking(site.replicas[0].process.url, environment(folder)),
        site=HOST,
        application=f"http://127.0.0.1:{application}",
        listen=f"127.0.0.1:{port}",
        gateways=[replica.process.url for replica in site.replicas],
    )
    files["gateway.conf"] += f'server {{ listen 127.0.0.1:{application}; return 200 "the application"; }}\n'
    stack.enter_context(nginx_running(listener, files, applications))
    return Target("nginx", f"http://127.0.0.1:{port}", is_proxy=True)
