"""Where an object ends: limits that following respects, and the mark behind each of them that teaches the network.

A mark is an empty mask prompt on the first frame beyond a limit. It belongs to the limit and goes with it. Where the
user has locked that frame, or has prompted it too, what stands there is the user's own and no mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from napari_vost.errors import InputError
from napari_vost.history import Ledger, Place, Settings, place_of
from napari_vost.legs import Limits
from napari_vost.masks import PackedMask
from napari_vost.types import MaskPrompt, Prompt

Side = Literal["before", "after"]
OPEN: Limits = (None, None)


def choose_side(ledger: Ledger, place: Place) -> Side:
    """Side of a frame on which its object ends: away from the nearest prompted frame that shows the object.

    On such a frame itself it is the side without another one, or a lock.

    Raises
    ------
    InputError
        Either side could be meant.
    """
    object_id, here = place
    firm = _firm_frames(ledger, object_id)
    prompted = [frame for frame in ledger.settings.prompted_frames(object_id) if frame in firm] or firm
    nearest = min(prompted, key=lambda frame: abs(frame - here), default=here)
    if nearest != here:
        return "after" if nearest < here else "before"
    behind, ahead = any(frame < here for frame in firm), any(frame > here for frame in firm)
    if behind == ahead:
        raise InputError(
            f"Object {object_id} could end before or after frame {here}, and its prompts do not tell which: choose "
            "side 'before' or 'after'."
        )
    return "after" if behind else "before"


def check_free(ledger: Ledger, place: Place, side: Side) -> None:
    """Raise `InputError` where a prompt or a lock shows the object beyond a frame: it cannot end there."""
    object_id, here = place
    found = [frame for frame in _firm_frames(ledger, object_id) if (frame > here if side == "after" else frame < here)]
    if found:
        nearest = min(found, key=lambda frame: abs(frame - here))
        raise InputError(
            f"Object {object_id} has a prompt or a lock on frame {nearest}, {side} frame {here}: remove or unlock it "
            "first, or end the object beyond it."
        )


def end(settings: Settings, place: Place, side: Side, size: tuple[int, int, int]) -> Settings:
    """Let an object of a clip (T, H, W) end on a frame: limit and mark."""
    object_id, here = place
    opened = reopen(settings, object_id, (side,))
    low, high = opened.limits.get(object_id, OPEN)
    if (low is not None and low > here) or (high is not None and high < here):  # it was said to lie elsewhere
        opened, low, high = reopen(opened, object_id), None, None
    new: Limits = (low, here) if side == "after" else (here, high)
    beyond = here + (1 if side == "after" else -1)
    told = (object_id, beyond) in opened.locks or beyond in opened.prompted_frames(object_id)
    mark = () if told or not 0 <= beyond < size[0] else (nowhere((object_id, beyond), size[1:]),)
    return replace(opened, prompts=(*opened.prompts, *mark), limits={**opened.limits, object_id: new})


def nowhere(place: Place, size: tuple[int, int]) -> MaskPrompt:
    """An empty mask (H, W): the object is not on this frame."""
    return MaskPrompt(place[1], place[0], PackedMask(size, None, b""))


def reopen(settings: Settings, object_id: int, sides: Sequence[Side] = ("before", "after")) -> Settings:
    """Take limits of an object away, and their marks."""
    if object_id not in settings.limits:
        return settings
    low, high = settings.limits[object_id]
    marks = [mark for side in sides if (mark := _mark(settings, object_id, side)) is not None]
    left: Limits = (None if "before" in sides else low, None if "after" in sides else high)
    limits = {one: limit for one, limit in {**settings.limits, object_id: left}.items() if limit != OPEN}
    places = {place_of(mark) for mark in marks}
    prompts = tuple(one for one in settings.prompts if place_of(one) not in places)
    return replace(settings, prompts=prompts, limits=limits)


def reopen_for(settings: Settings, prompts: Sequence[Prompt]) -> Settings:
    """Take away the limits beyond which prompts show their objects: whoever points there says that it goes on."""
    for prompt in prompts:
        low, high = settings.limits.get(prompt.object_id, OPEN)
        if not _shows(prompt):
            continue
        if low is not None and prompt.frame_index < low:
            settings = reopen(settings, prompt.object_id, ("before",))
        if high is not None and prompt.frame_index > high:
            settings = reopen(settings, prompt.object_id, ("after",))
    return settings


def _shows(prompt: Prompt) -> bool:
    """Whether a prompt says that its object is there."""
    return not prompt.mask.empty if isinstance(prompt, MaskPrompt) else getattr(prompt, "positive", True)


def _mark(settings: Settings, object_id: int, side: Side) -> MaskPrompt | None:
    """The mark of a limit, if there is one."""
    limit = settings.limits.get(object_id, OPEN)[0 if side == "before" else 1]
    if limit is None:
        return None
    place = (object_id, limit + (1 if side == "after" else -1))
    prompts = settings.prompts_at(place)
    if len(prompts) != 1 or place in settings.locks:
        return None
    return prompts[0] if isinstance(prompts[0], MaskPrompt) and prompts[0].mask.empty else None


def _firm_frames(ledger: Ledger, object_id: int) -> list[int]:
    """Prompted and locked frames on which an object has a mask that is not empty, rising."""
    settings = ledger.settings
    sure = set(settings.prompted_frames(object_id)) | {frame for one, frame in settings.locks if one == object_id}
    kept = {frame: ledger.kept.get((object_id, frame)) for frame in sure}
    return sorted(frame for frame, one in kept.items() if one is not None and not one.mask.empty)
