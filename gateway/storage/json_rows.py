"""Several rows in one value: what belongs to somebody comes with the row about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class JsonRows(FunctionElement[str]):
    """All rows as the text of a JSON array of arrays, in no order. Of none: an empty array, or NULL."""

    type = Text()
    inherit_cache = True
    name = "json_rows"


@compiles(JsonRows)
def _elsewhere(rows: JsonRows, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    return f"json_group_array(json_array({compiler.process(rows.clauses, **options)}))"


@compiles(JsonRows, "postgresql")
def _in_postgresql(rows: JsonRows, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - as above
    return f"json_agg(json_build_array({compiler.process(rows.clauses, **options)}))::text"
