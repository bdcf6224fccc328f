from __future__ import annotations

import math
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from napari_vost import paths
from napari_vost.errors import VostWarning, WeightsError
from napari_vost.model import checkpoints, registry, weights
from napari_vost.model.registry import Architecture, ModelEntry, Source
from tests.model.original_names import original_shapes

TINY = Architecture(
    input_size=128,
    embed_dim=8,
    heads=1,
    stages=(1, 1, 2, 1),
    global_blocks=(3,),
    windows=(8, 4, 4, 2),
    background=(7, 7),
    neck_channels=(64, 32, 16, 8),
)
USERS_CACHE = paths.cache_folder()
PUBLISHED = ("sam2.1-tiny", "sam2.1-small", "sam2.1-base-plus", "sam2.1-large", "medsam2")


def entry_of(path: Path, architecture: Architecture = TINY) -> ModelEntry:
    return ModelEntry("net", "sam2", "A network", "MIT", "", "Tests.", (Source("file", str(path)),), architecture)


def random_state(architecture: Architecture = TINY, seed: int = 0) -> dict[str, Tensor]:
    """Tensors under the original names, every one different from every other."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) for name, shape in original_shapes(architecture).items()}


def wanted_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    from transformers import Sam2VideoModel

    with torch.device("meta"):
        model = Sam2VideoModel(checkpoints.sam2_config(architecture))
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_parameter_of_a_published_size_has_its_original_name_and_shape(name: str) -> None:
    entry = registry.find(name)
    assert entry.architecture is not None
    state = {key: torch.empty(shape, device="meta") for key, shape in original_shapes(entry.architecture).items()}
    wanted = wanted_shapes(entry.architecture)
    mapped = checkpoints.from_original(state)
    checkpoints.check_state(mapped, wanted, name, "memory")
    assert set(mapped) == set(wanted)
    count = sum(value.numel() for value in state.values()) / 1e6
    assert count == pytest.approx(entry.parameters_million, abs=0.1)


@pytest.mark.parametrize("name", PUBLISHED[:4])
def test_the_parameters_fill_the_published_file_but_for_its_headers(name: str) -> None:
    entry = registry.find(name)
    assert entry.architecture is not None
    shapes = original_shapes(entry.architecture)
    count = sum(math.prod(shape) for shape in shapes.values())
    assert entry.sources[0].size_bytes is not None
    headers = entry.sources[0].size_bytes - 4 * count
    assert 250 < headers / len(shapes) < 450, "a zip record and its directory entry per tensor"


def test_no_two_original_names_become_one_but_the_point_embeddings() -> None:
    names = [checkpoints.transformers_name(name) for name in original_shapes(TINY)]
    names = [name for name in names if name != checkpoints.POINT_TABLE]
    assert len(names) == len(set(names))


def test_an_original_checkpoint_arrives_bit_for_bit(tmp_path: Path) -> None:
    state = random_state()
    path = tmp_path / "net.pt"
    torch.save({"model": state}, path)
    seed = torch.random.get_rng_state()
    model = checkpoints.load_sam2(entry_of(path), path)
    assert torch.equal(torch.random.get_rng_state(), seed)
    held = dict(model.state_dict())
    assert not model.training
    assert not any(value.requires_grad for value in model.parameters())

    # by hand, where the two spellings differ most
    by_hand = {
        "memory_temporal_positional_encoding": "maskmem_tpos_enc",
        "no_object_pointer": "no_obj_ptr",
        "occlusion_spatial_embedding_parameter": "no_obj_embed_spatial",
        "vision_encoder.backbone.blocks.1.mlp.proj_out.bias": "image_encoder.trunk.blocks.1.mlp.layers.1.bias",
        "vision_encoder.neck.convs.0.weight": "image_encoder.neck.convs.0.conv.weight",
        "object_pointer_proj.layers.0.weight": "obj_ptr_proj.layers.1.weight",
        "mask_decoder.iou_prediction_head.proj_out.weight": "sam_mask_decoder.iou_prediction_head.layers.2.weight",
        "mask_decoder.output_hypernetworks_mlps.3.layers.0.bias":
            "sam_mask_decoder.output_hypernetworks_mlps.3.layers.1.bias",
        "memory_encoder.mask_downsampler.layers.3.conv.weight": "memory_encoder.mask_downsampler.encoder.9.weight",
        "memory_encoder.memory_fuser.layers.1.scale": "memory_encoder.fuser.layers.1.gamma",
        "prompt_encoder.mask_embed.conv3.weight": "sam_prompt_encoder.mask_downscaling.6.weight",
    }  # fmt: skip
    for theirs, original in by_hand.items():
        assert torch.equal(held[theirs], state[original]), theirs
    for row in range(4):
        original = state[f"sam_prompt_encoder.point_embeddings.{row}.weight"]
        assert torch.equal(held["prompt_encoder.point_embed.weight"][row], original[0])
    for table in checkpoints.POSITION_TABLES:
        original = state["sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"]
        assert torch.equal(held[table], original)

    # and all of them: each tensor of the network is one of the file's, by value, and each of the file's is used
    values = {value.numpy().tobytes() for value in state.values()}
    points = torch.cat([state[f"sam_prompt_encoder.point_embeddings.{row}.weight"] for row in range(4)])
    assert {value.numpy().tobytes() for value in held.values()} == (
        values - {row.numpy().tobytes() for row in points} | {points.numpy().tobytes()}
    )


def test_both_spellings_give_the_same_network(tmp_path: Path) -> None:
    state = random_state()
    original, hub = tmp_path / "net.pt", tmp_path / "net.safetensors"
    torch.save({"model": state}, original)
    renamed = checkpoints.from_original(state)
    del renamed[checkpoints.POSITION_TABLES[1]]  # hub files may hold a table once
    save_file({name: value.contiguous() for name, value in renamed.items()}, hub)
    one = checkpoints.load_sam2(entry_of(original), original).state_dict()
    two = checkpoints.load_sam2(entry_of(hub), hub).state_dict()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_loaded_network_sees_at_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save({"model": random_state()}, path)
    model = checkpoints.load_sam2(entry_of(path), path)
    with torch.no_grad():
        maps = model.vision_encoder(torch.zeros(1, 3, 128, 128)).fpn_hidden_states
    assert [tuple(level.shape[-2:]) for level in maps] == [(32, 32), (16, 16), (8, 8)]


def test_the_configuration_is_that_of_sam_21() -> None:
    tiny = registry.find("sam2.1-tiny").architecture
    medical = registry.find("medsam2").architecture
    assert tiny is not None
    assert medical is not None
    config = checkpoints.sam2_config(tiny)
    assert (config.num_maskmem, config.max_object_pointers_in_encoder, config.image_size) == (7, 16, 1024)
    assert (config.sigmoid_scale_for_mem_enc, config.sigmoid_bias_for_mem_enc) == (20.0, -10.0)
    assert config.enable_occlusion_spatial_embedding
    assert config.enable_temporal_pos_encoding_for_object_pointers
    assert (config.multimask_min_pt_num, config.multimask_max_pt_num) == (0, 1)
    assert config.vision_config.fpn_top_down_levels == [2, 3]
    small = checkpoints.sam2_config(medical)
    assert small.memory_attention_rope_feat_sizes == [32, 32]
    assert small.prompt_encoder_config.image_size == small.image_size == 512
    assert small.vision_config.backbone_feature_sizes == [[128, 128], [64, 64], [32, 32]]


def saved(tmp_path: Path, state: dict[str, Tensor]) -> Path:
    path = tmp_path / "net.pt"
    torch.save({"model": state}, path)
    return path


def test_missing_names_are_told_up_to_three(tmp_path: Path) -> None:
    state = random_state()
    for name in ("no_mem_embed", "no_obj_ptr", "mask_downsample.bias", "mask_downsample.weight"):
        del state[name]
    path = saved(tmp_path, state)
    with pytest.raises(WeightsError, match=r"missing: (\S+, ){2}\S+ and 1 more.*incomplete"):
        checkpoints.load_sam2(entry_of(path), path)


def test_surplus_names_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, random_state() | {"image_encoder.extra": torch.zeros(1)})
    with pytest.raises(WeightsError, match=r"surplus: image_encoder\.extra"):
        checkpoints.load_sam2(entry_of(path), path)


def test_sam_20_is_recognised(tmp_path: Path) -> None:
    gone = ("no_obj_embed_spatial", "obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias")
    path = saved(tmp_path, {name: value for name, value in random_state().items() if name not in gone})
    with pytest.raises(WeightsError, match=r"SAM 2\.0"):
        checkpoints.load_sam2(entry_of(path), path)


def test_another_size_is_recognised(tmp_path: Path) -> None:
    path = saved(tmp_path, random_state())
    wider = replace(TINY, embed_dim=16, neck_channels=(128, 64, 32, 16))
    with pytest.raises(WeightsError, match="another size, 5 blocks of width 8 where 5 of width 16"):
        checkpoints.load_sam2(entry_of(path, wider), path)
    deeper = replace(TINY, stages=(1, 1, 3, 1), global_blocks=(4,))
    with pytest.raises(WeightsError, match="another size, 5 blocks of width 8 where 6 of width 8"):
        checkpoints.load_sam2(entry_of(path, deeper), path)


def test_a_wrong_shape_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, random_state() | {"no_obj_ptr": torch.zeros(1, 128)})
    with pytest.raises(WeightsError, match="of another shape: no_object_pointer"):
        checkpoints.load_sam2(entry_of(path), path)


def test_another_networks_tensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file({"layer.weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match=r"no SAM 2\.1 checkpoint"):
        checkpoints.load_sam2(entry_of(path), path)


def test_a_checkpoint_of_a_training_run_gives_its_model_only(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    state = random_state()
    torch.save({"model": state, "epoch": 3, "optimizer": {"state": {0: {"step": torch.ones(1)}}}}, path)
    assert set(checkpoints.read_state(path)) == set(checkpoints.from_original(state))


def test_the_hash_is_compared_at_every_load(tmp_path: Path) -> None:
    path = saved(tmp_path, random_state())
    hub = replace(entry_of(path), sources=(Source("hub", "net.pt", repository="someone/net"),))
    with pytest.warns(VostWarning, match="not verified by a second source"):
        checkpoints.load_sam2(hub, path)
    saved(tmp_path, random_state(seed=1))
    with pytest.raises(WeightsError, match="expected sha256"):
        checkpoints.load_sam2(hub, path)


class Runs:
    """Leaves a trace where a pickle of it is loaded with trust."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("ran"),))  # type: ignore[return-value]


