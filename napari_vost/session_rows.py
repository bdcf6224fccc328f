"""The tables of a ``.vost`` file, and how a session becomes rows: all of them, or those that are new.

Whoever writes takes a `Snapshot` first: it holds what cannot change any more, so that it can be written by another
thread while the session goes on.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from napari_vost.adaptation import Fitted
from napari_vost.history import Action, Change, Kept, Place, Settings
from napari_vost.review_doors import count_reviewed
from napari_vost.session_codec import encode_change, encode_follow, encode_label, encode_standing, encode_weights
from napari_vost.types import Label

if TYPE_CHECKING:
    from napari_vost.session import Session

VERSION = 4  # 2: adapted weights; 3: reviews, follows, view, reader, stamp, locks as what changed; 4: limits, dabs
APPLICATION = 0x564F5354  # "VOST"
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE source (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE labels (object_id INTEGER PRIMARY KEY, label TEXT);
CREATE TABLE actions (step INTEGER PRIMARY KEY, name TEXT, kept INTEGER, prompts TEXT, bases TEXT, locks TEXT,
    accepted TEXT, limits TEXT, follow TEXT);
CREATE TABLE adapted (made_from TEXT, weights BLOB);
CREATE TABLE masks (step INTEGER, object_id INTEGER, frame_index INTEGER, removed INTEGER,
    y0 INTEGER, x0 INTEGER, y1 INTEGER, x1 INTEGER, bits BLOB,
    affinity REAL, occurrence REAL, motion REAL, confidence REAL, dabbed INTEGER,
    PRIMARY KEY (step, object_id, frame_index));
CREATE VIEW current_masks AS SELECT object_id, frame_index, y0, x0, y1, x1, bits, affinity, occurrence, confidence
    FROM masks AS one WHERE removed = 0 AND step = (SELECT MAX(step) FROM masks AS other
        WHERE other.object_id = one.object_id AND other.frame_index = one.frame_index
        AND other.step < CAST((SELECT value FROM meta WHERE key = 'position') AS INTEGER));
"""


