"""Memory policies, one file each. A name here, a class there; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from napari_vost.contracts import MemoryPolicy, Traits
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
AUTO = "fifo"


def policy_names() -> tuple[str, ...]:
    """Names that `make_policy` knows."""
    return ("auto", *sorted({*_POLICIES, *(point.name for point in entry_points(group=ENTRY_POINTS))}))


def make_policy(name: str, traits: Traits, max_prompted: int | None = 4) -> MemoryPolicy:
    """Make a memory policy for a network.

    Parameters
    ----------
    name
        A registered name, or ``"auto"``.
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
    chosen = AUTO if name == "auto" else name
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | _POLICIES
    if chosen not in found:
        raise UnknownName("memory policy", name, policy_names())
    module, _, attribute = found[chosen].partition(":")
    made = getattr(import_module(module), attribute)
    least = getattr(made, "least_candidates", 1)
    if traits.candidates < least:
        raise InputError(
            f"Memory policy {chosen!r} compares the candidate masks of an answer and needs {least} or more; "
            f"{traits.name} gives {traits.candidates}: choose another policy, for example 'quality'."
        )
    policy: MemoryPolicy = made(slots=traits.memory_slots, max_pointers=traits.max_pointers, max_prompted=max_prompted)
    return policy
