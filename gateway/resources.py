"""Where the folders that travel beside the code are: templates, static files, proxy and example configuration."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def resource_folder(name: str) -> Path:
    """Find a shipped folder: inside the wheel, or at the top of the checkout for an editable install.

    hatchling's force-include acts only when a wheel is built, hence the second place.
    """
    for candidate in (_PACKAGE / "_shared" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    message = f"the folder {name!r} is missing from this installation of gateway: install it again"
    raise FileNotFoundError(message)
