"""A session: one clip, its prompts, and the masks that follow from them. No window needed."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from napari_vost.adaptation import Adaptation, Fitted, Fitter, Recipe, known_frames, with_weights
from napari_vost.card_doors import CardDoors
from napari_vost.choice_doors import ChoiceDoors
from napari_vost.clip import Clip
from napari_vost.contracts import Network
from napari_vost.correction_doors import CorrectionDoors
from napari_vost.engine import EngineOptions, aware, build_engine, check_names, with_network
from napari_vost.engine_doors import EngineDoors
from napari_vost.errors import InputError, VostWarning
from napari_vost.following import Follower
from napari_vost.history import Follow, Kept, Ledger, Place
from napari_vost.prompt_rules import check_frames
from napari_vost.result_doors import ResultDoors
from napari_vost.review_doors import ReviewDoors
from napari_vost.road import Standing
from napari_vost.seed_book import SeedBook
from napari_vost.session_rows import OnFile
from napari_vost.sight import Engine, FrameView
from napari_vost.suggestion import Suggestion, suggest
from napari_vost.types import Direction, FrameResult, Label


class Session(CorrectionDoors, ReviewDoors, ResultDoors, CardDoors, EngineDoors, ChoiceDoors):
    """Prompts in, masks out, for one clip.

    Parameters
    ----------
    clip
        What is segmented.
    model
        Registry name, or a `Network` that is already loaded.
    adapter
        Name of an adapter; None for none.
    memory, motion
        Names of a memory policy and a motion prior; ``"auto"`` chooses by clip, and `chosen` says what and why.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"``.
    region
        ``"auto"`` looks at a crop that follows the object where the network wants that, ``"full"`` at whole frames.
    options
        Everything else: window, cleanup, SAM 2's own semantics, budgets.

    Raises
    ------
    UnknownName
        A model, policy, prior, device or window that nobody registered.
    """

    prompts_changed = Signal()
    masks_changed = Signal(tuple)  # frame indices
    locks_changed = Signal()
    labels_changed = Signal()
    view_changed = Signal()
    adapted = Signal()  # other weights are used from now on
    adapting = Signal(float)  # share of an adaptation that is done, 0 to 1

    def __init__(
        self,
        clip: Clip,
        model: str | Network = "vost-nano",
        adapter: str | None = None,
        memory: str = "auto",
        motion: str = "auto",
        device: str = "auto",
        region: str = "auto",
        options: EngineOptions | None = None,
    ) -> None:
        self.clip = clip
        self.options = (options or EngineOptions()).with_names(adapter, memory, motion, device, region)
        self.model = model if isinstance(model, str) else model.traits.name
        self.labels: dict[int, Label] = {}
        check_names(self.options, model if isinstance(model, str) else None)
        self._given = self._network = None if isinstance(model, str) else model
        self._engine: Engine | None = None
        self.fitted: Fitted | None = None
        self.ledger = Ledger(clip.shape[1:])
        self._seeds = SeedBook(self.ledger)
        self._alike = {}
        self._follower = Follower(clip, self.ledger, self._seeds, self.options)
        self._follower.reached.connect(lambda frame_index: self.masks_changed.emit((frame_index,)))
        self.expected_network = ""
        self.alias = self.reader = ""
        self.on_file: OnFile | None = None
        self._view: dict[str, Any] = {}
        self._stop = threading.Event()

    def propagate(
        self,
        direction: Direction = "both",
        frames: tuple[int, int] | None = None,
        exact: bool = False,
        objects: Collection[int] | None = None,
    ) -> Iterator[FrameResult]:
        """Follow every object from its prompted frames; a run that was cancelled is taken up where it stood.

        Parameters
        ----------
        direction
            ``"forward"``, ``"backward"`` or ``"both"``.
        frames
            Half-open range ``(start, stop)`` that is not left.
        exact
            Run everything again. Otherwise, after a correction, only the frames around changed prompts run, until
            nothing changes any more, and those that no run has come to; without either, everything does.
        objects
            Ids of the only objects to follow; None for all.

        Yields
        ------
        FrameResult
            Prompted frames first, then each frame as it is reached; a frame comes again, with one object alone, where
            memory policy `tree` has changed its mind. The whole run is one step of undo.

        Raises
        ------
        InputError
            No prompt yet, or a range outside the clip.
        Cancelled
            After `cancel`; frames that were yielded are kept.
        """
        self._follower.check_idle()
        if direction not in ("forward", "backward", "both"):
            raise InputError(f"direction must be 'forward', 'backward' or 'both', got {direction!r}.")
        check_frames(frames, len(self.clip))
        if not self.prompts:
            raise InputError("Nothing to follow: add a point, a box, a scribble or a mask first.")
        self._stop.clear()
        if objects is not None and not {prompt.object_id for prompt in self.prompts} & {*objects}:
            raise InputError(f"No object of {sorted(objects)} has a prompt: click on one first.")
        return self._follower.run(self.engine_and_frames, direction, frames, exact, objects)

    @property
    def outdated(self) -> frozenset[int]:
        """Objects that were followed, and whose prompts have changed since or that were not followed to the end."""
        return self._follower.outdated()

    @property
    def standing(self) -> Mapping[int, Standing]:
        """How far objects that were followed have come, by id."""
        return self._follower.standing

    def adapt(self, seconds: float = 20.0, steps: int = Recipe.steps, seed: int = 0) -> Adaptation:
        """Fit a copy of the network to the frames that are certain, and use it if it follows better.

        Certain are masks that were painted, frames that were corrected after they were followed, and locked frames. It
        always starts from the model's own weights. No mask changes; the next `propagate` follows everything again.
        It is no step of undo: `reset_adaptation` goes back.

        Parameters
        ----------
        seconds
            When to stop, above 0.
        steps
            Most optimiser steps per fit; where they end before the time does, the outcome depends on ``seed`` alone.
        seed
            Of what is drawn.

        Raises
        ------
        InputError
            Nothing is certain yet, or a number that makes no sense.
        Cancelled
            After `cancel`; nothing has changed then.
        """
        with self._follower.adapting():
            self._stop.clear()
            recipe = Recipe(steps=steps, seed=seed)
            run = Fitter(self._own_engine(), self.frame_view, recipe, seconds, self.adapting.emit)
            found, weights = run.run(known_frames(self.ledger, self.frame_view))
            if found.accepted:
                self._wear(Fitted(weights, self._own_engine().network.fingerprint))
                self.adapted.emit()
        return found

    def reset_adaptation(self) -> None:
        """Go back to the model's own weights; masks stay until they are followed again."""
        self._follower.check_idle()
        if self.fitted is not None:
            self._wear(None)
            self.adapted.emit()

    def suggest(self, count: int = 1) -> tuple[Suggestion, ...]:
        """Frames to annotate next, best first: doubtful, and unlike those annotated already.

        Raises
        ------
        InputError
            A count below 1, or nothing has been followed yet.
        Cancelled
            After `cancel`, or while frames are being followed.
        """
        self._follower.check_idle()
        self._stop.clear()
        return suggest(self.engine, self.ledger, self.frame_view, count)

    def cancel(self) -> None:
        """Stop a running `propagate` or `adapt` between two stages of a frame; it may be called from any thread."""
        self._stop.set()

    def undo(self) -> str | None:
        """Take the last step back, across frames and objects; returns its name, None when there is nothing to undo."""
        return self._replay(undo=True)

    def redo(self) -> str | None:
        """Do the last undone step again; returns its name, None when there is nothing to redo."""
        return self._replay(undo=False)

    def save(self, path: str | Path) -> None:
        """Save everything to a ``.vost`` file; the scan itself is referenced, not copied."""
        from napari_vost.session_file import save

        self.on_file = save(self, Path(path))

    @classmethod
    def load(
        cls,
        path: str | Path,
        source: str | Path | Clip | None = None,
        device: str = "auto",
        model: str | Network | None = None,
    ) -> Session:
        """Open a ``.vost`` file with its scan.

        Parameters
        ----------
        path
            The file.
        source
            Where the scan is now, if it has moved: itself, or a folder that holds it somewhere; or the opened clip.
        device
            As in `Session`.
        model
            To go on with another model than the one that the file names.

        Raises
        ------
        SessionError
            The file or its scan cannot be used.
        """
        from napari_vost.session_file import load

        saved = load(Path(path), Path(source) if isinstance(source, str) else source)
        session = cls(saved.clip, "vost-nano" if model is None else model, options=saved.engine_options(device))
        session.model = saved.model if model is None else session.model
        session.labels.update(saved.labels)
        session.alias, session.reader, session.on_file = saved.alias, saved.reader, saved.on_file
        session.view, session.overwrite = saved.view, saved.options.get("overwrite")
        session.expected_network = saved.network if session.model == saved.model else ""
        session.fitted = saved.fitted
        session.ledger.take(saved.ledger)
        session._follower.standing = saved.standing
        return session

    @property
    def engine(self) -> Engine:
        """The engine, built when it is first needed."""
        if self._engine is not None:
            return self._engine
        return self._begin(self._build(self._network or self.model, self.options))

    def _build(self, own: str | Network, options: EngineOptions) -> Engine:
        return replace(build_engine(self.clip, own, options), cancelled=self._stop.is_set)

    def _begin(self, engine: Engine, other_weights: bool = False) -> Engine:
        """Use an engine from now on; ``other_weights``: the user wants others than those that made the masks."""
        fitted, made_by = (None, "") if other_weights else (self.fitted, self.expected_network)
        made_from = made_by if fitted is None else fitted.made_from
        if made_from not in ("", engine.network.fingerprint):
            left = "" if fitted is None else " What was adapted to its clip is left out: adapt it again."
            warnings.warn(
                f"The session was made with other weights of {self.model}: masks made from now on may differ." + left,
                VostWarning,
                stacklevel=3,
            )
            fitted = None
        anew = self._engine is not None or made_from != engine.network.fingerprint
        self._engine, self._network, self.fitted = engine, engine.network, None
        self.expected_network = engine.network.fingerprint
        self._wear(fitted, anew)
        return self._engine

    def _own_engine(self) -> Engine:
        """The engine with the model's own weights, whatever the session uses now."""
        engine = self.engine
        if self.fitted is None or self._network is None:
            return engine
        return with_network(engine, self._network, self.options.key_bytes)

    def _wear(self, fitted: Fitted | None, anew: bool = True) -> None:
        """Use adapted weights, or the model's own ones: what others (``anew``) made of prompts is found anew."""
        engine = self._own_engine()
        if fitted is not None:
            engine = with_network(engine, with_weights(engine.network, fitted.weights), self.options.key_bytes)
        self._engine, self.fitted = engine, fitted
        self._seeds.forget()
        if anew:
            self._follower.forget()

    @property
    def pending(self) -> dict[Place, Kept | None]:
        """What a running propagation has replaced so far; empty while none runs."""
        return dict(self._follower.pending or {})

    @property
    def following(self) -> Follow | None:
        """How the propagation that runs follows; None while none runs."""
        return self._follower.follow

    @property
    def network_fingerprint(self) -> str:
        """Hash of the weights that made the masks, "" while none was needed."""
        return self.expected_network if self._engine is None else self._engine.network.fingerprint

    def engine_and_frames(self) -> tuple[Engine, Callable[[int], FrameView]]:
        """What a propagation needs once it starts."""
        if self.options.memory == "auto":
            self._engine = aware(self.engine, self.clip, self.options, self.has_look_alikes())
        return self.engine, self.frame_view

    def frame_view(self, frame_index: int) -> FrameView:
        """One frame as the engine wants it."""
        times = self.clip.frame_times_s
        time_s = None if times is None else times[frame_index]
        return FrameView(frame_index, self.clip.frame(frame_index), self.clip.order, len(self.clip), time_s)

    def _replay(self, undo: bool) -> str | None:
        action = self._follower.replay(undo)
        if action is None:
            return None
        self.prompts_changed.emit()
        self.locks_changed.emit()
        self.masks_changed.emit(tuple(sorted({place[1] for place in action.masks_after})))
        return action.name
