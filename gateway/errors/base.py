"""The root of the tree of refusals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar


class GatewayError(Exception):
    """An expected "no". The class says status, code and title; one middleware answers it."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    sentence: ClassVar[str] = "Something went wrong on our side. Please try again."
    # Some bodies are stated word for word by the API that we follow, and carry no code.
    code_in_body: ClassVar[bool] = True
    # A further sentence that the API's model states word for word.
    detail: ClassVar[str | None] = None

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or self.sentence)
        self.message = message or self.sentence
        self.fields = dict(fields or {})
        self.retry_after = retry_after
        self.headers = dict(headers or {})
