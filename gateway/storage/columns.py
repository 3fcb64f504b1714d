"""What every table is made with: moments in UTC, numbers that do not run out, one way to name constraints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, DateTime, Integer, MetaData, TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: SQLite forgets the zone of a `DateTime(timezone=True)`, this gives it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:  # noqa: ARG002 - SQLAlchemy's signature
        # Whole, for a session's row has ten: SQLite's driver gives the text that is kept, asyncpg a moment in UTC.
        return _read if dialect.name == "sqlite" else None


def _read(text: str | None) -> datetime | None:
    # Giving a moment its zone afterwards takes several times as long as reading it.
    return None if text is None else datetime.fromisoformat(f"{text}+00:00")


# Of rows that come for as long as the gateway lives: a hundred a second would use up 32 bits within a year.
# SQLite counts in 64 bits by itself, and by itself only where the column is called INTEGER.
LongNumber = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
