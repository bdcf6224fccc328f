"""Finding and reading the files of labelled folders, with errors that say what was expected."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.datasets.base import Labels
from napari_vost.errors import ReadError


def files_of(folder: Path, pattern: str, holds: str) -> list[Path]:
    """Files of a folder that fit a pattern, sorted by name.

    Parameters
    ----------
    folder, pattern
        Where, and what, as `Path.glob` takes it.
    holds
        What the folder should hold, for the message.

    Raises
    ------
    ReadError
        No such folder, or nothing in it that fits.
    """
    if not folder.is_dir():
        raise ReadError(f"{folder} is not a folder: give one that holds {holds}.")
    found = sorted(folder.glob(pattern))
    if found:
        return found
    parts = sorted(part.name for part in folder.iterdir() if part.is_dir() and any(part.glob(pattern)))
    hint = f"give one of its folders {', '.join(parts)}" if parts else "give another folder or layout"
    raise ReadError(f"{folder} holds no {pattern}, expected {holds}: {hint}.")


def read_npz(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read named arrays of an ``.npz`` file; nothing that is pickled is run.

    Raises
    ------
    ReadError
        The file is damaged, or lacks one of the arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            missing = [name for name in names if name not in held]
            if missing:
                raise ReadError(
                    f"{path} holds no array {missing[0]!r}, expected {', '.join(names)}: choose its layout."
                )
            return {name: held[name] for name in names}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        if isinstance(problem, ReadError):
            raise
        raise ReadError(f"{path} cannot be read as .npz ({problem}): fetch it again.") from problem


def index_of(folder: Path) -> Mapping[str, Any]:
    """The ``index.json`` in a folder or beside it; empty where there is none.

    Raises
    ------
    ReadError
        It is no JSON table.
    """
    for path in (folder / "index.json", folder.parent / "index.json"):
        if not path.is_file():
            continue
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as problem:
            raise ReadError(f"{path} cannot be read as JSON ({problem}): correct it.") from problem
        if not isinstance(table, dict):
            raise ReadError(f"{path} holds a {type(table).__name__}, expected a table by case: correct it.")
        return table
    return {}


def as_labels(values: NDArray[Any], where: str) -> Labels:
    """Label values as uint8.

    Raises
    ------
    ReadError
        Values that are no whole numbers from 0 to 255.
    """
    labels: Labels = values.astype(np.uint8)
    if not np.array_equal(labels, values):
        raise ReadError(f"{where} holds values that are no labels, expected whole numbers from 0 to 255.")
    return labels


def labels_of(clip: Clip, where: str) -> Labels:
    """All frames of a clip of labels, uint8 (T, H, W)."""
    return as_labels(np.stack([clip.frame(index) for index in range(len(clip))]), where)
