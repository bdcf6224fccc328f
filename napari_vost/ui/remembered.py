"""Small things that a window remembers on this computer: settings, and how fast models are."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import Any

from napari_vost.case_names import make_folder
from napari_vost.errors import VostError
from napari_vost.io.atomic import atomic_file
from napari_vost.paths import state_folder
from napari_vost.ui.background import Running

_writing = threading.Lock()


class Remembered:
    """A table of JSON values in the state folder; one that cannot be read is empty.

    Parameters
    ----------
    name
        Of its file, without ``.json``.
    """

    def __init__(self, name: str) -> None:
        self._path = state_folder() / f"{name}.json"
        self._values: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_text(encoding="utf-8"))
            self._values = found if isinstance(found, dict) else {}

    def get(self, key: str, otherwise: Any) -> Any:
        """What is remembered, where it is of the kind of ``otherwise``, else that."""
        found = self._values.get(key, otherwise)
        return found if isinstance(found, type(otherwise)) else otherwise

    def set(self, key: str, value: Any) -> None:
        """Remember a value; it is written on another thread."""
        if self._values.get(key) != value:
            self._values = {**self._values, key: value}
            Running(self._write, lambda _: None, lambda _: None)

    def _write(self) -> None:
        with _writing, suppress(VostError):  # a disk that refuses a setting is no reason to disturb anybody
            make_folder(self._path.parent)
            with atomic_file(self._path) as part:
                part.write_text(json.dumps(self._values, indent=1), encoding="utf-8")
