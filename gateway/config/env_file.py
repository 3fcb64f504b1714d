"""Files of variables (`.env`), as docker compose reads them, without `${…}`."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.config.findings import ConfigurationError, Finding
from gateway.config.variables import Variable

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)", re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'(?P<text>[^']*)'\s*(?:#.*)?", re.DOTALL)
_DOUBLE_QUOTED = re.compile(r'"(?P<text>(?:[^"\\]|\\.)*)"\s*(?:#.*)?', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
# Only a blank in front makes `#` a comment: passwords may hold one.
_COMMENT = re.compile(r"(?:^|\s+)#.*", re.DOTALL)

_EXAMPLE = "GATEWAY_SITE_NAME=Example"


def read_env_file(path: Path) -> list[Variable]:
    """Read every assignment with its line. Raises `ConfigurationError` with all that is wrong in the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError([Finding("--env-file", str(path), f"cannot be read: {reason}")]) from None
    variables: dict[str, Variable] = {}
    problems = []
    for number, line in enumerate(text.split("\n"), start=1):
        origin = f"{path}:{number}"
        try:
            assignment = _read_line(line.strip())
        except ValueError as error:
            problems.append(Finding("--env-file", origin, str(error), _EXAMPLE))
            continue
        if assignment is None:
            continue
        name, value = assignment
        if name in variables:
            problems.append(Finding(name, origin, f"is set already in {variables[name].origin}"))
        variables[name] = Variable(name, value, origin)
    if problems:
        raise ConfigurationError(problems)
    return list(variables.values())


def _read_line(line: str) -> tuple[str, str] | None:
    if not line or line.startswith("#"):
        return None
    match = _LINE.fullmatch(line)
    if match is None:
        message = "a line is NAME=value, a comment or empty"
        raise ValueError(message)
    return match["name"], _read_value(match["value"])


def _read_value(written: str) -> str:
    if written.startswith("'"):
        return _quoted(_SINGLE_QUOTED, written)
    if written.startswith('"'):
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), _quoted(_DOUBLE_QUOTED, written))
    return _COMMENT.sub("", written)


def _quoted(pattern: re.Pattern[str], written: str) -> str:
    match = pattern.fullmatch(written)
    if match is None:
        message = "the quote is not closed in its line, or something follows it"
        raise ValueError(message)
    return match["text"]
