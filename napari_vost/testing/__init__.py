"""What tests of the engine and of its plug-ins share; other packages run the same contracts on their plug-ins."""

from napari_vost.testing.networks import BrightNetwork, randomise_tables, tiny_sam2_model
from napari_vost.testing.policies import MemoryPolicyContract, entry, query, some_answer

__all__ = [
    "BrightNetwork",
    "MemoryPolicyContract",
    "entry",
    "query",
    "randomise_tables",
    "some_answer",
    "tiny_sam2_model",
]
