"""Scans and cines whose truth is known: for samples, the demo and tests. Numpy and scipy only, seeded.

Sine and exponential are computed in float64 and rounded at the end, so that machines agree to the last bit of what is
stored.
"""

from napari_vost.phantoms.abdomen import abdomen
from napari_vost.phantoms.base import Phantom
from napari_vost.phantoms.simple import ball_volume, moving_disc_cine
from napari_vost.phantoms.ventricle import ventricle

__all__ = ["Phantom", "abdomen", "ball_volume", "moving_disc_cine", "ventricle"]
