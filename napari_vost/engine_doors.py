"""The doors to what drives a session: what was chosen for its clip, and where motion expects an object next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import index

import torch

from napari_vost.clip import Clip
from napari_vost.contracts import Chosen, MotionPrior, MotionState, Observation
from napari_vost.errors import InputError, PromptError
from napari_vost.history import Ledger
from napari_vost.motion.forecast import Forecast, check_horizon, forecast
from napari_vost.motion.priors import make_prior
from napari_vost.motion.signals import LONGEST_PATH
from napari_vost.prompt_rules import check_frame
from napari_vost.recovery import look_alike, searches
from napari_vost.seed_book import SeedBook
from napari_vost.sight import Engine, FrameView, see
from napari_vost.types import Region


class EngineDoors(ABC):
    """Questions about the engine, for whoever has one, a clip and masks."""

    clip: Clip
    ledger: Ledger
    _engine: Engine | None
    _seeds: SeedBook
    _alike: dict[int, bool]  # by memory of a prompted frame

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The engine."""

    @abstractmethod
    def frame_view(self, frame_index: int) -> FrameView:
        """A frame as the engine is given it."""

    def has_look_alikes(self) -> bool:
        """Whether on the first prompted frame of an object something else would be taken for it (cines only)."""
        engine = self.engine
        for object_id in self.ledger.object_ids if searches(engine, self.clip.order) else ():
            shown = [seed for seed in self._seeds.seeds(engine, self.frame_view, object_id) if not seed.mask.empty]
            for seed in shown[:1]:
                place = seed.entry.entry_id
                if place not in self._alike:
                    frame = self.frame_view(seed.frame_index)
                    self._alike[place] = look_alike(engine, seed.entry, seed.mask.unpack(), frame) is not None
                if self._alike[place]:
                    return True
        return False

    @property
    def chosen(self) -> Chosen:
        """Memory policy and motion prior by name, and why ``"auto"`` took them for this clip.

        Look-alikes are looked for when following begins: until then ``"auto"`` knows of none.
        """
        return self.engine.chosen

    @torch.inference_mode()
    def encode_ahead(self, frame_index: int) -> bool:
        """Encode one frame that will be wanted, the nearest to a frame that is not encoded yet.

        Which part of it will be looked at is known for networks that see whole frames, and for objects that have a
        prompt. Nothing leaves the store for it.

        Returns
        -------
        bool
            Whether there is more to do.
        """
        engine = self.engine
        regions = {Region.full(*self.clip.shape[1:])} if engine.region == "full" else set()
        for object_id in self.ledger.object_ids if engine.region != "full" else ():
            regions |= {seed.entry.region for seed in self._seeds.seeds(engine, self.frame_view, object_id)}
        if not regions or not engine.features.room:
            return False
        for place in sorted(range(len(self.clip)), key=lambda one: abs(one - frame_index)):
            wanted = [region for region in regions if not engine.features.holds((place, region))]
            if wanted:
                see(engine, self.frame_view(place), wanted)
                return True
        return False

    def encoded(self, frame_index: int) -> bool:
        """Whether something of a frame is encoded, so that a prompt there is answered soon; builds no engine."""
        held = () if self._engine is None else self._engine.features.keys()
        return any(isinstance(key, tuple) and key[0] == frame_index for key in held)

    def forecast(self, frame_index: int, object_id: int = 1, horizon: int = 5) -> tuple[Forecast, ...]:
        """Where an object should be on the frames after a frame, as the motion prior sees it.

        The prior is shown the masks that stand up to that frame, whoever made them (of the last 240 frames). In place
        of a prior that goes by images, which are not there yet, `regression` forecasts.

        Parameters
        ----------
        frame_index
            The last frame that counts as seen.
        object_id
            Whose.
        horizon
            Frames ahead, 1 to 30; negative looks at the frames before, from the masks after them.

        Returns
        -------
        tuple of Forecast
            Nearest first; they may lie behind either end of the clip.

        Raises
        ------
        PromptError
            No such object.
        InputError
            No such frame, or none of this object's masks on it; a horizon of 0 or too far; no motion prior.
        """
        frame_index, object_id, horizon = index(frame_index), index(object_id), index(horizon)
        check_frame(frame_index, len(self.clip))
        check_horizon(horizon)
        if object_id not in self.ledger.object_ids:
            raise PromptError(f"Object {object_id} does not exist: choose one of {self.ledger.object_ids}.")
        if (object_id, frame_index) not in self.ledger.kept:
            raise InputError(f"Object {object_id} has no mask on frame {frame_index}: follow it there first.")
        prior = self._forecaster()
        if prior is None:
            why = f" ({self.chosen.motion_reason.rstrip('.')})" if self.chosen.motion_reason else ""
            raise InputError(f"No motion prior to forecast with{why}: choose motion 'regression' or 'kalman'.")
        state = self._told(prior, object_id, frame_index, 1 if horizon > 0 else -1)
        found = () if state is None else forecast(prior, state, frame_index, horizon)
        if not found:
            raise InputError(f"Object {object_id} was not seen up to frame {frame_index}: nothing to forecast from.")
        _, y, x = self.clip.spacing_mm_zyx
        spacing = (y, x) if self.clip.geometry.spaced else None
        way = 1 if horizon > 0 else -1
        return tuple(
            Forecast.of(one, frame_index + way * ahead, prior.name, spacing) for ahead, one in enumerate(found, start=1)
        )

    def _forecaster(self) -> MotionPrior | None:
        """The session's motion prior, or one that needs no image."""
        prior = self.engine.prior
        if not getattr(prior, "looks", False):
            return prior
        _, y, x = self.clip.spacing_mm_zyx
        return make_prior("regression", self.clip.frame_time_s, self.clip.heart_rate_hz, (y, x))

    def _told(self, prior: MotionPrior, object_id: int, frame_index: int, way: int) -> MotionState | None:
        """What a prior knows after the masks of an object up to a frame, in the order of travel."""
        frames = sorted(frame for one, frame in tuple(self.ledger.kept) if one == object_id)[::way]
        before = [frame for frame in frames if (frame_index - frame) * way >= 0][-LONGEST_PATH:]
        times = self.clip.frame_times_s
        state: MotionState | None = None
        for frame in before:
            kept = self.ledger.kept[object_id, frame]
            mask, time_s = kept.mask.unpack(), None if times is None else times[frame]
            seen = Observation(
                frame, time_s, torch.from_numpy(mask), kept.mask.box, int(mask.sum()), kept.scores.affinity
            )
            state = prior.start(seen) if state is None else prior.update(state, seen)
        return state
