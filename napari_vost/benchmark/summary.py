"""Means of marks over the cases of one structure, with their intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from napari_vost.benchmark.marks import Figures, Mark
from napari_vost.benchmark.scores import Interval, bootstrap
from napari_vost.datasets.base import Layout
from napari_vost.metrics.interactive import noc, number_of_clicks

TARGET = 0.85  # headline figure that counts as done


@dataclass(frozen=True)
class Means:
    """Means over cases of what `Figures` holds; None where nothing could be judged.

    Attributes
    ----------
    frames, stack, j, f
        Over all cases.
    hd95, nsd
        Over the cases whose distances have the unit of the summary.
    leak
        Share of the frames without the structure that were painted on.
    """

    frames: Interval | None
    stack: Interval | None
    j: Interval | None
    f: Interval | None
    hd95: Interval | None
    nsd: Interval | None
    leak: float | None


@dataclass(frozen=True)
class Corrections:
    """What simulated clicks changed.

    Attributes
    ----------
    after
        Means after each round of clicks, of the same frames as before.
    gains
        The headline figure after each round minus before the first, paired by case.
    noc
        Clicks until it reaches `TARGET`; a case that never does counts as many as were given.
    never
        Cases that never do.
    """

    after: tuple[Means, ...]
    gains: tuple[Interval | None, ...]
    noc: Interval | None
    never: int


@dataclass(frozen=True)
class Summary:
    """Means over the cases of one structure; None where nothing could be judged.

    Attributes
    ----------
    structure, cases
        What, and how many cases have a headline figure.
    found, copied
        As in `Mark`.
    gain
        The headline figure minus that of copying, paired by case.
    prompted
        As in `Mark`.
    unit, measured
        Of distances: ``"mm"``, over so many cases, those whose pixel size is known; ``"px"`` where no case's is.
    corrections
        None where no clicks were asked for.
    """

    structure: str
    cases: int
    found: Means
    copied: Means
    gain: Interval | None
    prompted: Interval
    unit: str
    measured: int
    corrections: Corrections | None


def summarise(layout: Layout, structure: str, marks: Sequence[Mark]) -> Summary:
    """Summary of the marks of one structure, at least one."""
    unit = "mm" if any(mark.unit == "mm" for mark in marks) else "px"

    def headline(one: Figures) -> float | None:
        return one.frames if layout.headline == "frames" else one.stack

    rounds = len(marks[0].corrected)
    return Summary(
        structure,
        sum(headline(mark.found) is not None for mark in marks),
        _means(marks, [mark.found for mark in marks], unit),
        _means(marks, [mark.copied for mark in marks], unit),
        _gain((headline(mark.copied), headline(mark.found)) for mark in marks),
        bootstrap([mark.prompted for mark in marks]),
        unit,
        sum(mark.unit == unit and mark.found.hd95 is not None for mark in marks),
        _corrections(marks, headline, unit) if rounds else None,
    )


def _corrections(marks: Sequence[Mark], headline: Callable[[Figures], float | None], unit: str) -> Corrections:
    rounds = range(len(marks[0].corrected))
    courses = [
        course
        for mark in marks
        if (course := [score for one in (mark.found, *mark.corrected) if (score := headline(one)) is not None])
    ]
    counts = [float(number_of_clicks(course, TARGET, len(rounds))) for course in courses]
    return Corrections(
        tuple(_means(marks, [mark.corrected[at] for mark in marks], unit) for at in rounds),
        tuple(_gain((headline(mark.found), headline(mark.corrected[at])) for mark in marks) for at in rounds),
        bootstrap(counts) if counts else None,
        noc(courses, TARGET, len(rounds))[1] if courses else 0,
    )


def _means(marks: Sequence[Mark], held: Sequence[Figures], unit: str) -> Means:
    """Means of one figure per mark."""
    measured = [one for mark, one in zip(marks, held, strict=True) if mark.unit == unit]
    empty = sum(mark.empty for mark in marks)
    return Means(
        _mean(one.frames for one in held),
        _mean(one.stack for one in held),
        _mean(one.j for one in held),
        _mean(one.f for one in held),
        _mean(one.hd95 for one in measured),
        _mean(one.nsd for one in measured),
        sum(one.leaked for one in held) / empty if empty else None,
    )


def _gain(pairs: Iterable[tuple[float | None, float | None]]) -> Interval | None:
    """Mean of after minus before, of the cases that have both."""
    return _mean(None if before is None or after is None else after - before for before, after in pairs)


def _mean(values: Iterable[float | None]) -> Interval | None:
    numbers = [value for value in values if value is not None]
    return bootstrap(numbers) if numbers else None
