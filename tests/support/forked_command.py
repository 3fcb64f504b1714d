"""A `gateway` command in a process that was forked from one which has imported everything already."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.__main__ import run
from tests.support.hashes import make_hashes_cheap

# What most commands need, so that no fork has to import it once more.
PRELOADED = [
    __name__,
    "gateway.commands.audit",
    "gateway.commands.ban",
    "gateway.commands.bootstrap",
    "gateway.commands.explain",
    "gateway.commands.group",
    "gateway.commands.key",
    "gateway.commands.mail",
    "gateway.commands.member",
    "gateway.commands.org",
    "gateway.commands.secrets",
    "gateway.commands.serve",
    "gateway.commands.service_account",
    "gateway.commands.session",
    "gateway.commands.workspace",
    "alembic.command",
    "uvloop",
    "zxcvbn",
]


def be_the_command(arguments: tuple[str, ...], environ: Mapping[str, str], streams: Path) -> None:
    """Run it with this environment and the files `in`, `out` and `err` as standard streams; exit as it does."""
    os.environ.clear()
    os.environ.update(environ)
    for number, name, flags in ((0, "in", os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "err", os.O_WRONLY)):
        os.dup2(os.open(streams / name, flags), number)
    # Processes of multiprocessing begin without one.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the descriptor, as long as we live
    sys.argv = ["gateway", *arguments]
    make_hashes_cheap(pytest.MonkeyPatch())
    sys.exit(run())
