"""Simulated corrections: click where it is worst, follow again, look again.

In every round each structure of a case gets one click of its own, on the labelled frame that holds it with the lowest
Dice (see `napari_vost.metrics.interactive`): what was painted beyond its ends is taken away with one key, not by
clicks. All clicks of a round are given before the structures are followed again, and, as for a user, only what a click
can change runs again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from napari_vost.masks import Mask
from napari_vost.metrics.interactive import Click, next_click_in_clip
from napari_vost.session import Session


@dataclass(frozen=True, eq=False)
class Round:
    """One round: the click of each object, None where nothing was left to click, and its masks (T, H, W) after it."""

    clicks: Mapping[int, Click | None]
    masks: Mapping[int, Mask]


def correct(
    session: Session,
    truths: Mapping[int, Mask],
    known: Sequence[int],
    rounds: int,
    frames: tuple[int, int] | None = None,
) -> Iterator[Round]:
    """Correct the objects of a session that has been propagated.

    Parameters
    ----------
    session
        Its prompts and masks change.
    truths
        (T, H, W) by object id.
    known
        Frames whose truth is known: of them those are clicked that hold the structure.
    rounds
        Clicks per object.
    frames
        Half-open range that is followed, as in `Session.propagate`.
    """
    clicked: dict[int, list[Click]] = {object_id: [] for object_id in truths}
    held = {object_id: [frame for frame in known if truth[frame].any()] for object_id, truth in truths.items()}
    masks = volumes(session, truths)
    for _ in range(rounds):
        clicks: dict[int, Click | None] = {}
        for object_id, truth in truths.items():
            click = next_click_in_clip(masks[object_id], truth, held[object_id], clicked[object_id])
            clicks[object_id] = click
            if click is not None:
                clicked[object_id].append(click)
                session.add_point(click.frame_index, (click.y, click.x), object_id, click.positive)
        if any(clicks.values()):
            for _result in session.propagate("both", frames):
                pass
            masks = volumes(session, truths)
        yield Round(clicks, masks)


def volumes(session: Session, object_ids: Mapping[int, object]) -> dict[int, Mask]:
    """Masks (T, H, W) of objects as a session holds them now."""
    held = session.segmentation()
    return {object_id: held.volume(object_id) for object_id in object_ids}
