"""The history checker, on histories that are written by hand."""

from __future__ import annotations

import pytest

from tests.faults.history import CutOff, Event, Findings, Kind, judge

OK, UNAUTHORIZED, UNAVAILABLE = 200, 401, 503


def login(at: float, status: int | None = OK) -> Event:
    return Event(Kind.LOGIN, "ada", "one", at, at + 0.1, status)


def logout(at: float, status: int | None = OK) -> Event:
    return Event(Kind.LOGOUT, "ada", "one", at, at + 0.1, status)


def check(at: float, status: int | None, *, asked: str = "one", credential: str = "ada", took: float = 0.1) -> Event:
    return Event(Kind.CHECK, credential, asked, at, at + took, status)


def complaints(*events: Event, cut_off: CutOff | None = None) -> tuple[int, int]:
    """Count wrong allows and wrong denies."""
    found = judge(events, never_valid=["forged"], cut_offs=[cut_off] if cut_off else [])
    return len(found.wrong_allows), len(found.wrong_denies)


def test_a_good_history_has_nothing_to_complain_about() -> None:
    history = [login(0), check(1, OK), logout(2), check(2.5, OK), check(3.2, UNAUTHORIZED), check(9, UNAUTHORIZED)]
    assert complaints(*history) == (0, 0)


@pytest.mark.parametrize(("at", "wrong"), [(3.05, 0), (3.15, 1), (60, 1)])
def test_a_revoked_credential_may_pass_until_the_bound_and_no_longer(at: float, wrong: int) -> None:
    assert complaints(login(0), logout(2), check(at, OK)) == (wrong, 0)


def test_a_check_counts_from_when_it_was_sent() -> None:
    assert complaints(login(0), logout(2), check(3, OK, took=5)) == (0, 0)


def test_whatever_was_never_given_out_must_not_pass() -> None:
    assert complaints(check(1, OK, credential="forged")) == (1, 0)
    assert complaints(check(1, UNAUTHORIZED, credential="forged")) == (0, 0)


def test_a_good_credential_must_not_be_refused() -> None:
    assert complaints(login(0), check(1, UNAUTHORIZED)) == (0, 1)
    assert complaints(login(0), check(1, 403)) == (0, 1)
    assert complaints(login(0), check(1, 302)) == (0, 1)


def test_what_is_in_flight_with_a_login_or_a_logout_may_go_either_way() -> None:
    assert complaints(login(0), check(0.05, UNAUTHORIZED)) == (0, 0)
    assert complaints(login(0), check(1.95, UNAUTHORIZED), logout(2)) == (0, 0)


@pytest.mark.parametrize("status", [UNAVAILABLE, None])
def test_a_logout_that_nobody_answered_binds_nobody_until_a_refusal_was_seen(status: int | None) -> None:
    unanswered = [login(0), logout(2, status)]
    assert complaints(*unanswered, check(9, OK)) == (0, 0)
    assert complaints(*unanswered, check(9, UNAUTHORIZED)) == (0, 0)
    assert complaints(*unanswered, check(9, UNAUTHORIZED), check(12, OK, asked="two")) == (1, 0)


def test_nothing_is_neither_allowed_nor_refused() -> None:
    found = judge([login(0), check(1, UNAVAILABLE), check(2, None), check(3, 429), check(4, OK)])
    assert (found.sent, found.right, len(found.unavailable)) == (4, 1, 3)
    assert found.wrong_allows == found.wrong_denies == []


@pytest.mark.parametrize(
    ("at", "asked", "wrong"), [(6.9, "two", 0), (7.1, "two", 1), (5, "one", 1), (5, "three", 1)], ids=str
)
def test_only_who_was_cut_off_may_be_late_and_by_the_grace_at_most(at: float, asked: str, wrong: int) -> None:
    away = CutOff("two", since=1, until=60, grace=5)
    assert complaints(login(0), logout(2), check(at, OK, asked=asked), cut_off=away) == (wrong, 0)


@pytest.mark.parametrize(("at", "wrong"), [(5.4, 0), (5.6, 1)])
def test_who_is_connected_again_has_a_second(at: float, wrong: int) -> None:
    away = CutOff("two", since=1, until=4.5, grace=60)
    assert complaints(login(0), logout(2), check(at, OK, asked="two"), cut_off=away) == (wrong, 0)


@pytest.mark.parametrize("revoked", [-10, 10])
def test_being_cut_off_excuses_nothing_from_before_or_after(revoked: float) -> None:
    away = CutOff("two", since=1, until=4.5, grace=60)
    history = [login(-20), logout(revoked), check(revoked + 2, OK, asked="two")]
    assert complaints(*history, cut_off=away) == (1, 0)


def test_the_order_in_which_events_are_told_is_of_no_importance() -> None:
    history = [login(0), check(1, OK), logout(2), check(4, OK), check(5, UNAUTHORIZED)]

    def told(events: list[Event]) -> tuple[list[str], list[str]]:
        found: Findings = judge(events)
        return found.wrong_allows, found.wrong_denies

    assert told(history) == told(history[::-1])
    assert len(told(history)[0]) == 1
