"""The door by which what an engine is made of is chosen anew, midway: nothing that the user made is lost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import torch
from psygnal import Signal

from napari_vost.adaptation import Fitted
from napari_vost.contracts import Network
from napari_vost.engine import EngineOptions, check_names
from napari_vost.following import Follower
from napari_vost.model.devices import pick_device
from napari_vost.sight import Engine


class ChoiceDoors(ABC):
    """Other parts for the engine of whoever has prompts and masks."""

    view_changed: Signal
    adapted: Signal
    options: EngineOptions
    model: str
    fitted: Fitted | None
    _given: Network | None  # a network that came loaded
    _network: Network | None  # the model's own weights, loaded
    _engine: Engine | None
    _follower: Follower

    @abstractmethod
    def _build(self, own: str | Network, options: EngineOptions) -> Engine:
        """Make an engine; nothing is changed."""

    @abstractmethod
    def _begin(self, engine: Engine, other_weights: bool = False) -> Engine:
        """Use an engine from now on; gives it back as it is used."""

    def use(
        self,
        model: str | Network | None = None,
        adapter: str | None = None,
        memory: str | None = None,
        motion: str | None = None,
        device: str | None = None,
        region: str | None = None,
        window: str | None = None,
    ) -> None:
        """Make the engine of other parts from now on; what is None stays as it is.

        Prompts, masks, locks and undo stay. The next `propagate` runs everything; through another model, adapter,
        region or window it also answers the prompted frames anew, except those that were painted or locked. All but
        the device is saved with the session. It is no step of undo: call it with the former names to go back. What was
        adapted to the clip is dropped with another model or adapter.

        Parameters
        ----------
        model, memory, motion, device, region
            As in `Session`. A network that was given loaded is itself moved to ``device``.
        adapter
            A name, ``"none"`` for none.
        window
            What the network sees: ``"auto"``, the name of a CT window, or ``"low:high"`` (see `choose_window`).

        Raises
        ------
        InputError
            Frames are being followed, or the parts do not go together. Nothing has changed then, nor after the others.
        UnknownName
            A name that nobody registered.
        WeightsError
            Weights that cannot be had.
        """
        self._follower.check_idle()
        other_model = model is not None and model != self.model and model is not self._given
        options = _changed(
            self.options, adapter, memory=memory, motion=motion, device=device, region=region, window=window
        )
        check_names(options, model if other_model and isinstance(model, str) else None)
        given = self._given if not other_model else None if isinstance(model, str) else model
        moves = given is not None and device is not None and given.device != pick_device(device)
        if options == self.options and not other_model and not moves:
            return
        if given is not None and moves:
            given.module().to(pick_device(options.device))
        other_weights = other_model or options.adapter != self.options.adapter
        stays = not other_weights and self._stays(options)
        own = (self._network if stays else None) or given or (self.model if model is None else model)
        engine = self._build(own, options)
        if self._engine is not None and stays and not moves and options.window == self.options.window:
            engine = replace(engine, features=self._engine.features)  # what was seen is seen as before
        seen = (options.region, options.window) != (self.options.region, self.options.window)
        self._follower.renews |= other_weights or seen
        self.options, self._given = options, given
        if model is not None:
            self.model = model if isinstance(model, str) else model.traits.name
        self._go_on(engine, other_weights)

    def _go_on(self, engine: Engine, other_weights: bool) -> None:
        fitted = self.fitted
        self._begin(engine, other_weights)
        self._follower.forget()
        if self.fitted is not fitted:
            self.adapted.emit()
        self.view_changed.emit()

    def _stays(self, options: EngineOptions) -> bool:
        """Whether the network that is loaded can be used under other options of the same model."""
        same_place = pick_device(options.device) == pick_device(self.options.device)
        return options.adapter is None and (same_place or self._given is not None)

    @property
    def loaded(self) -> Network | None:
        """The network, where the model's own weights are loaded already: another session may be given it."""
        return None if self.options.adapter is not None else self._network

    def relieve(self) -> str:
        """Go on on the CPU after the device ran out of memory; one sentence that says so, "" if it is the CPU already.

        Raises
        ------
        InputError
            Frames are being followed.
        """
        device = pick_device(self.options.device) if self._engine is None else self._engine.network.device
        if device.type == "cpu":
            return ""
        self.use(device="cpu")
        return (
            f"{device} ran out of memory, so the work goes on on the CPU, which is slower; all that was done is kept."
        )


def _changed(options: EngineOptions, adapter: str | None, **named: str | None) -> EngineOptions:
    """Options with other names; None leaves what is there."""
    given: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if adapter is not None:
        given["adapter"] = None if adapter == "none" else adapter
    return replace(options, **given)


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that a device, or the computer, has no memory left."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
