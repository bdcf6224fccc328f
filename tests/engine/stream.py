"""A stream of actions that is the same every time, for tests of what keeps them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_vost import Session


def disc(x: int = 35) -> np.ndarray:
    rows, columns = np.mgrid[0:96, 0:80]
    return (rows - 48) ** 2 + (columns - x) ** 2 < 144


def act(session: Session, number: int) -> None:
    """The next action of a stream that is the same every time: marks, locks, acceptances, undo, redo."""
    steps: tuple[Callable[[], Any], ...] = (
        lambda: session.add_mask(number % 12, disc(20 + number % 40), object_id=1 + number % 3),
        lambda: session.accept((number - 1) % 12),
        session.undo,
        lambda: session.lock(number % 12, object_id=1),
        session.undo,
        session.redo,
        lambda: session.unlock(number % 12),
    )
    steps[number % len(steps)]()


def state(session: Session) -> tuple[Any, ...]:
    log = session.ledger.log
    return session.ledger.settings, dict(session.ledger.kept), len(log.done), len(log.undone)
