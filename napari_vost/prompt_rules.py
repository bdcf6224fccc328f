"""Rules about prompts: what may be given, what a change of them touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import index

from napari_vost.errors import InputError, PromptError
from napari_vost.types import BoxPrompt, PointPrompt, Prompt, ScribblePrompt


def changed_frames(old: Mapping[int, tuple[Prompt, ...]], new: Mapping[int, tuple[Prompt, ...]]) -> frozenset[int]:
    """Prompted frames whose legs have to run again: new or changed ones, and the neighbours of those that went."""
    changed = {frame for frame, prompts in new.items() if old.get(frame) != prompts}
    for gone in set(old) - set(new):
        changed |= set(sorted(new, key=lambda frame: abs(frame - gone))[:2])
    return frozenset(changed)


def whole_numbers(prompt: Prompt) -> Prompt:
    """The prompt with plain whole numbers for frame and object, whatever integer type they came in.

    Raises
    ------
    PromptError
        A frame or an object that is no whole number.
    """
    try:
        return replace(prompt, frame_index=index(prompt.frame_index), object_id=index(prompt.object_id))
    except TypeError as error:
        words = f"Frame {prompt.frame_index!r} and object {prompt.object_id!r} must be whole numbers."
        raise PromptError(words) from error


def check_has_inside(prompts: Sequence[Prompt], corrects: bool) -> None:
    """Raise `PromptError` where prompts only say what an object is not, and no mask is there to correct."""
    if not corrects and all(getattr(prompt, "positive", True) is False for prompt in prompts):
        raise PromptError("A negative prompt takes something away: first say where the object is.")


def check_frame(frame_index: int, length: int) -> None:
    """Raise `InputError` unless a frame lies inside a clip."""
    if not 0 <= frame_index < length:
        raise InputError(f"Frame {frame_index} does not exist: the clip has frames 0 to {length - 1}.")


def check_frames(frames: tuple[int, int] | None, length: int) -> None:
    """Raise `InputError` unless a half-open range ``(start, stop)`` lies inside a clip."""
    if frames is not None and not 0 <= frames[0] < frames[1] <= length:
        raise InputError(f"Frames {frames[0]}:{frames[1]} do not lie inside the clip: it has frames 0:{length}.")


def check_prompt(prompt: Prompt, shape: tuple[int, int, int]) -> None:
    """Raise `PromptError` unless a prompt lies inside a clip of shape (T, H, W)."""
    frames, height, width = shape
    if not 0 <= prompt.frame_index < frames:
        raise PromptError(f"Frame {prompt.frame_index} does not exist: the clip has frames 0 to {frames - 1}.")
    if not 1 <= prompt.object_id <= 65535:
        raise PromptError(f"Object id {prompt.object_id} cannot be stored: choose a number from 1 to 65535.")
    points: Sequence[tuple[float, float]] = ()
    if isinstance(prompt, PointPrompt):
        points = [(prompt.y, prompt.x)]
    elif isinstance(prompt, BoxPrompt):
        points = [(prompt.y0, prompt.x0), (prompt.y1, prompt.x1)]
    elif isinstance(prompt, ScribblePrompt):
        points = prompt.points_yx
        if not points:
            raise PromptError("A scribble needs at least one point.")
    elif prompt.mask.shape != (height, width):
        raise PromptError(f"The mask has shape {prompt.mask.shape}, the frames have {(height, width)}.")
    for y, x in points:
        if not (-0.5 <= y <= height - 0.5 and -0.5 <= x <= width - 0.5):
            raise PromptError(
                f"Point (y {y:g}, x {x:g}) lies outside the image: "
                f"y goes from 0 to {height - 1}, x from 0 to {width - 1}."
            )
