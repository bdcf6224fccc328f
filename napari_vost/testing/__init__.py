"""What tests of the engine and of its plug-ins share; other packages run the same contracts on their plug-ins."""

from napari_vost.testing.networks import BrightNetwork, randomise_tables, tiny_sam2_model
from napari_vost.testing.policies import MemoryPolicyContract, entry, query, some_answer
from napari_vost.testing.priors import MotionPriorContract, sighting, texture, told

__all__ = [
    "BrightNetwork",
    "MemoryPolicyContract",
    "MotionPriorContract",
    "entry",
    "query",
    "randomise_tables",
    "sighting",
    "some_answer",
    "texture",
    "tiny_sam2_model",
    "told",
]
