"""Only frames that were seen well and lay where motion expected them: SAMURAI's memory, its quirks mended."""

from __future__ import annotations

from napari_vost.contracts import MemoryEntry
from napari_vost.memory.policies.quality import Quality

LEAST_AFFINITY, LEAST_OCCURRENCE, LEAST_MOTION = 0.5, 0.0, 0.0


class MotionAware(Quality):
    """The newest frames whose affinity, occurrence and motion score all pass, and always the frame before.

    Source: SAMURAI (arXiv:2411.11922), affinity > .5, occurrence > 0, motion score > 0 where there is one. Its choice
    among the candidates is the engine's: affinities arrive already weighed with the motion prior. Unlike there, every
    object has its own filter, both directions are alike, the first tracked frame may stay, and pointers are filtered
    like the frames they belong to.
    """

    name = "motion_aware"

    def is_good(self, entry: MemoryEntry) -> bool:
        """Whether all three scores pass."""
        scores = entry.scores
        expected = scores.motion is None or scores.motion > LEAST_MOTION
        return scores.affinity > LEAST_AFFINITY and scores.occurrence > LEAST_OCCURRENCE and expected
