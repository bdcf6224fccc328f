"""Whether a path is worth opening, from a glance: a few names, and the first bytes of a few files. Never a crawl."""

from __future__ import annotations

import os
from collections import deque
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from napari_vost.io.readers.registry import BUILT_IN, GROUP, OTHER, looks_like_dicom, suffix_of

_MOST_NAMES = 300
_MOST_LOOKS = 30  # files whose first bytes are read
_DEEPEST = 4
_FOLDERS_OF_OTHERS = (".zarr", ".n5", ".app", ".git")


@cache
def suffixes() -> tuple[str, ...]:
    """Every suffix that a reader reads, those of other packages too; looked up once, for a drop brings many files."""
    added = tuple(suffix for entry in entry_points(group=GROUP) for suffix in entry.load().suffixes)
    return (*(suffix for _, own in BUILT_IN for suffix in own), *added)


def may_open(path: Path) -> bool:
    """Whether a file, or something in a folder, looks like what `open_clip` opens; it may still refuse it.

    A folder that holds nothing of the kind among its first 300 names, down to four levels, counts as one that does not.
    """
    known = suffixes()
    if not path.is_dir():
        return suffix_of(path, known) or (path.suffix.lower() not in OTHER and looks_like_dicom(path))
    looks = 0
    for name in _names(path):
        if suffix_of(name, known):
            return True
        if name.suffix.lower() in OTHER or looks >= _MOST_LOOKS:
            continue
        looks += 1
        if looks_like_dicom(name):
            return True
    return False


def _names(folder: Path) -> list[Path]:
    """Files below a folder, nearest first, up to the limits."""
    files: list[Path] = []
    left = deque([(folder, 0)])
    seen = 0
    while left and seen < _MOST_NAMES:
        place, depth = left.popleft()
        if place.name.lower().endswith(_FOLDERS_OF_OTHERS):
            continue
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    seen += 1
                    if entry.name.startswith("."):
                        continue
                    if not entry.is_dir():
                        files.append(Path(entry.path))
                    elif depth < _DEEPEST:
                        left.append((Path(entry.path), depth + 1))
                    if seen >= _MOST_NAMES:
                        break
        except OSError:
            continue
    return files
