"""Quality: prompt one frame with the truth, follow, correct if asked, and compare with the truth and with copying.

Every structure of a case is prompted on the frame that its layout names, all of them in one session. Scored are the
labelled frames that hold the structure, without the prompted one: their mean, and the overlap of their stack. Copying
the prompted mask to the same frames is the bar that a propagator has to clear; it is told where the structure is, the
network is not. What a network paints on frames that do not hold the structure is counted as leaking. `marks` has the
figures, `corrections` the clicks.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from napari_vost.benchmark.corrections import correct, volumes
from napari_vost.benchmark.marks import Followed, Mark, score
from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.benchmark.summary import Summary, summarise
from napari_vost.contracts import Network
from napari_vost.datasets.base import Case, Layout
from napari_vost.engine import EngineOptions
from napari_vost.errors import InputError
from napari_vost.model.loading import load_network
from napari_vost.session import Session


@dataclass(frozen=True)
class Report:
    """Everything that an evaluation found.

    Attributes
    ----------
    layout, folder, prompt
        What was evaluated; the last two names of the folder, never its whole path.
    model, fingerprint, device
        With what.
    clicks
        Corrections per structure after the prompt.
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
    clicks: int
    marks: tuple[Mark, ...]
    seconds: float
    versions: tuple[tuple[str, str], ...]

    @property
    def structures(self) -> tuple[str, ...]:
        """Structures in the order of the data."""
        return tuple(dict.fromkeys(mark.structure for mark in self.marks))

    def summary(self, structure: str) -> Summary:
        """Means over the cases of one structure."""
        return summarise(self.layout, structure, [mark for mark in self.marks if mark.structure == structure])


def evaluate(
    layout: Layout,
    folder: Path,
    prompt: str,
    model: str | Network = "vost-nano",
    limit: int | None = None,
    options: EngineOptions | None = None,
    progress: Callable[[str], None] | None = None,
    clicks: int = 0,
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
    clicks
        Simulated corrections of every structure after it was followed, one by one, each followed anew.

    Raises
    ------
    InputError
        A folder that does not fit the layout or holds nothing to score, a limit below 1, clicks below 0, or as
        `Session`.
    WeightsError
        As `Session`.
    """
    _check_counts(limit, clicks)
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
        followed = [one for case in cases for one in follow(case, prompt, network, chosen, clicks)]
        marks += score(layout, name, followed)
    if network is None or not marks:
        raise InputError(
            f"{folder} holds nothing to score: no case holds one of its structures on the frame to be prompted."
        )
    where = "/".join(folder.resolve().parts[-2:])
    who = (network.traits.name, network.fingerprint, str(network.device))
    return Report(layout, where, prompt, *who, clicks, tuple(marks), time.perf_counter() - started, versions())


def follow(
    case: Case, prompt: str, network: Network, options: EngineOptions | None = None, clicks: int = 0
) -> Iterator[Followed]:
    """Prompt every structure of a case, follow all of them together, correct them, and yield each with its masks.

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
    truths = {object_id: case.truth(name) for object_id, name in enumerate(prompted, start=1)}
    for object_id, frame in enumerate(prompted.values(), start=1):
        session.add(prompt_from_truth(prompt, truths[object_id][frame], frame, object_id))
    first, last = min(case.known_frames), max(case.known_frames)
    run = None if last - first + 1 == len(case.clip) else (first, last + 1)  # a whole clip: corrections run in part
    for _ in session.propagate("both", run):
        pass
    found = volumes(session, truths)
    rounds = list(correct(session, truths, case.known_frames, clicks, run))
    for object_id, (name, frame) in enumerate(prompted.items(), start=1):
        given = tuple(one.clicks[object_id] for one in rounds)
        after = tuple(one.masks[object_id] for one in rounds)
        yield Followed(case, name, frame, truths[object_id], found[object_id], given, after)


def _check_counts(limit: int | None, clicks: int) -> None:
    if limit is not None and limit < 1:
        raise InputError(f"limit must be at least 1, got {limit}: leave it out to take all cases.")
    if clicks < 0:
        raise InputError(f"clicks must be 0 or more, got {clicks}: 0 corrects nothing.")


def versions() -> tuple[tuple[str, str], ...]:
    """Versions of what made a measurement."""
    import torch

    from napari_vost import __version__

    return (("napari-vost", __version__), ("torch", torch.__version__), ("python", platform.python_version()))
