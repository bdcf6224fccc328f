"""Published SAM 2.1 weights, from either of their two spellings, into transformers' ``Sam2VideoModel``.

The hub's safetensors carry the names of transformers; the original ``.pt`` files carry those of the authors' code.
Both hold the same tensors of the same shapes, except that the four point embeddings are one table in transformers and
that the prompts' position table is there twice.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from napari_vost.errors import WeightsError
from napari_vost.model import weights
from napari_vost.model.registry import Architecture, ModelEntry

if TYPE_CHECKING:
    from transformers import Sam2VideoConfig, Sam2VideoModel

POSITION_TABLES = (
    "shared_image_embedding.positional_embedding",
    "prompt_encoder.shared_embedding.positional_embedding",
)
"""Two names of one table: published weights hold equal ones, hub files may hold only one."""
POINT_TABLE = "prompt_encoder.point_embed.weight"
_POINT = re.compile(r"sam_prompt_encoder\.point_embeddings\.(\d+)\.weight")

# rules of one part of a name, applied in order; what no rule touches is equal in both spellings
_RULES: tuple[tuple[str, str], ...] = (
    (r"^maskmem_tpos_enc$", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed$", "no_memory_embedding"),
    (r"^no_mem_pos_enc$", "no_memory_positional_encoding"),
    (r"^no_obj_ptr$", "no_object_pointer"),
    (r"^no_obj_embed_spatial$", "occlusion_spatial_embedding_parameter"),
    (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
    (r"^obj_ptr_proj\.", "object_pointer_proj."),
    # image encoder
    (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
    (r"^(vision_encoder\.backbone\.)patch_embed\.proj\.", r"\1patch_embed.projection."),
    (r"^(vision_encoder\.backbone\.blocks\.\d+\.)norm([12])\.", r"\1layer_norm\2."),
    (r"^image_encoder\.neck\.convs\.(\d+)\.conv\.", r"vision_encoder.neck.convs.\1."),
    # memory
    (r"^(memory_attention\.layers\.\d+\.)norm([123])\.", r"\1layer_norm\2."),
    (r"^memory_attention\.norm\.", "memory_attention.layer_norm."),
    (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
    (r"^memory_encoder\.out_proj\.", "memory_encoder.projection."),
    (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
    (r"^(memory_encoder\.memory_fuser\.layers\.\d+\.)gamma$", r"\1scale"),
    (r"^(memory_encoder\.memory_fuser\.layers\.\d+\.)dwconv\.", r"\1depthwise_conv."),
    (r"^(memory_encoder\.memory_fuser\.layers\.\d+\.)pwconv([12])\.", r"\1pointwise_conv\2."),
    (r"^(memory_encoder\.memory_fuser\.layers\.\d+\.)norm\.", r"\1layer_norm."),
    # prompts
    (r"^sam_prompt_encoder\.", "prompt_encoder."),
    (r"^prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix$", POSITION_TABLES[1]),
    (r"^prompt_encoder\.mask_downscaling\.0\.", "prompt_encoder.mask_embed.conv1."),
    (r"^prompt_encoder\.mask_downscaling\.1\.", "prompt_encoder.mask_embed.layer_norm1."),
    (r"^prompt_encoder\.mask_downscaling\.3\.", "prompt_encoder.mask_embed.conv2."),
    (r"^prompt_encoder\.mask_downscaling\.4\.", "prompt_encoder.mask_embed.layer_norm2."),
    (r"^prompt_encoder\.mask_downscaling\.6\.", "prompt_encoder.mask_embed.conv3."),
    # mask decoder
    (r"^sam_mask_decoder\.", "mask_decoder."),
    (r"^(mask_decoder\.transformer\.layers\.\d+\.)norm([1234])\.", r"\1layer_norm\2."),
    (r"^mask_decoder\.transformer\.norm_final_attn\.", "mask_decoder.transformer.layer_norm_final_attn."),
    (r"^mask_decoder\.output_upscaling\.0\.", "mask_decoder.upscale_conv1."),
    (r"^mask_decoder\.output_upscaling\.1\.", "mask_decoder.upscale_layer_norm."),
    (r"^mask_decoder\.output_upscaling\.3\.", "mask_decoder.upscale_conv2."),
    # small perceptrons: two layers where it is called mlp, three elsewhere
    (r"\.mlp\.layers\.0\.", ".mlp.proj_in."),
    (r"\.mlp\.layers\.1\.", ".mlp.proj_out."),
    (r"^((?:object_pointer_proj|mask_decoder\.\w+_head|mask_decoder\.output_hypernetworks_mlps\.\d+)\.)layers\.0\.",
     r"\1proj_in."),
    (r"^((?:object_pointer_proj|mask_decoder\.\w+_head|mask_decoder\.output_hypernetworks_mlps\.\d+)\.)layers\.2\.",
     r"\1proj_out."),
    (r"^((?:object_pointer_proj|mask_decoder\.\w+_head|mask_decoder\.output_hypernetworks_mlps\.\d+)\.)layers\.1\.",
     r"\1layers.0."),
    (r"^((?:memory_attention|mask_decoder)\..*)\.out_proj\.", r"\1.o_proj."),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), replacement) for pattern, replacement in _RULES)
_DOWNSAMPLER = re.compile(r"^memory_encoder\.mask_downsampler\.encoder\.(\d+)\.(.*)$")


def safe_load(path: Path) -> dict[str, Any]:
    """Read a file of tensors without running anything that is in it.

    Parameters
    ----------
    path
        ``.safetensors``, or ``.pt`` / ``.pth`` that hold tensors and plain containers only.

    Returns
    -------
    dict
        What the file holds, on the CPU: tensors by name for safetensors, the saved dictionary for the others.

    Raises
    ------
    WeightsError
        The file has another kind, is damaged, or holds more than tensors.
    """
    suffix = path.suffix.lower()
    if suffix not in (".safetensors", ".pt", ".pth"):
        raise WeightsError(f"{path} is not a weights file: expected .safetensors, .pt or .pth.")
    if not path.is_file():
        raise WeightsError(f"{path} does not exist: give the path of a .safetensors, .pt or .pth file.")
    try:
        if suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", UserWarning
            )  # torch wonders about pickles of other tools; it reads or fails
            held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # both libraries raise their own, torch more than a dozen kinds
        raise WeightsError(
            f"{path} cannot be read as weights: it is damaged, or holds more than tensors, which is never run; fetch "
            "it again or save it as .safetensors."
        ) from error
    if not isinstance(held, dict):
        raise WeightsError(f"{path} holds a {type(held).__name__}, expected a dictionary of tensors.")
    return held


def read_state(path: Path) -> dict[str, Tensor]:
    """Tensors of a SAM 2 checkpoint under transformers' names, whichever way the file spells them.

    Raises
    ------
    WeightsError
        As `safe_load`, or the file holds no tensors by name.
    """
    held = safe_load(path)
    state = held.get("model", held)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            f"{path} holds no tensors by name, neither at its top nor under 'model': give a SAM 2.1 checkpoint."
        )
    if any(name.startswith(("image_encoder.", "sam_mask_decoder.")) for name in state):
        return from_original(state)
    for one, other in (POSITION_TABLES, POSITION_TABLES[::-1]):
        if one in state and other not in state:
            state = {**state, other: state[one]}
    return state


def transformers_name(original: str) -> str:
    """Name in transformers of a parameter of the original code (point embeddings: the table that they are rows of)."""
    if _POINT.fullmatch(original):
        return POINT_TABLE
    stage = _DOWNSAMPLER.fullmatch(original)
    if stage:  # conv, norm, GELU four times, then one more conv
        index, rest = int(stage[1]), stage[2]
        part = "final_conv" if index == 12 else f"layers.{index // 3}.{('conv', 'layer_norm')[index % 3]}"
        return f"memory_encoder.mask_downsampler.{part}.{rest}" if index % 3 < 2 else original
    name = original
    for pattern, replacement in _COMPILED:
        name = pattern.sub(replacement, name)
    return name


def from_original(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of an original checkpoint; names that no rule knows stay as they are."""
    points = sorted((name for name in state if _POINT.fullmatch(name)), key=lambda name: int(name.split(".")[2]))
    result = {transformers_name(name): value for name, value in state.items() if name not in points}
    if points:
        result[POINT_TABLE] = torch.cat([state[name] for name in points])
    if POSITION_TABLES[1] in result:
        result[POSITION_TABLES[0]] = result[POSITION_TABLES[1]]
    return result


