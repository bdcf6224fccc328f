"""Memory attention: the savings are exact, and every token has a place."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from napari_vost.contracts import Recall, RecalledEntry
from napari_vost.memory.attention import (
    MemoryReader,
    grid_cells,
    moved_cells,
    rope_angles,
    rotate,
    sine_positions,
)
from napari_vost.memory.softmax import attention
from napari_vost.model.network import Sam2Network
from napari_vost.testing import entry, tiny_sam2_model
from napari_vost.types import Region


@pytest.fixture(scope="module")
def network() -> Sam2Network:
    return Sam2Network(tiny_sam2_model(), "tiny")


def _entry(network: Sam2Network, frame_index: int, region: Region) -> object:
    generator = torch.Generator().manual_seed(frame_index)
    cells = grid_cells(8, 8)
    tokens = torch.randn(64, 64, generator=generator)
    return replace(
        entry(frame_index), tokens=tokens, positions=sine_positions(cells, (8, 8), 64), cells_yx=cells,
        pointer=torch.randn(128, generator=generator), region=region,
    )  # fmt: skip


def test_absorbing_the_value_projection_changes_nothing() -> None:
    generator = torch.Generator().manual_seed(1)
    query, key = (torch.randn(2, n, 32, generator=generator) for n in (50, 200))
    memory = torch.randn(2, 200, 8, generator=generator)
    weight, bias = torch.randn(32, 8, generator=generator), torch.randn(32, generator=generator)
    plain = functional.scaled_dot_product_attention(query, key, functional.linear(memory, weight, bias))
    absorbed = functional.linear(attention(query, key, memory), weight, bias)
    assert (plain - absorbed).abs().max() < 1e-4


def test_blocks_of_keys_and_queries_change_nothing() -> None:
    generator = torch.Generator().manual_seed(4)
    query, key = torch.randn(2, 1500, 16, generator=generator) * 3, torch.randn(2, 2500, 16, generator=generator) * 3
    value = torch.randn(2, 2500, 8, generator=generator)
    bias = torch.zeros(2, 1, 2500)
    bias[1, 0, 1000:] = -torch.inf
    logits = query @ key.transpose(1, 2) / 4 + bias
    assert torch.allclose(attention(query, key, value, bias), logits.softmax(-1) @ value, atol=1e-5)


def test_the_rotary_code_depends_on_distance_alone() -> None:
    generator = torch.Generator().manual_seed(2)
    query, key = torch.randn(2, 16, generator=generator)
    dots = []
    for shift in (0.0, 3.5):
        cos, sin = rope_angles(torch.tensor([[2.0 + shift, 1.0 + shift], [4.0 + shift, 6.0 + shift]]), 16, 1e4)
        dots.append(float(rotate(query, cos[0], sin[0]) @ rotate(key, cos[1], sin[1])))
    assert dots[0] == pytest.approx(dots[1], abs=1e-5)


def test_sine_positions_are_those_of_transformers(network: Sam2Network) -> None:
    expected = network._model.memory_encoder.position_encoding((1, 64, 8, 8), torch.device("cpu"), torch.float32)
    found = sine_positions(grid_cells(8, 8), (8, 8), 64)
    assert torch.allclose(found, expected[0].flatten(1).T, atol=1e-6)


def test_a_memory_seen_from_a_moved_region_moves_by_whole_cells() -> None:
    cells = grid_cells(8, 8)
    moved = moved_cells(cells, Region(0, 0, 64, 64), Region(16, 8, 64, 64), (8, 8))
    assert torch.allclose(moved, cells - torch.tensor([2.0, 1.0]))


def test_a_smaller_budget_gives_the_same_answer(network: Sam2Network) -> None:
    region = Region.full(128, 128)
    features, position = torch.randn(1, 128, 8, 8), torch.randn(1, 128, 8, 8)
    entries = tuple(RecalledEntry(_entry(network, index, region), index) for index in range(5))
    recall = Recall(entries, tuple((one.entry.pointer, 3) for one in entries))
    results = []
    for budget in (0, 1 << 30):
        reader = MemoryReader(network.memory_layers(), network.temporal_tables(), budget)
        for _ in range(2):
            results.append(reader.read(features, position, [recall], [region], torch.tensor([0])))
        assert reader.cached_bytes <= budget
    assert all(torch.equal(results[0], other) for other in results[1:])


def test_rows_of_unequal_length_read_what_they_would_alone(network: Sam2Network) -> None:
    region = Region.full(128, 128)
    features, position = torch.randn(2, 128, 8, 8), torch.randn(1, 128, 8, 8)
    entries = [RecalledEntry(_entry(network, index, region), index) for index in range(4)]
    recalls = [Recall(tuple(entries)), Recall(tuple(entries[:1])), Recall()]
    reader = MemoryReader(network.memory_layers(), network.temporal_tables())
    rows = torch.tensor([0, 1, 1])
    together = reader.read(features, position, recalls, [region] * 3, rows)
    for index, recall in enumerate(recalls):
        alone = reader.read(features, position, [recall], [region], rows[index : index + 1])
        assert torch.allclose(together[index : index + 1], alone, atol=1e-5)


def test_a_masked_token_is_not_read(network: Sam2Network) -> None:
    region = Region.full(128, 128)
    features, position = torch.randn(1, 128, 8, 8), torch.zeros(1, 128, 8, 8)
    whole = _entry(network, 1, region)
    mask = torch.arange(64) < 20
    reader = MemoryReader(network.memory_layers(), network.temporal_tables())
    part = replace(whole, tokens=whole.tokens[:20], positions=whole.positions[:20], cells_yx=whole.cells_yx[:20])
    recalls = [Recall((RecalledEntry(whole, 2, token_mask=mask),)), Recall((RecalledEntry(part, 2),))]
    first, second = (reader.read(features, position, [one], [region], torch.tensor([0])) for one in recalls)
    assert torch.allclose(first, second, atol=1e-6)


def test_shares_of_attention_belong_to_the_entries_that_were_read(network: Sam2Network) -> None:
    region = Region.full(128, 128)
    features, position = torch.randn(2, 128, 8, 8), torch.zeros(1, 128, 8, 8)
    entries = [RecalledEntry(_entry(network, index, region), index) for index in range(3)]
    loud = replace(entries[2], logit_bias=30.0)
    recalls = [Recall(tuple(entries)), Recall((entries[0], loud)), Recall()]
    reader = MemoryReader(network.memory_layers(), network.temporal_tables())
    shares: list[dict[int, float]] = []
    rows = torch.tensor([0, 1, 1])
    watched = reader.read(features, position, recalls, [region] * 3, rows, shares)
    assert torch.equal(watched, reader.read(features, position, recalls, [region] * 3, rows))
    assert [sorted(share) for share in shares] == [[0, 1, 2], [0, 2], []]
    assert sum(shares[0].values()) == pytest.approx(1, abs=1e-4)
    assert shares[1][2] > 0.99


def test_every_token_can_have_a_bias_of_its_own(network: Sam2Network) -> None:
    """Half of the tokens silenced is the same as half of them read; a mask takes its share of the biases."""
    region = Region.full(128, 128)
    features, position = torch.randn(1, 128, 8, 8), torch.zeros(1, 128, 8, 8)
    whole = _entry(network, 0, region)
    half = torch.arange(64) < 32
    silent = torch.where(half, 0.0, -100.0)
    reader = MemoryReader(network.memory_layers(), network.temporal_tables())
    ways = [
        RecalledEntry(whole, 2, token_mask=half),
        RecalledEntry(whole, 2, logit_bias=silent),
        RecalledEntry(whole, 2, token_mask=half, logit_bias=silent),
    ]
    masked, biased, both = (
        reader.read(features, position, [Recall((one,))], [region], torch.tensor([0])) for one in ways
    )
    assert torch.allclose(masked, biased, atol=1e-5)
    assert torch.allclose(masked, both, atol=1e-5)
