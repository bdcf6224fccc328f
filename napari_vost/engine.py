"""From names to an engine: network, adapter, memory policy, motion prior, window, region."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from napari_vost.cleanup import Cleanup
from napari_vost.clip import Clip
from napari_vost.contracts import Chosen, Facts, MotionPrior, Network
from napari_vost.errors import UnknownName, VostWarning
from napari_vost.features.adapters import make_adapter
from napari_vost.features.store import FeatureStore
from napari_vost.intensity import check_window, choose_window
from napari_vost.memory.attention import MemoryReader
from napari_vost.memory.policies import choose_policy, make_policy
from napari_vost.model.loading import load_network, refuse
from napari_vost.motion.priors import choose_prior, make_prior
from napari_vost.sight import Engine

REGIONS = ("auto", "full")
_SAM2 = "SAM 2's own semantics were asked for."


@dataclass(frozen=True)
class EngineOptions:
    """What an engine is made of, by name.

    Attributes
    ----------
    adapter, memory, motion, device, region, window
        Names; ``"auto"`` chooses by network and clip (`Engine.chosen` says what and why). A window may be
        ``"low:high"`` too.
    cleanup
        Repairs of tracked masks.
    sam2
        SAM 2's own semantics: all prompted frames are read, and objects that the user points at may be called absent.
    feature_bytes, disk_bytes
        Budgets of encoded frames in memory and on disk.
    key_bytes
        Budget of the key cache of memory attention.
    consent
        Asked once with a licence before weights are fetched.
    progress
        Told bytes done and in all while they are fetched.
    """

    adapter: str | None = None
    memory: str = "auto"
    motion: str = "auto"
    device: str = "auto"
    region: str = "auto"
    window: str = "auto"
    cleanup: Cleanup = field(default_factory=Cleanup)
    sam2: bool = False
    feature_bytes: int = 512 << 20
    disk_bytes: int = 0
    key_bytes: int = 128 << 20
    consent: Callable[[str], bool] = refuse
    progress: Callable[[int, int | None], None] | None = None

    def with_names(self, adapter: str | None, memory: str, motion: str, device: str, region: str) -> EngineOptions:
        """The same options with other names; ``"auto"`` and None leave what is there."""
        return replace(
            self,
            adapter=adapter or self.adapter,
            memory=self.memory if memory == "auto" else memory,
            motion=self.motion if motion == "auto" else motion,
            device=self.device if device == "auto" else device,
            region=self.region if region == "auto" else region,
        )


def check_names(options: EngineOptions, model: str | None = None) -> None:
    """Raise `UnknownName` for a name that nobody registered, before anything slow is done."""
    from napari_vost.model.devices import pick_device
    from napari_vost.model.registry import find

    if model is not None:
        find(model)
    pick_device(options.device)
    from napari_vost.features.adapters import adapter_names
    from napari_vost.memory.policies import policy_names
    from napari_vost.motion.priors import prior_names

    for kind, name, known in (
        ("memory policy", options.memory, policy_names()),
        ("motion prior", options.motion, prior_names()),
        ("region", options.region, REGIONS),
    ):
        if name not in known:
            raise UnknownName(kind, name, known)
    check_window(options.window)
    if options.adapter is not None and options.adapter not in adapter_names():
        raise UnknownName("adapter", options.adapter, adapter_names())


def build_engine(clip: Clip, model: str | Network, options: EngineOptions) -> Engine:
    """Make an engine for a clip.

    Parameters
    ----------
    clip
        Gives modality, times and spacing.
    model
        Registry name, or a loaded network.
    options
        The rest.

    Raises
    ------
    UnknownName
        A name that nobody registered.
    InputError
        A policy that asks for what the network lacks, or a periodic prior and a rate that the frames cannot carry.
    WeightsError
        Weights that cannot be had or do not fit.
    """
    check_names(options)
    prior, motion = _motion(clip, options)
    network = (
        load_network(model, options.device, options.consent, options.progress) if isinstance(model, str) else model
    )
    if options.adapter is not None:
        network = make_adapter(options.adapter).attach(network)
    traits = network.traits
    memory = _memory(_facts(clip, traits.candidates, prior), options)
    return Engine(
        network=network,
        policy=make_policy(memory[0], traits, None if options.sam2 else 4),
        reader=MemoryReader(network.memory_layers(), network.temporal_tables(), options.key_bytes),
        features=FeatureStore(options.feature_bytes, options.disk_bytes),
        prior=prior,
        window=choose_window(clip, options.window),
        region=traits.native_region if options.region == "auto" else "full",
        sam2=options.sam2,
        chosen=Chosen(memory[0], motion[0], memory[1], motion[1]),
    )


def aware(engine: Engine, clip: Clip, options: EngineOptions, look_alikes: bool) -> Engine:
    """The same engine, its memory policy chosen anew where ``"auto"`` chooses, now that look-alikes were looked for."""
    facts = replace(_facts(clip, engine.network.traits.candidates, engine.prior), look_alikes=look_alikes)
    name, reason = _memory(facts, options)
    if name == engine.chosen.memory and reason == engine.chosen.memory_reason:
        return engine
    policy = make_policy(name, engine.network.traits, None if options.sam2 else 4)
    return replace(engine, policy=policy, chosen=replace(engine.chosen, memory=name, memory_reason=reason))


def _facts(clip: Clip, candidates: int = 1, prior: MotionPrior | None = None) -> Facts:
    return Facts(
        order=clip.order,
        frames=len(clip),
        frame_time_s=clip.frame_time_s,
        heart_rate_hz=clip.heart_rate_hz,
        candidates=candidates,
        tells_phase=getattr(prior, "periodic", False),
    )


def _memory(facts: Facts, options: EngineOptions) -> tuple[str, str]:
    """Name of the memory policy, and the reason where ``"auto"`` chose it."""
    if options.memory != "auto":
        return options.memory, ""
    return ("fifo", _SAM2) if options.sam2 else choose_policy(facts)


def _motion(clip: Clip, options: EngineOptions) -> tuple[MotionPrior | None, tuple[str, str]]:
    """The motion prior, its name, and the reason where it is not what the user named."""
    name, reason = options.motion, ""
    if name == "auto":
        name, reason = ("none", _SAM2) if options.sam2 else choose_prior(_facts(clip))
    _, y, x = clip.spacing_mm_zyx
    prior = make_prior(name, clip.frame_time_s, clip.heart_rate_hz, (y, x))
    if clip.order == "depth" and getattr(prior, "periodic", False):
        reason = f"Motion prior {name!r} follows a cycle in time and the clip is a volume: none is used."
        warnings.warn(reason, VostWarning, stacklevel=3)
        return None, ("none", reason)
    return prior, (name, reason)


def with_network(engine: Engine, network: Network, key_bytes: int) -> Engine:
    """The same engine around other weights: keys of memories are dropped, features stay (see `Network.adaptable`)."""
    reader = MemoryReader(network.memory_layers(), network.temporal_tables(), key_bytes)
    return replace(engine, network=network, reader=reader)
