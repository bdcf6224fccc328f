"""Small trainable parts on a frozen network."""

from __future__ import annotations

from typing import Protocol

from napari_vost.contracts.network import Network


class Adapter(Protocol):
    """A small trainable part on a frozen network: identity at initialisation, saved alone."""

    name: str
    context_frames: tuple[int, int]

    def attach(self, network: Network) -> Network:
        """A view of the network with the adapter in it; dropping the view detaches it."""
        ...
