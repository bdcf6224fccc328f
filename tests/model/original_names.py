"""Names and shapes of an original SAM 2.1 checkpoint, written from the structure of the network.

This knows nothing of the key map under test: it is its opponent.
"""

from __future__ import annotations

from itertools import pairwise

from napari_vost.model.registry import Architecture

Shapes = dict[str, tuple[int, ...]]


def original_shapes(architecture: Architecture) -> Shapes:
    """Every parameter of the checkpoint's ``model`` table."""
    return {
        "maskmem_tpos_enc": (7, 1, 1, 64),
        "no_mem_embed": (1, 1, 256),
        "no_mem_pos_enc": (1, 1, 256),
        "no_obj_ptr": (1, 256),
        "no_obj_embed_spatial": (1, 64),
        **_layer("mask_downsample", 1, 1, 4, 4),
        **_perceptron("obj_ptr_proj", [256, 256, 256, 256]),
        **_layer("obj_ptr_tpos_proj", 64, 256),
        **_image_encoder(architecture),
        **_memory(),
        **_prompt_encoder(),
        **_mask_decoder(),
    }


def _layer(name: str, *shape: int) -> Shapes:
    return {f"{name}.weight": shape, f"{name}.bias": (shape[0],)}


def _perceptron(name: str, widths: list[int]) -> Shapes:
    return {
        key: shape
        for index, (before, after) in enumerate(pairwise(widths))
        for key, shape in _layer(f"{name}.layers.{index}", after, before).items()
    }


def _image_encoder(architecture: Architecture) -> Shapes:
    width = architecture.embed_dim
    trunk = "image_encoder.trunk"
    shapes: Shapes = {
        f"{trunk}.pos_embed": (1, width, *architecture.background),
        f"{trunk}.pos_embed_window": (1, width, architecture.windows[0], architecture.windows[0]),
        **_layer(f"{trunk}.patch_embed.proj", width, 3, 7, 7),
    }
    index = 0
    for stage, blocks in enumerate(architecture.stages):
        after = width << stage
        for block in range(blocks):
            before = after // 2 if stage and block == 0 else after
            name = f"{trunk}.blocks.{index}"
            shapes |= _layer(f"{name}.norm1", before) | _layer(f"{name}.norm2", after)
            shapes |= _layer(f"{name}.attn.qkv", 3 * after, before) | _layer(f"{name}.attn.proj", after, after)
            shapes |= _perceptron(f"{name}.mlp", [after, 4 * after, after])
            if before != after:
                shapes |= _layer(f"{name}.proj", after, before)
            index += 1
    for level in range(4):
        shapes |= _layer(f"image_encoder.neck.convs.{level}.conv", 256, width << (3 - level), 1, 1)
    return shapes


def _attention(name: str, inner: int, key_width: int = 256) -> Shapes:
    return {
        **_layer(f"{name}.q_proj", inner, 256),
        **_layer(f"{name}.k_proj", inner, key_width),
        **_layer(f"{name}.v_proj", inner, key_width),
        **_layer(f"{name}.out_proj", 256, inner),
    }


def _memory() -> Shapes:
    shapes: Shapes = _layer("memory_attention.norm", 256)
    for index in range(4):
        name = f"memory_attention.layers.{index}"
        shapes |= _attention(f"{name}.self_attn", 256) | _attention(f"{name}.cross_attn_image", 256, 64)
        shapes |= _layer(f"{name}.linear1", 2048, 256) | _layer(f"{name}.linear2", 256, 2048)
        for norm in (1, 2, 3):
            shapes |= _layer(f"{name}.norm{norm}", 256)
    channels = [1, 4, 16, 64, 256]
    for index in range(4):
        name = "memory_encoder.mask_downsampler.encoder"
        shapes |= _layer(f"{name}.{3 * index}", channels[index + 1], channels[index], 3, 3)
        shapes |= _layer(f"{name}.{3 * index + 1}", channels[index + 1])
    shapes |= _layer("memory_encoder.mask_downsampler.encoder.12", 256, 256, 1, 1)
    shapes |= _layer("memory_encoder.pix_feat_proj", 256, 256, 1, 1)
    shapes |= _layer("memory_encoder.out_proj", 64, 256, 1, 1)
    for index in range(2):
        name = f"memory_encoder.fuser.layers.{index}"
        shapes |= _layer(f"{name}.dwconv", 256, 1, 7, 7) | _layer(f"{name}.norm", 256)
        shapes |= _layer(f"{name}.pwconv1", 1024, 256) | _layer(f"{name}.pwconv2", 256, 1024)
        shapes[f"{name}.gamma"] = (256,)
    return shapes


def _prompt_encoder() -> Shapes:
    name = "sam_prompt_encoder"
    return {
        f"{name}.pe_layer.positional_encoding_gaussian_matrix": (2, 128),
        **{f"{name}.point_embeddings.{index}.weight": (1, 256) for index in range(4)},
        f"{name}.not_a_point_embed.weight": (1, 256),
        f"{name}.no_mask_embed.weight": (1, 256),
        **_layer(f"{name}.mask_downscaling.0", 4, 1, 2, 2),
        **_layer(f"{name}.mask_downscaling.1", 4),
        **_layer(f"{name}.mask_downscaling.3", 16, 4, 2, 2),
        **_layer(f"{name}.mask_downscaling.4", 16),
        **_layer(f"{name}.mask_downscaling.6", 256, 16, 1, 1),
    }


def _mask_decoder() -> Shapes:
    name = "sam_mask_decoder"
    shapes: Shapes = {
        f"{name}.iou_token.weight": (1, 256),
        f"{name}.mask_tokens.weight": (4, 256),
        f"{name}.obj_score_token.weight": (1, 256),
        # transposed convolutions: (in, out, height, width)
        f"{name}.output_upscaling.0.weight": (256, 64, 2, 2),
        f"{name}.output_upscaling.0.bias": (64,),
        **_layer(f"{name}.output_upscaling.1", 64),
        f"{name}.output_upscaling.3.weight": (64, 32, 2, 2),
        f"{name}.output_upscaling.3.bias": (32,),
        **_layer(f"{name}.conv_s0", 32, 256, 1, 1),
        **_layer(f"{name}.conv_s1", 64, 256, 1, 1),
        **_perceptron(f"{name}.iou_prediction_head", [256, 256, 256, 4]),
        **_perceptron(f"{name}.pred_obj_score_head", [256, 256, 256, 1]),
        **_attention(f"{name}.transformer.final_attn_token_to_image", 128),
        **_layer(f"{name}.transformer.norm_final_attn", 256),
    }
    for index in range(4):
        shapes |= _perceptron(f"{name}.output_hypernetworks_mlps.{index}", [256, 256, 256, 32])
    for index in range(2):
        layer = f"{name}.transformer.layers.{index}"
        shapes |= _attention(f"{layer}.self_attn", 256)
        shapes |= _attention(f"{layer}.cross_attn_token_to_image", 128)
        shapes |= _attention(f"{layer}.cross_attn_image_to_token", 128)
        shapes |= _perceptron(f"{layer}.mlp", [256, 2048, 256])
        for norm in (1, 2, 3, 4):
            shapes |= _layer(f"{layer}.norm{norm}", 256)
    return shapes
