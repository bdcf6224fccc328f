"""Features stay inside their budgets."""

import torch

from napari_vost.contracts import ImageFeatures
from napari_vost.features.store import FeatureStore, size_bytes

POSITION = torch.zeros(1, 4, 2, 2)


def _features(value: float) -> ImageFeatures:
    return ImageFeatures((torch.full((1, 4, 8, 8), value), torch.full((1, 4, 2, 2), value)), POSITION)


SIZE = size_bytes(_features(0))


def test_the_least_recently_used_leave_first() -> None:
    store = FeatureStore(memory_bytes=2 * SIZE)
    for key in (1, 2):
        store.put(key, _features(key))
    store.get(1)
    store.put(3, _features(3))
    assert store.get(2) is None
    assert store.get(1) is not None
    assert store.memory_bytes == 2 * SIZE


def test_what_leaves_memory_comes_back_from_disk_unchanged() -> None:
    store = FeatureStore(memory_bytes=SIZE, disk_bytes=2 * SIZE)
    for key in range(4):
        store.put(key, _features(key))
    assert store.disk_bytes == 2 * SIZE
    assert store.get(0) is None
    found = store.get(1)
    assert found is not None
    assert torch.equal(found.levels[0], _features(1).levels[0])
    assert store.memory_bytes <= SIZE


def test_clearing_forgets_everything() -> None:
    store = FeatureStore(SIZE, SIZE)
    store.put(1, _features(1))
    store.put(2, _features(2))
    store.clear()
    assert store.get(1) is None
    assert store.get(2) is None
    assert (store.memory_bytes, store.disk_bytes) == (0, 0)


def test_images_share_one_map_of_positions_until_another_network_comes() -> None:
    store = FeatureStore(4 * SIZE)
    for key in (1, 2):
        store.put(key, ImageFeatures(_features(key).levels, POSITION.clone()))
    first, second = store.get(1), store.get(2)
    assert first is not None and second is not None and first.position is second.position
    store.clear()
    other = ImageFeatures(_features(3).levels, POSITION + 1)
    store.put(3, other)
    found = store.get(3)
    assert found is not None and found.position is other.position


def test_an_image_of_a_batch_does_not_keep_the_others() -> None:
    batch = torch.rand(8, 4, 8, 8), torch.rand(8, 4, 2, 2)
    store = FeatureStore(8 * SIZE)
    store.put(1, ImageFeatures(tuple(level[3:4] for level in batch), POSITION))
    found = store.get(1)
    assert found is not None and torch.equal(found.levels[0], batch[0][3:4])
    assert sum(level.untyped_storage().nbytes() for level in found.levels) == size_bytes(found)
