"""Bodies that carry a code of the second factor."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

from gateway.web.bodies import Body

# Any JSON value arrives where codes are tried: one that is no text is a wrong code, and has to be counted as one.
AnyCode = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": "string",
            "description": "Six digits of the app, or a recovery code of eight. Spaces and hyphens are dropped.",
            "examples": ["123456"],
        }
    ),
]


class CodeBody(Body):
    """A code under the name that the API's clients use: `token` takes both kinds, `backupCode` is an older way."""

    token: AnyCode = None
    backupCode: AnyCode = None  # noqa: N815 - the API's name

    @property
    def given(self) -> object:
        """What came as a code; `None` where none did."""
        return self.backupCode if self.token is None else self.token
