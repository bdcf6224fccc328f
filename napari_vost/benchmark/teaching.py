"""Teaching a judge: answers whose truth is known, turned, mirrored and dyed, until it tells good ones from bad ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from napari_vost.benchmark.exhibits import Exhibits, from_bytes
from napari_vost.checks import check_range
from napari_vost.confidence import GOOD_DICE
from napari_vost.model.judge import JudgeNetwork, joined, numbers_of


@dataclass(frozen=True)
class Lesson:
    """How a judge is taught.

    Attributes
    ----------
    epochs
        How often every answer is seen, on average.
    batch
        Answers per step.
    rate
        Highest learning rate.
    decay
        Of the weights.
    seed
        Of everything that is drawn.
    """

    epochs: int = 12
    batch: int = 128
    rate: float = 2e-3
    decay: float = 0.02
    seed: int = 0


DOUBT = 0.02  # nobody is surer than this: truths have borders that could be drawn otherwise
JITTER = 0.1  # of evidence, in standard deviations
INVERTED = 0.15  # share of answers whose images are seen as negatives


def teach(sources: Sequence[Exhibits], lesson: Lesson, say: Callable[[str], None]) -> JudgeNetwork:
    """A judge that was taught with answers.

    Parameters
    ----------
    sources
        Answers from one or several sources; each has a say that grows with the root of how many it has.
    lesson
        How.
    say
        Told the loss after each epoch.

    Raises
    ------
    InputError
        Not one epoch.
    """
    check_range(lesson.epochs, 1, 10_000, "epochs")
    torch.manual_seed(lesson.seed)
    random, draw = np.random.default_rng(lesson.seed), torch.Generator().manual_seed(lesson.seed)
    judge = JudgeNetwork()
    samples = [sample for source in sources for sample in source.samples]
    bytes_of_all = np.concatenate([source.maps for source in sources])
    shares = np.concatenate([np.full(len(source), len(source) ** -0.5) for source in sources])
    numbers = torch.tensor([numbers_of(sample.evidence) for sample in samples])
    known = np.ma.masked_invalid(numbers.numpy())
    judge.typical.copy_(torch.from_numpy(known.mean(0).filled(0.0)))
    judge.deviation.copy_(torch.from_numpy(known.std(0).filled(0.0) + 1e-6))
    evidence = judge.measured(numbers)
    truth = torch.tensor([sample.dice for sample in samples])
    steps = max(1, len(samples) // lesson.batch)
    optimiser = torch.optim.AdamW(judge.parameters(), lesson.rate, weight_decay=lesson.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lesson.rate, total_steps=lesson.epochs * steps)
    judge.train()
    for epoch in range(lesson.epochs):
        total = 0.0
        for _ in range(steps):
            chosen = random.choice(len(samples), lesson.batch, p=shares / shares.sum())
            maps = _dyed(joined(*from_bytes(bytes_of_all[chosen])), draw)
            seen = evidence[chosen]
            found = judge(maps, seen + JITTER * torch.randn(seen.shape, generator=draw))
            loss = _loss(found, truth[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            schedule.step()
            total += loss.item()
        say(f"epoch {epoch + 1} of {lesson.epochs}: loss {total / steps:.4f}")
    return judge.eval()


def _loss(found: Tensor, dice: Tensor) -> Tensor:
    good = (dice >= GOOD_DICE).float() * (1 - 2 * DOUBT) + DOUBT
    entropy = nn.functional.binary_cross_entropy_with_logits
    return entropy(found[:, 0], good) + entropy(found[:, 1], dice)


def _dyed(maps: Tensor, draw: torch.Generator) -> Tensor:
    """Maps (B, 6, 64, 64) turned and mirrored, their images in other tones, both of a pair in the same ones."""
    count = (len(maps), 1, 1, 1)
    gain, power = (torch.exp(width * torch.randn(count, generator=draw)) for width in (0.25, 0.2))
    offset = 0.1 * torch.randn(count, generator=draw)
    negative = (torch.rand(count, generator=draw) < INVERTED).float()
    pair = maps[:, [0, 4]] + 0.5
    pair = (pair.clamp(0, 1) ** power - 0.5) * gain + offset
    pair = pair * (1 - 2 * negative)
    dyed = maps.clone()
    dyed[:, [0, 4]] = pair
    dyed[:, 0] += 0.02 * torch.randn(dyed[:, 0].shape, generator=draw)
    turns = int(torch.randint(0, 8, (1,), generator=draw))
    turned = torch.rot90(dyed, turns % 4, (2, 3))
    return (turned.flip(3) if turns > 3 else turned).contiguous()
