"""What is said before masks are written: weak frames, overlaps, and what a format cannot hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vost.clip import Clip
from napari_vost.errors import ExportError
from napari_vost.geometry import Geometry
from napari_vost.types import Source
from napari_vost.ui.outlook import (
    formats,
    needs_reference,
    not_held,
    overlap_rule,
    uneven,
    weak_frames,
    weak_line,
    with_suffix,
)
from tests.ui.made import session_on

CLIP = Clip.from_array(np.zeros((6, 8, 8), np.uint8))


def test_weak_are_open_frames_of_low_confidence() -> None:
    session = session_on(CLIP, weak=(1, 2, 4, 5))
    session.accept(2, 1)
    session.lock(4, 1)
    assert weak_frames(session) == (1, 5)


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ((), ""),
        ((3,), "1 frame is still weak (image 4) and is written as it is."),
        ((0, 1, 2, 7), "4 frames are still weak (images 1–3, 8) and are written as they are."),
    ],
)
def test_weak_frames_are_told_as_the_screen_counts_them(frames: tuple[int, ...], said: str) -> None:
    assert weak_line(frames) == said


def test_many_weak_frames_make_a_short_line() -> None:
    assert len(weak_line(range(0, 400, 2))) < 120


def test_an_overlap_is_told_where_the_format_cannot_hold_it() -> None:
    apart = session_on(CLIP).segmentation()
    over = session_on(CLIP, overlap=True).segmentation()
    assert "Objects overlap" in overlap_rule(over, ".nii.gz") and "Objects overlap" not in overlap_rule(
        apart, ".nii.gz"
    )
    assert overlap_rule(over, ".dcm") == "Objects may overlap: each one is written whole."


def test_no_mask_is_told() -> None:
    from napari_vost.session import Session

    assert "No object has a mask" in not_held(Session(CLIP).segmentation(), ".nii.gz")[0]


def test_tilt_and_uneven_slices_are_told_where_they_matter() -> None:
    affine = np.eye(4)
    affine[1, 2] = 0.4
    origins = np.array([[0.0, 0.0, z] for z in (0, 1, 2, 4, 5, 6)])
    tilted = replace(CLIP, geometry=Geometry(affine))
    gaps = replace(CLIP, geometry=Geometry(np.eye(4), frame_origins_lps=origins))
    assert "tilted" in not_held(session_on(tilted).segmentation(), ".nrrd")[0]
    assert not_held(session_on(CLIP).segmentation(), ".nrrd") == ()
    holes = session_on(gaps).segmentation()
    assert uneven(holes, ".nii.gz") and "unevenly" in not_held(holes, ".nii.gz")[0]
    assert not uneven(holes, ".dcm")


def test_dicom_seg_of_a_scan_that_is_no_dicom_asks_for_its_series() -> None:
    plain = session_on(CLIP).segmentation()
    dicom = replace(plain, source=Source("dicom-series", plain.source.grid))
    assert needs_reference(plain, ".dcm") and not needs_reference(dicom, ".dcm")
    assert "DICOM" in not_held(plain, ".dcm")[0]
    assert not_held(plain, ".dcm", has_reference=True) == ()


def test_the_usual_format_comes_first() -> None:
    assert next(iter(formats())) == ".nii.gz" and {".dcm", ".nrrd", "/"} <= set(formats())


def test_a_name_gets_its_suffix_and_never_replaces_a_file_that_nobody_was_asked_about(tmp_path: Path) -> None:
    assert with_suffix(tmp_path / "liver", (".nii.gz", ".nii")) == tmp_path / "liver.nii.gz"
    assert with_suffix(tmp_path / "liver.NII", (".nii.gz", ".nii")) == tmp_path / "liver.NII"
    (tmp_path / "liver.nii.gz").write_bytes(b"old")
    with pytest.raises(ExportError, match="exists"):
        with_suffix(tmp_path / "liver", (".nii.gz", ".nii"))
