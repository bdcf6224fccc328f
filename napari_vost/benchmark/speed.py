"""Speed: milliseconds per frame in the steady state, ours and transformers' side by side, and what each one keeps.

*Steady state* is a full memory: 7 spatial memories and 16 object pointers. In the side-by-side run both banks are
filled with copies of the first frame's memory (attention costs the same whatever it reads), one frame is tracked
unmeasured, and then the two engines take turns on the same frames, each going first every other time.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_vost.benchmark.clock import STAGES, Clock, Spread, tensor_bytes, timed
from napari_vost.benchmark.rival import Rival
from napari_vost.clip import Clip
from napari_vost.contracts import MemoryBank, Network, TrackRow, TrackState
from napari_vost.engine import EngineOptions, build_engine
from napari_vost.errors import InputError
from napari_vost.legs import Plan
from napari_vost.masks import Mask, PackedMask
from napari_vost.model.network import IMAGE_MEAN, IMAGE_STD, Sam2Network
from napari_vost.propagation import propagate
from napari_vost.seeding import Before, Seed, seed
from napari_vost.sight import Engine, FrameView
from napari_vost.step import step
from napari_vost.types import MaskPrompt

if TYPE_CHECKING:
    from transformers import Sam2VideoModel

FULL = 15  # frames after the prompted one that a full bank holds: 6 are read as memories, all as pointers
OURS, THEIRS = "napari-vost", "transformers"


@dataclass(frozen=True)
class Line:
    """One measured time per frame.

    Attributes
    ----------
    engine, model, size, objects
        Who, with what, at which input size, following how many objects.
    per_frame
        Of whole frames.
    stages_ms
        Median by stage; empty for an engine that we cannot look into.
    """

    engine: str
    model: str
    size: int
    objects: int
    per_frame: Spread
    stages_ms: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Growth:
    """Bytes that an engine keeps after so many frames.

    Attributes
    ----------
    engine, model, size, objects
        As in `Line`.
    frames, state_bytes
        After how many frames, and what is kept of them: memories, pointers, masks.
    cache_bytes
        What could be computed again: keys of memories and encoded frames (ours, each inside a budget).
    frame_bytes
        Frames of the clip that the engine itself holds.
    """

    engine: str
    model: str
    size: int
    objects: int
    frames: tuple[int, ...]
    state_bytes: tuple[int, ...]
    cache_bytes: tuple[int, ...]
    frame_bytes: tuple[int, ...]


def discs(frames: int, size: int, objects: int) -> tuple[Clip, list[Mask]]:
    """Colour frames of discs that move, and the mask of each disc on frame 0."""
    y, x = np.mgrid[0:size, 0:size] / size
    radius = 0.3 / max(objects, 2)
    masks = [(y - 0.5) ** 2 + (x - (row + 0.7) / (objects + 1)) ** 2 < radius**2 for row in range(objects)]
    base = (60 + 60 * y + 20 * np.sin(20 * x)).astype(np.uint8)
    for row, mask in enumerate(masks):
        base[mask] = 180 + 10 * row
    shift = max(1, size // 256)
    stack = np.stack([np.roll(base, shift * frame, axis=1) for frame in range(frames)])
    return Clip.from_array(np.repeat(stack[..., None], 3, axis=3), order="time"), masks


class OurRun:
    """Our engine, frame by frame, with its state in sight.

    Parameters
    ----------
    network, clip
        What it runs.
    masks
        (H, W) per object on frame 0.
    """

    def __init__(self, network: Network, clip: Clip, masks: Sequence[Mask]) -> None:
        self.clock = Clock(network.device)
        options = EngineOptions(memory="fifo", motion="none", region="full")
        self._engine = timed(build_engine(clip, network, options), self.clock)
        self._clip = clip
        self._seeds = _seeds(self._engine, clip, masks)
        rows = [
            TrackRow(
                one.object_id, MemoryBank((one.entry,)), one.entry.region, None, 0.0, one.mask_logits, one.mask.box
            )
            for one in self._seeds
        ]
        self._state = TrackState(tuple(rows), 1, len(rows))
        self._masks: list[PackedMask] = []

    def fill(self, frames: int) -> None:
        """Copy the memory of frame 0 to the frames after it, so that the next frame reads a full bank."""
        rows = []
        for row in self._state.rows:
            first = row.bank.prompted[0]
            copies = [
                replace(first, entry_id=10_000 + frame, frame_index=frame, role="recent", direction=1)
                for frame in range(1, frames + 1)
            ]
            rows.append(replace(row, bank=MemoryBank(row.bank.prompted, tuple(copies))))
        self._state = replace(self._state, rows=tuple(rows))

    @torch.inference_mode()
    def step(self, frame_index: int) -> None:
        """Track all objects to one more frame."""
        self._state, answers = step(self._engine, self._state, _view(self._clip, frame_index))
        self._masks += [PackedMask.pack(answer.mask) for answer in answers]

    @property
    def state_bytes(self) -> int:
        """Memories of the bank, and the packed masks of all frames."""
        banks = tensor_bytes([(row.bank, row.mask_logits) for row in self._state.rows], list(self._seeds))
        return banks + sum(len(mask.data) for mask in self._masks)

    @property
    def cache_bytes(self) -> int:
        """Keys of memories, and encoded frames that are kept for the next look at them; each inside a budget."""
        return self._engine.reader.cached_bytes + self._engine.features.memory_bytes

    @property
    def frame_bytes(self) -> int:
        """None: the clip reads its frames."""
        return 0


def steady(network: Network, objects: int = 1, frames: int = 20, size: int = 512, warm: int = FULL + 1) -> Line:
    """Milliseconds per frame of our engine as a session runs it, region and all, after the memory is full.

    Parameters
    ----------
    network
        Any.
    objects, frames, size
        How many are followed, how many frames are measured, and the side of the frames.
    warm
        Frames before the first measured one.
    """
    clip, masks = discs(warm + frames + 1, _at_least_one(size), _at_least_one(objects))
    clock = Clock(network.device)
    engine = timed(build_engine(clip, network, EngineOptions()), clock)
    seeds = {one.object_id: (one,) for one in _seeds(engine, clip, masks)}
    times: list[float] = []
    stages: list[dict[str, float]] = []
    clock.take()
    before = clock.now()
    for _ in propagate(engine, Plan(seeds, len(clip), "time", "forward"), lambda index: _view(clip, index)):
        now = clock.now()
        times.append(now - before)
        stages.append(clock.take())
        before = now
    traits = network.traits
    return Line(OURS, traits.name, traits.input_size, objects, Spread.of(times[warm:]), _medians(stages[warm:]))


def side_by_side(model: Sam2VideoModel, name: str, objects: int = 1, frames: int = 3) -> tuple[Line, Line]:
    """Our engine and transformers' own on the same weights and frames, by turns.

    Parameters
    ----------
    model
        Weights of both.
    name
        How they are called.
    objects, frames
        How many are followed, and how many frames each engine is measured on.
    """
    network = Sam2Network(model, name)
    size = network.traits.input_size
    clip, masks = discs(FULL + 2 + _at_least_one(frames), size, _at_least_one(objects))
    ours = OurRun(network, clip, masks)
    theirs = Rival(model, _pixels(clip, network.device), masks)
    for side in (ours, theirs):
        side.fill(FULL)
        side.step(FULL + 1)
    ours.clock.take()
    seconds: dict[str, list[float]] = {OURS: [], THEIRS: []}
    stages: list[dict[str, float]] = []
    for turn in range(frames):
        order: list[tuple[str, OurRun | Rival]] = [(OURS, ours), (THEIRS, theirs)]
        for side_name, side in order if turn % 2 == 0 else reversed(order):
            start = ours.clock.now()
            side.step(FULL + 2 + turn)
            seconds[side_name].append(ours.clock.now() - start)
        stages.append(ours.clock.take())
    return (
        Line(OURS, name, size, objects, Spread.of(seconds[OURS]), _medians(stages)),
        Line(THEIRS, name, size, objects, Spread.of(seconds[THEIRS])),
    )


def growth(model: Sam2VideoModel, name: str, objects: int = 1, frames: int = 48) -> tuple[Growth, Growth]:
    """What both engines keep while a clip goes on: looked at four times, evenly spread."""
    network = Sam2Network(model, name)
    size = network.traits.input_size
    clip, masks = discs(_at_least_one(frames) + 1, size, _at_least_one(objects))
    ours: OurRun | Rival = OurRun(network, clip, masks)
    theirs = Rival(model, _pixels(clip, network.device), masks)
    looks = sorted({max(1, frames * part // 4) for part in (1, 2, 3, 4)})
    kept: dict[str, list[tuple[int, int, int]]] = {OURS: [], THEIRS: []}
    for frame in range(1, frames + 1):
        for side_name, side in ((OURS, ours), (THEIRS, theirs)):
            side.step(frame)
            if frame in looks:
                kept[side_name].append((side.state_bytes, side.cache_bytes, side.frame_bytes))
    mine, other = (
        Growth(side_name, name, size, objects, tuple(looks), *(tuple(column) for column in zip(*rows, strict=True)))
        for side_name, rows in kept.items()
    )
    return mine, other


def machine(device: torch.device) -> tuple[tuple[str, str], ...]:
    """What the numbers were measured on."""
    import transformers

    chip = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return (
        ("device", f"{device.type}: {chip}"),
        ("threads", str(torch.get_num_threads())),
        ("torch", torch.__version__),
        ("transformers", str(transformers.__version__)),
        ("system", f"{platform.system()} {platform.machine()}"),
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def _seeds(engine: Engine, clip: Clip, masks: Sequence[Mask]) -> list[Seed]:
    prompts = [MaskPrompt(0, row + 1, PackedMask.pack(mask)) for row, mask in enumerate(masks)]
    frame = _view(clip, 0)
    return [seed(engine, frame, (prompt,), Before(), row) for row, prompt in enumerate(prompts)]


def _view(clip: Clip, frame_index: int) -> FrameView:
    return FrameView(frame_index, clip.frame(frame_index), "time", len(clip))


def _pixels(clip: Clip, device: torch.device) -> torch.Tensor:
    """Frames as transformers wants them, (T, 3, S, S): normalised beforehand, so that this is not on its bill."""
    unit = torch.from_numpy(np.stack(list(clip))).permute(0, 3, 1, 2).float() / 255
    return ((unit - torch.tensor(IMAGE_MEAN)[:, None, None]) / torch.tensor(IMAGE_STD)[:, None, None]).to(device)


def _medians(stages: Sequence[dict[str, float]]) -> tuple[tuple[str, float], ...]:
    return tuple((name, 1000 * float(np.median([one[name] for one in stages]))) for name in STAGES)


def _at_least_one(value: int) -> int:
    if value < 1:
        raise InputError(f"Frames, objects and sizes must be at least 1, got {value}.")
    return value
