"""What the settings models say about a key: its section, its names, an example."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, get_args, get_origin

from gateway.config.section import Section
from gateway.config.settings import Settings

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

KeyPath = tuple[str | int, ...]


def section_in(annotation: object) -> type[Section] | None:
    """Find the section inside an annotation such as `AccessControl | None` or `tuple[RuleSettings, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_in(part))), None)


def keys_of(section: type[Section]) -> dict[str, FieldInfo]:
    """Map the keys of a section, as they are written, to their fields."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def is_list(field: FieldInfo) -> bool:
    """Tell whether a key holds a list, so that only a file can hold sections in it."""
    return get_origin(field.annotation) is tuple


def section_at(path: KeyPath) -> type[Section] | None:
    """Return the section whose keys stand below a path, if any do."""
    section: type[Section] | None = Settings
    for step in path:
        if isinstance(step, int):
            continue
        fields = keys_of(section) if section is not None else {}
        if step not in fields:
            return None
        section = section_in(fields[step].annotation)
    return section


def field_at(path: KeyPath) -> FieldInfo | None:
    """Return the field that a path (list indexes included) leads to."""
    names = [step for step in path if isinstance(step, str)]
    section = section_at(tuple(names[:-1]))
    return keys_of(section).get(names[-1]) if section and names else None


def example_for(path: KeyPath) -> str:
    """Return a good value of a key."""
    field = field_at(path)
    return str(field.examples[0]) if field is not None and field.examples else ""


def plain_keys(section: type[Section] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key that holds a value of its own and no further keys."""
    for name, field in keys_of(section).items():
        below = section_in(field.annotation)
        if below is None or is_list(field):
            yield (*above, name)
        else:
            yield from plain_keys(below, (*above, name))


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """Return `: did you mean …?` where a known name is close, else nothing."""
    close = difflib.get_close_matches(written, list(known), n=1, cutoff=0.6)
    return f": did you mean {close[0]}?" if close else ""


def dotted(path: KeyPath) -> str:
    """Write a path as people read it: `access_control.rules[2].policy`, counted from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
