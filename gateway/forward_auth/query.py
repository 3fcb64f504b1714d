"""What a query may mean to an application, and conditions on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import unquote_plus

from gateway.config.query_conditions import QueryOperator
from gateway.forward_auth.patterns import Pattern

# The values of each key, in order.
QueryReading = Mapping[str, Sequence[str]]

# Characters, as of a path that can be read in several ways: to decode all that a head can hold would take a tenth of a
# second.
_MAX_LENGTH = 8 * 1024


def read_query(query: str) -> tuple[QueryReading, ...]:
    """Give every reading of a query: applications disagree on `;` as a separator, and some cut at a `#`.

    Of one that is too long to be read there is none.
    """
    if len(query) > _MAX_LENGTH:
        return ()
    text = query.removeprefix("?")
    spellings = dict.fromkeys([text, text.partition("#")[0]])
    readings = []
    for spelling in spellings:
        readings.append(_parse(spelling))
        if ";" in spelling:
            readings.append(_parse(spelling.replace(";", "&")))
    return tuple(readings)


def _parse(text: str) -> QueryReading:
    values: dict[str, list[str]] = {}
    for pair in filter(None, text.split("&")):
        key, _, value = pair.partition("=")
        values.setdefault(unquote_plus(key), []).append(unquote_plus(value))
    return values


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one key; `pattern` belongs to the operators that need one."""

    operator: QueryOperator
    key: str
    value: str
    pattern: Pattern | None = None

    def holds(self, reading: QueryReading, *, surely: bool) -> bool:
        """Say whether it holds, or may hold: nobody knows which value of a repeated key an application takes.

        An absent key compares as an empty value, as in Authelia.
        """
        values = reading.get(self.key, ())
        if self.operator is QueryOperator.PRESENT:
            return bool(values)
        if self.operator is QueryOperator.ABSENT:
            return not values
        verdicts = (self._fits(value) for value in values or ("",))
        return all(verdicts) if surely else any(verdicts)

    def _fits(self, value: str) -> bool:
        match self.operator:
            case QueryOperator.EQUAL:
                return value == self.value
            case QueryOperator.NOT_EQUAL:
                return value != self.value
            case QueryOperator.PATTERN:
                return self._found(value)
            case QueryOperator.NOT_PATTERN:
                return not self._found(value)
            case QueryOperator.PRESENT | QueryOperator.ABSENT:
                return False
            case _:
                assert_never(self.operator)

    def _found(self, value: str) -> bool:
        # Bytes that are no UTF-8 came as surrogates, which RE2 does not take.
        readable = value.encode("utf-8", "replace").decode()
        return self.pattern is not None and self.pattern.search(readable) is not None


def query_fits(alternatives: Sequence[Sequence[Condition]], readings: Sequence[QueryReading], *, surely: bool) -> bool:
    """Say whether all conditions of one alternative hold: `surely` in every reading, otherwise in any.

    What is not read may fit.
    """
    if not readings:
        return not surely
    verdicts = (
        any(all(condition.holds(reading, surely=surely) for condition in conditions) for conditions in alternatives)
        for reading in readings
    )
    return all(verdicts) if surely else any(verdicts)
