"""Autosave: whatever ends the program or stops the disk, the file opens and at most one action is missing."""

import os
import random
import shutil
import signal
import sqlite3
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_vost.autosave as autosave_module
from napari_vost import Session
from napari_vost.autosave import Autosave
from napari_vost.clip import Clip
from napari_vost.errors import ExportError, SessionError
from napari_vost.session_writer import SessionWriter
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and limits of POSIX")
PACE_S = 0.03  # seconds between two actions: three times as fast as twenty clicks in two seconds


@pytest.fixture
def session(cine: Clip) -> Session:
    return Session(cine, BrightNetwork())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "case.vost"


def disc(x: int = 35) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - 48) ** 2 + (columns - x) ** 2 < 144


def act(session: Session, number: int) -> None:
    """The next action of a stream that is the same every time: marks, locks, acceptances, undo, redo."""
    steps: tuple[Callable[[], Any], ...] = (
        lambda: session.add_mask(number % 12, disc(20 + number % 40), object_id=1 + number % 3),
        lambda: session.accept((number - 1) % 12),
        session.undo,
        lambda: session.lock(number % 12, object_id=1),
        session.undo,
        session.redo,
        lambda: session.unlock(number % 12),
    )
    steps[number % len(steps)]()


def state(session: Session) -> tuple[Any, ...]:
    log = session.ledger.log
    return session.ledger.settings, dict(session.ledger.kept), len(log.done), len(log.undone)


def states(clip: Clip, count: int) -> list[tuple[Any, ...]]:
    """What a session is after 0, 1, 2 … actions of the stream."""
    session = Session(clip, BrightNetwork())
    found = [state(session)]
    for number in range(count):
        act(session, number)
        found.append(state(session))
    return found


def stream(clip: Clip, path: Path, told: int) -> None:
    """What the child does until it is killed: act, and tell after each action how many there were."""
    session = Session(clip, BrightNetwork())
    with Autosave(session, path):
        for number in range(1000):
            act(session, number)
            os.write(told, struct.pack("i", number + 1))
            time.sleep(PACE_S)


@posix
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_killed_program_leaves_a_file_that_opens_with_all_but_the_last_action(cine: Clip, tmp_path: Path) -> None:
    expected = states(cine, 60)
    draw = random.Random(5)
    for number in range(12):
        path = tmp_path / f"{number}.vost"
        ear, mouth = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                stream(cine, path, mouth)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(mouth)
        os.read(ear, 4)  # the first action is done: the clock starts
        time.sleep(draw.uniform(0.05, 0.6))
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        done = 1
        while told := os.read(ear, 4):
            done = struct.unpack("i", told)[0]
        os.close(ear)
        found = state(Session.load(path, source=cine))
        assert found in expected[done - 1 : done + 2], f"round {number}: {done} actions were done"


def crash(path: Path, to: Path) -> None:
    """Copy a file as a crash leaves it: half of a transaction in the file, and the journal to take it back."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA cache_size = 1")  # pages reach the file before the transaction ends
    database.execute("UPDATE masks SET bits = zeroblob(5000)")
    for end in ("", "-journal"):
        shutil.copy(f"{path}{end}", f"{to}{end}")
    database.close()
    assert to.read_bytes()[: path.stat().st_size] != path.read_bytes()


def test_a_transaction_that_a_crash_cut_in_two_is_taken_back(session: Session, cine: Clip, path: Path) -> None:
    for number in range(40):
        act(session, number)
    session.save(path)
    crashed = path.with_name("crashed.vost")
    crash(path, crashed)
    assert state(Session.load(crashed, source=cine)) == state(session)
    assert not crashed.with_name("crashed.vost-journal").exists()


def test_a_file_saved_over_one_with_a_journal_left_is_not_spoilt_by_it(
    session: Session, cine: Clip, path: Path
) -> None:
    for number in range(40):
        act(session, number)
    session.save(path)
    left = path.with_name("left.vost")
    crash(path, left)
    act(session, 1)
    session.save(left)
    assert state(Session.load(left, source=cine)) == state(session)


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


@pytest.fixture
def quick_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autosave_module, "RETRY_S", 0.05)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Lets files grow to so many bytes only, as a disk that is full."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (soft if size < 0 else size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@posix
@pytest.mark.usefixtures("quick_retry")
def test_a_full_disk_is_said_once_and_the_work_is_saved_when_there_is_room(
    session: Session, cine: Clip, path: Path, small_disk: Callable[[int], None]
) -> None:
    said: list[str] = []
    with Autosave(session, path) as autosave:
        act(session, 0)
        assert autosave.flush()
        before = state(session)
        autosave.failed.connect(said.append)
        small_disk(path.stat().st_size)
        try:
            for number in range(7):
                noise = np.random.default_rng(number).random((96, 80)) < 0.5
                session.add_mask(number, noise, object_id=2)
            until(lambda: bool(autosave.problem))
            time.sleep(0.3)
            assert state(Session.load(path, source=cine)) == before
        finally:
            small_disk(-1)
        until(lambda: not autosave.pending)
        assert not autosave.problem
    assert len(said) == 1 and said[0].startswith("Cannot write") and "space" in said[0]
    assert state(Session.load(path, source=cine)) == state(session)


@pytest.mark.usefixtures("quick_retry")
def test_a_disk_that_is_taken_away_is_said_and_used_again_when_it_is_back(
    session: Session, cine: Clip, tmp_path: Path
) -> None:
    disk, away = tmp_path / "disk", tmp_path / "away"
    disk.mkdir()
    with Autosave(session, disk / "case.vost") as autosave:
        act(session, 0)
        assert autosave.flush()
        disk.rename(away)
        act(session, 1)
        assert not autosave.flush()
        assert "does not exist" in autosave.problem
        act(session, 2)
        away.rename(disk)
        assert autosave.flush()
    assert state(Session.load(disk / "case.vost", source=cine)) == state(session)


def test_a_first_file_that_cannot_be_written_is_said_and_closing_says_that_it_is_not_saved(
    session: Session, tmp_path: Path
) -> None:
    autosave = Autosave(session, tmp_path / "no" / "case.vost")
    act(session, 0)
    assert not autosave.close()
    assert "folder" in autosave.problem
    assert not any(thread.name == "napari-vost autosave" for thread in threading.enumerate())


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


@posix
def test_a_full_disk_on_saving_by_hand_leaves_the_old_file(
    session: Session, path: Path, small_disk: Callable[[int], None]
) -> None:
    act(session, 0)
    session.save(path)
    written = path.read_bytes()
    session.add_mask(2, np.random.default_rng(0).random((96, 80)) < 0.5, object_id=2)
    small_disk(len(written) // 2)
    with pytest.raises(ExportError, match=r"Cannot write .*(disk|space)"):
        session.save(path)
    small_disk(-1)
    assert path.read_bytes() == written and list(path.parent.iterdir()) == [path]


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
