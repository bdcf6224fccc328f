"""Memory policies, one file each. A name here, a class there; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from napari_vost.contracts import Facts, MemoryPolicy, Rule, Traits, first_that_applies
from napari_vost.errors import InputError, UnknownName

ENTRY_POINTS = "napari_vost.memory_policies"
_POLICIES = {
    "distractor": "napari_vost.memory.policies.distractor:Distractor",
    "fifo": "napari_vost.memory.policies.fifo:Fifo",
    "motion_aware": "napari_vost.memory.policies.motion_aware:MotionAware",
    "phase": "napari_vost.memory.policies.phase:Phase",
    "previous": "napari_vost.memory.policies.previous:Previous",
    "quality": "napari_vost.memory.policies.quality:Quality",
    "region": "napari_vost.memory.policies.region:RegionPolicy",
    "reinforced": "napari_vost.memory.policies.reinforced:Reinforced",
    "restricted": "napari_vost.memory.policies.restricted:Restricted",
    "selective": "napari_vost.memory.policies.selective:Selective",
    "similarity": "napari_vost.memory.policies.similarity:Similarity",
    "tiered": "napari_vost.memory.policies.tiered:Tiered",
    "tree": "napari_vost.memory.policies.tree:Tree",
}
LONG_FRAMES = 300  # frames above which "auto" calls a cine long

# What "auto" takes, the first that applies; a policy that the network has too few candidates for is passed over.
RULES = (
    Rule(
        "restricted",
        lambda clip: clip.look_alikes is True,
        "Things of the same look are about: the few frames that are read most are remembered.",
    ),
    Rule("quality", lambda clip: clip.order == "depth", "A volume: only slices that were seen well are remembered."),
    Rule(
        "phase",
        lambda clip: clip.tells_phase and clip.cycles is not None and clip.cycles >= 2,
        "A cine of {0.cycles:.1f} cycles: frames at the same place in the cycle are read.",
    ),
    Rule(
        "quality",
        lambda clip: clip.cycles is not None and clip.cycles < 2,
        "A cine of {0.cycles:.1f} cycles, too few to compare: only frames that were seen well are remembered.",
    ),
    Rule(
        "restricted",
        lambda clip: clip.frames > LONG_FRAMES,
        "A long cine, {0.frames} frames: the few that are read most are remembered.",
    ),
    Rule("fifo", lambda clip: True, "A short cine, {0.frames} frames: the newest are remembered."),
)


def policy_names() -> tuple[str, ...]:
    """Names that `make_policy` knows."""
    return ("auto", *sorted({*_POLICIES, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def make_policy(name: str, traits: Traits, max_prompted: int | None = 4) -> MemoryPolicy:
    """Make a memory policy for a network.

    Parameters
    ----------
    name
        A registered name; for ``"auto"`` ask `choose_policy` first.
    traits
        Of the network that it will serve.
    max_prompted
        Most prompted frames read at once, None for all.

    Raises
    ------
    UnknownName
        No such policy.
    InputError
        The policy compares candidate masks and the network gives too few.
    """
    made = _class_of(name)
    if traits.candidates < _least(made):
        raise InputError(
            f"Memory policy {name!r} compares the candidate masks of an answer and needs {_least(made)} or more; "
            f"{traits.name} gives {traits.candidates}: choose another policy, for example 'quality'."
        )
    policy: MemoryPolicy = made(slots=traits.memory_slots, max_pointers=traits.max_pointers, max_prompted=max_prompted)
    return policy


def choose_policy(facts: Facts) -> tuple[str, str]:
    """What ``"auto"`` takes for a clip, by what is known of it.

    Returns
    -------
    tuple
        Name of a policy and the reason, one sentence for the user.
    """
    return first_that_applies([rule for rule in RULES if _least(_class_of(rule.name)) <= facts.candidates], facts)


def _class_of(name: str) -> Any:
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | _POLICIES
    if name not in found:
        raise UnknownName("memory policy", name, policy_names())
    module, _, attribute = found[name].partition(":")
    return getattr(import_module(module), attribute)


def _least(made: Any) -> int:
    """Candidates per answer that a policy needs."""
    return int(getattr(made, "least_candidates", 1))
