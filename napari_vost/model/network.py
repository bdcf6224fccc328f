"""The one door to SAM 2: a `Network` over the parts of transformers' ``Sam2VideoModel``.

Only parts are used (vision encoder, prompt encoder, mask decoder, memory encoder, tables), never the inference session
of transformers: that one runs objects one by one and has no seam for memory or motion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

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
from napari_vost.model.forking import affordable, fork

if TYPE_CHECKING:
    from transformers import Sam2VideoModel

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)
_ADAPTED = (
    "mask_decoder.upscale_conv2",
    "mask_decoder.upscale_layer_norm",
    "mask_decoder.upscale_conv1",
    "mask_decoder.transformer",
    "memory_attention",
)
_MASK_SCALE, _MASK_BIAS = 20.0, -10.0  # logits of a mask taken as truth (docs/sam2.md 2)


class Sam2Network:
    """SAM 2 behind the `Network` contract.

    Parameters
    ----------
    model
        transformers' ``Sam2VideoModel`` with its weights.
    name
        Registry name.
    mask_pointer
        Which mask token makes the pointer of a mask prompt: ``"single"`` is what SAM 2 was trained with; ``"best"``,
        the token of the best of three candidates, is what transformers does (used to compare with it).
    """

    def __init__(
        self, model: Sam2VideoModel, name: str = "sam2", mask_pointer: Literal["single", "best"] = "single"
    ) -> None:
        self._model: Any = model.eval()
        self._mask_pointer = mask_pointer
        self._fingerprint = ""
        config = model.config
        self._traits = Traits(
            name=name,
            input_size=int(config.image_size),
            mean=IMAGE_MEAN,
            std=IMAGE_STD,
            memory_slots=int(config.num_maskmem),
            max_pointers=int(config.max_object_pointers_in_encoder),
            candidates=int(config.mask_decoder_config.num_multimask_outputs),
            single_mask_points=int(config.multimask_max_pt_num) + 1,
        )

    @property
    def traits(self) -> Traits:
        """What the network wants and gives."""
        return self._traits

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return torch.device(self._model.no_memory_embedding.device)

    @property
    def fingerprint(self) -> str:
        """First 16 hexadecimal digits of SHA-256 over all weights, computed once."""
        if not self._fingerprint:
            digest = hashlib.sha256()
            for name, value in sorted(self._model.state_dict().items()):
                digest.update(name.encode())
                digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
            self._fingerprint = digest.hexdigest()[:16]
        return self._fingerprint

    def module(self) -> nn.Module:
        """The torch module that holds the weights."""
        module: nn.Module = self._model
        return module

    def adaptable(self) -> tuple[str, ...]:
        """Norms of memory attention and mask decoder, then the decoder's upscaling."""
        return affordable(self._model, _ADAPTED)

    def fork(self) -> Sam2Network:
        """A copy with its own adaptable weights."""
        return Sam2Network(fork(self._model, self.adaptable()), self._traits.name, self._mask_pointer)

    def see(self, images: Tensor) -> ImageFeatures:
        """Encode images (N, 3, S, S), normalised, into levels of stride 4, 8 and 16."""
        output = self._model.vision_encoder(images.to(self._dtype), return_dict=True)
        fine, middle, coarse = output.fpn_hidden_states
        decoder = self._model.mask_decoder
        position = output.fpn_position_encoding[-1][:1].to(coarse.dtype)
        return ImageFeatures((decoder.conv_s0(fine), decoder.conv_s1(middle), coarse), position)

    def answer(
        self, features: ImageFeatures, conditioned: Mapping[int, Tensor], prompts: PromptTensors, image_row: Tensor
    ) -> Answer:
        """Answer B rows. All rows carry the same number of points; a mask taken as truth is given to all or none."""
        seen = features.rows(image_row)
        if prompts.mask is not None:
            return self._answer_with_truth(seen, prompts.mask)
        points = prompts.points_xy.shape[1]
        several = points < self._traits.single_mask_points
        sparse, dense = self._embed(prompts)
        masks, affinity, tokens, occurrence = self._decode(conditioned[16], seen, sparse, dense, several)
        return Answer(masks, affinity, occurrence, self._model.object_pointer_proj(tokens), self._absent_pointer)

    def remember(
        self, features: ImageFeatures, mask_logits: Tensor, occurrence: Tensor, prompted: Tensor, image_row: Tensor
    ) -> MemoryTokens:
        """Encode chosen masks (B, 1, s, s) of any size s for memory (docs/sam2.md 3).

        ``prompted`` (B,) bool rows are written hard (0 or 1), the others as probabilities. Absent objects
        (``occurrence`` <= 0) get the occlusion embedding.
        """
        size = self._traits.input_size
        if mask_logits.shape[-1] != size:
            mask_logits = functional.interpolate(mask_logits.float(), size=(size, size), mode="bilinear")
        value = torch.where(prompted[:, None, None, None], (mask_logits > 0).float(), mask_logits.float().sigmoid())
        config = self._model.config
        value = value * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc
        level = features.levels[-1]
        level = level.expand(len(image_row), -1, -1, -1) if level.shape[0] == 1 else level[image_row]
        tokens, positions = self._model.memory_encoder(level, value.to(self._dtype))
        embedding = self._model.occlusion_spatial_embedding_parameter
        if embedding is not None:
            absent = (occurrence <= 0).to(tokens.dtype)
            tokens = tokens + absent[:, None, None, None] * embedding[..., None, None]
        return MemoryTokens(
            tokens.to(self._traits.memory_dtype).flatten(2).transpose(1, 2), positions[:1].flatten(2).transpose(1, 2)
        )

    def memory_layers(self) -> list[AttentionWeights]:
        """Weights of the memory attention layers."""
        return [
            AttentionWeights(
                stride=16,
                self_attention=_head(layer.self_attn),
                cross_attention=_head(layer.cross_attn_image),
                norms=(_norm(layer.layer_norm1), _norm(layer.layer_norm2), _norm(layer.layer_norm3)),
                expand=_projection(layer.linear1),
                contract=_projection(layer.linear2),
            )
            for layer in self._model.memory_attention.layers
        ]

    def temporal_tables(self) -> TemporalTables:
        """Temporal slots (7, 64), no-memory vector, pointer times, last norm."""
        model = self._model
        timed = model.config.enable_temporal_pos_encoding_for_object_pointers
        return TemporalTables(
            slots=model.memory_temporal_positional_encoding[:, 0, 0],
            no_memory=model.no_memory_embedding[0, 0],
            pointer_time=_projection(model.temporal_positional_encoding_projection_layer) if timed else None,
            final_norm=_norm(model.memory_attention.layer_norm),
            rope_theta=float(model.config.rope_parameters["rope_theta"]),
        )

    def sites(self) -> list[Site]:
        """Attention and MLP of every encoder block, with its width and stride."""
        sites = []
        strides = {width: 4 << index for index, width in enumerate(self._widths())}
        for name, module in self._model.vision_encoder.named_modules():
            if name.endswith((".attn", ".mlp")) and ".blocks." in f".{name}":
                linear = next(part for part in reversed(list(module.modules())) if isinstance(part, nn.Linear))
                kind: Literal["attention", "mlp"] = "attention" if name.endswith(".attn") else "mlp"
                width = int(linear.out_features)
                sites.append(Site(f"vision_encoder.{name}", kind, width, strides.get(width, 16)))
        return sites

    def _widths(self) -> list[int]:
        return [int(width) for width in self._model.config.vision_config.backbone_config.embed_dim_per_stage]

    @property
    def _dtype(self) -> torch.dtype:
        dtype: torch.dtype = self._model.no_memory_embedding.dtype
        return dtype

    @property
    def _absent_pointer(self) -> Tensor:
        pointer: Tensor = self._model.no_object_pointer[0]
        return pointer

    def _embed(self, prompts: PromptTensors) -> tuple[Tensor, Tensor]:
        rows = prompts.points_xy.shape[0]
        points, labels = prompts.points_xy.to(self._dtype), prompts.point_labels
        if points.shape[1] == 0:  # SAM 2 puts one padding point where there is no prompt
            points = points.new_zeros(rows, 1, 2)
            labels = torch.full((rows, 1), -1, device=points.device)
        sparse, dense = self._model.prompt_encoder(
            input_points=points[:, None], input_labels=labels[:, None], input_boxes=None, input_masks=None
        )
        if prompts.mask_logits is not None:
            embedded = self._model.prompt_encoder.mask_embed(prompts.mask_logits.to(self._dtype).clamp(-32, 32))
            given = prompts.has_mask_logits
            dense = embedded if given is None else torch.where(given[:, None, None, None], embedded, dense)
        return sparse, dense

    def _decode(
        self, conditioned: Tensor, seen: ImageFeatures, sparse: Tensor, dense: Tensor, several: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows = conditioned.shape[0]
        position = self._model.get_image_wide_positional_embeddings().expand(rows, -1, -1, -1)
        masks, affinity, tokens, occurrence = self._model.mask_decoder(
            image_embeddings=conditioned,
            image_positional_embeddings=position,
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=several,
            high_resolution_features=list(seen.levels[:2]),
        )
        return masks[:, 0].float(), affinity[:, 0].float(), tokens[:, 0], occurrence[:, 0, 0].float()

    def _answer_with_truth(self, seen: ImageFeatures, mask: Tensor) -> Answer:
        """Take masks (B, 1, S, S) as the answer; the decoder only makes their pointer (docs/sam2.md 2)."""
        logits = mask.float() * _MASK_SCALE + _MASK_BIAS
        low = functional.interpolate(logits, scale_factor=0.25, mode="bilinear", antialias=True)
        rows = mask.shape[0]
        blank = PromptTensors.none(rows, mask.device)
        sparse, _ = self._embed(blank)
        dense = self._model.prompt_encoder.mask_embed(self._model.mask_downsample(mask.to(self._dtype)))
        best = self._mask_pointer == "best"
        _, affinity, tokens, occurrence = self._decode(seen.levels[-1], seen, sparse, dense, best)
        token = tokens[torch.arange(rows), affinity.argmax(dim=1)] if best else tokens[:, 0]
        pointer = self._model.object_pointer_proj(token)
        present = mask.flatten(1).any(dim=1)
        seen_there = (occurrence > 0) & present
        pointer = torch.where(seen_there[:, None], pointer, self._absent_pointer[None])
        score = torch.where(present, _MASK_SCALE + _MASK_BIAS, _MASK_BIAS).to(logits.dtype)
        return Answer(low, logits.new_ones(rows, 1), score, pointer[:, None], self._absent_pointer)


def _projection(linear: nn.Linear) -> Projection:
    return Projection(linear.weight, linear.bias)


def _norm(norm: nn.LayerNorm) -> Norm:
    return Norm(norm.weight, norm.bias, norm.eps)


def _head(attention: Any) -> HeadWeights:
    return HeadWeights(
        _projection(attention.q_proj),
        _projection(attention.k_proj),
        _projection(attention.v_proj),
        _projection(attention.o_proj),
    )
