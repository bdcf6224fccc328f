"""What the timeline shows, read off a session: arrays over frames, one lane per object. No window needed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_vost.clip import Clip
from napari_vost.display.colours import Colour, object_colour
from napari_vost.history import Kept, Place, place_of
from napari_vost.masks import PackedMask
from napari_vost.measure.volume import pixel_mm2
from napari_vost.review_doors import Reviewed
from napari_vost.session import Session
from napari_vost.types import Label

WEAK_BELOW = 0.7  # confidence is the chance of a good mask: below this, of ten such frames three or more are not good

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Limits = Mapping[int, tuple[int, int]]  # half-open frames that an object does not leave, by object id


@dataclass(frozen=True, eq=False)
class ObjectLane:
    """One object over all T frames of a clip.

    Attributes
    ----------
    object_id, name, colour_rgb
        Which object, and how it is shown.
    masks
        What is kept of each frame, T long; None where nothing is, empty where the object was not found.
    confidence
        (T,), 0 to 1; a locked mask has 1, NaN stands where nothing is kept.
    area
        (T,) in the unit of the `LaneData`, 0 where there is no mask.
    prompted, locked, accepted
        (T,) bool, as in `Settings`.
    weak
        (T,) bool: kept, still open, not locked, and of low confidence. Empty answers are weak too when in doubt.
    limits
        Half-open range that the object does not leave; None for the whole clip.
    """

    object_id: int
    name: str
    colour_rgb: Colour
    masks: tuple[PackedMask | None, ...]
    confidence: Numbers
    area: Numbers
    prompted: Flags
    locked: Flags
    accepted: Flags
    weak: Flags
    limits: tuple[int, int] | None = None

    @property
    def kept(self) -> Flags:
        """Where there is an answer, be it that the object is not there."""
        return ~np.isnan(self.confidence)

    @property
    def present(self) -> Flags:
        """Where there is a mask with a pixel."""
        return self.area > 0

    @property
    def edited(self) -> Flags:
        """Where the user has had a hand in it, and has not accepted it since."""
        return self.prompted & ~self.accepted

    @property
    def reviewed(self) -> Flags:
        """Where there is an answer that was accepted or edited."""
        return (self.accepted | self.prompted) & self.kept

    @property
    def extent(self) -> tuple[int, int] | None:
        """First and last frame with a mask; None without one."""
        frames = np.flatnonzero(self.present)
        return (int(frames[0]), int(frames[-1])) if frames.size else None

    def state(self, frame_index: int) -> str:
        """What the user has done with a frame, or has to do: one word."""
        for word, flags in (("accepted", self.accepted), ("edited", self.edited), ("locked", self.locked)):
            if flags[frame_index]:
                return word
        return "weak" if self.weak[frame_index] else "open"


@dataclass(frozen=True, eq=False)
class LaneData:
    """All lanes of a clip.

    Attributes
    ----------
    frames
        Number of frames of the clip.
    unit
        Of areas: ``"mm²"``, or ``"px"`` where the source does not say how large a pixel is.
    objects
        By rising id.
    weak_below
        Confidence under which an open frame is weak.
    """

    frames: int
    unit: str
    objects: tuple[ObjectLane, ...] = ()
    weak_below: float = WEAK_BELOW

    def find(self, object_id: int | None) -> ObjectLane | None:
        """The lane of an object, None where it has none."""
        return next((one for one in self.objects if one.object_id == object_id), None)


def lane_data(session: Session, limits: Limits | None = None, weak_below: float = WEAK_BELOW) -> LaneData:
    """Read everything anew: after prompts, locks, names or objects changed, after undo and redo.

    It may run in any thread. Areas of masks are counted when they are first asked for, so that the first call after a
    large case was opened takes longest.

    Parameters
    ----------
    session
        Nothing of it is changed.
    limits
        Half-open frames that an object does not leave, by object id.
    weak_below
        Confidence, 0 to 1, under which an open frame is weak.
    """
    written = list(session.ledger.kept.items())  # at once: another thread may be writing masks
    settings, labels = session.ledger.settings, session.labels
    prompted = _by_object(map(place_of, settings.prompts))
    locked, accepted = _by_object(settings.locks), _by_object(settings.accepted)
    found: dict[int, dict[int, Kept]] = {one: {} for one in prompted}
    for (object_id, frame_index), kept in written:
        found.setdefault(object_id, {})[frame_index] = kept
    count, scale = len(session.clip), _pixel(session.clip)
    lanes = []
    for object_id, here in sorted(found.items()):
        masks: list[PackedMask | None] = [None] * count
        for frame_index, kept in here.items():
            masks[frame_index] = kept.mask
        frames = list(here)
        confidence, area = np.full(count, np.nan), np.zeros(count)
        confidence[frames] = [kept.confidence for kept in here.values()]
        area[frames] = [kept.mask.area for kept in here.values()]
        name, colour = _shown_as(object_id, labels)
        lane = ObjectLane(
            object_id,
            name,
            colour,
            tuple(masks),
            confidence,
            area * scale,
            prompted=_flags(count, prompted.get(object_id, ())),
            locked=_flags(count, locked.get(object_id, ())),
            accepted=_flags(count, accepted.get(object_id, ())),
            weak=np.zeros(count, np.bool_),
            limits=(limits or {}).get(object_id),
        )
        lanes.append(_judged(lane, weak_below))
    return LaneData(count, _unit(session.clip), tuple(lanes), weak_below)


def updated(data: LaneData, session: Session, frames: Collection[int]) -> LaneData:
    """Read a few frames anew: for masks that stream in while an object is followed.

    Objects, names and limits stay as they were; `lane_data` reads those.
    """
    kept, settings, scale = session.ledger.kept, session.ledger.settings, _pixel(session.clip)
    prompted = frozenset(map(place_of, settings.prompts))
    lanes = []
    for lane in data.objects:
        masks, confidence, area = list(lane.masks), lane.confidence.copy(), lane.area.copy()
        given, locked, accepted = lane.prompted.copy(), lane.locked.copy(), lane.accepted.copy()
        for frame in frames:
            place = lane.object_id, frame
            here = kept.get(place)
            masks[frame] = None if here is None else here.mask
            confidence[frame] = np.nan if here is None else here.confidence
            area[frame] = 0.0 if here is None else here.mask.area * scale
            given[frame], locked[frame] = place in prompted, place in settings.locks
            accepted[frame] = place in settings.accepted
        fresh = replace(
            lane, masks=tuple(masks), confidence=confidence, area=area, prompted=given, locked=locked, accepted=accepted
        )
        lanes.append(_judged(fresh, data.weak_below))
    return replace(data, objects=tuple(lanes))


def next_weak(data: LaneData, object_id: int | None, frame_index: int, step: int = 1) -> Place | None:
    """The next weak frame of an object, or of any, and which object is weakest there.

    Parameters
    ----------
    data
        Of the clip.
    object_id
        Whose; None for all objects.
    frame_index
        Where one stands. This frame itself comes last: at the end of the clip the search goes on at its other end.
    step
        1 forward, -1 backward.

    Returns
    -------
    tuple or None
        ``(object_id, frame_index)``; None where nothing is weak.
    """
    lanes = [one for one in data.objects if object_id in (None, one.object_id)]
    frames = np.flatnonzero(np.any([one.weak for one in lanes], axis=0)) if lanes else np.zeros(0, np.int64)
    if not frames.size:
        return None
    away = (frames - frame_index) * (1 if step > 0 else -1) % data.frames
    nearest = int(frames[np.argmin(np.where(away == 0, data.frames, away))])
    weak = [one for one in lanes if one.weak[nearest]]
    return min(weak, key=lambda one: float(one.confidence[nearest])).object_id, nearest


def reviewed(data: LaneData, object_id: int | None = None) -> Reviewed:
    """How many frames of one object, or of all, were accepted or edited; equal to the session's own count."""
    lanes = [one for one in data.objects if object_id in (None, one.object_id)]
    if not lanes:
        return Reviewed(0, 0)
    kept = np.any([one.kept for one in lanes], axis=0)
    left = np.any([one.kept & ~one.reviewed for one in lanes], axis=0)
    return Reviewed(int((kept & ~left).sum()), int(kept.sum()))


