"""Sessions on disk: the same masks, the same undo, and no file that is half one."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vost import Session
from napari_vost.autosave import Autosave
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.errors import SessionError
from napari_vost.testing import BrightNetwork
from napari_vost.types import Code, Label, PointPrompt


@pytest.fixture
def session(cine: Clip, tiny_network: Network) -> Session:
    session = Session(cine, tiny_network)
    session.labels[1] = Label("Ventricle", Code("1", "SCT", "a"), Code("2", "SCT", "b"), (1, 2, 3))
    session.add_box(5, (30, 20, 66, 50))
    session.add_scribble(5, [(40.0, 30.0), (50.0, 40.0)])
    session.add_mask(3, np.eye(96, 80, dtype=bool), object_id=2)
    list(session.propagate())
    session.lock([4])
    session.add_point(8, (48, 40))
    session.undo()
    return session


def test_a_saved_session_opens_as_it_was(session: Session, cine: Clip, tmp_path: Path) -> None:
    session.save(tmp_path / "case.vost")
    opened = Session.load(tmp_path / "case.vost", source=cine)
    assert opened.prompts == session.prompts
    assert opened.locks == session.locks
    assert opened.labels == session.labels
    assert opened.ledger.kept == session.ledger.kept
    assert np.array_equal(np.asarray(opened.label_map()), np.asarray(session.label_map()))


def test_undo_and_redo_survive_the_file(session: Session, cine: Clip, tmp_path: Path) -> None:
    session.save(tmp_path / "case.vost")
    opened = Session.load(tmp_path / "case.vost", source=cine)
    names = []
    while True:
        a, b = session.undo(), opened.undo()
        assert a == b
        assert opened.ledger.kept == session.ledger.kept
        if a is None:
            break
        names.append(a)
    assert names == ["lock", "follow", "prompt", "prompt", "prompt"]
    while session.redo() is not None:
        opened.redo()
        assert opened.ledger.kept == session.ledger.kept


def test_any_sqlite_program_can_read_the_current_masks(session: Session, tmp_path: Path) -> None:
    session.save(tmp_path / "case.vost")
    with sqlite3.connect(tmp_path / "case.vost") as database:
        rows = database.execute("SELECT object_id, frame_index FROM current_masks").fetchall()
    assert sorted(rows) == sorted(session.ledger.kept)


def test_another_scan_is_refused(session: Session, tmp_path: Path) -> None:
    session.save(tmp_path / "case.vost")
    other = Clip.from_array(np.zeros((12, 96, 80), np.uint8), order="time")
    with pytest.raises(SessionError, match="not the one"):
        Session.load(tmp_path / "case.vost", source=other)


def test_a_session_of_an_array_asks_for_its_scan(session: Session, tmp_path: Path) -> None:
    session.save(tmp_path / "case.vost")
    with pytest.raises(SessionError, match="made from an array"):
        Session.load(tmp_path / "case.vost")


def test_a_newer_file_and_a_foreign_file_are_refused(session: Session, cine: Clip, tmp_path: Path) -> None:
    path = tmp_path / "case.vost"
    session.save(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(SessionError, match="newer napari-vost"):
        Session.load(path, source=cine)
    path.write_bytes(b"not a database at all, but long enough to look at" * 20)
    with pytest.raises(SessionError, match="not a napari-vost session"):
        Session.load(path, source=cine)
    with pytest.raises(SessionError, match="no session file"):
        Session.load(tmp_path / "missing.vost")


def test_a_series_chosen_by_number_out_of_a_folder_is_found_again(tiny_network: Network, tmp_path: Path) -> None:
    import nibabel

    from napari_vost import open_clip

    (tmp_path / "scans").mkdir()
    for index in range(3):
        values = np.random.default_rng(index).integers(0, 99, (20, 24, 5)).astype(np.int16)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([1, 1, 2 + index, 1.0])), tmp_path / "scans" / f"{index}.nii")
    session = Session(open_clip(tmp_path / "scans", series=2), tiny_network)
    session.add_mask(2, np.ones((24, 20), bool))
    session.save(tmp_path / "case.vost")
    again = Session.load(tmp_path / "case.vost")
    assert np.array_equal(again.clip.frame(1), session.clip.frame(1))
    (tmp_path / "case").mkdir()
    (tmp_path / "case.vost").rename(tmp_path / "case" / "case.vost")
    (tmp_path / "scans").rename(tmp_path / "moved")
    with pytest.raises(SessionError, match="--source"):
        Session.load(tmp_path / "case" / "case.vost")
    moved = Session.load(tmp_path / "case" / "case.vost", source=tmp_path / "moved")
    assert np.array_equal(np.asarray(moved.label_map()), np.asarray(session.label_map()))


def make_older(path: Path, version: int) -> None:
    """Turn a file into one that an earlier version has written."""
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE actions DROP COLUMN limits")
        database.execute("ALTER TABLE masks DROP COLUMN dabbed")
        database.execute("PRAGMA user_version = 3")
        if version == 3:
            return
        # version 2 listed all locks that stood after an action
        locks: set[tuple[int, int]] = set()
        for step, text in database.execute("SELECT step, locks FROM actions ORDER BY step").fetchall():
            if text is not None:
                locks ^= {tuple(place) for place in json.loads(text)["flipped"]}
                database.execute("UPDATE actions SET locks = ? WHERE step = ?", (json.dumps(sorted(locks)), step))
        for column in ("accepted", "follow"):
            database.execute(f"ALTER TABLE actions DROP COLUMN {column}")
        words = "('stamp', 'alias', 'reader', 'view', 'changed', 'summary')"
        database.execute(f"DELETE FROM meta WHERE key IN {words}")
        database.execute("DELETE FROM source WHERE key = 'series_uid'")
        database.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize("version", [2, 3])
def test_a_file_of_an_earlier_version_opens_and_is_brought_up_to_date_by_autosave(
    session: Session, cine: Clip, tiny_network: Network, tmp_path: Path, version: int
) -> None:
    path = tmp_path / "case.vost"
    session.lock([5])
    session.unlock([4])
    session.save(path)
    make_older(path, version)
    opened = Session.load(path, source=cine, model=tiny_network)
    assert opened.ledger.settings == session.ledger.settings and opened.ledger.kept == session.ledger.kept
    assert opened.limits == {} and opened.dabbed == set()
    assert opened.undo() == session.undo() == "unlock"
    assert opened.locks == session.locks == {(1, 4), (2, 4), (1, 5), (2, 5)}
    with Autosave(opened, path) as autosave:
        opened.accept(5)
        opened.end_here(9, object_id=2)
        opened.add_point(6, (90, 70))
        assert autosave.flush()
    again = Session.load(path, source=cine)
    assert again.ledger.settings == opened.ledger.settings and again.review(5) == "accepted"
    assert again.limits == {2: (None, 9)} and again.dabbed == opened.dabbed == {(1, 6)}


def test_five_thousand_actions_are_saved_and_resumed(cine: Clip, tmp_path: Path) -> None:
    session = Session(cine, BrightNetwork())
    session.add_mask(5, np.eye(96, 80, dtype=bool))
    kept = session.ledger.kept[1, 5]
    for number in range(5000):
        settings, place = session.ledger.settings, (1, number % 12)
        point = PointPrompt(place[1], 1, 48.0, float(number % 80))
        after = replace(settings, prompts=(*settings.prompts, point), locks=settings.locks ^ {place})
        session.ledger.act("prompt", after, {place: kept})
    session.save(tmp_path / "case.vost")
    assert (tmp_path / "case.vost").stat().st_size < 3e6
    opened = Session.load(tmp_path / "case.vost", source=cine)
    assert opened.ledger.settings == session.ledger.settings and len(opened.ledger.done) == 5001
    for _ in range(5001):
        opened.undo()
    assert opened.prompts == () and opened.ledger.kept == {}
