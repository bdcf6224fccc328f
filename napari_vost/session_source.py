"""The scan of a session file: how it is described there, known again, and found again where it has moved."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from napari_vost.clip import Clip
from napari_vost.errors import ReadError, ScanNotFound, SessionError, VostError
from napari_vost.io.readers import open_clip
from napari_vost.io.readers.candidates import Candidate, Options
from napari_vost.io.readers.registry import find

HASHED_FRAMES = 16
MOST_FILES = 2000  # files below the folder of a session up to which it is searched unasked


def describe_source(clip: Clip, beside: Path) -> dict[str, str]:
    """What a session file says of its scan; never a name, date or number of a patient."""
    source = clip.source
    return {
        **describe_place(clip, beside),
        "kind": source.kind,
        "identity": identity(clip),
        "series_uid": source.series_uid,
        "shape": json.dumps(clip.shape),
        "order": clip.order,
        "affine_lps": json.dumps(np.asarray(clip.geometry.affine_lps).round(9).tolist()),
    }


def describe_place(clip: Clip, beside: Path) -> dict[str, str]:
    """Where a session file says that its scan is, and how it is opened there; the path is "" for an array."""
    opened = dict(clip.source.opened)
    where = str(opened.pop("path", clip.source.path or ""))
    return {"path": path_from(Path(where), beside) if where else "", "opened": json.dumps(opened)}


def path_from(scan: Path, beside: Path) -> str:
    """Path of a scan as seen from the folder of a session file; the whole path where they lie on different drives."""
    try:
        return Path(os.path.relpath(scan.resolve(), beside.resolve().parent)).as_posix()
    except ValueError:  # Windows: there is no way from one drive to another
        return scan.resolve().as_posix()


def identity(clip: Clip) -> str:
    """Hash that knows a clip again: of its DICOM instance UIDs, else of its shape and up to 16 frames."""
    digest = hashlib.sha256(json.dumps(clip.shape).encode())
    if clip.source.instance_uids:
        digest.update(json.dumps([clip.source.series_uid, *clip.source.instance_uids]).encode())
        digest.update(json.dumps(clip.source.frame_numbers).encode())
    else:
        for index in np.unique(np.linspace(0, len(clip) - 1, HASHED_FRAMES).round().astype(int)):
            digest.update(np.ascontiguousarray(clip.frame(int(index))).tobytes())
    return digest.hexdigest()[:32]


def check_source(clip: Clip, known: Mapping[str, str]) -> Clip:
    """Give the clip back if it is the one that a session file describes.

    Raises
    ------
    SessionError
        It is another one.
    """
    shape = tuple(json.loads(known["shape"]))
    if clip.shape != shape or identity(clip) != known["identity"]:
        raise SessionError(
            f"The scan is not the one that the session was made from: expected {shape} frames of {known['kind']}, got "
            f"{clip.shape} of {clip.source.kind}, or its content has changed."
        )
    return clip


def open_source(path: Path, given: Path | None, known: Mapping[str, str]) -> Clip:
    """Open the scan of a session file where it was, or where it is now.

    A scan that is not there, or not the same any more, is looked for by kind, UID and hash: in the folder of the
    session file if that is small, or below the folder that is given.

    Parameters
    ----------
    path
        The session file.
    given
        Where the scan is now, itself or a folder that holds it; None looks where it was.
    known
        The file's table ``source``.

    Raises
    ------
    ScanNotFound
        It is in none of these places, or has changed.
    SessionError
        There is no file to look for: the session was made from an array.
    """
    if given is None and not known["path"]:
        raise SessionError(f"{path} was made from an array, not from a file: give the scan with `source`.")
    where = given or (path.resolve().parent / known["path"]).resolve()
    try:
        return check_source(open_clip(where, **json.loads(known["opened"])), known)
    except VostError as error:
        folder = where if given is not None else path.parent
        clip = _search(folder, known) if folder.is_dir() and (given is not None or _small(folder)) else None
        if clip is not None:
            return clip
        if not where.exists():
            raise ScanNotFound(
                f"The scan of {path} is not at {where} and not beside the session: say where it is with --source PATH."
            ) from error
        raise ScanNotFound(f"The scan of {path} cannot be opened from {where}: {error}") from error


def _small(folder: Path) -> bool:
    files = (name for _, _, names in os.walk(folder) for name in names)
    return sum(1 for _ in islice(files, MOST_FILES + 1)) <= MOST_FILES


def _search(folder: Path, known: Mapping[str, str]) -> Clip | None:
    """The scan that a session file describes, anywhere below a folder."""
    opened = json.loads(known["opened"])
    how: dict[str, Any] = {key: opened[key] for key in ("order", "axis", "at") if key in opened}
    for number, candidate in _likely(folder, known):
        try:
            check_source(candidate.open(Options(**how)), known)
        except VostError:
            continue
        for where, series in ((candidate.path, None), (folder, number)):
            try:
                return check_source(open_clip(where, series=series, **how), known)
            except VostError:
                continue  # the path holds more than this series
    return None


def _likely(folder: Path, known: Mapping[str, str]) -> Iterator[tuple[int, Candidate]]:
    """What may be the scan, and the numbers under which they open; what has its old name first."""
    try:
        candidates = find(folder).candidates
    except ReadError:
        return
    uid, name = known.get("series_uid", ""), Path(known["path"]).name
    numbered = [
        (number, one)
        for number, one in enumerate(candidates, start=1)
        if one.kind == known["kind"] and (not uid or one.uid in ("", uid))
    ]
    yield from sorted(numbered, key=lambda pair: pair[1].path.name != name)
