"""What is shown of the address of a database."""

from __future__ import annotations

import pytest

from gateway.config.database_url import redacted


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:secret@host:5432/main", "postgresql://********@host:5432/main"),
        ("postgresql://ada:a@secret@host/main?sslmode=require", "postgresql://********@host/main"),
        ("postgresql://host/main?user=ada&password=secret", "postgresql://host/main"),
        ("postgresql://host/main#secret", "postgresql://host/main"),
        ("postgresql://host/main?password=a@secret", "postgresql://********"),
        ("postgresql://ada:sec/ret?more@host/main", "postgresql://********"),
        ("postgresql://ada:sec/ret#more@host/main", "postgresql://********"),
    ],
)
def test_address_is_shown_without_its_password(url: str, shown: str) -> None:
    """Characters of a password that were not written as %XX included."""
    assert redacted(url) == shown
