"""The ``.vost`` file: one SQLite database, no pickle, readable by any program.

It holds the log of actions and the masks that each of them set; what stands now is the log replayed up to ``position``
(the rest was undone). Tables: ``meta`` (among it whose case it is, the view, and a summary for lists), ``source``,
``labels``, ``actions``, ``masks``, and ``adapted``: its one row, if any, holds weights that were fitted to the clip (a
safetensors file of 16-bit numbers). The view ``current_masks`` is what a reader from elsewhere wants. Memory is not
stored: it is made again from the prompted frames. The scan itself is referenced, and known again by its DICOM UIDs or
by a hash of its content.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from napari_vost.adaptation import Fitted
from napari_vost.cleanup import Cleanup
from napari_vost.clip import Clip
from napari_vost.engine import EngineOptions
from napari_vost.errors import ExportError, SessionError
from napari_vost.history import Kept, Ledger, Place
from napari_vost.io.atomic import atomic_file
from napari_vost.masks import PackedMask
from napari_vost.road import Standing
from napari_vost.session_codec import decode_change, decode_follow, decode_label, decode_standing, decode_weights
from napari_vost.session_rows import APPLICATION, VERSION, OnFile, Snapshot, snapshot, write_all
from napari_vost.session_source import check_source, describe_place, describe_source, open_source
from napari_vost.types import Label, Scores

if TYPE_CHECKING:
    from napari_vost.session import Session


def save(session: Session, path: Path) -> OnFile:
    """Write a session; a file that is there is replaced as a whole.

    Raises
    ------
    ExportError
        The file cannot be written.
    """
    shot = snapshot(session)
    write_file(shot, describe_source(session.clip, path), path)
    return shot.content


def write_file(shot: Snapshot, source: Mapping[str, str], path: Path) -> None:
    """Write a snapshot to a new file, in the place of what is there; ``source`` is what `describe_source` says.

    Raises
    ------
    ExportError
        The file cannot be written.
    """
    try:
        with atomic_file(path) as temporary, closing(sqlite3.connect(temporary)) as database, database:
            # Whole or not at all by renaming: no journal is needed, and none of an earlier crash may be left.
            database.execute("PRAGMA journal_mode = OFF")
            write_all(database, shot, source)
            _settle(path)
    except sqlite3.Error as error:
        raise ExportError(f"Cannot write {path}: {disk_reason(error)}.") from error


def disk_reason(error: sqlite3.Error) -> str:
    """Why the disk refused, and what to do, as part of a sentence."""
    name = getattr(error, "sqlite_errorname", "")
    return next((words for start, words in _REASONS.items() if name.startswith(start)), f"SQLite says {str(error)!r}")


_REASONS = {
    "SQLITE_FULL": "the disk is full; free some space or choose another disk",
    "SQLITE_READONLY": "the file or its folder is read-only; choose another place",
    "SQLITE_CANTOPEN": "the file cannot be opened there; see that the disk is connected and may be written to",
    "SQLITE_IOERR": "the disk does not take it; see that it is connected and has space",
    "SQLITE_BUSY": "another program holds the file; close that program",
    "SQLITE_LOCKED": "another program holds the file; close that program",
}


def _settle(path: Path) -> None:
    """Let SQLite finish what a crash interrupted: the journal must not be applied to the file that comes now."""
    path = path.resolve()
    journal = path.with_name(path.name + "-journal")
    if not journal.exists():
        return
    with suppress(sqlite3.Error), closing(sqlite3.connect(path)) as database:
        database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    journal.unlink(missing_ok=True)


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
    alias, reader
        What the user calls the case, and whose it is; "" where the file does not say.
    view
        What a window left.
    on_file
        What the file holds, for whoever writes on.
    standing
        How far objects have been followed.
    """

    clip: Clip
    model: str
    network: str
    options: dict[str, Any]
    labels: dict[int, Label]
    ledger: Ledger
    fitted: Fitted | None
    alias: str
    reader: str
    view: dict[str, Any]
    on_file: OnFile
    standing: dict[int, Standing]

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
        Where the scan is now, itself or a folder that holds it, or the opened clip; None looks where it was.

    Raises
    ------
    SessionError
        The file or its scan cannot be used.
    """
    with opened(path) as database:
        meta = dict(database.execute("SELECT key, value FROM meta"))
        known = dict(database.execute("SELECT key, value FROM source"))
        clip = check_source(source, known) if isinstance(source, Clip) else open_source(path, source, known)
        rows = database.execute("SELECT object_id, label FROM labels")
        labels = {int(object_id): decode_label(text) for object_id, text in rows}
        ledger = Ledger(clip.shape[1:])
        _replay(database, ledger, int(meta["position"]))
        fitted = _fitted(path, database)
    place = describe_place(clip, path)
    moved = place["path"] not in ("", known["path"])
    on_file = OnFile(meta.get("stamp", ""), ledger.log.actions, False, dict(labels), fitted, moved)
    return Saved(
        clip, meta["model"], meta.get("network", ""), json.loads(meta["options"]), labels, ledger, fitted,
        meta.get("alias", ""), meta.get("reader", ""), json.loads(meta.get("view", "{}")), on_file,
        decode_standing(meta.get("standing", "")),
    )  # fmt: skip


def _fitted(path: Path, database: sqlite3.Connection) -> Fitted | None:
    """Adapted weights of a file; those of version 1 have no table for them."""
    if _version(database) < 2:
        return None
    row = database.execute("SELECT made_from, weights FROM adapted").fetchone()
    if row is None:
        return None
    try:
        return Fitted(decode_weights(row[1]), row[0])
    except SafetensorError as error:
        raise SessionError(f"{path} is damaged: its adapted weights cannot be read ({error}).") from error


_ADDED = {
    "accepted": 3,
    "limits": 4,
    "follow": 3,
}  # columns of actions, and the file version since which they are there
_MASK = "object_id, frame_index, removed, y0, x0, y1, x1, bits, affinity, occurrence, motion, confidence"


def _replay(database: sqlite3.Connection, ledger: Ledger, position: int) -> None:
    """Do every action of the file, then undo what was undone."""
    version = _version(database)
    added = [name if version >= since else "NULL" for name, since in _ADDED.items()]
    actions = f"SELECT step, name, kept, prompts, bases, locks, {', '.join(added)} FROM actions ORDER BY step"
    dabbed = "dabbed" if version >= 4 else "0"
    found = f"SELECT {_MASK}, {dabbed} FROM masks WHERE step = ?"
    steps = database.execute(actions).fetchall()
    for step, name, *change, follow in steps:
        masks: dict[Place, Kept | None] = {}
        for object_id, frame_index, removed, *box, bits, affinity, occurrence, motion, sure, dab in database.execute(
            found, (step,)
        ):
            packed = PackedMask(ledger.size, None if box[0] is None else (box[0], box[1], box[2], box[3]), bits or b"")
            kept = Kept(packed, Scores(affinity, occurrence, motion), sure, bool(dab)) if not removed else None
            masks[object_id, frame_index] = kept
        how = None if follow is None else decode_follow(follow)
        ledger.do(name, decode_change(ledger.settings, change), masks, how)
    for _ in range(len(steps) - position):
        ledger.undo()


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that exists. SQLite first takes back a transaction that a crash interrupted, so not read-only."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as database:
        yield database


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a session file for reading.

    Raises
    ------
    SessionError
        There is none, or it cannot be read.
    """
    if not path.is_file():
        raise SessionError(f"There is no session file {path}.")
    try:
        with connected(path) as database:
            database.execute("PRAGMA query_only = ON")
            application = database.execute("PRAGMA application_id").fetchone()[0]
            version = _version(database)
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
