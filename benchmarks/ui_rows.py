"""What benchmarks/ui.py measures in a window, one function per row of its table; each runs in a process of its own."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ui_window import ROOT, Heart, Window, own_folders, spread

ORGAN = "Aorta"  # which organ of the sample is followed from one click
MIDDLE = 30  # the frame of the sample on which it is clicked
STEPS, CLICKS, STOPS, UNDOS = 60, 20, 8, 50
PAUSE_MS = 40  # of a user who turns a wheel
ENCODE_MS = 1500  # of idle time before a click on a frame that shall be encoded
REST_MS = 250  # of a cursor before it clicks


@dataclass(frozen=True)
class Fact:
    """A line of the table: what was measured, what it should be, what it is, and whether a clock was involved."""

    fact: str
    bar: str
    value: str
    timed: bool = True


@cache
def truth() -> NDArray[np.bool_]:
    """Where the organ of the sample is, (T, H, W)."""
    from napari_vost import open_clip

    told = json.loads((ROOT / "sample_data" / "truth.json").read_text(encoding="utf-8"))["abdomen"]
    number = next(one["object_id"] for one in told["objects"] if one["name"] == ORGAN)
    labels = open_clip(ROOT / "sample_data" / told["labels"])  # on the grid of the scan
    return np.stack([labels.frame(one) for one in range(len(labels))]) == number


def organ(frame: int = MIDDLE) -> tuple[int, int, int]:
    """Where the organ of the sample is clicked on a frame: frame, y, x."""
    y, x = np.argwhere(truth()[frame]).mean(axis=0).round().astype(int).tolist()
    return frame, y, x


def large_clip() -> Any:
    """The sample scan with every pixel 2 x 2 x 5 times: 300 slices of 512 x 512."""
    from napari_vost import Clip, open_clip
    from napari_vost.ui.samples import sample_path

    clip = open_clip(sample_path("volume"))
    whole = np.stack([clip.frame(one) for one in range(len(clip))])
    return Clip.from_array(whole.repeat(5, 0).repeat(2, 1).repeat(2, 2), (0.5, 0.65, 0.65))


def clicked_window() -> tuple[Window, tuple[int, int, int]]:
    """A window on the large clip whose organ has its first click."""
    own_folders()
    window, (frame, y, x) = Window(), organ()
    window.lay(large_clip())
    place = (5 * frame + 2, 2 * y, 2 * x)
    window.desk.view.go_to(place[0])
    window.settle()
    window.hands.click(*place[1:])
    window.settle()
    return window, place


def with_dock(open_it: bool = True) -> Window:
    """A window with the plugin open, at its first screen, for a reader who has said their name."""
    own_folders()
    from napari_vost.case_names import set_reader_name

    set_reader_name("Reader^A")
    window = Window()
    if open_it:
        window.open_dock()
    return window


def press_sample(window: Window) -> None:
    """The button of the sample volume."""
    from qtpy.QtWidgets import QPushButton

    from napari_vost.ui.samples import SAMPLES

    title = SAMPLES["volume"][0]
    window.press(next(one for one in window.dock.start.findChildren(QPushButton) if one.text() == title))


# rows ------------------------------------------------------------------------------------------------------------


def cold() -> list[Fact]:
    """From the opened dock to the first mask, in a process that has done nothing yet."""
    window = with_dock()
    start = time.perf_counter()
    press_sample(window)  # 1
    window.at_desk()
    frame, y, x = organ(window.desk.view.frame_index)
    milliseconds = window.timed(
        lambda: window.hands.click(y, x),  # 2
        lambda: not window.studio.waiting and window.desk.scene.labels[frame].any(),
    )
    seconds = time.perf_counter() - start
    window.close()
    return [
        Fact("sample scan, from the opened dock to the first mask: actions", "2", "2 (sample, click)", timed=False),
        Fact(
            "the same, cold, model load included",
            "≤ 10 s",
            f"{seconds:.1f} s, of them {milliseconds / 1000:.1f} s after the click",
        ),
    ]


def seg() -> list[Fact]:
    """One organ of the sample to a saved DICOM-SEG."""
    from qtpy.QtWidgets import QFileDialog, QToolButton

    window, (frame, y, x) = with_dock(), organ()
    path = Path(tempfile.mkdtemp()) / "organ.dcm"
    QFileDialog.getSaveFileName = lambda *_: (str(path), "")  # 6: Enter
    start, actions = time.perf_counter(), []
    press_sample(window)
    actions.append("sample")
    window.at_desk()
    window.desk.view.go_to(frame)  # turning the wheel is looking, no action
    window.hands.click(y, x)
    actions.append("click")
    window.settle()
    window.key("F")
    actions.append("F")
    window.settle()
    window.press(next(one for one in window.desk.findChildren(QToolButton) if one.text() == "Export"))
    actions.append("Export")
    window.press(window.desk.export.button)
    actions += ["Export …", "Enter in the file dialog"]
    window.waiter.waitUntil(lambda: window.desk.export.result.isVisible(), 60_000)
    seconds = time.perf_counter() - start
    written = path.stat().st_size
    found = sample_dice(window.studio.session)
    window.close()
    told = f"{len(actions)} ({', '.join(actions)}); Dice {found:.2f}, file of {written / 1000:.0f} kB"
    return [
        Fact(f"one organ of the sample ({ORGAN.lower()}) to a saved SEG: actions", "≤ 6", told, timed=False),
        Fact("the same, without the time in which a user thinks", "≤ 60 s", f"{seconds:.1f} s"),
    ]


def sample_dice(session: Any) -> float:
    """Dice of the organ of the sample."""
    shown = session.label_map(dense=True) == 1
    return float(2 * (shown & truth()).sum() / (shown.sum() + truth().sum()))


def live() -> list[Fact]:
    """Marker, mask, frame change and heart on 300 slices of 512 x 512, while frames are followed."""
    window, (middle, _, _) = clicked_window()
    view, studio, scene = window.desk.view, window.studio, window.desk.scene
    rested, sudden, markers, masks, frames = [], [], [], [], []
    for number in range(2 * CLICKS):
        view.go_to(middle - 80 + 4 * number)
        window.waiter.wait(ENCODE_MS)
        at = next_to(window)
        if number % 2:
            window.hands.point_at(*at)
            window.waiter.wait(REST_MS)
        milliseconds = window.timed(lambda to=at: window.hands.click(*to), lambda: not studio.waiting)
        (rested if number % 2 else sudden).append(milliseconds)
        window.settle()
    heart = Heart()
    view.go_to(middle - 60)
    for _ in range(STEPS):
        goes_on(window)
        target = view.frame_index + 1
        frames.append(window.timed(lambda: window.hands.wheel(-1), lambda at=target: view.frame_index == at))
        window.waiter.wait(PAUSE_MS)
    gaps = heart.stop()
    for number in range(2 * CLICKS):
        goes_on(window)
        view.go_to(middle - 60 + 3 * number)
        window.waiter.wait(200)
        goes_on(window)
        at = next_to(window)
        window.hands.point_at(*at)
        window.waiter.wait(REST_MS)
        if number % 2:
            masks.append(window.timed(lambda to=at: window.hands.click(*to), lambda: not studio.waiting))
        else:
            count = len(scene.prompts.data)
            drawn = window.timed(lambda to=at: window.hands.click(*to), lambda n=count: len(scene.prompts.data) > n)
            markers.append(drawn)
        window.waiter.waitUntil(lambda: not studio.waiting, 60_000)
    studio.stop()
    window.settle()
    window.close()
    return [
        Fact("marker of a click while following (p50 / p95 / max)", "p95 ≤ 50 ms", spread(markers)),
        Fact(
            f"mask of a click, frame encoded, cursor at rest for {REST_MS / 1000:.2g} s", "p95 ≤ 150 ms", spread(rested)
        ),
        Fact("mask of a click that comes with the cursor", "", spread(sudden)),
        Fact("mask of a click while following, which pauses for it, cursor at rest", "", spread(masks)),
        Fact("frame change while following", "p95 ≤ 60 ms", spread(frames)),
        Fact("gaps of a 5 ms heart in the GUI thread, following and scrolling", "max ≤ 50 ms", spread(gaps)),
    ]


def goes_on(window: Window) -> None:
    """Follow where nothing is being followed."""
    if not window.studio.following:
        window.settle()
        window.key("F")
        window.waiter.waitUntil(lambda: window.studio.session.following is not None, 20_000)


def nudge(window: Window) -> None:
    """A click inside the organ."""
    window.hands.click(*next_to(window))


def next_to(window: Window) -> tuple[float, float]:
    """A place ``(y, x)`` inside the organ, never twice the same pixel: on a mark a click would take that away."""
    _, y, x = organ()
    window.actions += 1
    ring, turn = 3 + window.actions // 8, window.actions * np.pi / 4
    return float(2 * y + 2.5 * ring * np.sin(turn)), float(2 * x + 2.5 * ring * np.cos(turn))


def stop() -> list[Fact]:
    """From the key to a session that is not followed any more."""
    window, _ = clicked_window()
    session, times, frames = window.studio.session, [], []
    for _ in range(STOPS):
        goes_on(window)
        window.waiter.wait(700)
        reached = frames_reached(session)
        start = time.perf_counter()
        window.key("F")
        before = reached()
        window.waiter.waitUntil(lambda: session.following is None, 20_000)
        times.append(1000 * (time.perf_counter() - start))
        window.settle()
        frames.append(reached() - before)
    window.close()
    return [
        Fact("Stop → stopped, buttons usable", "≤ 300 ms", spread(times)),
        Fact("frames that are still written after Stop, at most", "≤ 1", str(max(frames)), timed=False),
    ]


def frames_reached(session: Any) -> Callable[[], int]:
    """Counts the frames that a session announces from now on."""
    count = [0]

    def hear(frames: tuple[int, ...]) -> None:
        count[0] += 1

    session.masks_changed.connect(hear)
    return lambda: count[0]


def undo() -> list[Fact]:
    """Undo and redo over clicks and runs; fifty of each."""
    window, (middle, _, _) = clicked_window()
    view, studio = window.desk.view, window.studio
    for number in range(UNDOS + 5):
        view.go_to(middle - 50 + 2 * number % 100)
        nudge(window)
        if number % 15 == 7:
            window.settle()
            window.key("F")
        window.settle()
    before = studio.session.label_map(dense=True)
    times: list[float] = []
    told = [0]
    studio.said.connect(lambda _: told.__setitem__(0, told[0] + 1))
    for keys in (("Control",), ("Control", "Shift")):
        for _ in range(UNDOS):
            wanted = told[0] + 1
            times.append(window.timed(lambda held=keys: window.key("Z", *held), lambda n=wanted: told[0] >= n))
            window.settle()
    same = bool(np.array_equal(studio.session.label_map(dense=True), before))
    shown = bool(np.array_equal(np.asarray(window.desk.scene.masks.data), before))
    window.close()
    return [
        Fact("an undo or redo, a run among them (p50 / p95 / max)", "≤ 150 ms", spread(times)),
        Fact(
            f"{UNDOS} undos and {UNDOS} redos: same label map, bit for bit",
            "yes",
            f"{'yes' if same else 'no'}, and so is what is shown: {'yes' if shown else 'no'}",
            timed=False,
        ),
    ]


def locked() -> list[Fact]:
    """Painted and locked frames after corrections that are followed again."""
    window, (middle, _, _) = clicked_window()
    session, view = window.studio.session, window.desk.view
    window.key("F")
    window.settle()
    size = session.clip.shape[1:]
    painted = np.zeros(size, np.bool_)
    painted[100:140, 90:150] = True  # nothing that the network would make
    window.studio.paint({(1, middle + 6): painted})
    window.settle()
    for frame in (middle - 8, middle + 12):
        view.go_to(frame)
        window.key("K")
        window.settle()
    places = [(1, middle + 6), (1, middle - 8), (1, middle + 12)]
    before = {place: session.ledger.kept[place].mask.unpack() for place in places}
    for frame in (middle - 15, middle - 4, middle + 9, middle + 20):
        view.go_to(frame)
        nudge(window)
        window.settle()  # the correction is followed by itself
    window.studio.jobs.submit(lambda: list(session.propagate(exact=True)))  # and once more, over every frame
    window.settle()
    changed = sum(int((session.ledger.kept[place].mask.unpack() ^ before[place]).sum()) for place in places)
    window.close()
    return [
        Fact("painted and locked frames after five re-follows: pixels changed", "0", str(changed), timed=False),
    ]
