"""Why the demo cannot run."""

from __future__ import annotations


class DemoFailed(Exception):
    """The demo cannot start or go on; the message names the cause and the cure."""
