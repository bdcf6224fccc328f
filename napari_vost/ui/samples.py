"""The samples of napari's menu, and of the first screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_vost.paths import shipped
from napari_vost.ui.opening import load

SAMPLES = {  # what a button says, and where it lies
    "volume": ("Abdomen: a CT volume", "sample_data/abdomen/dicom"),
    "cine": ("Left ventricle: an ultrasound cine", "sample_data/ventricle/ventricle.dcm"),
}


def sample_path(key: str) -> Path:
    """Where a sample lies, by its key in `SAMPLES`; both are synthetic DICOM, of nobody."""
    return shipped(SAMPLES[key][1])


def volume() -> list[tuple[Any, ...]]:
    """The sample volume as an image layer."""
    return _layers("volume")


def cine() -> list[tuple[Any, ...]]:
    """The sample cine as an image layer."""
    return _layers("cine")


def _layers(key: str) -> list[tuple[Any, ...]]:
    opened = load(sample_path(key))
    return [(opened.data, {**opened.options, "name": f"Sample {key}"}, "image")]
