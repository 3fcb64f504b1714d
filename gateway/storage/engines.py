"""The engines beneath a database: some connections that read, and the one that writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.storage.prepared_reads import ShortWay

# Longer than any of our transactions; beyond it the answer is 503, not an endless wait.
LOCK_WAIT_SECONDS = 5
READ_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Engines:
    """`readers` are outside any transaction; `writer` has one connection, whose transactions have no other beside it.

    Whoever checks and then acts inside one needs no further lock, on either kind of database. `migrator` is a writer
    whose statements may take as long as they need. `lasting` gives connections that read and are kept for good: nobody
    waits for them, and they for nobody. `short_way` answers what is asked most.
    """

    readers: AsyncEngine
    writer: AsyncEngine
    lasting: AsyncEngine
    migrator: AsyncEngine
    short_way: ShortWay
