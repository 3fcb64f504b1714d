"""The base of every group of settings, and the types that their fields share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from gateway.grammar.durations import SECOND, parse_duration


class Section(BaseModel):
    """Frozen, without unknown keys, and silent about values: one of them may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    # Keys that a later version brings: they are no typing mistakes, and are answered as what they are.
    keys_of_later_versions: ClassVar[frozenset[str]] = frozenset()


def duration_in(unit: timedelta) -> Callable[[object], timedelta]:
    """Make a reader of durations in which a bare number counts `unit`s."""

    def read(written: object) -> timedelta:
        if isinstance(written, timedelta):
            return written
        if not isinstance(written, str | int):
            message = "not a duration: write a number with its unit, such as 12h"
            raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError only
        return parse_duration(written, unit=unit)

    return read


def split_list(written: object) -> object:
    """Let one text stand for a list: the only way to write one in a variable."""
    if isinstance(written, str):
        return [item for item in map(str.strip, written.split(",")) if item]
    return written


def _require_no_truth_value(written: object) -> object:
    if isinstance(written, bool):
        message = "must be a whole number"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueError only
    return written


def _read_truth_value(written: object) -> object:
    # pydantic would take 1, "on" and "t" as well; one spelling leaves nothing to guess.
    if isinstance(written, bool):
        return written
    word = written.strip().lower() if isinstance(written, str) else ""
    if word not in {"true", "false"}:
        message = "write true or false"
        raise ValueError(message)
    return word == "true"


def _require_positive(duration: timedelta) -> timedelta:
    if not duration:
        message = "must be longer than nothing"
        raise ValueError(message)
    return duration


Whole = Annotated[int, BeforeValidator(_require_no_truth_value)]
TruthValue = Annotated[bool, BeforeValidator(_read_truth_value)]
Duration = Annotated[timedelta, BeforeValidator(duration_in(SECOND))]


def positive_duration(written: object) -> timedelta:
    """Read a duration of seconds or with a unit that is not zero."""
    return _require_positive(duration_in(SECOND)(written))


PositiveDuration = Annotated[timedelta, BeforeValidator(positive_duration)]
