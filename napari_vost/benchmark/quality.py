"""Quality: prompt one frame with the truth, follow, and compare with the truth and with copying the prompted mask.

Every structure of a case is prompted on the frame that its layout names, all of them in one session. Scored are the
labelled frames that hold the structure, without the prompted one: their mean, and the overlap of their stack. Copying
the prompted mask to the same frames is the bar that a propagator has to clear; it is told where the structure is, the
network is not. What a network paints on frames that do not hold the structure is counted as leaking.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_vost.benchmark.scores import Interval, bootstrap, judged_frames, prompt_from_truth
from napari_vost.contracts import Network
from napari_vost.datasets.base import Case, Layout
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError
from napari_vost.masks import Mask
from napari_vost.metrics.overlap import dice, dice_per_frame, iou, iou_per_frame
from napari_vost.model.loading import load_network
from napari_vost.session import Session

_Judged = tuple[Mask, Mask, Mask]  # found, copied and true mask of one frame


@dataclass(frozen=True)
class Mark:
    """Scores of one structure of one case (or of one group of cases).

    Attributes
    ----------
    case, structure
        Whose.
    prompted_frames
        One per clip.
    frames, stack
        Mean over judged frames, and of their stack; None where no frame is left.
    copy_frames, copy_stack
        The same for the prompted mask, copied.
    prompted
        Mean overlap on the prompted frames: how well the prompt alone was answered.
    leaked, empty
        Frames without the structure on which something was painted, and how many there are.
    """

    case: str
    structure: str
    prompted_frames: tuple[int, ...]
    frames: float | None
    stack: float | None
    copy_frames: float | None
    copy_stack: float | None
    prompted: float
    leaked: int
    empty: int


@dataclass(frozen=True)
class Report:
    """Everything that an evaluation found.

    Attributes
    ----------
    layout, folder, prompt
        What was evaluated; the last two names of the folder, never its whole path.
    model, fingerprint, device
        With what.
    marks
        One per case and structure.
    seconds
        How long it took, reading included.
    versions
        Of napari-vost, torch and Python.
    """

    layout: Layout
    folder: str
    prompt: str
    model: str
    fingerprint: str
    device: str
    marks: tuple[Mark, ...]
    seconds: float
    versions: tuple[tuple[str, str], ...]

    @property
    def structures(self) -> tuple[str, ...]:
        """Structures in the order of the data."""
        return tuple(dict.fromkeys(mark.structure for mark in self.marks))

    def summary(self, structure: str) -> Summary:
        """Means over the cases of one structure that have something to judge."""
        own = [mark for mark in self.marks if mark.structure == structure]
        means = _both((mark.frames, mark.copy_frames) for mark in own)
        stacks = _both((mark.stack, mark.copy_stack) for mark in own)
        chosen = means if self.layout.headline == "frames" else stacks
        empty = sum(mark.empty for mark in own)
        return Summary(
            structure,
            len(chosen),
            _mean(one for one, _ in means),
            _mean(one for one, _ in stacks),
            _mean(one for _, one in means),
            _mean(one for _, one in stacks),
            _mean(one - other for one, other in chosen),
            bootstrap([mark.prompted for mark in own]),
            sum(mark.leaked for mark in own) / empty if empty else None,
        )


@dataclass(frozen=True)
class Summary:
    """Means over cases with their intervals; None where nothing could be judged.

    Attributes
    ----------
    structure, cases
        What, and how many cases.
    frames, stack, copy_frames, copy_stack
        As in `Mark`.
    gain
        The headline figure minus that of copying, paired by case.
    prompted
        As in `Mark`.
    leak
        Share of the frames without the structure that were painted on.
    """

    structure: str
    cases: int
    frames: Interval | None
    stack: Interval | None
    copy_frames: Interval | None
    copy_stack: Interval | None
    gain: Interval | None
    prompted: Interval
    leak: float | None


@dataclass(frozen=True, eq=False)
class Followed:
    """One structure of one case: truth and found masks (T, H, W), and the prompted frame."""

    case: Case
    structure: str
    prompted: int
    truth: Mask
    found: Mask


def evaluate(
    layout: Layout,
    folder: Path,
    prompt: str,
    model: str | Network = "vost-nano",
    limit: int | None = None,
    options: EngineOptions | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Follow every structure of every case of a folder and score it.

    Parameters
    ----------
    layout, folder
        What to read.
    prompt
        ``"point"``, ``"box"`` or ``"mask"``.
    model
        Registry name, or a loaded network.
    limit
        Most cases (groups where the layout has groups); None for all.
    options
        Memory, motion, region, device, … of every session.
    progress
        Told the name of each case before it runs.

    Raises
    ------
    InputError
        A folder that does not fit the layout or holds nothing to score, a limit below 1, or as `Session`.
    WeightsError
        As `Session`.
    """
    _check_limit(limit)
    chosen = options or EngineOptions()
    units = groupby(layout.cases(folder), key=lambda case: case.unit)
    network = None if isinstance(model, str) else model
    marks: list[Mark] = []
    started = time.perf_counter()
    for name, cases in islice(units, limit):
        if progress is not None:
            progress(name)
        if network is None:  # only now: a folder that does not fit is refused before weights are read
            network = load_network(str(model), chosen.device, chosen.consent, chosen.progress)
        followed = [one for case in cases for one in follow(case, prompt, network, chosen)]
        marks += score(layout, name, followed)
    if network is None or not marks:
        raise InputError(
            f"{folder} holds nothing to score: no case holds one of its structures on the frame to be prompted."
        )
    where = "/".join(folder.resolve().parts[-2:])
    who = (network.traits.name, network.fingerprint, str(network.device))
    return Report(layout, where, prompt, *who, tuple(marks), time.perf_counter() - started, versions())


