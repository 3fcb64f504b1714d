"""The quick part of `make faults`: two replicas under load, a random mix of faults, and whether the harness can see."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.kinds import Fault, Promise, cut_off
from tests.faults.load import repeatable
from tests.faults.mix import SETUP, run_mix
from tests.faults.rows import run_fault
from tests.faults.site import Site, running_site
from tests.support.servers.postgresql import PostgresqlProcess
from tests.support.servers.relay import Relay

pytestmark = pytest.mark.long

_MIX_SECONDS = 6
_UNHEARD_SECONDS = 3
# Within these seconds it takes somebody who is known there, revoked elsewhere, and asked about a second later.
_ATTEMPTS = 4


def test_name_that_no_fault_has_is_no_success() -> None:
    project = Path(__file__).parent.parent.parent
    command = [sys.executable, "-m", "tests.faults", "--only", "no such fault"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
    assert asked.returncode == 2
    assert "Redis flushed" in asked.stderr


async def test_random_mix_keeps_every_promise_and_a_broken_one_would_be_seen(postgresql: PostgresqlProcess) -> None:
    """What would be late by the grace counts as wrong as soon as nothing excuses it."""
    # `--randomly-seed` repeats it, and `make faults ARGS="--seed …"` does it for longer.
    seed = random.randrange(1_000_000)  # noqa: S311 - a seed is no secret
    async with running_site(SETUP, postgresql) as site:
        row = await run_mix(site, seed=seed, seconds=_MIX_SECONDS)
        assert row.broken == [], f"seed {seed}"
        assert row.findings.acknowledged

        fault = Fault("cut off, and nothing excuses it", _cut_off_without_excuse, Promise.NOBODY)
        for attempt in range(_ATTEMPTS):
            row = await run_fault(site, fault, random=repeatable(seed + attempt), seconds=_UNHEARD_SECONDS)
            if row.findings.wrong_allows:
                break
        assert row.findings.wrong_allows
        assert all("gateway-2 let" in complaint for complaint in row.findings.wrong_allows)


async def _cut_off_without_excuse(site: Site, seconds: float) -> None:
    await cut_off(site, seconds, doorbell=True, how=Relay.refuse)
    site.cut_offs.clear()
