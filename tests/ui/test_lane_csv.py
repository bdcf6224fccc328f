"""The table of the area curves says what the measures say."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest

from napari_vost import measure
from napari_vost.clip import Clip
from napari_vost.geometry import Geometry
from napari_vost.history import Kept
from napari_vost.measure.volume import area_mm2
from napari_vost.session import Session
from napari_vost.testing import BrightNetwork
from napari_vost.types import Label, Scores
from napari_vost.ui.lane_csv import curve_csv, volume_ml
from napari_vost.ui.lane_data import lane_data
from tests.ui.made_up import disc


def session_of(clip: Clip) -> Session:
    session = Session(clip, BrightNetwork())
    for frame, radius in ((1, 5.0), (2, 9.0), (3, 0.0)):
        session.ledger.kept[1, frame] = Kept(disc(radius, 32), Scores(0.9, 3.0), 0.9)
    session.ledger.kept[4, 2] = Kept(disc(3, 32), Scores(0.9, 3.0), 0.9)
    session.name_object(4, Label('Cyst, "left"'))
    return session


def rows_of(session: Session) -> list[list[str]]:
    return list(csv.reader(StringIO(curve_csv(lane_data(session), session.clip))))


def test_a_volume_has_millimetres_along_the_patient_and_millilitres_at_the_end():
    affine = np.diag([0.5, 0.8, -3.0, 1.0])  # frames run from the head to the feet
    affine[2, 3] = 40.0
    clip = Clip.from_array(np.zeros((5, 32, 32), np.uint8))
    object.__setattr__(clip, "geometry", Geometry(affine))
    session = session_of(clip)
    head, *body, last = rows_of(session)
    assert head == ["frame", "z (mm)", "Object 1 (mm2)", 'Cyst, "left" (mm2)']
    assert [row[:2] for row in body] == [["1", "40.00"], ["2", "37.00"], ["3", "34.00"], ["4", "31.00"], ["5", "28.00"]]
    areas = area_mm2(session.segmentation(), 1)
    assert [row[2] for row in body] == ["", f"{areas[1]:.2f}", f"{areas[2]:.2f}", "0.00", ""]
    expected = measure.volume.volume_ml(session.segmentation(), 1)
    assert last[:3] == ["volume (ml)", "", f"{expected:.2f}"]
    assert volume_ml(lane_data(session).objects[0], clip) == pytest.approx(expected)


def test_a_cine_has_milliseconds_and_no_volume():
    clip = Clip.from_array(np.zeros((5, 32, 32), np.uint8), order="time", frame_times_s=(0.0, 0.04, 0.08, 0.12, 0.2))
    session = session_of(clip)
    rows = rows_of(session)
    assert rows[0][1] == "time (ms)" and rows[-1][:2] == ["5", "200.00"] and len(rows) == 6
    assert volume_ml(lane_data(session).objects[0], clip) is None


def test_without_spacing_there_are_pixels_and_nothing_in_millimetres():
    clip = Clip.from_array(np.zeros((5, 32, 32), np.uint8))
    object.__setattr__(clip, "geometry", replace(clip.geometry, spaced=False))
    session = session_of(clip)
    rows = rows_of(session)
    assert rows[0] == ["frame", "Object 1 (px)", 'Cyst, "left" (px)'] and len(rows) == 6
    assert float(rows[3][1]) == session.ledger.kept[1, 2].mask.area