def sam2_config(architecture: Architecture) -> Sam2VideoConfig:
    """Configuration of transformers for an architecture, built without any file.

    What the table does not name is common to SAM 2.1 and the default of transformers 5 (checked by a test against
    algorithms 1.2: seven memories, sixteen pointers, mask scale 20 and bias -10, occlusion embedding, pointer times).
    """
    from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VisionConfig

    size = architecture.input_size
    backbone = Sam2HieraDetConfig(
        hidden_size=architecture.embed_dim,
        num_attention_heads=architecture.heads,
        image_size=[size, size],
        window_positional_embedding_background_size=list(architecture.background),
        blocks_per_stage=list(architecture.stages),
        embed_dim_per_stage=[architecture.embed_dim << stage for stage in range(4)],
        num_attention_heads_per_stage=[architecture.heads << stage for stage in range(4)],
        window_size_per_stage=list(architecture.windows),
        global_attention_blocks=list(architecture.global_blocks),
    )
    vision = Sam2VisionConfig(
        backbone_config=backbone,
        backbone_channel_list=list(architecture.neck_channels),
        backbone_feature_sizes=[[size // stride] * 2 for stride in (4, 8, 16)],
    )
    return Sam2VideoConfig(
        vision_config=vision,
        prompt_encoder_config={"image_size": size},
        image_size=size,
        memory_attention_rope_feat_sizes=[size // 16, size // 16],
    )


def load_sam2(entry: ModelEntry, path: Path) -> Sam2VideoModel:
    """The network of a registry entry with the weights of a file.

    Parameters
    ----------
    entry
        Of the family ``"sam2"``.
    path
        What `weights.fetch` returned, or a file of the user's.

    Returns
    -------
    Sam2VideoModel
        On the CPU, float32, in evaluation mode, with frozen parameters.

    Raises
    ------
    WeightsError
        The file's hash is not the expected one, or its tensors are not exactly those of the architecture.
    """
    from transformers import Sam2VideoModel

    if entry.architecture is None:
        raise WeightsError(f"{entry.name} is of the family {entry.family!r}, expected a model of the family 'sam2'.")
    weights.verify(entry, path)
    state = read_state(path)
    config = sam2_config(entry.architecture)
    with torch.device("meta"):
        blank = Sam2VideoModel(config)
    check_state(state, {name: tuple(value.shape) for name, value in blank.state_dict().items()}, entry.name, path)
    with torch.random.fork_rng(devices=[]):  # its random initialisation is overwritten: the caller's seed stays
        model: Sam2VideoModel = Sam2VideoModel(config)
    model.load_state_dict(state, strict=True)
    return model.eval().requires_grad_(False)


def check_state(
    state: Mapping[str, Tensor], wanted: Mapping[str, tuple[int, ...]], name: str, path: Path | str
) -> None:
    """Compare names and shapes of tensors with those of a network.

    Raises
    ------
    WeightsError
        They differ; the message names up to three and the likely reason.
    """
    missing = [key for key in wanted if key not in state]
    surplus = [key for key in state if key not in wanted]
    other = [key for key, shape in wanted.items() if key in state and tuple(state[key].shape) != shape]
    said = []
    for word, keys in (("missing", missing), ("surplus", surplus), ("of another shape", other)):
        if keys:
            more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            said.append(f"{word}: {', '.join(keys[:3])}{more}")
    if said:
        reason = _reason(state, wanted, missing)
        raise WeightsError(f"{path} does not fit {name} ({'; '.join(said)}): {reason}.")


def _reason(state: Mapping[str, Tensor], wanted: Mapping[str, tuple[int, ...]], missing: list[str]) -> str:
    """Why a checkpoint does not fit, as far as its names tell."""
    patch = "vision_encoder.backbone.patch_embed.projection.weight"
    if patch not in state:
        return "this is no SAM 2.1 checkpoint with a Hiera backbone, give one"
    blocks, wanted_blocks = _blocks(state), _blocks(wanted)
    width, wanted_width = int(state[patch].shape[0]), wanted[patch][0]
    if (blocks, width) != (wanted_blocks, wanted_width):
        return (
            f"another size, {blocks} blocks of width {width} where {wanted_blocks} of width {wanted_width} are "
            "expected, choose the model of that size"
        )
    if "occlusion_spatial_embedding_parameter" in missing:
        return "this looks like SAM 2.0, which has no occlusion embedding, take the 2.1 weights"
    return "the file is incomplete or of another network, fetch it again"


def _blocks(names: Iterable[str]) -> int:
    found = (re.match(r"vision_encoder\.backbone\.blocks\.(\d+)\.", name) for name in names)
    return len({match[1] for match in found if match})
