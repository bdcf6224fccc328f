"""A judge that is taught tells answers that fit from answers that do not."""

import numpy as np
import torch

from napari_vost.benchmark.exhibits import Exhibits
from napari_vost.benchmark.teaching import Lesson, teach
from napari_vost.benchmark.witness import Sample
from napari_vost.confidence import Evidence, Signs
from napari_vost.metrics.calibration import auroc
from napari_vost.model.judge import Panel

SIGNS = Signs(0.8, 0.9, 4.0, 0.7, -0.1)


def answers(seed: int, count: int) -> Exhibits:
    """Bright squares; a good answer lies on the square, a bad one beside it. Evidence says nothing."""
    random = np.random.default_rng(seed)
    samples, maps = [], np.full((count, 5, 64, 64), 40, np.uint8)
    maps[:, 1:3], maps[:, 4] = 128 - 60, 0
    for index in range(count):
        y, x = random.integers(4, 26, 2)
        good = bool(random.random() < 0.5)
        shift = 0 if good else 16
        maps[index, 0, y : y + 18, x : x + 18] = 200
        maps[index, 1, y + shift : y + shift + 18, x + shift : x + shift + 18] = 128 + 60
        maps[index, 3, 20:38, 20:38], maps[index, 4, 20:38, 20:38] = 200, 255
        evidence = Evidence(float(random.random()), 4.0, SIGNS, SIGNS, 2, None, "depth", 1.0)
        samples.append(Sample(evidence, 0.95 if good else 0.1, True))
    return Exhibits(tuple(samples), maps)


def test_it_learns_from_images_what_evidence_does_not_say() -> None:
    said: list[str] = []
    judge = teach([answers(0, 500), answers(1, 100)], Lesson(epochs=6, batch=64), said.append)
    asked = answers(2, 100)
    verdicts = Panel([judge]).judge([asked.exhibit(index) for index in range(len(asked))])
    assert auroc(verdicts, [one.dice >= 0.7 for one in asked.samples]) > 0.95
    assert len(said) == 6
    assert float(said[-1].split()[-1]) < float(said[0].split()[-1])


def test_the_same_seed_teaches_the_same_judge() -> None:
    first, second = (teach([answers(0, 64)], Lesson(epochs=1, batch=32), lambda said: None) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
