"""Domains in which a label stands for the visitor: `{user}.example.com`, `{group}.example.com`."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.grammar.claims import Claim, label_as_written
from gateway.grammar.hosts import HostPattern, parse_host_pattern

_USER = "{user}"
_GROUP = "{group}"
# Stands where a placeholder does while the rest is read as a host.
_STAND_IN = "placeholder"


@dataclass(frozen=True, slots=True)
class HostTemplate:
    """A host with placeholders; with `covers_below` what lies below such a host, and not it itself."""

    labels: tuple[str, ...]
    covers_below: bool = False

    def claim(self, host: str) -> Claim | None:
        """Give what a canonical host says about the visitor, or `None` if it has another shape."""
        labels = host.split(".")
        below = len(labels) - len(self.labels)
        if below < 0 or (below > 0) != self.covers_below:
            return None
        found: dict[str, str] = {}
        for wanted, label in zip(self.labels, labels[below:], strict=True):
            if wanted in {_USER, _GROUP}:
                found[wanted] = label_as_written(label)
            elif wanted != label:
                return None
        return Claim(user=found.get(_USER), group=found.get(_GROUP))

    @property
    def host(self) -> str:
        """The part behind the placeholders: below it lies every host that fits."""
        last = max(index for index, label in enumerate(self.labels) if label in {_USER, _GROUP})
        return ".".join(self.labels[last + 1 :])

    def __str__(self) -> str:
        return ("*." if self.covers_below else "") + ".".join(self.labels)


def parse_domain(text: str) -> HostPattern | HostTemplate:
    """Read `host`, `*.host`, or either with `{user}` and `{group}` as whole labels."""
    if "{" not in text and "}" not in text:
        return parse_host_pattern(text)
    covers_below = text.startswith("*.")
    labels = text.removeprefix("*.").split(".")
    for label in labels:
        if label.lower() in {_USER, _GROUP} and label != label.lower():
            message = f"write {label.lower()} in lower case"
            raise ValueError(message)
        if ("{" in label or "}" in label) and label not in {_USER, _GROUP}:
            message = "{user} and {group} stand for whole labels, such as {user}.example.com"
            raise ValueError(message)
    if labels.count(_USER) > 1 or labels.count(_GROUP) > 1 or labels[-1] in {_USER, _GROUP}:
        message = "{user} and {group} stand at most once each, and never last"
        raise ValueError(message)
    plain = parse_host_pattern(".".join(_STAND_IN if label in {_USER, _GROUP} else label for label in labels))
    canonical = plain.host.split(".")
    kept = (old if old in {_USER, _GROUP} else new for old, new in zip(labels, canonical, strict=False))
    return HostTemplate(tuple(kept), covers_below)
