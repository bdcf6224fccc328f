"""The engine's thread: order, answers on the window's thread, errors as sentences, an end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from napari_vost.errors import Cancelled, InputError

pytestqt = pytest.importorskip("pytestqt", reason="pytest-qt is not installed")
pytestmark = pytest.mark.gui


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def jobs(qapp: Any, heard: list[str]) -> Iterator[Any]:
    from napari_vost.ui.jobs import Jobs

    jobs = Jobs(heard.append)
    yield jobs
    assert jobs.close()


def fail(error: Exception) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_calls_run_elsewhere_in_order_and_answers_come_back_here(jobs: Any, qtbot: Any) -> None:
    order: list[tuple[str, int, bool]] = []
    here = threading.get_ident()

    def call(number: int) -> int:
        order.append(("ran", number, threading.get_ident() == here))
        return number

    for number in range(5):
        jobs.submit(lambda number=number: call(number),
                    lambda found: order.append(("told", found, threading.get_ident() == here)))  # fmt: skip
    qtbot.waitUntil(lambda: len(order) == 10)
    assert [one for one in order if one[0] == "ran"] == [("ran", number, False) for number in range(5)]
    assert [one for one in order if one[0] == "told"] == [("told", number, True) for number in range(5)]


def test_an_error_is_one_sentence_and_the_next_call_runs(jobs: Any, heard: list[str], qtbot: Any) -> None:
    own: list[str] = []
    jobs.submit(fail(InputError("Nothing to follow: click first.")))
    jobs.submit(fail(InputError("Mine.")), failed=own.append)
    jobs.submit(fail(Cancelled("Stopped.")))
    jobs.submit(fail(RuntimeError("CUDA out of memory. Tried to allocate")))
    jobs.submit(fail(KeyError("patient")))
    done: list[int] = []
    jobs.submit(lambda: 3, done.append)
    qtbot.waitUntil(lambda: done == [3])
    assert own == ["Mine."]
    assert heard[0] == "Nothing to follow: click first."
    assert "memory" in heard[1] and "CPU" in heard[1]
    assert "KeyError" in heard[2] and "patient" not in heard[2]
    assert len(heard) == 3


def test_after_closing_nothing_runs_and_nothing_is_told(qapp: Any, heard: list[str], qtbot: Any) -> None:
    from napari_vost.ui.jobs import Jobs

    jobs, ran, begun, go = Jobs(heard.append), [], threading.Event(), threading.Event()
    jobs.submit(lambda: (begun.set(), go.wait(5), ran.append("first")), lambda _: ran.append("told"))
    jobs.submit(lambda: ran.append("second"))
    assert begun.wait(5)
    threading.Timer(0.1, go.set).start()
    assert jobs.close()
    jobs.submit(lambda: ran.append("third"))
    qtbot.wait(50)
    assert ran == ["first"]


def test_small_things_are_done_only_while_nothing_waits(qapp: Any, heard: list[str], qtbot: Any) -> None:
    from napari_vost.ui.jobs import Jobs

    done: list[str] = []

    def spare() -> bool:
        done.append("small")
        time.sleep(0.01)
        return done.count("small") < 5

    jobs = Jobs(heard.append, spare)
    jobs.submit(lambda: done.append("asked"))
    jobs.submit(lambda: done.append("asked"))
    qtbot.waitUntil(lambda: len(done) == 7)
    assert done[:2] == ["asked", "asked"]
    qtbot.wait(30)
    assert len(done) == 7
    jobs.wake()
    qtbot.waitUntil(lambda: len(done) == 8)
    assert jobs.close()


def test_a_call_that_could_be_helped_runs_once_more_and_no_more(jobs: Any, heard: list[str], qtbot: Any) -> None:
    tried, done = [], []
    jobs.rescue = lambda error: isinstance(error, MemoryError)

    def hungry() -> str:
        tried.append("once")
        if len(tried) == 1:
            raise MemoryError
        return "done"

    def starving() -> None:
        tried.append("again")
        raise MemoryError

    jobs.submit(hungry, done.append)
    jobs.submit(starving)
    jobs.submit(fail(InputError("Not this.")))
    qtbot.waitUntil(lambda: len(heard) == 2)
    assert done == ["done"] and tried == ["once", "once", "again", "again"]
    assert "out of memory" in heard[0] and heard[1] == "Not this."


def test_small_things_wait_until_nothing_has_been_asked_for_a_while(
    qapp: Any, heard: list[str], qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks step by step waits for none of them."""
    from napari_vost.ui import jobs as jobs_module

    monkeypatch.setattr(jobs_module, "_REST_S", 0.2)
    done: list[str] = []
    jobs = jobs_module.Jobs(heard.append, lambda: bool(done.append("small")))
    for _ in range(8):
        jobs.submit(lambda: done.append("asked"))
        qtbot.wait(30)
    qtbot.waitUntil(lambda: "small" in done)
    assert done[:9] == ["asked"] * 8 + ["small"]
    assert jobs.close()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux tells how many cores a process may use")
def test_the_network_leaves_the_window_a_core() -> None:
    import torch

    from napari_vost.ui.run import leave_a_core

    found: list[int] = []

    def work() -> None:
        torch.set_num_threads(64)
        leave_a_core()
        found.append(torch.get_num_threads())

    before = torch.get_num_threads()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    torch.set_num_threads(before)
    assert found == [max(1, len(os.sched_getaffinity(0)) - 1)]
