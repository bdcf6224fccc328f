"""Writing a session again and again to one file: what is new goes in as one transaction."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

from napari_vost.clip import Clip
from napari_vost.errors import ExportError, SessionError
from napari_vost.session_file import connected, disk_reason, write_file
from napari_vost.session_rows import APPLICATION, VERSION, OnFile, Snapshot, append
from napari_vost.session_source import describe_place, describe_source

_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT")


class SessionWriter:
    """Keeps one file up to date; each write is there as a whole or not at all, whatever ends the program.

    Parameters
    ----------
    path
        The file; it may be there already if the session was loaded from it or saved to it.
    clip
        The scan, to be described in a new file.
    """

    def __init__(self, path: Path, clip: Clip) -> None:
        self.path = path
        self._clip = clip
        self._source: dict[str, str] | None = None
        self._known: tuple[OnFile, ...] = ()  # what was written last, and what was tried since

    def write(self, shot: Snapshot) -> None:
        """Write a snapshot.

        Raises
        ------
        ExportError
            The disk refuses; the file is as it was.
        SessionError
            Another program has written to the file, or it is another session's; the file is left alone.
        """
        known = (*self._known, *(() if shot.before is None else (shot.before,)))
        self._known = (*self._known[:1], shot.content)  # a write that fails at its very end may have come through
        try:
            if not self._append(shot, {one.stamp: one for one in known}):
                self._source = self._source or describe_source(self._clip, self.path)
                write_file(shot, self._source, self.path)
        except sqlite3.Error as error:
            raise ExportError(f"Cannot write {self.path}: {disk_reason(error)}.") from error
        self._known = (shot.content,)

    def _append(self, shot: Snapshot, known: dict[str, OnFile]) -> bool:
        """Add what is new; False where a whole file has to be written instead."""
        if not self.path.exists():
            return False
        try:
            with connected(self.path) as database, database:
                database.execute("BEGIN IMMEDIATE")
                version = database.execute("PRAGMA user_version").fetchone()[0]
                foreign = database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION
                held = None if foreign else known.get(_stamp(database))
                if held is None or version > VERSION:
                    raise SessionError(
                        f"{self.path} has been changed by another window or program, so it is left as it is: save this "
                        "session under another name."
                    )
                if version < VERSION:
                    return False
                append(database, shot, held, describe_place(self._clip, self.path))
        except sqlite3.DatabaseError as error:
            if self._known and getattr(error, "sqlite_errorname", "").startswith(_DAMAGED):
                return False  # it was ours and somebody broke it: the session is whole, write it anew
            raise
        return True


def _stamp(database: sqlite3.Connection) -> str:
    row = None
    with suppress(sqlite3.OperationalError):  # no such table: a file of another kind
        row = database.execute("SELECT value FROM meta WHERE key = 'stamp'").fetchone()
    return "" if row is None else str(row[0])
