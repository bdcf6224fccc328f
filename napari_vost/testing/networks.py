"""Networks for tests: a tiny random SAM 2, and one that sees bright pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_vost.contracts import (
    Answer,
    AttentionWeights,
    HeadWeights,
    ImageFeatures,
    MemoryTokens,
    Norm,
    Projection,
    PromptTensors,
    Site,
    TemporalTables,
    Traits,
)


def tiny_sam2_model(seed: int = 0, image_size: int = 128, width: int = 128) -> Any:
    """Make a tiny random ``Sam2VideoModel`` whose every table matters.

    A model built from a config has temporal, pointer, occlusion and no-memory tables of zero, and object scores that
    never change sign: any two engines would agree on it. All of them are drawn at random here, decoder layers get
    torch's own initialisation, and the object score is centred so that both signs occur.
    """
    from transformers import Sam2VideoConfig, Sam2VideoModel
    from transformers.models.sam2.configuration_sam2 import Sam2HieraDetConfig, Sam2VisionConfig

    cells = image_size // 16
    backbone = Sam2HieraDetConfig(
        hidden_size=16,
        num_attention_heads=1,
        image_size=[image_size, image_size],
        window_positional_embedding_background_size=[7, 7],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[16, 32, 64, 128],
        num_attention_heads_per_stage=[1, 2, 4, 8],
        window_size_per_stage=[8, 4, 14, 7],
        global_attention_blocks=[3],
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[128, 64, 32, 16],
        backbone_feature_sizes=[[cells * 4, cells * 4], [cells * 2, cells * 2], [cells, cells]],
        fpn_hidden_size=width,
    )
    config = Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": width, "image_size": image_size},
        mask_decoder_config={"hidden_size": width, "mlp_dim": 64, "iou_head_hidden_dim": 64},
        image_size=image_size,
        memory_attention_hidden_size=width,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_rope_feat_sizes=[cells, cells],
        memory_attention_num_layers=2,
        memory_encoder_hidden_size=width,
        mask_downsampler_embed_dim=width,
        memory_fuser_embed_dim=width,
        memory_fuser_intermediate_dim=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: Any = Sam2VideoModel(config).eval()
        randomise_tables(model)
    return model


def randomise_tables(model: Any) -> None:
    """Draw everything that a model built from a config leaves at zero (std 0.5), and spread its object scores."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.LayerNorm):
            module.reset_parameters()
    with torch.no_grad():
        tables = [
            model.memory_temporal_positional_encoding,
            model.no_memory_embedding,
            model.no_object_pointer,
            model.occlusion_spatial_embedding_parameter,
        ]
        tables += [layer.scale for layer in model.memory_encoder.memory_fuser.layers]
        for table in tables:
            table.normal_(0, 0.5)
        for embedding in (
            model.mask_decoder.mask_tokens,
            model.mask_decoder.obj_score_token,
            model.mask_decoder.iou_token,
        ):
            embedding.weight.normal_(0, 1.0)
        shared = model.shared_image_embedding.positional_embedding
        model.prompt_encoder.shared_embedding.positional_embedding.copy_(shared)
        head = model.mask_decoder.pred_obj_score_head
        head.proj_out.weight.mul_(20)


class BrightNetwork:
    """A network without weights worth the name: an object is every pixel above half of the window.

    It makes masks of phantoms exact, so that geometry, order, regions, ends and files can be tested without training.

    Parameters
    ----------
    input_size
        Side of the input, a multiple of 16.
    native_region
        As in `Traits`.
    """

    def __init__(self, input_size: int = 64, native_region: Literal["auto", "full"] = "full") -> None:
        self._module = nn.Linear(4, 4)
        self._traits = Traits(
            name="bright",
            input_size=input_size,
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            strides=(1, 16),
            mask_stride=1,
            candidates=1,
            max_pointers=0,
            single_mask_points=1,
            native_region=native_region,
        )

    @property
    def traits(self) -> Traits:
        """What it wants and gives."""
        return self._traits

    @property
    def fingerprint(self) -> str:
        """It never changes."""
        return "bright"

    @property
    def device(self) -> torch.device:
        """Always the CPU."""
        return torch.device("cpu")

    def module(self) -> nn.Module:
        """A module, because every network has one."""
        return self._module

    def see(self, images: Tensor) -> ImageFeatures:
        """Brightness itself, and zeros where memory attention works."""
        cells = self._traits.input_size // 16
        zeros = images.new_zeros(images.shape[0], 4, cells, cells)
        return ImageFeatures((images.mean(dim=1, keepdim=True), zeros), zeros[:1])

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        """Every bright pixel; or the mask that was given."""
        logits = features.rows(image_row).levels[0] * 20
        if prompts.mask is not None:
            logits = prompts.mask * 20 - 10
        rows = logits.shape[0]
        there = (logits > 0).flatten(1).any(dim=1)
        pointer = logits.new_zeros(rows, 1, 4)
        return Answer(logits, logits.new_ones(rows, 1), torch.where(there, 5.0, -5.0), pointer, pointer[0, 0])

    def remember(
        self, features: ImageFeatures, mask_logits: Tensor, occurrence: Tensor, prompted: Tensor, image_row: Tensor
    ) -> MemoryTokens:
        """Share of the object in every cell."""
        cells = self._traits.input_size // 16
        share = functional.adaptive_avg_pool2d((mask_logits > 0).float(), cells)
        tokens = share.flatten(2).transpose(1, 2).expand(-1, -1, 4)
        return MemoryTokens(tokens, torch.zeros(1, cells * cells, 4))

    def memory_layers(self) -> list[AttentionWeights]:
        """One layer that changes nothing."""
        zero = Projection(torch.zeros(4, 4), torch.zeros(4))
        norm = Norm(torch.ones(4), torch.zeros(4), 1e-6)
        return [AttentionWeights(16, None, HeadWeights(zero, zero, zero, zero), (None, norm, norm), zero, zero)]

    def temporal_tables(self) -> TemporalTables:
        """Tables of zero."""
        return TemporalTables(torch.zeros(7, 4), torch.zeros(4), None, Norm(torch.ones(4), torch.zeros(4), 1e-6))

    def sites(self) -> list[Site]:
        """No place for adapters."""
        return []

    def adaptable(self) -> tuple[str, ...]:
        """Nothing to adapt."""
        return ()

    def fork(self) -> BrightNetwork:
        """Itself: it has no weights that change."""
        return self