def follow(case: Case, prompt: str, network: Network, options: EngineOptions | None = None) -> Iterator[Followed]:
    """Prompt every structure of a case, follow all of them together, and yield each with its masks.

    A structure that the frame to be prompted does not hold is left out.
    """
    chosen = options or EngineOptions()
    frames = {name: case.prompted_frame(name) for name in case.structures}
    prompted = {name: frame for name, frame in frames.items() if frame is not None}
    if not prompted:
        return
    session = Session(
        case.clip, network, chosen.adapter, chosen.memory, chosen.motion, chosen.device, chosen.region, chosen
    )
    truths = {name: case.truth(name) for name in prompted}
    for object_id, (name, frame) in enumerate(prompted.items(), start=1):
        session.add(prompt_from_truth(prompt, truths[name][frame], frame, object_id))
    first, last = min(case.known_frames), max(case.known_frames)
    for _ in session.propagate("both", frames=(first, last + 1)):
        pass
    found = session.segmentation()
    for object_id, (name, frame) in enumerate(prompted.items(), start=1):
        yield Followed(case, name, frame, truths[name], found.volume(object_id))


def score(layout: Layout, unit: str, followed: Iterable[Followed]) -> list[Mark]:
    """Marks of one case, or of the cases of one group, by structure."""
    by_structure: dict[str, list[Followed]] = {}
    for one in followed:
        by_structure.setdefault(one.structure, []).append(one)
    return [_mark(layout, unit, structure, parts) for structure, parts in by_structure.items()]


def _mark(layout: Layout, unit: str, structure: str, parts: list[Followed]) -> Mark:
    per_frame = dice_per_frame if layout.metric == "dice" else iou_per_frame
    held: list[_Judged] = []
    stack: list[_Judged] = []
    leaked = empty = 0
    for one in parts:
        copied = one.truth[one.prompted]
        frames, stacked, without = judged_frames(one.truth, one.prompted, one.case.known_frames, layout.empty_counts)
        held += [(one.found[frame], copied, one.truth[frame]) for frame in frames]
        stack += [(one.found[frame], copied, one.truth[frame]) for frame in stacked]
        leaked += sum(bool(one.found[frame].any()) for frame in without)
        empty += len(without)
    prompted = [(one.found[one.prompted], one.truth[one.prompted], one.truth[one.prompted]) for one in parts]
    frames_found, frames_copied = _overlaps(held, per_frame) or (None, None)
    whole = dice if layout.metric == "dice" else iou
    stack_found, stack_copied = _overlaps(stack, lambda found, truth: np.array([whole(found, truth)])) or (None, None)
    answered = _overlaps(prompted, per_frame)
    return Mark(
        unit,
        structure,
        tuple(one.prompted for one in parts),
        frames_found,
        stack_found,
        frames_copied,
        stack_copied,
        answered[0] if answered else 0.0,
        leaked,
        empty,
    )


def _overlaps(judged: list[_Judged], metric: Callable[[Mask, Mask], NDArray[np.float64]]) -> tuple[float, float] | None:
    """Mean overlap of what was found and of what was copied with the truth; None where there is nothing."""
    if not judged:
        return None
    found, copied, truth = (np.stack(each) for each in zip(*judged, strict=True))
    return float(metric(found, truth).mean()), float(metric(copied, truth).mean())


def _check_limit(limit: int | None) -> None:
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, got {limit}: leave it out to take all cases.")


def _both(pairs: Iterable[tuple[float | None, float | None]]) -> list[tuple[float, float]]:
    return [(one, other) for one, other in pairs if one is not None and other is not None]


def _mean(values: Iterable[float]) -> Interval | None:
    numbers = list(values)
    return bootstrap(numbers) if numbers else None


def versions() -> tuple[tuple[str, str], ...]:
    """Versions of what made a measurement."""
    import torch

    from napari_vost import __version__

    return (("napari-vost", __version__), ("torch", torch.__version__), ("python", platform.python_version()))
