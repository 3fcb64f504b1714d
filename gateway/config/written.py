"""What somebody wrote as the value of a setting."""

from __future__ import annotations

from pydantic import SecretStr


def text_of(written: object) -> str:
    """Give the text, without what stands around it. Raises `ValueError` where it is none."""
    if isinstance(written, SecretStr):
        return text_of(written.get_secret_value())
    if not isinstance(written, str):
        message = "must be text"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError only
    return written.strip()
