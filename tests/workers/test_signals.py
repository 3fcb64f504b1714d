"""What the supervisor hears."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from gateway.workers.signals import Signals


def test_stop_is_heard_among_any_number_of_other_signals() -> None:
    """While a configuration is read, or a process waited for, nobody takes them."""
    with Signals() as signals:
        for _ in range(1000):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
        assert signal.SIGTERM in signals.read()
        assert signals.read() == []


def test_terminal_that_has_gone_ends_the_gateway_and_reloads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, ours = os.openpty()
    with os.fdopen(ours) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with Signals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.read() == [signal.SIGHUP]
            os.close(terminal)
            os.kill(os.getpid(), signal.SIGHUP)
            assert signals.read() == [signal.SIGTERM]
