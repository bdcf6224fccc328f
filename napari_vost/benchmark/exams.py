"""Exams for confidence and its judge: synthetic scenes, hard clips, the training pack, labelled folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_vost.benchmark.witness import Exam
from napari_vost.clip import Clip
from napari_vost.datasets import find_layout
from napari_vost.datasets.base import Case
from napari_vost.masks import Mask
from napari_vost.phantoms.hard import HARD, hard_clip
from napari_vost.training.pack import Bytes, Facts, read_pack
from napari_vost.training.scenes import draw_scene
from napari_vost.training.synthetic import clips_of
from napari_vost.types import Order

SCENE_FRAMES, SCENE_SIDE = 20, 128
LONG = 96
HARD_STEP = 5  # of a hard clip every fifth frame is judged: neighbours say the same, and it has as many as five scenes
Exams = Iterator[tuple[Clip, Exam, str]]  # with the name of a motion prior


def of_cases(folder: Path, layout: str, prompt: str, most: int) -> Exams:
    """Cases of a labelled folder, evenly spread; prompted as in the quality tables."""
    cases = list(find_layout(layout).cases(folder))
    for place in np.unique(np.linspace(0, len(cases) - 1, min(most, len(cases))).round().astype(int)):
        case: Case = cases[place]
        frames = {one: frame for one in case.structures if (frame := case.prompted_frame(one)) is not None}
        if not frames:
            continue
        truths = {row: case.truth(one) for row, one in enumerate(frames, start=1)}
        prompted = dict(enumerate(frames.values(), start=1))
        first, last = min(case.known_frames), max(case.known_frames)
        run = None if last - first + 1 == len(case.clip) else (first, last + 1)
        yield case.clip, Exam(truths, prompted, case.known_frames, prompt, {}, run), "auto"


def of_scenes(seed: int, count: int) -> Exams:
    """Synthetic scenes, slices and cines; half of the cines with a motion prior."""
    random = np.random.default_rng(seed)
    for index in range(count):
        scene = draw_scene(random, SCENE_FRAMES)
        made = clips_of([scene], SCENE_SIDE, seed + index)
        images, labels = made.images[0].permute(0, 2, 3, 1).numpy(), made.labels[0].numpy()
        exam = exam_of(labels, random, ("mask", "box", "mask", "point")[index % 4], 2)
        if exam is not None:
            motion = "kalman" if scene.moving and index // 4 % 2 else "none"
            yield Clip.from_array(images, order="time" if scene.moving else "depth"), exam, motion


def of_pack(
    pack: Path,
    part: str,
    seed: int,
    prompts: Sequence[tuple[str, ...]],
    chosen: Callable[[str], bool] = lambda group: True,
    shuffled: bool = False,
) -> Exams:
    """Subjects and sequences of the training pack, once per tuple of prompts, cut along another axis each time.

    Sources that are not ``chosen`` are left out; what is drawn for the others stays the same.
    """
    random = np.random.default_rng(seed)
    volumes = list(_drawn(pack, part))
    order = random.permutation(len(volumes)) if shuffled else np.arange(len(volumes))
    for turn, kinds in enumerate(prompts):
        for index in order.tolist():
            facts, image, drawn = volumes[index]
            axis = facts.axes[(index + turn) % len(facts.axes)]
            clip, labels = _clip(facts, image, axis), np.moveaxis(drawn, axis, 0)
            few = int(labels.max()) <= 3
            for prompt in kinds:
                exam = exam_of(labels, random, prompt, 2 if few else 6, few)
                if exam is not None and chosen(facts.group):
                    yield clip, exam, "none"


def of_largest(pack: Path, group: str, axis: int | None) -> Exams:
    """Subjects of one source of the pack, prompted where users do it: on the largest slice, or close to it.

    Of every subject the structures together and one of them; along one axis, or (None) the first and the last by turns.
    """
    ours = (one for one in _drawn(pack, "train") if one[0].group == group)
    for index, (facts, image, drawn) in enumerate(ours):
        along = axis if axis is not None else (0, 2)[index % 2]
        clip, labels = _clip(facts, image, along), np.moveaxis(drawn, along, 0)
        truths: dict[int, Mask] = {}
        prompted: dict[int, int] = {}
        for row, values in enumerate(([1, 2], [1 + index % 2]), start=1):
            truths[row] = np.isin(labels, values)
            area = truths[row].sum((1, 2))
            near = np.flatnonzero(area >= 0.9 * area.max())
            prompted[row] = int(near[0] if index % 3 else area.argmax())
        yield clip, Exam(truths, prompted, range(len(labels)), ("mask", "box")[index // 2 % 2]), "none"


def of_hard(seeds: Sequence[int]) -> Exams:
    """Hard clips, every other one with a motion prior."""
    for seed in seeds:
        for index, name in enumerate(HARD):
            hard = hard_clip(name, LONG if name == "long" else None, seed=seed)
            truth, frame = hard.truth(), hard.prompted_frame
            held = np.flatnonzero(truth.any(axis=(1, 2)))
            extra = {1: tuple(int(one) for one in held[:: max(1, len(held) // 4)] if one != frame)}
            prompt = ("mask", "box")[(index + seed) % 2]
            judged = range(0, len(truth), HARD_STEP)
            exam = Exam({1: truth}, {1: frame}, judged, prompt, extra)
            yield hard.phantom.clip(), exam, "kalman" if index % 2 else "none"


def _drawn(pack: Path, part: str) -> Iterator[tuple[Facts, Bytes, Bytes]]:
    """Facts, image and labels of the volumes with an image whose labels a person has drawn."""
    for one in read_pack(pack, part):
        if one.image is not None and one.facts.group != "pseudo":
            yield one.facts, one.image, one.labels


def _clip(facts: Facts, image: Bytes, axis: int) -> Clip:
    order: Order = "time" if facts.group == "davis16" else "depth"
    return Clip.from_array(np.ascontiguousarray(np.moveaxis(image, axis, 0)), order=order)


def exam_of(
    labels: NDArray[np.uint8], random: np.random.Generator, prompt: str, most: int, whole: bool = False
) -> Exam | None:
    """Structures of a label map (T, H, W) in random order, each prompted on a random frame that shows enough of it."""
    values = [int(one) for one in np.unique(labels) if one]
    sets = [(one,) for one in values] + ([tuple(values)] if whole and len(values) > 1 else [])
    truths: dict[int, Mask] = {}
    prompted: dict[int, int] = {}
    extra: dict[int, tuple[int, ...]] = {}
    for place in random.permutation(len(sets)):
        truth = np.isin(labels, sets[place])
        area = truth.sum(axis=(1, 2))
        held = np.flatnonzero(area >= max(12, 0.2 * area.max()))
        if len(held) < 3 or area.max() > 0.5 * truth[0].size or len(truths) == most:
            continue
        row = len(truths) + 1
        first, *others = (int(one) for one in random.permutation(held)[:5])
        truths[row], prompted[row], extra[row] = truth, first, tuple(others)
    return Exam(truths, prompted, range(len(labels)), prompt, extra) if truths else None