def reviewed_text(count: Reviewed) -> str:
    """``"42 of 61 reviewed"``, "" while there is nothing to review."""
    return f"{count.reviewed} of {count.frames} reviewed" if count.frames else ""


def changed_frames(before: LaneData, after: LaneData) -> dict[int, tuple[int, ...]]:
    """Frames whose mask is another one now, by object id: what following again has changed. A first mask counts."""
    found: dict[int, tuple[int, ...]] = {}
    for lane in after.objects:
        old = before.find(lane.object_id)
        masks = (None,) * after.frames if old is None else old.masks
        pairs = enumerate(zip(masks, lane.masks, strict=True))
        frames = tuple(frame for frame, (one, other) in pairs if one is not other and one != other)
        if frames:
            found[lane.object_id] = frames
    return found


def _judged(lane: ObjectLane, weak_below: float) -> ObjectLane:
    """The lane with what follows from its flags: a locked mask is vouched for, an open one in doubt is weak."""
    kept = lane.kept
    confidence = np.where(kept & lane.locked, 1.0, lane.confidence)
    sure = lane.accepted | lane.prompted | lane.locked
    with np.errstate(invalid="ignore"):
        return replace(lane, confidence=confidence, weak=kept & ~sure & (confidence < weak_below))


def _by_object(places: Iterable[Place]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for object_id, frame_index in places:
        found.setdefault(object_id, []).append(frame_index)
    return found


def _flags(count: int, frames: Iterable[int]) -> Flags:
    flags = np.zeros(count, np.bool_)
    flags[list(frames)] = True
    return flags


def _shown_as(object_id: int, labels: Mapping[int, Label]) -> tuple[str, Colour]:
    label = labels.get(object_id)
    return (f"Object {object_id}" if label is None else label.name), object_colour(object_id, label)


def _pixel(clip: Clip) -> float:
    """What one pixel counts: square millimetres where they are known."""
    return pixel_mm2(clip.geometry) if clip.geometry.spaced else 1.0


def _unit(clip: Clip) -> str:
    return "mm²" if clip.geometry.spaced else "px"
