"""What a gateway loads at its start: all of it costs time before the first answer, and memory for good."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from gateway.commands import serve
from gateway.config.loading import load_settings
from tests.support.gateway import environment
from tests.support.migrated import lay_migrated_file

# Prepares and serves, and says which of these libraries were loaded for it.
_SERVING = """
import asyncio, os, sys
import gateway.commands.serve
from gateway.config.loading import load_settings
from gateway.config.secrets import load_secrets
from gateway.serving import running_gateway

async def main():
    settings = load_settings(None, (), os.environ).settings
    async with running_gateway(settings, load_secrets(settings)):
        print(sorted({"alembic", "asyncpg", "redis", "sqlalchemy.orm"} & sys.modules.keys()))

asyncio.run(main())
"""

# Names of the ORM's package are there afterwards, and are the same that the engine has.
_WHOLE_PACKAGE = """
from gateway.storage.asyncio_engine import AsyncConnection
import sqlalchemy.ext.asyncio as package
assert package.AsyncSession and package.AsyncConnection is AsyncConnection
"""

# As if the module needed names of its package.
_ENGINE_WITH_PACKAGE = """
import importlib
alone = importlib.import_module

def import_module(name):
    if name.endswith(".engine"):
        raise ImportError(name)
    return alone(name)

importlib.import_module = import_module
from gateway.storage.asyncio_engine import AsyncConnection
import sqlalchemy.ext.asyncio as package
assert package.AsyncConnection is AsyncConnection
"""


def test_libraries_of_what_is_not_wanted_are_not_loaded(tmp_path: Path) -> None:
    lay_migrated_file(tmp_path / "gateway.db")
    assert _run(_SERVING, environment(tmp_path)).splitlines()[-1] == "[]"


@pytest.mark.parametrize("program", [_WHOLE_PACKAGE, _ENGINE_WITH_PACKAGE])
def test_whole_package_of_the_engine_can_still_be_imported(program: str) -> None:
    _run(program, {})


def _run(program: str, environ: Mapping[str, str]) -> str:
    """Run a program in a process of its own, for this one has loaded everything."""
    command, everything = [sys.executable, "-c", program], {**os.environ, **environ}
    return subprocess.run(command, env=everything, check=True, capture_output=True, text=True, timeout=60).stdout


def test_templates_that_cannot_be_read_end_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_site_name: str) -> None:
        raise PermissionError(13, "Permission denied", "login.html")

    monkeypatch.setattr(serve, "Pages", refuse)
    with pytest.raises(click.ClickException, match=r"templates cannot be read .*login\.html"):
        serve._make_what_workers_share(load_settings(None, (), {}).settings)  # noqa: SLF001 - as a worker's part of it
