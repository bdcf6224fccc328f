"""What tests of the engine and of its plug-ins share: tiny seeded networks, and contracts that plug-ins inherit."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from napari_vost.contracts import (
    Answer,
    Choice,
    MemoryBank,
    MemoryEntry,
    MemoryPolicy,
    Query,
    Recall,
    TrackRow,
    TrackState,
)
from napari_vost.types import Region, Scores


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


def entry(frame_index: int, role: str = "recent", affinity: float = 0.9, occurrence: float = 5.0) -> MemoryEntry:
    """Make a memory of a frame, 4 tokens of 8 channels, for tests of policies."""
    generator = torch.Generator().manual_seed(frame_index)
    return MemoryEntry(
        entry_id=frame_index,
        frame_index=frame_index,
        role=role,  # type: ignore[arg-type]  # a plain string is handier in a test table
        direction=1,
        region=Region.full(32, 32),
        tokens=torch.randn(4, 8, generator=generator),
        positions=torch.zeros(4, 8),
        cells_yx=torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
        pointer=torch.randn(16, generator=generator),
        scores=Scores(affinity, occurrence),
        area_px=100,
        box=(8, 8, 18, 18),
        phase=None,
        network="test",
    )


def query(frame_index: int, direction: int = 1, length: int = 100) -> Query:
    """Make a query for a frame without features, for tests of policies."""
    from napari_vost.contracts import ImageFeatures

    features = ImageFeatures((torch.zeros(1, 16, 2, 2),), torch.zeros(1, 16, 2, 2))
    return Query(frame_index, None, direction, features, 0, None, Region.full(32, 32), "time", length)


class MemoryPolicyContract:
    """What every memory policy owes; inherit it and return the policy from `policy`."""

    def policy(self) -> MemoryPolicy:
        """Return the policy under test, made for 7 slots and 16 pointers."""
        raise NotImplementedError

    def filled(self, direction: int = 1, frames: int = 40) -> MemoryBank:
        """Return the bank after a prompted frame 0 and a run of frames."""
        policy, bank = self.policy(), MemoryBank((entry(0, "prompted"),))
        start = 0 if direction > 0 else frames
        bank = MemoryBank((entry(start, "prompted"),))
        for step in range(1, frames):
            bank = policy.admit(entry(start + direction * step), some_answer(), 0, bank)
        return bank

    def test_prompted_frames_are_never_forgotten(self) -> None:
        assert [one.frame_index for one in self.filled().prompted] == [0]

    def test_prompted_frames_are_always_read(self) -> None:
        recall = self.policy().recall(self.filled(), query(40))
        assert 0 in [one.entry.frame_index for one in recall.entries]

    def test_the_bank_stays_small(self) -> None:
        assert len(self.filled(frames=300)) <= 64

    def test_slots_are_those_of_the_network(self) -> None:
        for direction, at in ((1, 40), (-1, 0)):
            recall = self.policy().recall(self.filled(direction), query(at, direction))
            assert all(0 <= one.slot < 7 for one in recall.entries)

    def test_no_frame_is_read_twice(self) -> None:
        recall = self.policy().recall(self.filled(), query(40))
        frames = [one.entry.frame_index for one in recall.entries]
        assert len(frames) == len(set(frames))

    def test_admitting_leaves_the_old_bank_as_it_was(self) -> None:
        bank = self.filled()
        before = [one.frame_index for one in bank.kept]
        self.policy().admit(entry(99), some_answer(), 0, bank)
        assert [one.frame_index for one in bank.kept] == before

    def test_choice_names_a_row_and_a_candidate(self) -> None:
        state = TrackState((TrackRow(1, self.filled(), Region.full(32, 32)),), 1)
        for choice in self.policy().choose(some_answer(), (None,), state):
            assert isinstance(choice, Choice)
            assert choice.parent == 0
            assert 0 <= choice.candidate < 3

    def test_an_empty_bank_is_read_as_nothing(self) -> None:
        recall = self.policy().recall(MemoryBank(), query(3))
        assert isinstance(recall, Recall)
        assert recall.entries == ()


def some_answer(rows: int = 1) -> Answer:
    """Make an answer of three candidates per row, for tests of policies."""
    return Answer(
        torch.zeros(rows, 3, 8, 8),
        torch.tensor([[0.5, 0.9, 0.7]]).expand(rows, 3),
        torch.full((rows,), 4.0),
        torch.zeros(rows, 3, 16),
        torch.zeros(16),
    )