def test_a_file_that_would_run_code_is_refused_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.pt"
    torch.save({"model": {"weight": torch.zeros(1)}, "hook": Runs()}, path)
    with pytest.raises(WeightsError, match="never run"):
        checkpoints.safe_load(path)
    plain = tmp_path / "plain.pth"
    plain.write_bytes(pickle.dumps(Runs()))
    with pytest.raises(WeightsError, match="never run"):
        checkpoints.safe_load(plain)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["net.pkl", "net.bin", "net.ckpt", "net"])
def test_other_kinds_of_file_are_refused_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(WeightsError, match=r"expected \.safetensors, \.pt or \.pth"):
        checkpoints.safe_load(tmp_path / name)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
def test_damaged_and_absent_files_are_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsError, match="does not exist"):
        checkpoints.safe_load(tmp_path / name)
    (tmp_path / name).write_bytes(b"\x00\x01 not weights")
    with pytest.raises(WeightsError, match="damaged"):
        checkpoints.safe_load(tmp_path / name)


def test_a_file_that_holds_a_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save([torch.zeros(1)], path)
    with pytest.raises(WeightsError, match="holds a list"):
        checkpoints.safe_load(path)
    torch.save({"model": {"weight": 3}}, path)
    with pytest.raises(WeightsError, match="no tensors by name"):
        checkpoints.read_state(path)


def test_a_model_of_another_family_is_refused() -> None:
    nano = registry.find("vost-nano")
    with pytest.raises(WeightsError, match="expected a model of the family 'sam2'"):
        checkpoints.load_sam2(nano, Path("net.pt"))


@pytest.mark.weights
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_that_are_on_this_machine_load(name: str) -> None:
    entry = registry.find(name)
    path = weights.installed(entry, USERS_CACHE)
    if path is None:
        pytest.skip(f"{name} is not here: napari-vost models get {name}")
    model = checkpoints.load_sam2(entry, path)
    assert all(bool(torch.isfinite(value).all()) for value in model.state_dict().values())
