"""Test-time adaptation: a copy of the network, fitted in seconds to frames that the user vouches for.

Only weights that `Network.adaptable` names change, and only if following gets better on frames that the fit did not
see: with masks on several frames each is left out in turn (one fold per frame), with one frame made-up movements of it
are held back; and only if it still ends where the model's own weights end. Otherwise nothing changes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from napari_vost.contracts import Network
from napari_vost.engine import with_network
from napari_vost.errors import Cancelled, InputError, WeightsError
from napari_vost.history import Ledger
from napari_vost.masks import Mask
from napari_vost.rehearsal import LONGEST, Known, Walk, dice, ending_walk, losses, made_walk, real_walk
from napari_vost.sight import Engine, FrameView
from napari_vost.types import MaskPrompt

GAIN = 0.01  # least gain of Dice on frames that were left out
MADE_GAIN = 0.05  # and on made-up walks of a single frame, which promise more than the clip keeps (docs/adaptation.md)
LEAK = 0.2  # largest share painted of the frames behind an object's ends, where the model's own weights find nothing
Weights = Mapping[str, Tensor]
_AGAIN = 1.2  # time set aside to judge again, over the time that judging took


@dataclass(frozen=True)
class Recipe:
    """How an adaptation is run.

    Attributes
    ----------
    rate
        Learning rate of Adam.
    steps
        Most optimiser steps per fit.
    made, judged
        Made-up walks per known frame to practise on, and to judge by where only one frame is known.
    folds
        Most frames that are left out in turn.
    seed
        Of everything that is drawn.
    """

    rate: float = 2e-3
    steps: int = 40
    made: int = 6
    judged: int = 6
    folds: int = 3
    seed: int = 0


@dataclass(frozen=True)
class Adaptation:
    """What an adaptation came to.

    Attributes
    ----------
    before, after
        Mean Dice on what was held back, with the model's own weights and with fitted ones; None where time was too
        short to judge.
    leaked
        Share that the fitted weights paint of the frames behind the objects' ends, where the model's own weights find
        nothing; None where there are no such frames.
    accepted
        Whether the session uses the fitted weights now.
    seconds
        How long it took.
    steps
        Optimiser steps of the last fit, the one that is used.
    parameters
        Numbers that were fitted.
    frames
        Known frames that were learnt from, rising.
    """

    before: float | None
    after: float | None
    leaked: float | None
    accepted: bool
    seconds: float
    steps: int
    parameters: int
    frames: tuple[int, ...]


def known_frames(ledger: Ledger, frame_at: Callable[[int], FrameView]) -> list[Known]:
    """Frames with masks that the user vouches for, rising: painted, locked, or corrected ones; empty ones left out.

    Raises
    ------
    InputError
        There is none.
    """
    settings = ledger.settings
    sure = set(settings.locks) | set(settings.bases)
    sure |= {(one.object_id, one.frame_index) for one in settings.prompts if isinstance(one, MaskPrompt)}
    masks: dict[int, dict[int, Mask]] = {}
    for object_id, frame_index in sorted(sure):
        kept = ledger.kept.get((object_id, frame_index))
        if kept is not None and not kept.mask.empty:
            masks.setdefault(frame_index, {})[object_id] = kept.mask.unpack()
    if not masks:
        raise InputError(
            "There is nothing to adapt to: paint a mask, correct a frame that was followed, or lock one whose mask is "
            "right; a first click or box alone is not taken for the truth."
        )
    return [Known(frame_at(frame_index), masks[frame_index]) for frame_index in sorted(masks)]


class Fitter:
    """One run of an adaptation.

    Parameters
    ----------
    engine
        With the model's own weights; it is not changed.
    frame_at
        Reads a frame.
    recipe
        How.
    seconds
        When to stop.
    tell
        Told the share that is done, 0 to 1.

    Raises
    ------
    InputError
        Seconds or steps that make no sense, or a network without anything to adapt.
    """

    def __init__(
        self,
        engine: Engine,
        frame_at: Callable[[int], FrameView],
        recipe: Recipe,
        seconds: float,
        tell: Callable[[float], None],
    ) -> None:
        _check(recipe, seconds)
        if not engine.network.adaptable():
            raise InputError(f"{engine.network.traits.name} has nothing that could be adapted: choose another model.")
        self._engine, self._frame_at, self._recipe, self._tell = engine, frame_at, recipe, tell
        self._began = time.perf_counter()
        self._seconds = seconds
        self._random = np.random.default_rng(recipe.seed)
        self._ends: list[Walk] = []

    def run(self, known: Sequence[Known]) -> tuple[Adaptation, Weights]:
        """Judge, fit, judge, and fit again to everything that is known; the weights are rounded to 16 bits.

        Raises
        ------
        Cancelled
            The user stopped it.
        """
        self._ends = self._endings(known)
        self._aside = self._elapsed * _AGAIN
        made = {one.frame.frame_index: self._made(one, self._recipe.made) for one in known}
        folds = self._folds(known)
        scores: list[tuple[float, float]] = []
        for index, out in enumerate(folds):
            rest = [one for one in known if one is not out]
            until = self._seconds * (index + 1) / (len(folds) + 1)
            scores += self._trial(self._walks(rest, made), self._to(out, rest), until)[0]
        if folds:
            network, steps = self._fit(self._walks(known, made), self._seconds - self._aside)
        else:
            held = [walk for one in known for walk in self._made(one, self._recipe.judged)]
            scores, network, steps = self._trial(self._walks(known, made), held, self._seconds - self._aside)
        leaked = self._leak(network)
        least = GAIN if folds else MADE_GAIN
        self._tell(1.0)
        frames = tuple(one.frame.frame_index for one in known)
        return self._outcome(scores, least, leaked, steps, frames, weights_of(network))

    def _outcome(
        self,
        scores: list[tuple[float, float]],
        least: float,
        leaked: float | None,
        steps: int,
        frames: tuple[int, ...],
        found: Weights,
    ) -> tuple[Adaptation, Weights]:
        count = sum(value.numel() for value in found.values())
        if not scores or steps == 0:
            return Adaptation(None, None, leaked, False, self._elapsed, steps, count, frames), found
        before, after = (float(mean) for mean in np.mean(scores, axis=0))
        accepted = after - before >= least and (leaked is None or leaked <= LEAK)
        return Adaptation(before, after, leaked, accepted, self._elapsed, steps, count, frames), found

    def _endings(self, known: Sequence[Known]) -> list[Walk]:
        """Walks from the outermost known frames of the objects over both ends, in a quarter of the time at most."""
        engine = self._timed(self._engine.network, self._seconds / 4)
        walks: list[Walk | None] = []
        for direction in (-1, 1):
            outward = known if direction < 0 else known[::-1]
            seen: set[int] = set()
            for one in outward:
                masks = {object_id: mask for object_id, mask in one.masks.items() if object_id not in seen}
                seen |= set(masks)
                start = one.frame.frame_index + direction
                if not masks or not 0 <= start < one.frame.length:
                    continue
                ahead = range(start, one.frame.length) if direction > 0 else range(start, -1, -1)
                try:
                    walks.append(ending_walk(engine, replace(one, masks=masks), map(self._frame_at, ahead)))
                except Cancelled:
                    self._engine.check()
        return [walk for walk in walks if walk is not None]

    def _leak(self, network: Network) -> float | None:
        """See `Adaptation.leaked`; what could not be judged in time counts as painted."""
        if not self._ends:
            return None
        empty = self._judge(network, self._ends, self._seconds)
        return 1 - sum(empty) / sum(len(step.masks) for walk in self._ends for step in walk.steps)

    @property
    def _elapsed(self) -> float:
        return time.perf_counter() - self._began

    def _made(self, known: Known, count: int) -> list[Walk]:
        return [made_walk(known, self._random) for _ in range(count)]

    def _trial(
        self, walks: Sequence[Walk], held: Sequence[Walk], until: float
    ) -> tuple[list[tuple[float, float]], Network, int]:
        """Dice before and after a fit on walks that were held back; the time to judge again is set aside."""
        began = self._elapsed
        before = self._judge(self._engine.network, held, until)
        network, steps = self._fit(walks, until - (self._elapsed - began) * _AGAIN)
        after = self._judge(network, held, until)
        return list(zip(before, after, strict=False)), network, steps

    def _timed(self, network: Network, until: float) -> Engine:
        """An engine that stops between two stages of a frame, when the user wants it or the time is over."""
        stopped = self._engine.cancelled
        return with_network(replace(self._engine, cancelled=lambda: stopped() or self._elapsed >= until), network, 0)

    def _judge(self, network: Network, walks: Sequence[Walk], until: float) -> list[float]:
        """Dice of every known mask on the walks, as far as the time goes."""
        engine = self._timed(network, until)
        scores: list[float] = []
        try:
            for walk in walks:
                scores += dice(engine, walk)
        except Cancelled:
            self._engine.check()  # the user's word; otherwise time is over
        return scores

    def _folds(self, known: Sequence[Known]) -> list[Known]:
        """Frames to leave out: those whose objects are known elsewhere too."""
        able = [one for one in known if any(set(one.masks) & set(other.masks) for other in known if other is not one)]
        picks = np.unique(np.linspace(0, len(able) - 1, min(len(able), self._recipe.folds)).round().astype(int))
        return [able[int(pick)] for pick in picks] if able else []

    def _walks(self, known: Sequence[Known], made: Mapping[int, list[Walk]]) -> list[Walk]:
        found = [walk for one in known for walk in made[one.frame.frame_index]]
        for one in known:
            found += self._to(one, [other for other in known if other is not one])
        return found + self._ends

    def _to(self, target: Known, others: Sequence[Known]) -> list[Walk]:
        """Walks through the clip to a frame: each object from the nearest other frame where it is known."""
        end = target.frame.frame_index
        by_start: dict[int, list[int]] = {}
        for object_id in target.masks:
            starts = [one.frame.frame_index for one in others if object_id in one.masks]
            if starts:
                by_start.setdefault(min(starts, key=lambda start: (abs(start - end), start)), []).append(object_id)
        walks = []
        for start, object_ids in by_start.items():
            sources = sorted(others, key=lambda one: one.frame.frame_index != start)
            between = np.linspace(start, end, min(abs(end - start), LONGEST) + 1).round().astype(int)[1:-1]
            wanted = replace(target, masks={object_id: target.masks[object_id] for object_id in object_ids})
            frames = [self._frame_at(int(index)) for index in between]
            walks.append(real_walk(sources, wanted, frames, self._engine.features))
        return walks

    def _fit(self, walks: Sequence[Walk], until: float) -> tuple[Network, int]:
        """Fit a copy to walks until the time is over or all steps are done; the copy and the steps taken."""
        network = self._engine.network.fork()
        engine = self._timed(network, until)
        fitted = [value for value in network.module().parameters() if value.requires_grad]
        optimiser = torch.optim.Adam(fitted, self._recipe.rate)
        order: list[int] = []
        for step in range(self._recipe.steps):
            order = order or [int(one) for one in self._random.permutation(len(walks))]
            optimiser.zero_grad()
            try:
                for loss in losses(engine, walks[order.pop()]):
                    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            except Cancelled:
                self._engine.check()
                return network, step
            optimiser.step()
            self._tell(min(self._elapsed / self._seconds, 0.99))
        return network, self._recipe.steps


def _check(recipe: Recipe, seconds: float) -> None:
    if not (isinstance(seconds, int | float) and math.isfinite(seconds) and seconds > 0):
        raise InputError(f"Adapting takes a number of seconds above 0, got {seconds!r}: 20 is a good start.")
    if not (isinstance(recipe.steps, int) and recipe.steps > 0):
        raise InputError(f"Adapting takes a whole number of steps above 0, got {recipe.steps!r}: leave it out.")
    if not (isinstance(recipe.seed, int) and recipe.seed >= 0):
        raise InputError(f"The seed must be a whole number from 0 on, got {recipe.seed!r}.")


def weights_of(network: Network) -> Weights:
    """The adaptable weights of a network on the CPU, in 16 bits."""
    named = dict(network.module().named_parameters())
    return {name: named[name].detach().to("cpu", torch.float16) for name in network.adaptable()}


@torch.no_grad()
def with_weights(network: Network, weights: Weights) -> Network:
    """A copy of a network with other adaptable weights.

    Raises
    ------
    WeightsError
        They are of another network.
    """
    copied = network.fork()
    named = dict(copied.module().named_parameters())
    own = {name: tuple(named[name].shape) for name in copied.adaptable()}
    if own != {name: tuple(value.shape) for name, value in weights.items()}:
        raise WeightsError(
            f"The adapted weights are of another network than {network.traits.name}: adapt the session again."
        )
    for name, value in weights.items():
        named[name].copy_(value)
        named[name].requires_grad_(False)
    return copied


@dataclass(frozen=True, eq=False)
class Fitted:
    """Adapted weights of a session, and the fingerprint of the network that they were fitted from."""

    weights: Weights
    made_from: str
