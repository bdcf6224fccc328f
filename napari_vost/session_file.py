"""The ``.vost`` file: one SQLite database, no pickle, readable by any program.

It holds the log of actions and the masks that each of them set; what stands now is the log replayed up to ``position``
(the rest was undone). Tables: ``meta``, ``source``, ``labels``, ``actions``, ``masks``, and ``adapted``: its one row,
if any, holds weights that were fitted to the clip (a safetensors file of 16-bit numbers). The view ``current_masks`` is
what a reader from elsewhere wants. Memory is not stored: it is made again from the prompted frames. The scan itself is
referenced, and known again by its DICOM UIDs or by a hash of its content.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError

from napari_vost.adaptation import Fitted
from napari_vost.cleanup import Cleanup
from napari_vost.clip import Clip
from napari_vost.engine import EngineOptions
from napari_vost.errors import ReadError, SessionError
from napari_vost.history import Action, Kept, Ledger, Place, Settings
from napari_vost.io.atomic import atomic_file
from napari_vost.masks import PackedMask
from napari_vost.session_codec import (
    decode_change,
    decode_label,
    decode_weights,
    encode_change,
    encode_label,
    encode_weights,
)
from napari_vost.types import Label, Scores

if TYPE_CHECKING:
    from napari_vost.session import Session

VERSION = 2  # 2: adapted weights
APPLICATION = 0x564F5354  # "VOST"
HASHED_FRAMES = 16
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE source (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE labels (object_id INTEGER PRIMARY KEY, label TEXT);
CREATE TABLE actions (step INTEGER PRIMARY KEY, name TEXT, kept INTEGER, prompts TEXT, bases TEXT, locks TEXT);
CREATE TABLE adapted (made_from TEXT, weights BLOB);
CREATE TABLE masks (step INTEGER, object_id INTEGER, frame_index INTEGER, removed INTEGER,
    y0 INTEGER, x0 INTEGER, y1 INTEGER, x1 INTEGER, bits BLOB,
    affinity REAL, occurrence REAL, motion REAL, confidence REAL, PRIMARY KEY (step, object_id, frame_index));
CREATE VIEW current_masks AS SELECT object_id, frame_index, y0, x0, y1, x1, bits, affinity, occurrence, confidence
    FROM masks AS one WHERE removed = 0 AND step = (SELECT MAX(step) FROM masks AS other
        WHERE other.object_id = one.object_id AND other.frame_index = one.frame_index
        AND other.step < CAST((SELECT value FROM meta WHERE key = 'position') AS INTEGER));
"""


def save(session: Session, path: Path) -> None:
    """Write a session; a file that is there is replaced as a whole.

    Raises
    ------
    ExportError
        The file cannot be written.
    """
    with atomic_file(path) as temporary, closing(sqlite3.connect(temporary)) as database, database:
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.executemany("INSERT INTO meta VALUES (?, ?)", _meta(session).items())
        database.executemany("INSERT INTO source VALUES (?, ?)", describe_source(session.clip, path).items())
        labels = [(object_id, encode_label(label)) for object_id, label in session.labels.items()]
        database.executemany("INSERT INTO labels VALUES (?, ?)", labels)
        if session.fitted is not None:
            values = (session.fitted.made_from, encode_weights(session.fitted.weights))
            database.execute("INSERT INTO adapted VALUES (?, ?)", values)
        before = Settings()
        for step, action in enumerate(_timeline(session)):
            row = (step, action.name, *encode_change(before, action.after))
            database.execute("INSERT INTO actions VALUES (?, ?, ?, ?, ?, ?)", row)
            rows = [_mask_row(step, place, kept) for place, kept in action.masks_after.items()]
            database.executemany(f"INSERT INTO masks VALUES ({', '.join('?' * 13)})", rows)
            before = action.after


@dataclass(frozen=True, eq=False)
class Saved:
    """What a session file holds.

    Attributes
    ----------
    clip
        The scan, opened and known to be the same.
    model, network
        Name of the model, and hash of the weights that made the masks ("" if none was needed).
    options
        Names of adapter, memory, motion, region and window, repairs, and whether SAM 2's own semantics were asked for.
    labels
        Names and codes by object id.
    ledger
        Prompts, masks, locks and the log.
    fitted
        Adapted weights; None where there are none.
    """

    clip: Clip
    model: str
    network: str
    options: dict[str, Any]
    labels: dict[int, Label]
    ledger: Ledger
    fitted: Fitted | None = None

    def engine_options(self, device: str) -> EngineOptions:
        """Options of the engine that the session had, on a device."""
        words = self.options
        options = EngineOptions(window=words["window"], sam2=words["sam2"], cleanup=Cleanup(**words["cleanup"]))
        return options.with_names(words["adapter"], words["memory"], words["motion"], device, words["region"])


def load(path: Path, source: Path | Clip | None) -> Saved:
    """Read a session file and open its scan.

    Parameters
    ----------
    path
        The file.
    source
        Where the scan is now, or the opened clip; None looks where it was.

    Raises
    ------
    SessionError
        The file or its scan cannot be used.
    """
    with _opened(path) as database:
        meta = dict(database.execute("SELECT key, value FROM meta"))
        known = dict(database.execute("SELECT key, value FROM source"))
        clip = source if isinstance(source, Clip) else _open_source(path, source, known)
        _check_source(clip, known)
        rows = database.execute("SELECT object_id, label FROM labels")
        labels = {int(object_id): decode_label(text) for object_id, text in rows}
        ledger = Ledger(clip.shape[1:])
        _replay(database, ledger, int(meta["position"]))
        fitted = _fitted(path, database)
    return Saved(clip, meta["model"], meta.get("network", ""), json.loads(meta["options"]), labels, ledger, fitted)


