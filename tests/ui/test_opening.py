"""A path becomes a layer that can be shown, whose name says what it is and never whose; without the window waiting."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.errors import Cancelled, ChoiceNeeded, ReadError
from napari_vost.ui.opening import layer_name, load, open_in_background, ready
from tests.io.dicom_factory import ramp_volume, stack_origins, write_cine, write_series


def write_4d(path: Path) -> Path:
    """A NIfTI of 3 time points of 4 slices, whose values tell them apart."""
    x, y, z, t = np.mgrid[:5, :6, :4, :3]
    nibabel.save(nibabel.Nifti1Image((1000 * t + 100 * z + 10 * y + x).astype(np.int16), np.diag([1, 1, 3, 1.0])), path)
    return path


def test_a_name_says_what_it_is_and_never_whose(tmp_path: Path) -> None:
    names = {"PatientName": "Doe^Jane", "PatientID": "4711", "SeriesDescription": "Doe Jane abdomen"}
    write_series(tmp_path / "Doe_Jane", ramp_volume(3), stack_origins(3), **names)
    write_cine(tmp_path / "Doe.dcm", np.zeros((3, 8, 8), np.uint8), **names)
    assert layer_name(load(tmp_path / "Doe_Jane").clip) == "CT volume"
    assert layer_name(load(tmp_path / "Doe.dcm").clip) == "US cine"


def test_a_name_of_the_users_own_goes_before() -> None:
    clip = Clip.from_array(np.zeros((3, 4, 4), np.uint8))
    assert layer_name(clip) == "Volume"
    assert layer_name(replace(clip, alias="case-003")) == "case-003"
    assert layer_name(Clip.from_array(np.zeros((1, 4, 4), np.uint8))) == "Image"


def test_it_opens_in_the_window_that_the_file_proposes(tmp_path: Path) -> None:
    write_series(tmp_path, ramp_volume(3), stack_origins(3), WindowCenter=100, WindowWidth=50)
    low, high = load(tmp_path).options["contrast_limits"]
    assert 74 < low < 77 and 124 < high < 127


def test_the_frame_that_is_shown_first_has_been_read() -> None:
    opened = ready(Clip.from_array(np.arange(7 * 4 * 4).reshape(7, 4, 4)))
    assert opened.data.holds(3)


def test_a_choice_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChoiceNeeded):
        load(write_4d(tmp_path / "a.nii.gz"))
    assert (load(tmp_path / "a.nii.gz", {"order": "time", "at": 2}).clip.frame(1) // 100 == 12).all()


class Told:
    """What an opening told."""

    def __init__(self) -> None:
        self.opened: list[Any] = []
        self.problems: list[Exception] = []

    def __bool__(self) -> bool:
        return bool(self.opened or self.problems)


@pytest.mark.gui
def test_the_window_goes_on_while_a_scan_is_opened(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qtpy.QtCore import QTimer

    import napari_vost.ui.opening as opening

    write_series(tmp_path, ramp_volume(3), stack_origins(3))
    slow = opening.open_clip
    monkeypatch.setattr(opening, "open_clip", lambda *way, **how: (time.sleep(0.5), slow(*way, **how))[1])
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start(10)
    told = Told()
    open_in_background(tmp_path, told.opened.append, told.problems.append)
    qtbot.waitUntil(lambda: bool(told))
    timer.stop()
    assert told.opened[0].clip.shape == (3, 6, 5) and told.problems == []
    assert len(beats) > 20


@pytest.mark.gui
def test_what_cannot_be_read_is_told(qtbot: Any, tmp_path: Path) -> None:
    told = Told()
    open_in_background(tmp_path / "nothing.nii", told.opened.append, told.problems.append)
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told.problems[0], ReadError)


@pytest.mark.gui
def test_a_missing_choice_is_asked_for_and_then_opened(qtbot: Any, tmp_path: Path) -> None:
    told = Told()
    opening = open_in_background(write_4d(tmp_path / "a.nii"), told.opened.append, told.problems.append)
    qtbot.waitUntil(lambda: opening.question is not None)
    assert opening.question is not None
    opening.question.part.time_point.setValue(3)
    opening.question.accept()
    qtbot.waitUntil(lambda: bool(told))
    assert (told.opened[0].clip.frame(1) // 100 == 21).all()


@pytest.mark.gui
def test_who_does_not_choose_opens_nothing(qtbot: Any, tmp_path: Path) -> None:
    told = Told()
    opening = open_in_background(write_4d(tmp_path / "a.nii"), told.opened.append, told.problems.append)
    qtbot.waitUntil(lambda: opening.question is not None)
    assert opening.question is not None
    opening.question.reject()
    assert told.opened == [] and isinstance(told.problems[0], Cancelled)


@pytest.mark.gui
def test_an_opening_that_is_cancelled_tells_nothing(qtbot: Any, tmp_path: Path) -> None:
    told = Told()
    path = write_4d(tmp_path / "a.nii")
    first = open_in_background(path, told.opened.append, told.problems.append)
    first.cancel()
    second = open_in_background(path, told.opened.append, told.problems.append)
    qtbot.waitUntil(lambda: second.question is not None)
    second.cancel()
    qtbot.wait(100)
    assert not told and first.question is None and second.question is None
