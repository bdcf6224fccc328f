"""Policies and priors on hard clips: results as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import numpy as np

from napari_vost.benchmark.hard import HardScores
from napari_vost.phantoms.hard import HARD

COPIED = "copied"  # in the place of a policy: the prompted mask on every frame
PLAIN_POLICY, PLAIN_PRIOR = "fifo", "none"
Pair = tuple[str, str]  # policy and prior
DETAIL_HEAD = (
    "memory", "motion", "J&F", "found after a gap", "frames until then", "switches", "leak", "ms per frame", "kept, MB",
)  # fmt: skip
BEST_HEAD = ("clip", "best pair", "J&F", f"{PLAIN_POLICY}, {PLAIN_PRIOR}", "copied")


@dataclass(frozen=True)
class Result:
    """One pair on one clip of one seed.

    Attributes
    ----------
    memory, motion, clip, seed
        Which; ``ran`` holds the names of what ``"auto"`` chose.
    ran
        Policy and prior that ran.
    frames
        Length of the clip.
    scores
        None where it was refused.
    refused
        Why, "" where it ran.
    ms
        Median milliseconds per frame.
    kept_bytes
        Banks and motion states after the clip.
    """

    memory: str
    motion: str
    clip: str
    seed: int
    ran: Pair
    frames: int
    scores: HardScores | None
    refused: str = ""
    ms: float = 0.0
    kept_bytes: int = 0

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Result:
        """From what `dataclasses.asdict` and JSON made of it; other entries are left out."""
        scores = facts["scores"]
        held = {name: facts[name] for name in cls.__dataclass_fields__}
        held["scores"] = None if scores is None else HardScores(**scores)
        held["ran"] = (facts["ran"][0], facts["ran"][1])
        return cls(**held)

    @property
    def pair(self) -> Pair:
        """Policy and prior as they were asked for."""
        return self.memory, self.motion


class Matrix:
    """Results by pair and clip.

    Parameters
    ----------
    results
        In any order, one per pair, clip and seed.
    """

    def __init__(self, results: Iterable[Result]) -> None:
        self._cells: dict[tuple[Pair, str], dict[int, Result]] = {}
        for one in results:
            self._cells.setdefault((one.pair, one.clip), {})[one.seed] = one
        have = {clip for _, clip in self._cells}
        self.clips = tuple(clip for clip in HARD if clip in have)
        self.pairs = tuple(sorted({pair for pair, _ in self._cells}, key=lambda pair: (pair[0] != COPIED, pair)))

    def cell(self, pair: Pair, clip: str) -> list[Result]:
        """Results that ran, by rising seed."""
        found = self._cells.get((pair, clip), {})
        return [found[seed] for seed in sorted(found) if found[seed].scores is not None]

    def mean(self, pair: Pair, clip: str) -> float | None:
        """Mean J&F over the seeds, None where nothing ran."""
        values = list(self._by_seed(pair, clip).values())
        return mean(values) if values else None

    def policies(self) -> tuple[Pair, ...]:
        """Pairs without a prior; the copied mask comes first."""
        return tuple(pair for pair in self.pairs if pair[1] == PLAIN_PRIOR)

    def priors(self) -> tuple[Pair, ...]:
        """Pairs with the plain policy."""
        return tuple(pair for pair in self.pairs if pair[0] == PLAIN_POLICY)

    def table(self, pairs: Sequence[Pair], part: int) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows of J&F, a row per pair, a column per clip; ``part`` says which name stands in front.

        Bold is what does not fall behind the best of the column by more than two standard errors of their
        differences, seed by seed.
        """
        head = (("memory", "motion")[part], *self.clips)
        columns = [self._column(pairs, clip) for clip in self.clips]
        return head, [(pair[part], *(column[pair] for column in columns)) for pair in pairs]

    def details(self, pairs: Sequence[Pair]) -> list[tuple[str, ...]]:
        """Rows under `DETAIL_HEAD`: means over all clips that know the figure."""
        return [self._details(pair) for pair in pairs]

    def best(self) -> list[tuple[str, ...]]:
        """Rows under `BEST_HEAD`, one per clip, on the seeds that all pairs have: a lucky seed makes no best pair."""
        rows = []
        for clip in self.clips:
            held = {pair: found for pair in self.pairs if (found := self._by_seed(pair, clip))}
            ranked = [pair for pair in held if pair[0] != COPIED]
            if ranked:
                seeds = set.intersection(*(set(held[pair]) for pair in ranked))
                values = {pair: [held[pair][one] for one in sorted(seeds) if one in held[pair]] for pair in held}
                top = max(ranked, key=lambda pair: mean(values[pair]) if seeds else 0.0)
                others = [(PLAIN_POLICY, PLAIN_PRIOR), (COPIED, PLAIN_PRIOR)]
                rows.append((clip, ", ".join(top), *(spread(values.get(pair, ())) for pair in (top, *others))))
        return rows

    def product(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows of J&F on the first seed, policies down, priors across: means over clips that all ran."""
        held = {pair: {clip: self._by_seed(pair, clip).get(0) for clip in self.clips} for pair in self.pairs}
        memories = [one for one in dict.fromkeys(pair[0] for pair in self.pairs) if one != COPIED]
        motions = sorted({pair[1] for pair in self.pairs})
        every = [(memory, motion) for memory in memories for motion in motions]
        clips = [clip for clip in self.clips if all(held.get(pair, {}).get(clip) is not None for pair in every)]
        if not clips:
            return ("memory", *motions), []
        means = {pair: mean(value for clip in clips if (value := held[pair][clip]) is not None) for pair in every}
        best = max(means.values())

        def cell(value: float) -> str:
            return f"**{short(value, 3)}**" if value == best else short(value, 3)

        return (f"{len(clips)} clips", *motions), [
            (memory, *(cell(means[memory, motion]) for motion in motions)) for memory in memories
        ]

    def refusals(self) -> dict[Pair, str]:
        """Why pairs were refused, the first reason of each."""
        found: dict[Pair, str] = {}
        for (pair, _), seeds in self._cells.items():
            for one in seeds.values():
                if one.refused:
                    found.setdefault(pair, one.refused)
        return found

    def chosen(self, pair: Pair) -> dict[str, Pair]:
        """What ran, by clip, of the first seed."""
        return {clip: cell[0].ran for clip in self.clips if (cell := self.cell(pair, clip))}

    def _by_seed(self, pair: Pair, clip: str) -> dict[int, float]:
        return {one.seed: one.scores.j_and_f for one in self.cell(pair, clip) if one.scores is not None}

    def _column(self, pairs: Sequence[Pair], clip: str) -> dict[Pair, str]:
        held = {pair: self._by_seed(pair, clip) for pair in pairs}
        ran = [pair for pair in pairs if held[pair]]
        top = max(ran, key=lambda pair: mean(held[pair].values()), default=None)
        cells = {}
        for pair in pairs:
            text = spread(held[pair].values())
            cells[pair] = f"**{text}**" if top is not None and _level(held[top], held[pair]) else text
        return cells

    def _details(self, pair: Pair) -> tuple[str, ...]:
        cells = {clip: self.cell(pair, clip) for clip in self.clips}
        ran = [one for cell in cells.values() for one in cell]

        def over(figure: Callable[[HardScores], float | None], digits: int = 2) -> str:
            """Mean over the clips of the means over the seeds."""
            by_clip = []
            for cell in cells.values():
                values = [figure(one.scores) for one in cell if one.scores is not None]
                known = [value for value in values if value is not None]
                by_clip += [mean(known)] if known else []
            return short(mean(by_clip), digits) if by_clip else "-"

        return (
            *pair,
            over(lambda one: one.j_and_f),
            over(lambda one: one.recovered),
            over(lambda one: one.wait, 1),
            over(lambda one: one.switches, 1),
            over(lambda one: one.leaked),
            f"{np.median([one.ms for one in ran]):.1f}" if ran and ran[0].ms else "-",
            f"{max(one.kept_bytes for one in ran) / 1e6:.2f}" if ran and ran[0].kept_bytes else "-",
        )


def _level(best: Mapping[int, float], other: Mapping[int, float]) -> bool:
    """Whether one does not fall behind another by more than two standard errors of their differences."""
    behind = [best[seed] - other[seed] for seed in best if seed in other]
    if not behind or (len(behind) < 2 and behind[0] > 0):
        return False
    return len(behind) < 2 or mean(behind) <= 2 * stdev(behind) / len(behind) ** 0.5


def spread(values: Iterable[float]) -> str:
    """Mean ± standard deviation: ``.71 ± .03``; the mean alone of one value, ``-`` of none."""
    found = list(values)
    if not found:
        return "-"
    return short(mean(found)) + (f" ± {short(stdev(found))}" if len(found) > 1 else "")


def short(value: float, digits: int = 2) -> str:
    """Shares (of two or three digits) as papers print them: .72; other numbers with so many digits."""
    text = f"{value:.{digits}f}"
    return text[1:] if digits in (2, 3) and text.startswith("0.") else text
