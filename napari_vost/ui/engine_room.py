"""What a window knows of the engine of its session, and how it has it made of other parts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_vost.choice_doors import out_of_memory
from napari_vost.clip import Window
from napari_vost.contracts import Chosen
from napari_vost.engine import EngineOptions
from napari_vost.errors import VostError
from napari_vost.session import Session
from napari_vost.ui.remembered import Remembered
from napari_vost.ui.studio import Studio

LEAST_FRAMES = 5  # that a speed is measured on
SAME = 0.2  # of a time: a difference that is not worth a note
_ANSWER = {True: "answer_ms", False: "first_answer_ms"}  # by whether the frame is encoded


@dataclass(frozen=True)
class Facts:
    """What the engine is made of.

    Attributes
    ----------
    model, options
        What was asked for.
    device
        Where the network runs, in words; "" where there is no engine.
    chosen
        Memory policy and motion prior, and why.
    window
        What the network sees as black and white; None where values are seen as they are.
    problem
        Why there is no engine, in one sentence.
    devices, policies, priors
        What may be asked for: devices that are here, and names.
    """

    model: str
    options: EngineOptions
    device: str = ""
    chosen: Chosen = field(default_factory=Chosen)
    window: Window | None = None
    problem: str = ""
    devices: tuple[str, ...] = ("cpu",)
    policies: tuple[str, ...] = ("auto",)
    priors: tuple[str, ...] = ("auto",)


class EngineRoom(QObject):
    """Asks for other parts, tells what there is, measures how fast it is, and helps where memory runs out.

    Parameters
    ----------
    studio
        It has a session.
    """

    changed = Signal()  # `facts`, or a speed
    busy_changed = Signal(str)  # what is going on, "" when it has ended

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        if studio.session is None:
            raise RuntimeError("an engine room needs a session")
        self.studio, self._session = studio, studio.session
        self.facts: Facts | None = None
        self._speeds = Remembered("speeds")
        self._reached_s: list[float] = []  # when frames were reached, filled on the engine's thread
        self._session.masks_changed.connect(self._reached)
        studio.following_changed.connect(self._followed)
        studio.jobs.rescue = self._rescue
        self.ask()

    def close_down(self) -> None:
        """Listen no longer."""
        self._session.masks_changed.disconnect(self._reached, missing_ok=True)
        self.studio.following_changed.disconnect(self._followed)
        self.studio.jobs.rescue = None

    def start_over(self) -> None:
        """Tell of another session, which the studio has by now; until its engine is known there is nothing to tell."""
        session = self.studio.session
        if session is not None:
            self._session.masks_changed.disconnect(self._reached, missing_ok=True)
            self._session, self.facts, self._reached_s = session, None, []
            session.masks_changed.connect(self._reached)
            self.changed.emit()
            self.ask()

    def ask(self) -> None:
        """Find out anew what the engine is made of."""
        self.studio.jobs.submit(lambda: facts_of(self._session), self._hear)

    def use(self, parts: Mapping[str, str], says: str) -> None:
        """Have the engine made of other parts (see `Session.use`); ``says`` is shown until it is."""
        self.busy_changed.emit(says)
        self.studio.use(parts, self._used, self._refused)

    def _used(self, _: object) -> None:
        self.studio.ahead.start_over()
        if self._session.prompts:
            self.studio.said.emit("Your marks and masks are kept: follow again to see what becomes of them now.")
        self.ask()

    def _refused(self, sentence: str) -> None:
        self.studio.failed.emit(sentence)
        self.ask()

    def _hear(self, facts: Facts) -> None:
        self.facts = facts
        self.busy_changed.emit("")
        self.changed.emit()

    # speed --------------------------------------------------------------------------------------------------------

    def follow_ms(self, model: str) -> float | None:
        """Milliseconds per followed frame of a model on the device in use, None where it was never measured."""
        return self._speed(model, "follow_ms")

    def follow_s(self, frames: int) -> float | None:
        """Seconds that following so many frames will take with the model in use, None where nobody knows."""
        ms = None if self.facts is None else self.follow_ms(self.facts.model)
        return None if ms is None else ms * frames / 1000

    def see_s(self, frames: int) -> float | None:
        """Seconds that seeing so many frames anew will take with the model in use, None where nobody knows."""
        self._keep_seeing()
        ms = None if self.facts is None else self._speed(self.facts.model, "see_ms")
        return None if ms is None else ms * frames / 1000

    def answer_s(self, encoded: bool) -> float | None:
        """Seconds that a prompt waits for its answer, on a frame that is encoded or not; None where nobody knows."""
        ms = None if self.facts is None else self._speed(self.facts.model, _ANSWER[encoded])
        return self.see_s(1) if ms is None and not encoded else None if ms is None else ms / 1000

    def answered(self, encoded: bool, seconds: float) -> None:
        """Hear how long a prompt has waited that nothing else was in the way of."""
        before_s = self.answer_s(encoded)
        if before_s is None or abs(seconds - before_s) > SAME * before_s:
            self._keep(_ANSWER[encoded], 1000 * (seconds if before_s is None else (seconds + before_s) / 2))

    def _speed(self, model: str, what: str) -> float | None:
        found = {} if self.facts is None else self._speeds.get(f"{model} on {self.facts.device}", {})
        ms = found.get(what)
        return float(ms) if isinstance(ms, int | float) and ms > 0 else None

    def _keep(self, what: str, ms: float) -> None:
        if self.facts is not None and self.facts.device:
            key = f"{self.facts.model} on {self.facts.device}"
            self._speeds.set(key, {**self._speeds.get(key, {}), what: round(ms, 1)})

    def _keep_seeing(self) -> None:
        spent_s = self.studio.ahead.encode_s
        if len(spent_s) >= LEAST_FRAMES:
            self._keep("see_ms", median(spent_s) * 1000)

    def _reached(self, _: Any) -> None:
        if self._session.following is not None:
            self._reached_s.append(time.monotonic())

    def _followed(self, following: bool) -> None:
        reached, self._reached_s = self._reached_s, []
        if following:
            return
        ms = frame_ms(reached)
        if ms is not None:
            self._keep("follow_ms", ms)
        self.ask()  # what "auto" takes may have changed when following began

    # memory -------------------------------------------------------------------------------------------------------

    def _rescue(self, error: Exception) -> bool:
        """On the engine's thread: where a device has no memory left, go on on the CPU."""
        if not out_of_memory(error):
            return False
        sentence = self._session.relieve()
        if sentence:
            self.studio.jobs.tell(lambda: self._relieved(sentence))
        return bool(sentence)

    def _relieved(self, sentence: str) -> None:
        self.studio.ahead.start_over()
        self.studio.said.emit(sentence)
        self.ask()


def facts_of(session: Session) -> Facts:
    """What a session's engine is made of; it is made where there is none, so call it on the engine's thread."""
    from napari_vost.model.devices import describe

    known = _offered()
    try:
        engine = session.engine
    except VostError as error:
        return Facts(session.model, session.options, "", Chosen(), None, str(error), *known)
    device = describe(engine.network.device)
    return Facts(session.model, session.options, device, engine.chosen, engine.window, "", *known)


@cache
def _offered() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Devices, policies and priors; what is installed is read from many files, and stays while a window is open."""
    from napari_vost.memory.policies import policy_names
    from napari_vost.model.devices import available_devices
    from napari_vost.motion.priors import prior_names

    return available_devices(), policy_names(), prior_names()


def frame_ms(reached_s: Sequence[float]) -> float | None:
    """Median milliseconds between frames that were reached at such times; None for too few of them."""
    if len(reached_s) <= LEAST_FRAMES:
        return None
    return 1000 * median(after - before for before, after in pairwise(reached_s))
