"""Cases: sessions that save themselves, in one folder, under names that a user chose.

A case is the file ``<alias>_<reader>.vost``. The alias is what the user types and never comes from the scan. Every
reader has their own file of a case; another reader's opens read-only.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from napari_vost.autosave import Autosave
from napari_vost.case_names import SUFFIX, case_path, check_alias, check_reader, make_folder, same_reader
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.errors import ExportError, InputError, SessionError
from napari_vost.io.atomic import atomic_file
from napari_vost.paths import cases_folder
from napari_vost.session import Session
from napari_vost.session_file import disk_reason, opened
from napari_vost.session_source import path_from

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """What a list of cases shows; the scan is not opened for it.

    Attributes
    ----------
    path
        Its file.
    alias, reader
        What the user calls it, and whose it is; the reader is "" where the file does not say.
    objects
        Names of its objects.
    reviewed, frames
        Frames that were accepted or edited, of those that hold a mask.
    changed
        When something in it was done last, with time zone.
    problem
        Why it cannot be opened, in one sentence; "" where it can.
    model
        Name of the model that it was left with.
    """

    path: Path
    alias: str
    reader: str
    objects: tuple[str, ...] = ()
    reviewed: int = 0
    frames: int = 0
    changed: datetime = NEVER
    problem: str = ""
    model: str = ""

    def read_only_for(self, reader: str) -> str:
        """Why a reader may only look at it, in one sentence; "" where they may change it."""
        if self.reader and not same_reader(self.reader, reader):
            return (
                f"The case {self.alias} is {self.reader}'s and opens read-only: make it yours to change it in a copy."
            )
        if not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)):
            return f"The case {self.alias} lies where you may not write and opens read-only: make it yours elsewhere."
        return ""


@dataclass(frozen=True, eq=False)
class OpenCase:
    """A case that is open: its session, and what saves it; None, and why, where it is read-only."""

    case: Case
    session: Session
    autosave: Autosave | None
    read_only: str = ""


def next_alias(folder: Path | None = None) -> str:
    """The first of ``case-001``, ``case-002`` … behind all that are there, whoever's they are."""
    found = (re.match(r"case-(\d+)[-_]", path.name, re.IGNORECASE) for path in _files(folder))
    return f"case-{max((int(one[1]) for one in found if one), default=0) + 1:03d}"


def list_cases(folder: Path | None = None) -> tuple[Case, ...]:
    """All cases of a folder, the one that was changed last first; what cannot be opened comes with its problem."""
    return tuple(sorted(map(describe_case, _files(folder)), key=lambda one: one.changed, reverse=True))


def describe_case(path: Path) -> Case:
    """What a case holds, from its file alone."""
    alias, _, reader = path.stem.rpartition("_")
    try:
        with opened(path) as database:
            meta = dict(database.execute("SELECT key, value FROM meta"))
        summary = json.loads(meta.get("summary", "{}"))
        changed = meta.get("changed")
        return Case(
            path,
            meta.get("alias") or alias or path.stem,
            meta.get("reader", ""),
            tuple(summary.get("objects", ())),
            summary.get("reviewed", 0),
            summary.get("frames", 0),
            datetime.fromisoformat(changed) if changed else _modified(path),
            model=meta.get("model", ""),
        )
    except (SessionError, OSError, ValueError) as error:
        return Case(path, alias or path.stem, reader, changed=_modified(path), problem=str(error))


def start_case(session: Session, alias: str, reader: str, folder: Path | None = None) -> OpenCase:
    """Make a session a case, which saves itself from now on; `OpenCase.autosave` has to be closed.

    Raises
    ------
    InputError
        A name that cannot be used, or the reader has a case of that name.
    ExportError
        The folder of the cases cannot be made.
    """
    path = case_path(alias, reader, folder)
    _check_free(path)
    make_folder(path.parent)
    session.alias, session.reader = check_alias(alias), check_reader(reader)
    autosave = Autosave(session, path)
    autosave.touch()
    return OpenCase(Case(path, session.alias, session.reader), session, autosave)


def open_case(
    path: Path,
    reader: str,
    source: str | Path | Clip | None = None,
    device: str = "auto",
    model: str | Network | None = None,
) -> OpenCase:
    """Open a case with its scan; another reader's, or one where nothing can be written, is read-only.

    Parameters
    ----------
    path
        Its file.
    reader
        Who opens it.
    source, device, model
        As in `Session.load`.

    Raises
    ------
    ScanNotFound
        The scan is neither where it was nor beside the case.
    SessionError
        The file cannot be used.
    """
    reader = check_reader(reader)
    session = Session.load(path, source, device, model)
    case = describe_case(path)
    session.read_only = why = case.read_only_for(reader)
    if why:
        return OpenCase(case, session, None, why)
    session.alias, session.reader = case.alias, reader
    autosave = Autosave(session, path)
    if session.on_file is not None and session.on_file.moved:
        autosave.touch()  # the next time it is looked for where it was found now
    return OpenCase(case, session, autosave)


def make_mine(path: Path, reader: str, folder: Path | None = None) -> Path:
    """Copy a case under one's own name; the copy may be changed, the other one stays as it is.

    Parameters
    ----------
    path
        The case.
    reader
        Whose the copy is.
    folder
        Where to; None is where the case lies.

    Returns
    -------
    Path
        The copy.

    Raises
    ------
    InputError
        The reader has a case of that name.
    ExportError
        The copy cannot be written.
    SessionError
        The case cannot be read.
    """
    case = describe_case(path)
    if case.problem:
        raise SessionError(case.problem)
    target = case_path(case.alias, reader, path.parent if folder is None else folder)
    _check_free(target)
    make_folder(target.parent)
    words = {"alias": case.alias, "reader": check_reader(reader), "stamp": uuid.uuid4().hex}
    with opened(path) as database, atomic_file(target) as temporary:
        try:
            _copy(database, temporary, words, lambda scan: path_from(path.resolve().parent / scan, target))
        except sqlite3.Error as error:
            raise ExportError(f"Cannot write {target}: {disk_reason(error)}.") from error
    return target


def _copy(database: sqlite3.Connection, to: Path, words: Mapping[str, str], moved: Callable[[str], str]) -> None:
    """Copy a session file with other words, and with the path of its scan as it is from there."""
    with closing(sqlite3.connect(to)) as copy:
        database.backup(copy)
        with copy:
            copy.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", words.items())
            (scan,) = copy.execute("SELECT value FROM source WHERE key = 'path'").fetchone()
            if scan:
                copy.execute("UPDATE source SET value = ? WHERE key = 'path'", (moved(scan),))


def _files(folder: Path | None) -> list[Path]:
    place = cases_folder() if folder is None else folder
    if not place.is_dir():
        return []
    return [path for path in place.iterdir() if path.suffix == SUFFIX and not path.name.startswith(".")]


def _check_free(path: Path) -> None:
    """A case is not written over; file names that differ in case only are one on many disks."""
    taken = {one.name.casefold() for one in _files(path.parent)}
    if path.name.casefold() in taken:
        raise InputError(f"There is a case {path.name} already: open it, or choose another name.")


def _modified(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return NEVER