def _fitted(path: Path, database: sqlite3.Connection) -> Fitted | None:
    """Adapted weights of a file; those of version 1 have no table for them."""
    if database.execute("PRAGMA user_version").fetchone()[0] < 2:
        return None
    row = database.execute("SELECT made_from, weights FROM adapted").fetchone()
    if row is None:
        return None
    try:
        return Fitted(decode_weights(row[1]), row[0])
    except SafetensorError as error:
        raise SessionError(f"{path} is damaged: its adapted weights cannot be read ({error}).") from error


def _timeline(session: Session) -> list[Action]:
    """All actions in order; the undone ones last. A run that is still going on counts as far as it has come."""
    ledger, pending = session.ledger, session.pending
    if not pending:
        return [*ledger.done, *reversed(ledger.undone)]
    now = {place: ledger.kept.get(place) for place in pending}
    return [*ledger.done, Action("follow", ledger.settings, ledger.settings, dict(pending), now)]


def _meta(session: Session) -> dict[str, str]:
    from napari_vost import __version__

    options = session.options
    names = ("adapter", "memory", "motion", "region", "window", "sam2")
    words = {**{name: getattr(options, name) for name in names}, "cleanup": asdict(options.cleanup)}
    return {
        "engine": __version__,
        "model": session.model,
        "network": session.network_fingerprint,
        "options": json.dumps(words),
        "position": str(len(session.ledger.done) + bool(session.pending)),
    }


def _mask_row(step: int, place: Place, kept: Kept | None) -> tuple[Any, ...]:
    if kept is None:
        return (step, *place, 1, *(None,) * 9)
    box = kept.mask.box or (None,) * 4
    scores = kept.scores
    return (
        step, *place, 0, *box, kept.mask.data, scores.affinity, scores.occurrence, scores.motion, kept.confidence,
    )  # fmt: skip


def _replay(database: sqlite3.Connection, ledger: Ledger, position: int) -> None:
    """Do every action of the file, then undo what was undone."""
    steps = database.execute("SELECT step, name, kept, prompts, bases, locks FROM actions ORDER BY step").fetchall()
    for step, name, *change in steps:
        masks: dict[Place, Kept | None] = {}
        for row in database.execute("SELECT * FROM masks WHERE step = ?", (step,)):
            _, object_id, frame_index, removed, y0, x0, y1, x1, bits, affinity, occurrence, motion, confidence = row
            packed = PackedMask(ledger.size, None if y0 is None else (y0, x0, y1, x1), bits or b"")
            kept = Kept(packed, Scores(affinity, occurrence, motion), confidence) if not removed else None
            masks[object_id, frame_index] = kept
        ledger.act(name, decode_change(ledger.settings, change), masks)
    for _ in range(len(steps) - position):
        ledger.undo()


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a session file for reading; say in one sentence why it cannot be."""
    if not path.is_file():
        raise SessionError(f"There is no session file {path}.")
    try:
        with closing(sqlite3.connect(f"file:{path.resolve().as_posix()}?mode=ro", uri=True)) as database:
            application = database.execute("PRAGMA application_id").fetchone()[0]
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if application != APPLICATION:
                raise SessionError(f"{path} is not a napari-vost session.")
            if version > VERSION:
                raise SessionError(
                    f"{path} was saved by a newer napari-vost: it has file version {version}, this one reads up to "
                    f"{VERSION}; update napari-vost."
                )
            yield database
    except sqlite3.DatabaseError as error:
        raise SessionError(f"{path} is not a napari-vost session, or it is damaged ({error}).") from error


def describe_source(clip: Clip, beside: Path) -> dict[str, str]:
    """What a session file says of its scan; never a name, date or number of a patient."""
    source, opened = clip.source, dict(clip.source.opened)
    where = str(opened.pop("path", source.path or ""))
    relative = os.path.relpath(Path(where).resolve(), beside.resolve().parent) if where else ""
    return {
        "path": Path(relative).as_posix() if relative else "",
        "kind": source.kind,
        "opened": json.dumps(opened),
        "identity": identity(clip),
        "shape": json.dumps(clip.shape),
        "order": clip.order,
        "affine_lps": json.dumps(np.asarray(clip.geometry.affine_lps).round(9).tolist()),
    }


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


def _open_source(path: Path, given: Path | None, known: dict[str, str]) -> Clip:
    from napari_vost.io.readers import open_clip

    if given is None and not known["path"]:
        raise SessionError(f"{path} was made from an array, not from a file: give the scan with `source`.")
    where = given or path.parent / known["path"]
    if not where.exists():
        raise SessionError(f"The scan of {path} is not at {where}: say where it is with --source PATH.")
    try:
        return open_clip(where, **json.loads(known["opened"]))
    except ReadError as error:
        raise SessionError(f"The scan of {path} cannot be opened: {error}") from error


def _check_source(clip: Clip, known: dict[str, str]) -> None:
    if clip.shape != tuple(json.loads(known["shape"])) or identity(clip) != known["identity"]:
        raise SessionError(
            f"The scan is not the one that the session was made from: expected {tuple(json.loads(known['shape']))} "
            f"frames of {known['kind']}, got {clip.shape} of {clip.source.kind}, or its content has changed."
        )
