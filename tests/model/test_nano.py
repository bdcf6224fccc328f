"""vost-nano behind the network contract."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_vost.contracts import MemoryEntry, Network, PromptTensors, Recall, RecalledEntry
from napari_vost.errors import WeightsError
from napari_vost.memory.attention import MemoryReader, grid_cells, sine_positions
from napari_vost.model.nano import NanoNetwork, build_nano, load_nano, save_nano
from napari_vost.model.nano_parts import NanoShape, prompt_planes, sine_grid
from napari_vost.training.checkpoint import adopt
from napari_vost.training.rollout import Memory, condition
from napari_vost.types import Region, Scores


@pytest.fixture(scope="module")
def network() -> NanoNetwork:
    return build_nano(128, seed=3)


def _images(count: int, size: int) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def test_it_meets_the_contract_and_is_small(network: NanoNetwork) -> None:
    assert isinstance(network, Network)
    assert sum(value.numel() for value in network.parameters()) <= 6_000_000
    assert network.module() is network


@pytest.mark.parametrize("size", [128, 192, 256])
@pytest.mark.parametrize("stride", [8, 16])
def test_it_runs_at_any_multiple_of_16_wherever_it_reads_memory(size: int, stride: int) -> None:
    network = build_nano(128, 3, NanoShape(memory_stride=stride))
    with torch.no_grad():
        seen = network.see(_images(1, size))
        rows = torch.tensor([0, 0])
        conditioned = {stride: seen.levels[-1].expand(2, -1, -1, -1)}
        answer = network.answer(seen, conditioned, PromptTensors.none(2), rows)
        made = network.remember(seen, answer.mask_logits[:, :1], answer.occurrence, torch.tensor([True, False]), rows)
    assert [size // level.shape[-1] for level in seen.levels] == list(network.traits.strides)
    assert network.traits.memory_stride == network.traits.strides[-1] == stride
    assert answer.mask_logits.shape == (2, 3, size // 2, size // 2)
    assert answer.affinity.shape == (2, 3) and answer.occurrence.shape == (2,) and answer.pointer.shape == (2, 3, 128)
    tokens = (size // stride) ** 2
    assert made.tokens.shape == (2, tokens, 64) and made.positions.shape == (1, tokens, 64)


def test_another_build_survives_the_way_to_disk_and_takes_over_what_fits(tmp_path: Path) -> None:
    wide = build_nano(128, 1, NanoShape(memory_stride=8).widened(1.25))
    save_nano(wide, tmp_path)
    assert load_nano(tmp_path).shape == wide.shape
    first, second = build_nano(128, 1), build_nano(128, 2, NanoShape(memory_stride=8))
    taken = adopt(second, first)
    assert 0 < taken < len(second.state_dict())
    torch.testing.assert_close(second.encoder.stages[0][0][0][0].weight, first.encoder.stages[0][0][0][0].weight)


@pytest.mark.parametrize("broken", [{"memory_stride": 4}, {"channels": [16, 32]}])
def test_a_shape_that_cannot_be_is_refused(tmp_path: Path, broken: dict[str, object]) -> None:
    save_nano(build_nano(128), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["shape"] |= broken
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=r"config\.json"):
        load_nano(tmp_path)


def test_brightness_and_contrast_of_an_image_do_not_change_its_features(network: NanoNetwork) -> None:
    images = _images(1, 128)
    with torch.no_grad():
        one, other = network.see(images), network.see(images * 3 + 2)
    torch.testing.assert_close(one.levels[-1], other.levels[-1], atol=2e-3, rtol=2e-3)


def test_positions_are_those_that_memory_attention_computes(network: NanoNetwork) -> None:
    expected = sine_positions(grid_cells(5, 7), (5, 7), 64)
    torch.testing.assert_close(sine_grid((5, 7), 64, torch.device("cpu")), expected)


def test_a_mask_taken_as_truth_comes_back(network: NanoNetwork) -> None:
    mask = torch.zeros(2, 1, 128, 128)
    mask[0, :, 30:60, 40:90] = 1
    none = PromptTensors.none(2)
    prompts = replace(none, mask=mask)
    with torch.no_grad():
        seen = network.see(_images(2, 128))
        answer = network.answer(seen, {network.traits.memory_stride: seen.levels[-1]}, prompts, torch.arange(2))
    expected = (mask[0, 0, ::2, ::2] > 0.5).expand(3, -1, -1)
    assert torch.equal(answer.mask_logits[0] > 0, expected)
    assert answer.occurrence.tolist() == [10.0, -10.0]
    assert torch.equal(answer.affinity, torch.ones(2, 3))


def test_only_rows_that_have_a_mask_get_it_back(network: NanoNetwork) -> None:
    mask = torch.ones(2, 1, 128, 128)
    prompts = replace(PromptTensors.none(2), mask=mask, has_mask=torch.tensor([False, True]))
    with torch.no_grad():
        seen = network.see(_images(1, 128))
        conditioned = {network.traits.memory_stride: seen.levels[-1].expand(2, -1, -1, -1)}
        answer = network.answer(seen, conditioned, prompts, torch.tensor([0, 0]))
        free = network.answer(seen, conditioned, PromptTensors.none(2), torch.tensor([0, 0]))
    torch.testing.assert_close(answer.mask_logits[0], free.mask_logits[0])
    assert (answer.mask_logits[1] == 10).all()


def test_prompts_become_planes_where_they_are() -> None:
    points = torch.tensor([[[20.0, 60.0], [100.0, 10.0]], [[16.0, 32.0], [63.0, 95.0]]])
    labels = torch.tensor([[1, 0], [2, 3]])
    before = torch.full((2, 1, 64, 64), -10.0)
    before[0, :, :32] = 10.0
    prompts = PromptTensors(points, labels, before, torch.tensor([True, False]))
    planes = prompt_planes(prompts, (32, 32))
    assert divmod(int(planes[0, 0].argmax()), 32) == (15, 5)
    assert divmod(int(planes[0, 1].argmax()), 32) == (2, 25)
    assert int((planes[1, 2] > 0.5).sum()) == pytest.approx((63 - 16) * (95 - 32) / 16, rel=0.1)
    assert planes[0, 2].max() == 0 and planes[1, :2].max() == 0
    assert planes[0, 4, :16].min() > 0.99 and planes[0, 4, 16:].max() < 0.01
    assert planes[1, 4:].abs().max() == 0 and planes[0, 5].min() == 1


def test_rows_read_the_image_that_they_belong_to(network: NanoNetwork) -> None:
    images = _images(2, 128)
    rows = torch.tensor([1, 0])
    with torch.no_grad():
        both, second = network.see(images), network.see(images[1:])
        prompts = PromptTensors(torch.tensor([[[40.0, 50.0]]]), torch.tensor([[1]]))
        two = PromptTensors(prompts.points_xy.expand(2, -1, -1), prompts.point_labels.expand(2, -1))
        joint = network.answer(both, {network.traits.memory_stride: both.levels[-1][rows]}, two, rows)
        alone = network.answer(second, {network.traits.memory_stride: second.levels[-1]}, prompts, torch.tensor([0]))
    torch.testing.assert_close(joint.mask_logits[0], alone.mask_logits[0], atol=1e-4, rtol=1e-4)


def test_memory_is_read_in_training_as_it_is_in_the_engine(network: NanoNetwork) -> None:
    generator = torch.Generator().manual_seed(4)
    tokens = [torch.randn(1, 64, 64, generator=generator) for _ in range(3)]
    region = Region(0, 0, 64, 64)
    with torch.no_grad():
        seen = network.see(_images(1, 128))
        positions = sine_positions(grid_cells(8, 8), (8, 8), 64)
        memory = Memory([tokens[0]], tokens[1:], positions[None])
        trained = condition(network, seen, memory)
        entries = []
        for index, (token, slot) in enumerate(zip(tokens, (6, 1, 0), strict=True)):
            role = "prompted" if slot == 6 else "recent"
            entry = MemoryEntry(index, index, role, 1, region, token[0], positions, grid_cells(8, 8), torch.zeros(128),
                                Scores(1, 1), 1, None, None, "")  # fmt: skip
            entries.append(RecalledEntry(entry, slot))
        reader = MemoryReader(network.memory_layers(), network.temporal_tables())
        read = reader.read(seen.levels[-1], seen.position, [Recall(tuple(entries))], [region], torch.tensor([0]))
    torch.testing.assert_close(read, trained, atol=1e-4, rtol=1e-4)


def test_sites_name_modules_with_their_channels(network: NanoNetwork) -> None:
    names = [site.name for site in network.sites()]
    assert len(set(names)) == len(names)
    for site in network.sites():
        assert list(network.get_submodule(site.name).parameters()), site.name


def test_weights_survive_the_way_to_disk(network: NanoNetwork, tmp_path: Path) -> None:
    save_nano(network, tmp_path, {"seed": 3})
    back = load_nano(tmp_path)
    assert back.traits == network.traits and not back.training
    for name, value in network.state_dict().items():
        torch.testing.assert_close(back.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    assert load_nano(tmp_path).fingerprint == back.fingerprint != build_nano(128, seed=4).fingerprint


def test_the_fingerprint_follows_the_weights() -> None:
    one = build_nano(128, seed=5)
    before = one.fingerprint
    with torch.no_grad():
        one.slots[0, 0] += 1
    assert one.fingerprint != before


def test_building_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    build_nano(128, seed=1)
    assert torch.equal(torch.rand(1), expected)


def test_wrong_and_missing_weights_are_refused_in_a_sentence(network: NanoNetwork, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No readable vost-nano weights"):
        load_nano(tmp_path / "nowhere")
    save_nano(network, tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop("slots")
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="'slots'"):
        load_nano(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no")
    with pytest.raises(WeightsError, match="No readable"):
        load_nano(tmp_path)


def test_frames_share_one_map_of_positions_also_between_following_and_training() -> None:
    network = NanoNetwork()
    with torch.inference_mode():
        first, second = (network.see(torch.rand(1, 3, 128, 128)) for _ in range(2))
    assert first.position.data_ptr() == second.position.data_ptr()
    assert not sine_grid((16, 16), 64, torch.device("cpu")).is_inference()
    assert sine_grid((16, 16), 64, torch.device("cpu")) is sine_grid([16, 16], 64, torch.device("cpu"))
