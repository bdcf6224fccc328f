"""What a user waits for on the sample scan: from a click to its mask, and from frame to frame of a propagation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from napari_vost.benchmark.clock import Clock, Spread
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.io.readers import open_clip
from napari_vost.session import Session


@dataclass(frozen=True)
class Use:
    """Waiting times with one object, reading of frames included.

    Attributes
    ----------
    model, size
        With what, at which input size.
    waits
        ``(what, times)``: ``"first click"`` on a frame that was never looked at, ``"correction"``, a second click
        there, and ``"frame"`` of a propagation.
    """

    model: str
    size: int
    waits: tuple[tuple[str, Spread], ...]


def in_use(network: Network, samples: Path, clicks: int = 12) -> Use:
    """Measure on the liver of the sample scan.

    Parameters
    ----------
    network
        Any.
    samples
        Folder with ``truth.json``.
    clicks
        Frames that are clicked on, one session each.
    """
    truth = json.loads((samples / "truth.json").read_text(encoding="utf-8"))["abdomen"]
    liver = truth["objects"][0]
    clip = open_clip(samples / truth["nifti"])
    frame, y, x = liver["click"]
    first, last = liver["frames"]
    clock = Clock(network.device)
    waits: dict[str, list[float]] = {"first click": [], "correction": [], "frame": []}
    _click(clip, network, clock, frame, (y, x))  # unmeasured: what is set up once
    step = max(1, (last - first) // clicks)
    for index in range(first, last, step):
        one, other = _click(clip, network, clock, index, (y, x))
        waits["first click"].append(one)
        waits["correction"].append(other)
    session = Session(clip, network)
    session.add_box(frame, tuple(liver["box"][1:]))
    before = None
    for _ in session.propagate():
        now = clock.now()
        if before is not None:
            waits["frame"].append(now - before)
        before = now
    traits = network.traits
    return Use(traits.name, traits.input_size, tuple((name, Spread.of(times)) for name, times in waits.items()))


def _click(
    clip: Clip, network: Network, clock: Clock, frame_index: int, at: tuple[float, float]
) -> tuple[float, float]:
    """Seconds from a click to its mask, and from a second one beside it, in a fresh session."""
    session = Session(clip, network)
    start = clock.now()
    session.add_point(frame_index, at)
    session.preview(frame_index)
    middle = clock.now()
    session.add_point(frame_index, (at[0] + 4, at[1] + 4))
    session.preview(frame_index)
    return middle - start, clock.now() - middle
