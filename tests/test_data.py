import pytest
import torch

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


def test_photographs():
    reduced = data.photograph("flower", height=100)
    assert reduced.shape == (3, 100, 150)
    assert 0 <= reduced.min() < reduced.max() <= 1
    with pytest.raises(ValueError, match="no photograph 'chna'; choose from china, flower"):
        data.photograph("chna")


def test_batches_shuffle_from_a_seed_and_keep_pairs():
    images, labels = torch.arange(10.0).view(10, 1, 1, 1), torch.arange(10)

    def order(seed):
        return [y for _, ys in data.batches(images, labels, batch_size=3, seed=seed) for y in ys]

    assert order(None) == list(range(10))
    assert order(1) == order(1) != order(2)
    for xs, ys in data.batches(images, labels, batch_size=3, seed=1):
        assert torch.equal(xs.flatten().long(), ys)
