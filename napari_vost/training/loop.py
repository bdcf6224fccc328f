"""The training loop: stages by time, checkpoints, validation, the best weights kept."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from napari_vost.model.nano import NanoNetwork, build_nano, load_nano, save_nano
from napari_vost.model.nano_parts import NanoShape
from napari_vost.training.batches import ClipPool, augment
from napari_vost.training.checkpoint import Average, Progress, adopt, load_run, save_run
from napari_vost.training.lessons import Habits, lesson
from napari_vost.training.looks import Fields
from napari_vost.training.pack import read_pack
from napari_vost.training.real import RealClips
from napari_vost.training.validation import Exam, Marks, examine, real_exam, synthetic_exam

_LOG = logging.getLogger(__name__)
_SAVE_EVERY, _EXAMINE_EVERY = 60.0, 300.0
_CANVAS, _CANVAS_FRAMES = 160, 10


@dataclass(frozen=True)
class Stage:
    """Part of a run, up to a share ``until`` of its time: clips of ``frames`` frames, ``rows`` at once."""

    until: float
    frames: int
    rows: int
    habits: Habits


PAIRS = Stage(0.3, 2, 16, Habits(clicked=0.2, dropped=0.1, spoiled=0.4))
CLIPS = Stage(0.6, 4, 8, Habits(clicked=0.4))
LONG = Stage(1.01, 8, 5, Habits(clicked=0.4, spoiled=0.1))


@dataclass(frozen=True)
class Plan:
    """What a run is to do.

    Attributes
    ----------
    out
        Folder of checkpoints, log and best weights.
    minutes
        Time to train, of all parts of a resumed run together.
    pack
        Packed real clips; None trains on synthetic clips alone.
    size
        Input side in pixels.
    rate
        Highest learning rate.
    seed
        Seeds weights and data.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    weights
        Folder of weights to start from; None starts afresh.
    shape
        Sizes of a network of another build; of ``weights`` the tensors that fit it are taken. None keeps theirs.
    rows
        Factor on the stages' rows and on the pool, for larger machines.
    pool
        Raw clips kept in memory; two thirds are made before the first step.
    """

    out: Path
    minutes: float
    pack: Path | None = None
    size: int = 128
    rate: float = 1e-3
    seed: int = 0
    device: str = "auto"
    weights: Path | None = None
    rows: int = 1
    pool: int = 600
    shape: NanoShape | None = None


def choose_device(name: str) -> torch.device:
    """Device by name; ``auto`` takes CUDA where there is one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def train(
    plan: Plan,
    told: Callable[[str], None] = _LOG.info,
    stages: tuple[Stage, ...] | None = None,
    network: NanoNetwork | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Train vost-nano; goes on from ``plan.out/run.pt`` where it exists.

    Stages are pairs, clips and long clips, without the pairs where ``plan.weights`` are trained further. A ``network``
    of another build is trained instead of the one that the plan describes; another ``clock`` (seconds) counts the time.

    The best weights by validation on real clips, from masks, boxes and clicks, and on real endings (without a pack:
    on synthetic clips) are kept in ``plan.out/best``.

    Raises
    ------
    InputError, WeightsError
        The pack, the checkpoint or the weights cannot be used.
    """
    device = choose_device(plan.device)
    plan.out.mkdir(parents=True, exist_ok=True)
    torch.set_float32_matmul_precision("high")
    if network is None:
        network = _begin(plan)
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in stubs
    average = Average(network)
    optimiser = _optimiser(network, plan.rate)
    checkpoint = plan.out / "run.pt"
    so_far = load_run(checkpoint, network, average, optimiser) if checkpoint.exists() else Progress()
    runner = _Runner(plan, device, network, average, optimiser, so_far, told, clock)
    runner.run(stages or ((CLIPS, LONG) if plan.weights else (PAIRS, CLIPS, LONG)))
    return runner.so_far


def _begin(plan: Plan) -> NanoNetwork:
    """The network that a run starts from."""
    if plan.weights is not None and plan.shape is None:
        return load_nano(plan.weights)
    network = build_nano(plan.size, plan.seed, plan.shape or NanoShape())
    if plan.weights is not None:
        adopt(network, load_nano(plan.weights))
    return network


def _optimiser(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))


@dataclass
class _Runner:
    """One run's parts."""

    plan: Plan
    device: torch.device
    network: NanoNetwork
    average: Average
    optimiser: torch.optim.Optimizer
    so_far: Progress
    told: Callable[[str], None]
    clock: Callable[[], float]

    def run(self, stages: tuple[Stage, ...]) -> None:
        plan, so_far = self.plan, self.so_far
        random = np.random.default_rng((plan.seed, so_far.step))
        fields = Fields(plan.seed + so_far.step, self.device)
        pool, exams = self._data()
        total = plan.minutes * 60
        begun, saved, examined = self.clock() - so_far.seconds, so_far.seconds, so_far.seconds
        recent: list[float] = []
        if plan.weights is not None and so_far.step == 0:
            self._examine(exams, recent)  # what the run starts from
        while (seconds := self.clock() - begun) < total:
            so_far.seconds = seconds
            share = seconds / total
            stage = next(stage for stage in stages if share < stage.until)
            rows = stage.rows * plan.rows
            self._mode(frozen=plan.weights is not None or share > PAIRS.until)
            for group in self.optimiser.param_groups:
                group["lr"] = plan.rate * _rate(so_far.step, share)
            pool.renew(1 if self.device.type == "cpu" else rows)
            batch = augment(pool.batch(rows, stage.frames, plan.size, random, stage.habits.endings), random, fields)
            with torch.autocast(self.device.type, torch.bfloat16):
                loss = lesson(self.network, batch, stage.habits, random)
            recent.append(self._step(loss))
            so_far.step += 1
            so_far.clips += rows
            if seconds - examined > _EXAMINE_EVERY:
                examined = seconds
                self._examine(exams, recent)
                recent = []
            if seconds - saved > _SAVE_EVERY:
                saved = seconds
                save_run(plan.out / "run.pt", self.network, self.average, self.optimiser, so_far)
        self._examine(exams, recent)
        save_run(plan.out / "run.pt", self.network, self.average, self.optimiser, so_far)

    def _data(self) -> tuple[ClipPool, dict[str, Exam]]:
        plan = self.plan
        exams = {"synthetic": synthetic_exam(plan.size)}
        real = None
        if plan.pack is not None:
            real = RealClips(read_pack(plan.pack, "train"), _CANVAS)
            held_out = read_pack(plan.pack, "valid")
            exams["real"] = real_exam(held_out, plan.size)
            exams["endings"] = real_exam(held_out, plan.size, endings=True)
            exams["box"] = replace(exams["real"], prompt="box")
            exams["click"] = replace(exams["real"], prompt="click")
        seed = plan.seed * 1_000_003 + self.so_far.step
        pool = ClipPool(plan.pool * plan.rows, _CANVAS_FRAMES, _CANVAS, real, seed, self.device)
        pool.renew(plan.pool * plan.rows * 2 // 3)
        return pool, exams

    def _mode(self, frozen: bool) -> None:
        """Training mode; batch norm keeps its statistics once ``frozen``."""
        self.network.train()
        if frozen:
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()

    def _step(self, loss: torch.Tensor) -> float:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        if bool(torch.isfinite(norm)):
            self.optimiser.step()
        self.average.update(self.network, self.so_far.step)
        return float(loss.detach())

    def _examine(self, exams: dict[str, Exam], recent: list[float]) -> None:
        """Score the averaged weights and keep them when they are the best so far."""
        network = self.average.module
        if not isinstance(network, NanoNetwork):
            return
        marks = {name: examine(network, exam) for name, exam in exams.items()}
        deciding = [one.network for name, one in marks.items() if name != "synthetic"] or [marks["synthetic"].network]
        score = sum(deciding) / len(deciding)
        so_far = self.so_far
        point = {"minutes": so_far.seconds / 60, "step": so_far.step, "loss": sum(recent) / max(1, len(recent))}
        for name, one in marks.items():
            point |= {name: one.network, f"{name}_copied": one.copied, f"{name}_previous": one.previous}
            point[f"{name}_ellipse"] = one.ellipse
        so_far.curve.append(point)
        self.told(_line(point, marks))
        (self.plan.out / "curve.json").write_text(json.dumps(so_far.curve, indent=1), encoding="utf-8")
        if score > so_far.best:
            so_far.best = score
            save_nano(network, self.plan.out / "best", _notes(self.plan, so_far, marks))


def _rate(step: int, share: float) -> float:
    """Learning rate over its peak: 200 steps up, then a cosine down to .03."""
    return min(1.0, (step + 1) / 200) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


def _line(point: dict[str, float], marks: dict[str, Marks]) -> str:
    parts = [f"{point['minutes']:6.1f} min  step {point['step']:6.0f}  loss {point['loss']:.3f}"]
    for name, one in marks.items():
        beside = f"copy {one.copied:.3f}, previous {one.previous:.3f}, ellipse {one.ellipse:.3f}"
        parts.append(f"{name} {one.network:.3f} ({beside})")
        parts += [f"{group} {mine:.2f}/{copied:.2f}" for group, (mine, copied) in one.groups.items() if name != group]
    return "  ".join(parts)


def _notes(plan: Plan, so_far: Progress, marks: dict[str, Marks]) -> dict[str, object]:
    return {
        "minutes": round(so_far.seconds / 60, 1), "steps": so_far.step, "clips": so_far.clips, "seed": plan.seed,
        "rate": plan.rate, "validation": {name: asdict(one) for name, one in marks.items()},
    }  # fmt: skip
