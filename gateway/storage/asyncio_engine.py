"""SQLAlchemy's engine for asyncio alone: its package imports the ORM as well, which nothing here uses."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

__all__ = ["AsyncConnection", "create_async_engine"]

_PACKAGE = "sqlalchemy.ext.asyncio"


def _import_engine() -> Any:  # noqa: ANN401 - a module whose names are those above
    """Import the module while its package is there, but was not run: whoever imports that later gets all of it."""
    if _PACKAGE not in sys.modules and (spec := find_spec(_PACKAGE)) is not None:
        sys.modules[_PACKAGE] = module_from_spec(spec)
        try:
            return import_module(f"{_PACKAGE}.engine")
        except ImportError:
            # Of a version in which it needs its package.
            pass
        finally:
            del sys.modules[_PACKAGE]
    return import_module(_PACKAGE)


if not TYPE_CHECKING:
    _engine = _import_engine()
    AsyncConnection, create_async_engine = _engine.AsyncConnection, _engine.create_async_engine
