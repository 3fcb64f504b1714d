"""Patterns (RE2) over hosts, paths and query values, and globs over a path, as rules write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import re2

# Named groups that bind to the visitor.
NAMED_GROUPS = ("User", "Group")

_INLINE_FLAGS = re.compile(r"\(\?[imsU-]+\)")
_GROUP_START = re.compile(r"\((?:\?P?<\w+>|\?[imsU-]*:)?")


def require_pattern(pattern: str) -> str:
    """Return the pattern if RE2 can run it; else raise ValueError."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "unknown"
        detail = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        message = f"RE2 cannot read this pattern: {detail}"
        raise ValueError(message) from None
    for name in compiled.groupindex:
        meant = name.capitalize()
        if meant in NAMED_GROUPS and name != meant:
            message = f"the named group {name} binds nothing: write {meant} with a capital, as Authelia does"
            raise ValueError(message)
    return pattern


def require_path_pattern(pattern: str) -> str:
    """Return the pattern if RE2 can run it and if a path could match it; else raise ValueError."""
    require_pattern(pattern)
    if any(piece.text == r"\?" and not piece.in_class for piece in _pieces(pattern)):
        message = r"patterns see the path only, so one with \? never matches: ask for the query with `query:`"
        raise ValueError(message)
    return pattern


def require_path_glob(glob: str) -> str:
    """Return the glob if it covers whole paths; else raise ValueError."""
    if not glob.startswith("/"):
        message = "a path begins with /"
        raise ValueError(message)
    if "?" in glob or "#" in glob or not glob.isprintable() or " " in glob:
        message = "a path has no blanks, ? or #: rules see the path only, without its query"
        raise ValueError(message)
    return glob


def is_anchored(pattern: str) -> bool:
    """Tell whether every branch of a pattern begins at the beginning."""
    return all(_begins_anchored(branch) for branch in _branches(_without_flags(pattern)))


def is_anchored_at_both_ends(pattern: str) -> bool:
    """Tell whether every branch of a pattern covers the whole text."""
    branches = _branches(_without_flags(pattern))
    return all(_begins_anchored(branch) and _ends_anchored(branch) for branch in branches)


def _without_flags(pattern: str) -> str:
    flags = _INLINE_FLAGS.match(pattern)
    return pattern[flags.end() :] if flags else pattern


def _begins_anchored(branch: str) -> bool:
    if branch.startswith(("^", r"\A")):
        return True
    group = _GROUP_START.match(branch)
    if group is None:
        return False
    end = next((piece.start for piece in _pieces(branch) if piece.text == ")" and not piece.depth), None)
    # `(^/a)?` may match nothing at all, and then the branch begins anywhere.
    if end is None or branch[end + 1 : end + 2] in {"?", "*", "{"}:
        return False
    return is_anchored(branch[group.end() : end])


def _ends_anchored(branch: str) -> bool:
    last = [piece for piece in _pieces(branch) if not piece.in_class][-1:]
    if not last or last[0].text != ")":
        return bool(last) and last[0].text in {"$", r"\z"} and last[0].start + len(last[0].text) == len(branch)
    start = max(
        piece.start for piece in _pieces(branch) if piece.text == "(" and piece.depth == 1 and not piece.in_class
    )
    group = _GROUP_START.match(branch, start)
    inner = branch[group.end() : -1] if group else ""
    return all(_ends_anchored(part) for part in _branches(inner))


def _branches(pattern: str) -> list[str]:
    """Cut a pattern at the bars that no group or class holds."""
    cuts = [p.start for p in _pieces(pattern) if p.text == "|" and not p.depth and not p.in_class]
    starts, ends = [0, *(cut + 1 for cut in cuts)], [*cuts, len(pattern)]
    return [pattern[start:end] for start, end in zip(starts, ends, strict=True)]


class _Piece(NamedTuple):
    """One character of a pattern, or one escape; `depth` counts the groups that are open after it."""

    start: int
    text: str
    depth: int
    in_class: bool


def _pieces(pattern: str) -> Iterator[_Piece]:
    depth, in_class, index = 0, False, 0
    first_member = 0
    while index < len(pattern):
        text = pattern[index : index + (2 if pattern[index] == "\\" else 1)]
        was_in_class = in_class
        if in_class:
            # A bracket that comes first, or after ^, is a member of the class and not its end.
            in_class = text != "]" or index == first_member
        elif text == "[":
            in_class = True
            first_member = index + (2 if pattern.startswith("^", index + 1) else 1)
        else:
            depth += {"(": 1, ")": -1}.get(text, 0)
        yield _Piece(index, text, depth, was_in_class)
        index += len(text)
