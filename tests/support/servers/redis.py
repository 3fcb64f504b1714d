"""A Redis of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.servers.processes import ServerProcess, free_port


class RedisServer(ServerProcess):
    """Keeps nothing: started again, it is empty."""

    def __init__(self, folder: Path, *more: str) -> None:
        port = free_port()
        arguments = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
        super().__init__([*arguments, "--save", "", *more], port=port, log=folder / "redis.log")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


@contextmanager
def running_redis(*more: str) -> Iterator[RedisServer]:
    """Run one until the block ends; `more` are its own options."""
    with TemporaryDirectory(prefix="gateway-redis-") as folder:
        server = RedisServer(Path(folder), *more)
        server.start()
        try:
            yield server
        finally:
            server.stop()
