"""The command line of the benchmarks: how it ends when it is ended, or cannot begin."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.processes import family_of

_PROJECT = Path(__file__).parent.parent.parent
_PATIENCE_SECONDS = 60
_NOTHING_LEARNT = 2
_STARTING = 3

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two cores are needed")


@pytest.fixture
def measuring(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Measure what needs no other program, with temporary folders below the test's."""
    with subprocess.Popen(
        # Whoever runs the tests in the background may have it ignored, which programs inherit.
        ["/usr/bin/env", "--default-signal=INT", sys.executable, "-m", "benchmarks", "all", "P11"],
        cwd=_PROJECT,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ended_in_the_middle_it_leaves_nothing_behind(
    measuring: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    # The command, the gateway, and what that one starts first: it does not answer yet.
    while len(family_of(measuring.pid)) < _STARTING:
        assert time.monotonic() < deadline, "no gateway was started"
        time.sleep(0.05)
    family = family_of(measuring.pid)
    measuring.send_signal(number)
    _, said = measuring.communicate(timeout=_PATIENCE_SECONDS)
    assert "it was stopped" in said
    assert measuring.returncode == _NOTHING_LEARNT
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    assert list(tmp_path.iterdir()) == []


def test_without_wrk_it_says_how_to_install_it_and_nothing_else(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "env").symlink_to("/usr/bin/env")
    tried = subprocess.run(
        [sys.executable, "-m", "benchmarks", "quick", "--rounds", "1"],
        cwd=_PROJECT,
        env={"PATH": str(programs), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == _NOTHING_LEARNT
    assert tried.stderr.splitlines()[-1].startswith("Nothing was learnt: wrk is not installed. Install it")
