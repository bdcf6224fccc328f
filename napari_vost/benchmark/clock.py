"""Clocks and scales: time per stage of a frame, and the bytes that an object keeps alive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from statistics import median

import torch
from torch import Tensor, nn

from napari_vost.contracts import (
    Answer,
    AttentionWeights,
    ImageFeatures,
    MemoryTokens,
    Network,
    PromptTensors,
    Recall,
    Site,
    TemporalTables,
    Traits,
)
from napari_vost.memory.attention import MemoryReader
from napari_vost.sight import Engine
from napari_vost.types import Region

STAGES = ("see", "recall", "answer", "remember")


@dataclass(frozen=True)
class Spread:
    """Milliseconds: median, smallest and largest of so many frames."""

    median_ms: float
    low_ms: float
    high_ms: float
    frames: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Spread of at least one measured time."""
        times = [1000 * value for value in seconds]
        return cls(median(times), min(times), max(times), len(times))


class Clock:
    """Seconds by stage since the last `take`; waits for an accelerator before it looks at the time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._seconds = dict.fromkeys(STAGES, 0.0)

    def now(self) -> float:
        """Seconds on a clock that only moves on."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = self.now()
        yield
        self._seconds[name] += self.now() - start

    def take(self) -> dict[str, float]:
        """Seconds by stage, and start again from zero."""
        taken, self._seconds = self._seconds, dict.fromkeys(STAGES, 0.0)
        return taken


class TimedNetwork:
    """A network whose stages are timed; what it computes is the other's."""

    def __init__(self, network: Network, clock: Clock) -> None:
        self._network, self._clock = network, clock

    @property
    def traits(self) -> Traits:
        """Those of the network."""
        return self._network.traits

    @property
    def fingerprint(self) -> str:
        """That of the network."""
        return self._network.fingerprint

    @property
    def device(self) -> torch.device:
        """That of the network."""
        return self._network.device

    def see(self, images: Tensor) -> ImageFeatures:
        """Timed."""
        with self._clock.stage("see"):
            return self._network.see(images)

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        """Timed."""
        with self._clock.stage("answer"):
            return self._network.answer(features, conditioned, prompts, image_row)

    def remember(
        self, features: ImageFeatures, mask_logits: Tensor, occurrence: Tensor, prompted: Tensor, image_row: Tensor
    ) -> MemoryTokens:
        """Timed."""
        with self._clock.stage("remember"):
            return self._network.remember(features, mask_logits, occurrence, prompted, image_row)

    def memory_layers(self) -> list[AttentionWeights]:
        """Those of the network."""
        return self._network.memory_layers()

    def temporal_tables(self) -> TemporalTables:
        """Those of the network."""
        return self._network.temporal_tables()

    def sites(self) -> list[Site]:
        """Those of the network."""
        return self._network.sites()

    def module(self) -> nn.Module:
        """That of the network."""
        return self._network.module()

    def adaptable(self) -> tuple[str, ...]:
        """Those of the network."""
        return self._network.adaptable()

    def fork(self) -> Network:
        """That of the network, no longer timed."""
        return self._network.fork()


class TimedReader(MemoryReader):
    """A memory reader that is timed."""

    def __init__(self, network: Network, clock: Clock, cache_bytes: int) -> None:
        super().__init__(network.memory_layers(), network.temporal_tables(), cache_bytes)
        self._clock = clock

    def read(
        self,
        features: Tensor,
        position: Tensor,
        recalls: Sequence[Recall],
        regions: Sequence[Region],
        image_row: Tensor,
        shares: list[dict[int, float]] | None = None,
    ) -> Tensor:
        """Timed."""
        with self._clock.stage("recall"):
            return super().read(features, position, recalls, regions, image_row, shares)


def timed(engine: Engine, clock: Clock, key_bytes: int = 128 << 20) -> Engine:
    """An engine of the same parts, its stages timed."""
    network = TimedNetwork(engine.network, clock)
    return replace(engine, network=network, reader=TimedReader(network, clock, key_bytes))


def tensor_bytes(*roots: object) -> int:
    """Bytes of all tensors that containers and dataclasses keep alive; shared memory counts once."""
    sizes: dict[int, int] = {}
    seen: set[int] = set()
    _walk(list(roots), lambda tensor: sizes.update(_storage(tensor)), seen)
    return sum(sizes.values())


def _storage(tensor: Tensor) -> dict[int, int]:
    storage = tensor.untyped_storage()
    return {storage.data_ptr(): storage.nbytes()}


def _walk(value: object, found: Callable[[Tensor], None], seen: set[int]) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Tensor):
        found(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            _walk(one, found, seen)
    elif isinstance(value, list | tuple):
        for one in value:
            _walk(one, found, seen)
    elif is_dataclass(value):
        for part in fields(value):
            _walk(getattr(value, part.name), found, seen)
