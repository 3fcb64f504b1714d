"""Conditions on the query of a request, in Authelia's grammar."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from gateway.config.lists import one_or_more
from gateway.config.section import Section
from gateway.grammar.path_patterns import require_pattern


class QueryOperator(StrEnum):
    EQUAL = "equal"
    NOT_EQUAL = "not equal"
    PRESENT = "present"
    ABSENT = "absent"
    PATTERN = "pattern"
    NOT_PATTERN = "not pattern"


_WITHOUT_VALUE = {QueryOperator.PRESENT, QueryOperator.ABSENT}
_WITH_PATTERN = {QueryOperator.PATTERN, QueryOperator.NOT_PATTERN}


def _value(written: object) -> object:
    # `value: 1` and `value: true` are how people write the text of a query.
    if isinstance(written, bool):
        return str(written).lower()
    return str(written) if isinstance(written, int) else written


class QueryCondition(Section):
    """One condition on one key; without an operator `equal` where there is a value, else `present`."""

    operator: QueryOperator | None = Field(default=None, examples=["equal"])
    key: str = Field(min_length=1, examples=["token"])
    value: Annotated[str, BeforeValidator(_value)] | None = Field(default=None, examples=["1"])

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.effective_operator in _WITHOUT_VALUE and self.value is not None:
            message = f"{self.effective_operator} takes no value: leave it out"
            raise ValueError(message)
        if self.effective_operator not in _WITHOUT_VALUE and self.value is None:
            message = f"{self.effective_operator} needs a value"
            raise ValueError(message)
        if self.effective_operator in _WITH_PATTERN and self.value is not None:
            require_pattern(self.value)
        return self

    @property
    def effective_operator(self) -> QueryOperator:
        if self.operator is not None:
            return self.operator
        return QueryOperator.PRESENT if self.value is None else QueryOperator.EQUAL

    def __str__(self) -> str:
        return " ".join(filter(None, [self.key, self.effective_operator.value, self.value]))


def _one_of(written: object) -> object:
    """Let one condition stand for a list of one."""
    return (written,) if isinstance(written, dict | QueryCondition) else one_or_more(written)


QueryConditions = Annotated[
    tuple[Annotated[tuple[QueryCondition, ...], BeforeValidator(_one_of)], ...], BeforeValidator(_one_of)
]