@dataclass(frozen=True, eq=False)
class OnFile:
    """What a session file is known to hold, so that what is new can be added to it.

    Attributes
    ----------
    stamp
        Changes with every write; who finds another one in the file knows that somebody else has written to it.
    actions
        In order; the undone ones last.
    running
        Whether the last action is a propagation that was still going on.
    labels, fitted
        Names by object id; adapted weights.
    moved
        Whether the scan was found elsewhere than the file says.
    """

    stamp: str
    actions: tuple[Action, ...]
    running: bool
    labels: Mapping[int, Label]
    fitted: Fitted | None
    moved: bool = False


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A session at one moment; taking it is quick, whatever the session holds.

    Attributes
    ----------
    content
        What its file shall hold.
    meta
        Words of the table ``meta``; `write_all` and `append` add the summary.
    before
        What the session was loaded from or saved as; None if it never was.
    settings, places
        Settings, and where masks are, for the summary.
    """

    content: OnFile
    meta: Mapping[str, str]
    before: OnFile | None
    settings: Settings
    places: tuple[Place, ...]


def snapshot(session: Session) -> Snapshot:
    """Take a session as it is; a propagation that is still going on counts as far as it has come."""
    log, pending = session.ledger.log, session.pending
    actions = log.actions
    if pending:
        now = {place: session.ledger.kept.get(place) for place in pending}
        actions = (*log.done, Action("follow", Change(len(session.prompts)), pending, now, session.following))
    content = OnFile(uuid.uuid4().hex, actions, bool(pending), dict(session.labels), session.fitted)
    position = len(log.done) + bool(pending)
    meta = _meta(session, content.stamp, position)
    return Snapshot(content, meta, session.on_file, session.ledger.settings, tuple(session.ledger.kept))


def write_all(database: sqlite3.Connection, shot: Snapshot, source: Mapping[str, str]) -> None:
    """Fill an empty database, in the transaction of the caller."""
    database.executescript(_SCHEMA)
    database.execute(f"PRAGMA application_id = {APPLICATION}")
    database.execute(f"PRAGMA user_version = {VERSION}")
    database.executemany("INSERT INTO source VALUES (?, ?)", source.items())
    _write(database, shot, OnFile("", (), False, {}, None))


def append(database: sqlite3.Connection, shot: Snapshot, held: OnFile, place: Mapping[str, str]) -> None:
    """Bring a file that holds ``held`` up to date, in the transaction of the caller; ``place`` is where the scan is."""
    if held.moved:
        database.executemany("INSERT OR REPLACE INTO source VALUES (?, ?)", place.items())
    _write(database, shot, held)


def _write(database: sqlite3.Connection, shot: Snapshot, held: OnFile) -> None:
    content = shot.content
    meta = {**shot.meta, "summary": _summary(shot)}
    database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
    if content.labels != held.labels:
        database.execute("DELETE FROM labels")
        rows = [(object_id, encode_label(label)) for object_id, label in content.labels.items()]
        database.executemany("INSERT INTO labels VALUES (?, ?)", rows)
    if content.fitted is not held.fitted:
        database.execute("DELETE FROM adapted")
        if content.fitted is not None:
            values = (content.fitted.made_from, encode_weights(content.fitted.weights))
            database.execute("INSERT INTO adapted VALUES (?, ?)", values)
    pairs = enumerate(zip(held.actions, content.actions, strict=False))
    shorter = min(len(held.actions), len(content.actions))
    same = next((step for step, (old, new) in pairs if old is not new), shorter)
    grows = held.running and same == len(held.actions) - 1 and len(content.actions) > same
    if len(held.actions) > same and not grows:
        for table in ("actions", "masks"):
            database.execute(f"DELETE FROM {table} WHERE step >= ?", (same,))
    for step, action in enumerate(content.actions[same:], start=same):
        there = held.actions[step].masks_after if grows and step == same else {}
        _write_action(database, step, action, there)


def _write_action(database: sqlite3.Connection, step: int, action: Action, there: Mapping[Place, Kept | None]) -> None:
    """One action; of its masks those that are not there yet."""
    follow = None if action.follow is None else encode_follow(action.follow)
    row = (step, action.name, *encode_change(action.change), follow)
    database.execute(f"INSERT OR REPLACE INTO actions VALUES ({', '.join('?' * 9)})", row)
    rows = [
        _mask_row(step, place, kept)
        for place, kept in action.masks_after.items()
        if place not in there or there[place] is not kept
    ]
    database.executemany(f"INSERT OR REPLACE INTO masks VALUES ({', '.join('?' * 14)})", rows)


def _mask_row(step: int, place: Place, kept: Kept | None) -> tuple[Any, ...]:
    if kept is None:
        return (step, *place, 1, *(None,) * 10)
    box = kept.mask.box or (None,) * 4
    scores = kept.scores
    return (
        step, *place, 0, *box, kept.mask.data, scores.affinity, scores.occurrence, scores.motion, kept.confidence,
        int(kept.dabbed),
    )  # fmt: skip


def _summary(shot: Snapshot) -> str:
    """What a list of cases shows, so that it needs no masks."""
    labels = shot.content.labels
    ids = {prompt.object_id for prompt in shot.settings.prompts} | {place[0] for place in shot.places}
    objects = [labels[one].name if one in labels else f"Object {one}" for one in sorted(ids)]
    return json.dumps({"objects": objects, **asdict(count_reviewed(shot.settings, shot.places))})


def _meta(session: Session, stamp: str, position: int) -> dict[str, str]:
    from napari_vost import __version__

    options = session.options
    names = ("adapter", "memory", "motion", "region", "window", "sam2")
    words = {name: getattr(options, name) for name in names}
    words |= {"cleanup": asdict(options.cleanup), "overwrite": session.overwrite}
    return {
        "engine": __version__,
        "model": session.model,
        "network": session.network_fingerprint,
        "options": json.dumps(words),
        "position": str(position),
        "stamp": stamp,
        "alias": session.alias,
        "reader": session.reader,
        "view": json.dumps(session.view),
        "standing": encode_standing(session.standing),
        "changed": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
