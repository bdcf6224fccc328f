"""Autosave: what is written, when, and to which file."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

import napari_vost.autosave as autosave_module
from napari_vost import Session
from napari_vost.autosave import Autosave
from napari_vost.clip import Clip
from napari_vost.errors import SessionError
from napari_vost.session_writer import SessionWriter
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label
from tests.engine.stream import act, disc, state


@pytest.fixture
def session(cine: Clip) -> Session:
    return Session(cine, BrightNetwork())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "case.vost"


def test_every_action_is_in_the_file_and_so_is_what_was_undone(session: Session, cine: Clip, path: Path) -> None:
    with Autosave(session, path) as autosave:
        for number in range(20):
            act(session, number)
            assert autosave.flush()
            opened = Session.load(path, source=cine)
            assert state(opened) == state(session)
    while session.undo() is not None:
        opened.undo()
        assert state(opened) == state(session)


def test_an_action_is_in_the_file_within_two_seconds_unasked(session: Session, cine: Clip, path: Path) -> None:
    with Autosave(session, path):
        for number in range(2):
            act(session, number)
            time.sleep(1.9)
            assert state(Session.load(path, source=cine)) == state(session)


def test_a_small_action_adds_to_a_large_file_instead_of_writing_it_anew(session: Session, path: Path) -> None:
    for number in range(20):
        act(session, number)
    with Autosave(session, path) as autosave:
        autosave.touch()
        assert autosave.flush()
        inode = path.stat().st_ino
        act(session, 20)
        assert autosave.flush()
        assert path.stat().st_ino == inode


def test_a_session_goes_on_in_the_file_that_it_came_from(session: Session, cine: Clip, path: Path) -> None:
    act(session, 0)
    session.save(path)
    inode = path.stat().st_ino
    opened = Session.load(path, source=cine, model=BrightNetwork())
    with Autosave(opened, path):
        pass
    assert path.stat().st_ino == inode  # nothing was done: nothing is written
    with Autosave(opened, path):
        opened.lock(3)
    assert path.stat().st_ino == inode
    assert state(Session.load(path, source=cine)) == state(opened)


def test_names_view_and_adapted_state_are_kept_without_an_action(session: Session, cine: Clip, path: Path) -> None:
    session.reader = "Doe^Jane"
    with Autosave(session, path):
        session.name_object(1, Label("Ventricle"))
        session.view = {"frame": 7, "plane": "Axial", "zoom": 1.5, "window": [40, 400], "tool": None}
    opened = Session.load(path, source=cine)
    assert opened.labels == {1: Label("Ventricle")}
    assert opened.view == {"frame": 7, "plane": "Axial", "zoom": 1.5, "window": [40, 400], "tool": None}
    assert opened.reader == "Doe^Jane"


def test_a_view_waits_for_more_of_its_kind_but_an_action_takes_it_along(
    session: Session, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave_module, "VIEW_S", 60.0)
    shots: list[Any] = []
    monkeypatch.setattr(SessionWriter, "write", lambda self, shot: shots.append(shot))
    with Autosave(session, path) as autosave:
        for frame in range(100):
            session.view = {"frame": frame}
        assert autosave.pending and not shots
        act(session, 0)
        deadline = time.monotonic() + 10
        while autosave.pending and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(shots) == 1 and '"frame": 99' in shots[0].meta["view"]


def test_a_running_propagation_is_saved_as_far_as_it_has_come(
    session: Session, cine: Clip, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave_module, "RUN_S", 0.0)
    session.add_mask(5, disc())
    with Autosave(session, path) as autosave:
        for result in session.propagate(direction="forward", frames=(4, 11)):
            if result.frame_index in (7, 9):
                assert autosave.flush()
                opened = Session.load(path, source=cine)
                assert opened.ledger.kept == session.ledger.kept
                assert {frame for _, frame in opened.ledger.kept} == set(range(5, result.frame_index + 1))
                assert opened.undo() == "follow"
        assert autosave.flush()
    opened = Session.load(path, source=cine)
    assert state(opened) == state(session)
    follow = opened.last_follow
    assert follow is not None and (follow.direction, follow.frames) == ("forward", (4, 11))


def test_nobody_waits_for_a_disk_that_hangs(session: Session, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()
    write = SessionWriter.write

    def hang(writer: SessionWriter, shot: Any) -> None:
        free.wait(30)
        write(writer, shot)

    monkeypatch.setattr(SessionWriter, "write", hang)
    with Autosave(session, path) as autosave:
        for number in range(10):
            act(session, number)
        assert not path.exists() and autosave.pending
        free.set()
        assert autosave.flush()
    assert state(Session.load(path, source=session.clip)) == state(session)


def test_a_file_of_another_session_is_left_alone(session: Session, cine: Clip, path: Path) -> None:
    other = Session(cine, BrightNetwork())
    other.add_mask(1, disc())
    other.save(path)
    written = path.read_bytes()
    with Autosave(session, path) as autosave:
        act(session, 0)
        assert not autosave.flush()
        assert "changed by another" in autosave.problem
    assert path.read_bytes() == written


def test_of_two_windows_with_one_file_the_second_to_act_is_told(session: Session, cine: Clip, path: Path) -> None:
    session.save(path)
    first, second = (Session.load(path, source=cine, model=BrightNetwork()) for _ in range(2))
    with Autosave(first, path) as one, Autosave(second, path) as two:
        act(first, 0)
        assert one.flush()
        act(second, 0)
        assert not two.flush()
        assert "another window" in two.problem
        act(first, 1)
        assert one.flush()
    assert state(Session.load(path, source=cine)) == state(first)


def test_saving_by_hand_over_the_file_does_not_disturb_autosave(session: Session, cine: Clip, path: Path) -> None:
    with Autosave(session, path) as autosave:
        for number in range(6):
            act(session, number)
            if number == 3:
                autosave.flush()
                session.save(path)
        assert autosave.flush()
    assert state(Session.load(path, source=cine)) == state(session)


def test_a_file_that_was_broken_or_deleted_meanwhile_is_written_anew(session: Session, cine: Clip, path: Path) -> None:
    with Autosave(session, path) as autosave:
        act(session, 0)
        assert autosave.flush()
        path.unlink()
        act(session, 1)
        assert autosave.flush()
        assert state(Session.load(path, source=cine)) == state(session)
        path.write_bytes(b"no database at all, but long enough to be looked at" * 50)
        act(session, 2)
        assert autosave.flush()
    assert state(Session.load(path, source=cine)) == state(session)


def test_closing_ends_the_thread_and_stops_watching(session: Session, path: Path) -> None:
    autosave = Autosave(session, path)
    act(session, 0)
    assert autosave.close()
    assert not any(thread.name == "napari-vost autosave" for thread in threading.enumerate())
    written = path.read_bytes()
    act(session, 1)
    session.view = {"frame": 1}
    assert path.read_bytes() == written
    with pytest.raises(SessionError, match="made from an array"):
        Session.load(path)
