"""The tensors that travel between network, memory, features and motion, and the protocols that they meet in.

Letters: B rows (objects x hypotheses), N images (one per region), M candidates, C channels, S input size,
h x w the cells of a feature map. Batch first everywhere. Points are ``(x, y)`` in input pixels, as networks want them.
"""

from napari_vost.contracts.adapter import (
    Adapter,
)
from napari_vost.contracts.choosing import (
    Chosen,
    Facts,
    Rule,
    first_that_applies,
)
from napari_vost.contracts.judge import (
    EXHIBIT_SIDE,
    Exhibit,
    Judge,
)
from napari_vost.contracts.memory import (
    Choice,
    MemoryBank,
    MemoryEntry,
    MemoryPolicy,
    Query,
    Recall,
    RecalledEntry,
    Role,
    Trace,
    TrackRow,
    TrackState,
)
from napari_vost.contracts.motion import (
    MotionPrior,
    MotionState,
    Observation,
    Prediction,
)
from napari_vost.contracts.network import (
    Answer,
    AttentionWeights,
    HeadWeights,
    ImageFeatures,
    MemoryTokens,
    Network,
    Norm,
    Projection,
    PromptTensors,
    Site,
    TemporalTables,
    Traits,
)

__all__ = [
    "EXHIBIT_SIDE",
    "Exhibit",
    "Judge",
    "Adapter",
    "Answer",
    "AttentionWeights",
    "Choice",
    "Chosen",
    "Facts",
    "HeadWeights",
    "ImageFeatures",
    "MemoryBank",
    "MemoryEntry",
    "MemoryPolicy",
    "MemoryTokens",
    "MotionPrior",
    "MotionState",
    "Network",
    "Norm",
    "Observation",
    "Prediction",
    "Projection",
    "PromptTensors",
    "Query",
    "Recall",
    "RecalledEntry",
    "Role",
    "Rule",
    "Site",
    "TemporalTables",
    "Trace",
    "TrackRow",
    "TrackState",
    "Traits",
    "first_that_applies",
]
