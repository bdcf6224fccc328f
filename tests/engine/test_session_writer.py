"""Crashes and disks: whatever ends the program or stops the disk, the file opens and at most one action is missing."""

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
from napari_vost.errors import ExportError
from napari_vost.testing import BrightNetwork
from tests.engine.stream import act, disc, state

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and limits of POSIX")
PACE_S = 0.03  # seconds between two actions: three times as fast as twenty clicks in two seconds


@pytest.fixture
def session(cine: Clip) -> Session:
    return Session(cine, BrightNetwork())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "case.vost"


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
    with Autosave(session, path) as autosave:
        for number in range(1000):
            while autosave.pending:  # a busy machine may need longer than that to write
                time.sleep(0.002)
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
    database.executemany("INSERT INTO actions (kept, name) VALUES (?, ?)", ((7, "x" * 2000) for _ in range(300)))
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
    while session.undo() is not None:
        pass
    session.add_mask(7, disc(60), object_id=9)
    session.save(left)
    assert state(Session.load(left, source=cine)) == state(session)


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
        seen = [state(session)]
        autosave.failed.connect(said.append)
        small_disk(path.stat().st_size)
        try:
            for number in range(7):
                noise = np.random.default_rng(number).random((96, 80)) < 0.5
                session.add_mask(number, noise, object_id=2)
                seen.append(state(session))
            until(lambda: bool(autosave.problem))
            time.sleep(0.3)
            assert state(Session.load(path, source=cine)) in seen[:-1]
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
