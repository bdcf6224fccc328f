"""Where things lie: what ships with the package, and what belongs to the user."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path, user_data_path, user_state_path

from napari_vost.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Path of something that ships with napari-vost: ``"models/…"`` or ``"sample_data/…"``.

    A wheel carries both folders inside the package; a checkout keeps them at its root.

    Raises
    ------
    InputError
        Nothing of that name ships.
    """
    for root in (_PACKAGE / "_shipped", _PACKAGE.parent):
        if (root / name).exists():
            return root / name
    raise InputError(f"{name!r} does not ship with this installation: reinstall napari-vost.")


def cache_folder() -> Path:
    """Folder for downloaded weights; ``NAPARI_VOST_CACHE`` overrides it."""
    given = os.environ.get("NAPARI_VOST_CACHE")
    return Path(given) if given else user_cache_path("napari-vost")


def state_folder() -> Path:
    """Folder for rescued sessions, consents and the reader's name; ``NAPARI_VOST_STATE`` overrides it."""
    given = os.environ.get("NAPARI_VOST_STATE")
    return Path(given) if given else user_state_path("napari-vost")


def cases_folder() -> Path:
    """Folder for the cases a user works on; ``NAPARI_VOST_CASES`` overrides it."""
    given = os.environ.get("NAPARI_VOST_CASES")
    return Path(given) if given else user_data_path("napari-vost") / "cases"
