"""Redis with somebody who watches it: a master, its replica, and a Sentinel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.support.servers.processes import ServerProcess, free_port
from tests.support.servers.redis import RedisServer, running_redis

_SERVICE = "main"
_PASSWORD = "watcher"
# How long a master has to be silent before another one takes over.
_DOWN_AFTER_MILLISECONDS = 500


class SentinelServer(ServerProcess):
    """Rewrites its own file of settings, as Sentinels do."""

    def __init__(self, folder: Path, master: RedisServer) -> None:
        settings = folder / "sentinel.conf"
        port = free_port()
        lines = (
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {folder}",
            f"sentinel monitor {_SERVICE} 127.0.0.1 {master.port} 1",
            f"sentinel down-after-milliseconds {_SERVICE} {_DOWN_AFTER_MILLISECONDS}",
            f"sentinel failover-timeout {_SERVICE} 2000",
            f"requirepass {_PASSWORD}",
        )
        settings.write_text("\n".join(lines))
        super().__init__(["redis-server", str(settings), "--sentinel"], port=port, log=folder / "sentinel.log")


@dataclass(frozen=True, slots=True)
class WatchedRedis:
    master: RedisServer
    replica: RedisServer
    sentinel: SentinelServer

    @property
    def url(self) -> str:
        """Where the Sentinel is, who has a password; Redis has none."""
        address = f"127.0.0.1:{self.sentinel.port}"
        return f"redis+sentinel://{address}/{_SERVICE}?sentinel_password={_PASSWORD}"


@contextmanager
def running_sentinel(folder: Path) -> Iterator[WatchedRedis]:
    """Run all three until the block ends."""
    with ExitStack() as servers:
        master = servers.enter_context(running_redis("--repl-diskless-sync-delay", "0"))
        replica = servers.enter_context(running_redis())
        _follow(replica, master)
        sentinel = SentinelServer(folder, master)
        servers.callback(sentinel.stop)
        sentinel.start(ready=lambda: _knows_a_replica(sentinel))
        yield WatchedRedis(master, replica, sentinel)


def _follow(replica: RedisServer, master: RedisServer) -> None:
    """Return when the replica has everything: a Sentinel that saw it earlier looks again after ten seconds only."""
    with redis.Redis(port=replica.port) as client:
        client.replicaof("127.0.0.1", master.port)
        while client.info("replication")["master_link_status"] != "up":
            time.sleep(0.02)


def _knows_a_replica(sentinel: SentinelServer) -> bool:
    """Tell whether there is somebody who could take over."""
    with suppress(redis.RedisError), redis.Redis(port=sentinel.port, password=_PASSWORD) as client:
        return any(known["master-link-status"] == "ok" for known in client.sentinel_slaves(_SERVICE))
    return False
