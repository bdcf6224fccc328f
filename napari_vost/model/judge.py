"""Small networks that compare an answer with what the user showed, and say whether it is good.

They were taught by answers of one set of weights (``benchmarks/judge.py``) and lie beside them. They see what a reader
would: the answer on its image, the answer before it, and the prompted frame with its mask, all in the regions that the
network looked at; and the evidence in numbers. There are several, taught apart, so that less hangs on one seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from napari_vost.confidence import TERMS, Evidence
from napari_vost.contracts import Exhibit
from napari_vost.errors import WeightsError

FILE = "judge.safetensors"
WIDTHS = (24, 32, 48, 64)  # channels; each stage halves the sides
CHANNELS = 6
LARGEST_LOGIT = 8.0  # logits beyond say no more
FURTHEST = 4.0  # standard deviations beyond which evidence says no more
EVIDENCE = (
    "affinity", "occurrence", "sharpness", "firmness", "overlap", "lowest affinity", "lowest sharpness",
    "lowest firmness", "lowest overlap", "tapered", "start", "nearness", "motion",
)  # fmt: skip


class JudgeNetwork(nn.Module):
    """Convolutions over six maps, joined by evidence; two numbers come out.

    The first is the log odds that Dice with the truth is .7 or more, the second those of a coin that falls as often as
    Dice is high: it is only learnt from.
    """

    typical: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = CHANNELS
        for width in WIDTHS:
            layers += [
                nn.Conv2d(before, width, 3, 2, 1), nn.GroupNorm(8, width), nn.GELU(),
                nn.Conv2d(width, width, 3, 1, 1, groups=width), nn.Conv2d(width, width, 1), nn.GELU(),
            ]  # fmt: skip
            before = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Linear(2 * before + len(EVIDENCE), 64), nn.GELU(), nn.Dropout(0.2), nn.Linear(64, 2)
        )
        self.register_buffer("typical", torch.zeros(len(EVIDENCE)))
        self.register_buffer("deviation", torch.ones(len(EVIDENCE)))

    def forward(self, maps: Tensor, evidence: Tensor) -> Tensor:
        """Log odds (B, 2) of maps (B, 6, 64, 64) and evidence (B, 13) in standard deviations."""
        cells = self.body(maps)
        found: Tensor = self.head(torch.cat([cells.mean((2, 3)), cells.amax((2, 3)), evidence], 1))
        return found

    def measured(self, evidence: Tensor) -> Tensor:
        """Evidence (B, 13) in standard deviations of what has taught it; what is missing (nan) counts as typical."""
        return ((evidence - self.typical) / self.deviation).nan_to_num(0.0).clamp(-FURTHEST, FURTHEST)


class Panel(nn.Module):
    """Judges that were taught apart; their mean verdict is that of the panel.

    Parameters
    ----------
    members
        At least one.
    """

    def __init__(self, members: Sequence[JudgeNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @torch.inference_mode()
    def judge(self, exhibits: Sequence[Exhibit]) -> list[float]:
        """Log odds that each answer has a Dice of .7 or more."""
        if not exhibits:
            return []
        maps = torch.stack([
            joined(one.image, one.logits, one.before, one.shown_image, one.shown_mask) for one in exhibits
        ])  # fmt: skip
        numbers = torch.tensor([numbers_of(one.evidence) for one in exhibits], device=maps.device)
        self.to(maps.device)  # it goes where the network is; nothing moves twice
        judges = [one for one in self.members if isinstance(one, JudgeNetwork)]
        found = [one(maps, one.measured(numbers))[:, 0] for one in judges]
        verdicts: list[float] = torch.stack(found).mean(0).tolist()
        return verdicts


def joined(image: Tensor, logits: Tensor, before: Tensor, shown_image: Tensor, shown_mask: Tensor) -> Tensor:
    """What an `Exhibit` shows, (..., 64, 64) each, as maps (..., 6, 64, 64), every one around 0."""
    bounded = logits.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
    earlier = before.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)
    return torch.stack([
        image - 0.5, bounded.sigmoid() - 0.5, bounded / LARGEST_LOGIT, earlier.sigmoid() - 0.5,
        shown_image - 0.5, shown_mask - 0.5,
    ], dim=-3)  # fmt: skip


def numbers_of(evidence: Evidence) -> list[float]:
    """Evidence as numbers, nan where one is missing."""
    values = [TERMS[name](evidence) for name in EVIDENCE]
    return [float("nan") if value is None else value for value in values]


def save_panel(panel: Panel, folder: Path, weights: str) -> None:
    """Write ``judge.safetensors`` beside the weights, known by their fingerprint, whose answers have taught it."""
    from safetensors.torch import save_file

    from napari_vost.io.atomic import atomic_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in panel.state_dict().items()}
    with atomic_file(folder / FILE) as path:
        save_file(tensors, path, metadata={"weights": weights, "members": str(len(panel.members))})


def load_panel(folder: Path, fingerprint: str) -> Panel | None:
    """The judges that lie beside weights; None where there are none, or they were taught by the answers of others.

    Raises
    ------
    WeightsError
        The file is damaged.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / FILE
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            known = file.metadata() or {}
            if known.get("weights") != fingerprint:
                return None
            panel = Panel([JudgeNetwork() for _ in range(int(known["members"]))])
            panel.load_state_dict({name: file.get_tensor(name) for name in file.keys()})
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError) as error:
        raise WeightsError(f"{path} is no judge ({error}): install again, or delete it to go without.") from error
    return panel.eval()
