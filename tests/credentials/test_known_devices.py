"""Devices and the accounts that they know."""

from __future__ import annotations

import string
from datetime import timedelta

import pytest
import time_machine

from gateway.credentials.known_devices import KnownDevice, KnownDevices

DEVICES = KnownDevices(key=b"a key of the tests")


def sealed_and_opened(device: KnownDevice) -> KnownDevice:
    opened = DEVICES.open(DEVICES.seal(device))
    assert opened is not None
    return opened


def test_new_device_knows_nobody() -> None:
    assert not DEVICES.new().knows("ada@example.com")


def test_device_knows_whom_it_remembers_and_no_other() -> None:
    device = sealed_and_opened(DEVICES.new().remember("ada@example.com"))
    assert device.knows("ada@example.com")
    assert not device.knows("bob@example.com")


def test_six_accounts_are_one_too_many_and_the_one_longest_away_is_forgotten() -> None:
    device = DEVICES.new()
    for number in range(5):
        device = device.remember(f"{number}@example.com")
    device = sealed_and_opened(device.remember("0@example.com").remember("5@example.com"))
    assert [number for number in range(6) if device.knows(f"{number}@example.com")] == [0, 2, 3, 4, 5]


def test_device_keeps_its_id() -> None:
    device = DEVICES.new()
    assert sealed_and_opened(device.remember("ada@example.com")).id == device.id


def test_two_devices_of_one_person_have_nothing_in_common() -> None:
    one, other = (DEVICES.new().remember("ada@example.com") for _ in range(2))
    assert one.id != other.id
    assert set(one.tags).isdisjoint(other.tags)


def test_tag_has_128_bits() -> None:
    assert [len(tag) * 4 for tag in DEVICES.new().remember("ada@example.com").tags] == [128]


def test_device_is_forgotten_after_a_year() -> None:
    with time_machine.travel(0, tick=False) as traveller:
        cookie = DEVICES.seal(DEVICES.new())
        traveller.shift(timedelta(days=365, seconds=-1))
        assert DEVICES.open(cookie) is not None
        traveller.shift(timedelta(seconds=1))
        assert DEVICES.open(cookie) is None


@time_machine.travel(0, tick=False)
def test_every_changed_cookie_is_no_device() -> None:
    cookie = DEVICES.seal(DEVICES.new().remember("ada@example.com"))
    for place, letter in enumerate(cookie.rstrip("=")):
        other = "A" if letter != "A" else "B"
        # The last letter before the padding carries bits that decoding drops: the same bytes are the same cookie.
        changed = DEVICES.open(cookie[:place] + other + cookie[place + 1 :])
        assert changed is None or DEVICES.seal(changed) == cookie


@pytest.mark.parametrize("cookie", ["", "e30=", "=", "\u0661", "a" * 10_000, "\x00", "----", "A" * 43])
def test_nonsense_is_no_device(cookie: str) -> None:
    assert DEVICES.open(cookie) is None


@pytest.mark.parametrize("accounts", range(6))
def test_cookie_needs_no_quotes(accounts: int) -> None:
    """Browsers send a quoted value back with its quotes (RFC 6265, section 5.2)."""
    device = DEVICES.new()
    for number in range(accounts):
        device = device.remember(f"{number}@example.com")
    cookie = DEVICES.seal(device)
    assert not set(cookie) - set(string.ascii_letters + string.digits + "-_")
    assert sealed_and_opened(device) == device


def test_key_is_not_shown() -> None:
    assert "a key of the tests" not in repr(DEVICES.new())
