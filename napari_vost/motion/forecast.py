"""Where an object will be on the next frames, with its uncertainty."""

from __future__ import annotations

from napari_vost.contracts import MotionPrior, MotionState, Prediction
from napari_vost.errors import InputError


def forecast(prior: MotionPrior, state: MotionState, frame_index: int, horizon: int = 5) -> tuple[Prediction, ...]:
    """Predictions for the frames after a frame, nearest first.

    Parameters
    ----------
    prior, state
        A motion prior and what it knows.
    frame_index
        The frame that was answered last.
    horizon
        Frames ahead; negative looks at the frames before (a backward sweep).

    Returns
    -------
    tuple of Prediction
        ``abs(horizon)`` of them; none where the prior has no opinion.

    Raises
    ------
    InputError
        A horizon of 0.
    """
    if horizon == 0:
        raise InputError("A forecast of 0 frames is none: give the frames ahead, negative for the frames before.")
    way = 1 if horizon > 0 else -1
    found = [prior.predict(state, frame_index + way * ahead) for ahead in range(1, abs(horizon) + 1)]
    return tuple(one for one in found if one is not None)
