"""Answers as a judge sees them, with the truth beside them: what a judge is taught with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.benchmark.watch import FEATURE_BYTES
from napari_vost.benchmark.witness import Exam, Sample, facts_of, plan_of, sample_of, seed_of
from napari_vost.cleanup import Cleanup, clean
from napari_vost.clip import Clip
from napari_vost.contracts import Exhibit
from napari_vost.engine import EngineOptions
from napari_vost.io.atomic import atomic_file
from napari_vost.metrics.overlap import dice
from napari_vost.model.judge import LARGEST_LOGIT
from napari_vost.model.nano import NanoNetwork
from napari_vost.propagation import propagate
from napari_vost.session import Session

LEVELS = 15.9  # steps of a logit, so that the largest fits in one byte


@dataclass(frozen=True, eq=False)
class Exhibits:
    """N answers.

    Attributes
    ----------
    samples
        Evidence, not judged, and truth.
    maps
        (N, 5, 64, 64) bytes: image, logits, logits before, image and mask that were shown.
    """

    samples: tuple[Sample, ...]
    maps: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.samples)

    def exhibit(self, index: int) -> Exhibit:
        """One of them, as it was put before the judge but for rounding."""
        return Exhibit(self.samples[index].evidence, *from_bytes(self.maps[index]))


class Recorder:
    """A judge without an opinion that takes down what is put before it."""

    def __init__(self) -> None:
        self.seen: list[Exhibit] = []

    def judge(self, exhibits: Sequence[Exhibit]) -> list[float]:
        """Nothing is more likely than anything else."""
        self.seen = list(exhibits)
        return [0.0] * len(exhibits)


def gather(network: NanoNetwork, exams: Iterator[tuple[Clip, Exam, str]], most: int | None = None) -> Exhibits:
    """Every answer of exams that can be judged; meanwhile the network has a judge that only watches.

    With ``most`` no exam is begun once there are so many answers.
    """
    recorder, traits = Recorder(), network.traits
    network.calibrate(traits.calibration, recorder)
    options = EngineOptions(feature_bytes=FEATURE_BYTES)
    samples: list[Sample] = []
    maps: list[NDArray[np.uint8]] = []
    for clip, exam, motion in exams:
        session = Session(clip, network, motion=motion, options=options)
        for exhibit, sample in _answers(session, exam, recorder):
            samples.append(sample)
            maps.append(_bytes(exhibit))
        if most is not None and len(samples) >= most:
            break
    network.calibrate(traits.calibration, traits.judge)
    return Exhibits(tuple(samples), np.stack(maps))


def write_exhibits(exhibits: Exhibits, path: Path) -> None:
    """Write them to one file."""
    facts = np.array([json.dumps(facts_of(one)) for one in exhibits.samples])
    with atomic_file(path) as fresh, fresh.open("wb") as file:
        np.savez(file, facts=facts, maps=exhibits.maps)


def read_exhibits(paths: Sequence[Path]) -> Exhibits:
    """Read files that `write_exhibits` wrote, one after the other."""
    samples: list[Sample] = []
    maps = []
    for path in paths:
        with np.load(path) as held:
            samples += [sample_of(json.loads(one)) for one in held["facts"].tolist()]
            maps.append(held["maps"])
    return Exhibits(tuple(samples), np.concatenate(maps))


def _answers(session: Session, exam: Exam, recorder: Recorder) -> Iterator[tuple[Exhibit, Sample]]:
    seeds = {
        one: seed_of(session, prompt_from_truth(exam.prompt, exam.truths[one][frame], frame, one), one)
        for one, frame in exam.prompted.items()
    }
    plan = plan_of(session.clip, seeds, exam.frames)
    for reached in propagate(session.engine, plan, session.frame_view):
        if reached.frame_index not in exam.known:
            continue
        shown = [(one.evidence, one) for one in recorder.seen]
        for answer, mask in zip(reached.answers, clean(reached.answers, Cleanup()), strict=True):
            evidence = replace(answer.evidence, judged=None)
            exhibit = next((one for own, one in shown if own == evidence), None)
            if exhibit is not None:
                truth = exam.truths[answer.object_id][reached.frame_index]
                yield exhibit, Sample(evidence, dice(mask, truth), bool(truth.any()))


def _bytes(exhibit: Exhibit) -> NDArray[np.uint8]:
    logits = [_levels(one) for one in (exhibit.logits, exhibit.before)]
    values = [(one * 255).round() for one in (exhibit.image, exhibit.shown_image, exhibit.shown_mask)]
    whole: NDArray[np.uint8] = torch.stack([values[0], *logits, *values[1:]]).to(torch.uint8).cpu().numpy()
    return whole


def _levels(logits: Tensor) -> Tensor:
    return (logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT) * LEVELS).round() + 128


def from_bytes(maps: NDArray[np.uint8]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Image, logits, logits before, image and mask that were shown, (..., 64, 64) each, from (..., 5, 64, 64) bytes."""
    image, logits, before, shown, mask = torch.from_numpy(maps).float().unbind(-3)
    return image / 255, (logits - 128) / LEVELS, (before - 128) / LEVELS, shown / 255, mask / 255
