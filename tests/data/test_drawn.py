"""Drawn shapes and scenes: seeded, exact, and never changed."""

from hashlib import sha256

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnbook import data


def test_the_same_seed_draws_the_same_images():
    first, again, other = (data.shapes(50, seed=seed) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not torch.equal(first.images, other.images)


@pytest.mark.parametrize("size", [12, 28, 64])
@pytest.mark.parametrize("hard", [False, True])
def test_shapes_masks_and_boxes_fit_each_other(size, hard):
    drawn = data.shapes(40, size, hard=hard, seed=0)
    assert drawn.images.shape == (40, 3, size, size)
    assert drawn.images.min() >= 0
    assert drawn.images.max() <= 1
    assert torch.equal(drawn.images, (drawn.images * 255).round() / 255)
    for mask, box in zip(drawn.masks, drawn.boxes.long()):
        x0, y0, x1, y1 = box.tolist()
        rows, columns = mask.nonzero(as_tuple=True)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (x0, y0, x1, y1)


def test_every_kind_of_shape_is_drawn_and_differs_from_its_ground():
    drawn = data.shapes(400, seed=0)
    assert sorted(set(drawn.labels.tolist())) == list(range(len(data.SHAPES)))
    masks = drawn.masks.unsqueeze(1)
    inside = (drawn.images * masks).sum((2, 3)) / masks.sum((2, 3))
    outside = (drawn.images * ~masks).sum((2, 3)) / (~masks).sum((2, 3))
    assert (inside - outside).abs().max(1).values.min() > 0.2


def test_areas_tell_the_shapes_apart():
    drawn = data.shapes(2000, 64, seed=1)
    boxes = drawn.boxes
    filled = drawn.masks.sum((1, 2)) / ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    share = {name: filled[drawn.labels == k].mean() for k, name in enumerate(data.SHAPES)}
    assert share["circle"] == pytest.approx(torch.pi / 4, abs=0.02)
    assert share["ring"] == pytest.approx(torch.pi / 4 * (1 - 0.55**2), abs=0.02)
    assert share["star"] < share["pentagon"]


@pytest.mark.parametrize(
    ("count", "size", "message"), [(0, 32, "count is 0"), (5, 4, "size is 4 pixels")]
)
def test_impossible_images_are_refused(count, size, message):
    with pytest.raises(ValueError, match=message):
        data.shapes(count, size)


@pytest.mark.parametrize(
    ("arguments", "digest"),
    [
        (
            {"count": 64, "seed": 5},
            "2f6ec1cebc68b3147e65167b67759d14f5d0c49aecbddedc972565f3e54fc55a",
        ),
        (
            {"count": 64, "seed": 5, "hard": True},
            "22267eb9e8d8a00aa9c7e10ab4263716dafb333c6870e32f17a391f95eb775e2",
        ),
        (
            {"count": 33, "size": 28, "seed": 1},
            "b1b39dd7e9ed491490fdeb83c09a0999f771b289a73bd9bdca35bf4ab4ec7ccb",
        ),
    ],
)
def test_shapes_never_change(arguments, digest):
    """Stored outputs of chapters depend on these bits."""
    drawn = data.shapes(**arguments)
    assert sha256((drawn.images * 255).round().byte().numpy()).hexdigest() == digest


def test_the_number_of_threads_changes_nothing():
    threads = torch.get_num_threads()
    drawn = []
    for number in (1, 2):
        torch.set_num_threads(number)
        try:
            drawn.append((data.shapes(300, 96), data.scenes(20, 96)))
        finally:
            assert torch.get_num_threads() == number
            torch.set_num_threads(threads)
    (shapes, scenes), (again, scenes_again) = drawn
    assert torch.equal(shapes.images, again.images)
    assert torch.equal(scenes.images, scenes_again.images)


@given(
    size=st.integers(28, 72),
    objects=st.integers(1, 6),
    clutter=st.integers(0, 3),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=25)
def test_masks_boxes_and_labels_of_scenes_fit_each_other(size, objects, clutter, seed):
    drawn = data.scenes(3, size, objects=objects, clutter=clutter, seed=seed)
    assert drawn.images.shape == (3, 3, size, size)
    assert 0 <= drawn.images.min() <= drawn.images.max() <= 1
    assert drawn.masks.dtype == drawn.instances.dtype == torch.int64
    for mask, instances, boxes, labels in zip(*drawn[1:]):
        assert 1 <= len(labels) <= objects
        assert instances.unique().tolist()[-len(labels) :] == list(range(1, len(labels) + 1))
        assert torch.equal(mask, torch.cat([torch.zeros(1), labels])[instances].long())
        for k, (x0, y0, x1, y1) in enumerate(boxes.tolist(), start=1):
            rows, columns = (instances == k).nonzero(as_tuple=True)
            assert (columns.min(), rows.min()) == (x0, y0)
            assert (columns.max() + 1, rows.max() + 1) == (x1, y1)


def test_scenes_hold_one_to_all_objects_of_every_kind():
    drawn = data.scenes(300, objects=4, seed=1)
    assert {len(labels) for labels in drawn.labels} == {1, 2, 3, 4}
    assert torch.cat(drawn.labels).unique().tolist() == list(range(1, len(data.SHAPES) + 1))


def test_objects_hide_each_other_but_never_by_more_than_three_quarters():
    crowded = data.scenes(100, objects=6, seed=2)
    alone = data.scenes(300, objects=1, seed=2)
    least = {
        k: min(
            (mask == k).sum() for mask, labels in zip(alone.masks, alone.labels) if labels[0] == k
        )
        for k in range(1, len(data.SHAPES) + 1)
    }
    sizes = [
        ((instances == row + 1).sum(), least[k.item()])
        for instances, labels in zip(crowded.instances, crowded.labels)
        for row, k in enumerate(labels)
    ]
    assert any(size < whole for size, whole in sizes)
    assert all(size >= whole // 4 for size, whole in sizes)


def test_objects_differ_from_their_ground_and_clutter_is_no_object():
    plain, cluttered = (data.scenes(100, clutter=clutter, seed=0) for clutter in (0, 6))
    for drawn in (plain, cluttered):
        ground = (drawn.masks == 0).unsqueeze(1)
        middle = (drawn.images * ground).sum((2, 3)) / ground.sum((2, 3))
        for image, instances, colour in zip(drawn.images, drawn.instances, middle):
            for k in range(1, instances.max() + 1):
                seen = image[:, instances == k].mean(1)
                assert (seen - colour).abs().max() > 0.15

    def unrest(drawn):
        return drawn.images.std(1)[drawn.masks == 0].mean()

    assert unrest(cluttered) > 1.3 * unrest(plain)


def test_scenes_come_again_from_their_seed():
    first, again, other = (data.scenes(60, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.instances, again.instances)
    assert all(torch.equal(a, b) for a, b in zip(first.boxes, again.boxes))
    assert not torch.equal(first.images, other.images)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, "count is 0"),
        ({"size": 27}, "size is 27 pixels; a shape needs at least 28"),
        ({"objects": 0}, "objects is 0; an image holds at least 1"),
        ({"clutter": -1}, "clutter is -1"),
    ],
)
def test_impossible_scenes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.scenes(**{"count": 1} | arguments)
