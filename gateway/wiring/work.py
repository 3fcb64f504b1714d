"""Work that goes on for as long as the application lives."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

Work = Callable[[], Coroutine[Any, Any, None]]
