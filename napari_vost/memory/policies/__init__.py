"""Memory policies, one file each. A name here, a class there; other packages add theirs by entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from napari_vost.contracts import MemoryPolicy, Traits
from napari_vost.errors import UnknownName

ENTRY_POINTS = "napari_vost.memory_policies"
_POLICIES = {"fifo": "napari_vost.memory.policies.fifo:Fifo"}
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
    """
    chosen = AUTO if name == "auto" else name
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)} | _POLICIES
    if chosen not in found:
        raise UnknownName("memory policy", name, policy_names())
    module, _, attribute = found[chosen].partition(":")
    policy: MemoryPolicy = getattr(import_module(module), attribute)(
        slots=traits.memory_slots, max_pointers=traits.max_pointers, max_prompted=max_prompted
    )
    return policy
