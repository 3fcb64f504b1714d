"""What API keys may begin with."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_PREFIX = re.compile(r"[a-z][a-z0-9_]{1,14}_")


def _parse_prefix(text: str) -> str:
    if _PREFIX.fullmatch(text) is None:
        message = "must be 3 to 16 lower-case letters, digits and underscores: a letter first, an underscore last"
        raise ValueError(message)
    return text


KeyPrefix = Annotated[str, AfterValidator(_parse_prefix)]
