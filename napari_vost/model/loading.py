"""From a model's name to a network that is ready to run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from napari_vost.contracts import Network
from napari_vost.model.devices import pick_device
from napari_vost.paths import shipped


def refuse(licence: str) -> bool:
    """Decline every licence: what a program without a user does."""
    return False


def load_network(
    name: str,
    device: str = "auto",
    consent: Callable[[str], bool] = refuse,
    progress: Callable[[int, int | None], None] | None = None,
) -> Network:
    """Load a network by its registry name.

    Parameters
    ----------
    name
        For example ``"vost-nano"`` or ``"sam2.1-tiny"``.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
    consent
        Asked once with the licence text before weights are fetched.
    progress
        Called with bytes done and bytes in all while they are fetched.

    Raises
    ------
    UnknownName
        No such model or device.
    WeightsError
        The weights cannot be fetched, have changed, or belong to another network.
    """
    from napari_vost.model.registry import find

    entry = find(name)
    target = pick_device(device)
    if entry.family == "nano":
        from napari_vost.model.nano import load_nano

        nano = load_nano(shipped(f"models/{entry.name}"))
        nano.module().to(target).eval()
        return nano
    from napari_vost.model.checkpoints import load_sam2
    from napari_vost.model.network import Sam2Network
    from napari_vost.model.weights import fetch

    path: Path = fetch(entry, consent=consent, progress=progress)
    model = load_sam2(entry, path)
    return Sam2Network(model.to(device=target, dtype=torch.float32), entry.name)
