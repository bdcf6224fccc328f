"""A simulated reader: how many frames are looked at until a mask is good, by weak frames first and one after the other.

The reader clicks the middle of a structure on the frame that its layout prompts, mends that frame, and follows. Then
frames are visited. A visited frame is accepted where its Dice is at least `GOOD`; else it gets up to `CLICKS` clicks in
the middle of the largest error, then the brush (the truth), or "not here" where nothing is; and everything is followed
again. *By W*: weak frames first, as the key finds them, and only when none is left the others in order. *In order*:
from the first frame to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np

from napari_vost import Session
from napari_vost.benchmark.scores import prompt_from_truth
from napari_vost.contracts import Network
from napari_vost.datasets import find_layout
from napari_vost.datasets.base import Case
from napari_vost.masks import Mask
from napari_vost.metrics.interactive import next_click
from napari_vost.ui.lane_data import lane_data, next_weak

GOOD = 0.9
CLICKS = 3


@dataclass(frozen=True)
class Read:
    """One structure of one case.

    Attributes
    ----------
    structure, frames
        Its name, and how many frames the clip has besides the one that was clicked.
    before
        Dice of the stack when following had ended, before any frame was visited.
    weak, after_weak
        Visits until no frame was weak any more, and the Dice then.
    by_weak, in_order
        Visits until the Dice was `GOOD`: by W, and in order.
    """

    structure: str
    frames: int
    before: float
    weak: int
    after_weak: float
    by_weak: int
    in_order: int


def read_folder(data: Path, network: Network, limit: int | None, tell: Callable[[str], None]) -> list[Read]:
    """Read every structure of the ACDC cases that are kept for evaluation."""
    found = []
    for number, case in enumerate(find_layout("acdc").cases(data / "acdc_ed_es" / "dev")):
        if number == limit:
            break
        tell(case.name)
        found += [one for name in case.structures if (one := read(case, name, network)) is not None]
    return found


def read(case: Case, structure: str, network: Network) -> Read | None:
    """Read one structure both ways."""
    if case.prompted_frame(structure) is None:
        return None
    by_weak, before = list(visits(case, structure, network, by_weak=True)), first_dice(case, structure, network)
    weak = [dice for dice, _ in takewhile(lambda one: one[1], by_weak)]
    return Read(
        structure,
        len(case.clip) - 1,
        before,
        len(weak),
        weak[-1] if weak else before,
        until_good(before, [dice for dice, _ in by_weak]),
        until_good(before, [dice for dice, _ in visits(case, structure, network, by_weak=False)]),
    )


def until_good(before: float, after: list[float]) -> int:
    """Visits until the Dice is good, given what it is before the first and after each."""
    return next((count for count, one in enumerate([before, *after]) if one >= GOOD), len(after))


def begin(case: Case, structure: str, network: Network) -> tuple[Session, Mask, int]:
    """A session after the first click, with the clicked frame mended and everything followed; truth and frame."""
    truth, frame = case.truth(structure), case.prompted_frame(structure)
    if frame is None:
        raise ValueError(f"{structure} is nowhere in {case.name}")
    session = Session(case.clip, network)
    session.add(prompt_from_truth("point", truth[frame], frame, 1))
    mend(session, truth, frame)
    follow(session)
    return session, truth, frame


def first_dice(case: Case, structure: str, network: Network) -> float:
    """Dice of the stack before any frame is visited."""
    session, truth, _ = begin(case, structure, network)
    return dice(volume(session), truth)


def visits(case: Case, structure: str, network: Network, by_weak: bool) -> Iterator[tuple[float, bool]]:
    """Visit frames until all were; Dice of the stack after each visit, and whether the frame was weak."""
    session, truth, here = begin(case, structure, network)
    left = sorted(set(range(len(case.clip))) - {here})
    while left:
        place = next_weak(lane_data(session), 1, here) if by_weak else None
        was_weak = place is not None and place[1] in left
        here = place[1] if was_weak and place is not None else left[0]
        left.remove(here)
        if mend(session, truth, here):
            follow(session)
        elif (1, here) in session.ledger.kept:
            session.accept(here, 1)
        yield dice(volume(session), truth), was_weak


def mend(session: Session, truth: Mask, frame: int) -> bool:
    """Make a frame good, as a user would; whether anything had to be done."""
    wanted = truth[frame]
    if dice(shown(session, frame), wanted) >= GOOD:
        return False
    if not wanted.any():
        session.not_here(frame, 1)
        return True
    clicked = []
    for _ in range(CLICKS):
        click = next_click(shown(session, frame), wanted, clicked=clicked, frame_index=frame)
        if click is None:
            break
        clicked.append(click)
        session.add_point(frame, (click.y, click.x), positive=click.positive)
        if dice(shown(session, frame), wanted) >= GOOD:
            return True
    session.paint({(1, frame): wanted})
    return True


def follow(session: Session) -> None:
    """Follow to the end."""
    for _ in session.propagate():
        pass


def shown(session: Session, frame: int) -> Mask:
    """The mask of a frame, bool (H, W)."""
    kept = session.ledger.kept.get((1, frame))
    return np.zeros(session.clip.shape[1:], np.bool_) if kept is None else kept.mask.unpack()


def volume(session: Session) -> Mask:
    """The masks of all frames, bool (T, H, W)."""
    return np.stack([shown(session, frame) for frame in range(len(session.clip))])


def dice(one: Mask, other: Mask) -> float:
    """Dice of two masks; 1 where both are empty."""
    both = int(one.sum()) + int(other.sum())
    return 2.0 * int((one & other).sum()) / both if both else 1.0
