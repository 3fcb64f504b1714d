"""How `gateway audit` says it: lines for people, rows for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from gateway.audit.rendering import as_object, details_of
from gateway.audit.verification import Intact
from gateway.commands.output import visible
from gateway.storage.audit_events import StoredEvent

_HEADINGS = ("TIME", "EVENT", "RESULT", "ACCOUNT", "BY", "FROM", "REQUEST", "DETAILS")
_NOTHING = "-"
CSV_COLUMNS = (
    "id",
    "number",
    "at",
    "kind",
    "succeeded",
    "actor",
    "account_id",
    "email",
    "client_address",
    "request_id",
    "details",
    "seal",
)


def as_table(events: Sequence[StoredEvent], emails: Mapping[str, str]) -> Iterator[str]:
    """Write one line for each event under a line of headings. `emails`: the accounts' addresses by their ids."""
    rows = [_HEADINGS, *(_columns(event, emails) for event in events)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[-1]]).rstrip()


def _columns(event: StoredEvent, emails: Mapping[str, str]) -> tuple[str, ...]:
    actor = event.actor
    themselves = actor is not None and actor == event.account_id
    account = event.email or event.account_id
    details = details_of(event)
    shown = details if isinstance(details, str) else ", ".join(f"{name}: {value}" for name, value in details.items())
    cells = (
        _second(event.at),
        event.kind,
        "ok" if event.succeeded else "failed",
        account,
        "themselves" if themselves else emails.get(actor or "", actor),
        event.client_address,
        event.request_id,
        shown,
    )
    return tuple(visible(cell) if cell else _NOTHING for cell in cells)


def csv_row(event: StoredEvent) -> list[str]:
    shown = {**as_object(event), "details": event.details, "succeeded": "true" if event.succeeded else "false"}
    return ["" if shown[name] is None else str(shown[name]) for name in CSV_COLUMNS]


def as_report(intact: Intact) -> Iterator[str]:
    """Say what was verified."""
    if intact.head is None or intact.first_at is None or intact.last_at is None:
        yield "Nothing is sealed yet."
    else:
        rows = "one row" if intact.rows == 1 else f"{intact.rows} rows"
        first, last = _second(intact.first_at), _second(intact.last_at)
        yield f"The audit log is as it was sealed: {rows}, from {first} to {last}."
        yield f"Head: {intact.head}"
        yield "Keep the head outside of this machine: with --head it shows later whether the log was cut off."
    if intact.unsealed and intact.unsealed_since is not None:
        waiting = "One row is" if intact.unsealed == 1 else f"{intact.unsealed} rows are"
        since = _second(intact.unsealed_since)
        yield f"{waiting} not sealed yet, since {since}: a running gateway seals once a second."


def _second(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")
