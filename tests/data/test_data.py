"""The built-in sets through `load`, normalisation, augmentation, and batches."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torchvision.transforms import v2

from cnnbook import data, training


def test_photographs():
    reduced = data.photograph("flower", height=100)
    assert reduced.shape == (3, 100, 150)
    assert 0 <= reduced.min() < reduced.max() <= 1
    with pytest.raises(ValueError, match="no photograph 'chna'; choose from china, flower"):
        data.photograph("chna")


def fingerprints(image_set):
    """The images of a set, to compare."""
    return [image.numpy().tobytes() for image, _ in image_set]


def test_no_drawn_image_is_in_two_splits():
    splits = data.load("shapes", count=1500, size=16)
    assert [len(split) for split in splits] == [1500, 1000, 1000]
    assert len(set().union(*map(fingerprints, splits))) == 3500


def test_every_digit_is_in_one_split():
    splits = data.load("digits")
    assert [len(split) for split in splits] == [1295, 143, 359]
    found = sorted(print_ for split in splits for print_ in fingerprints(split))
    images = torch.from_numpy(load_digits().images).float().unsqueeze(1) / 16
    assert found == sorted(image.numpy().tobytes() for image in images)
    for split in splits:
        assert len({label.item() for _, label in split}) == 10


def test_splits_are_the_same_everywhere():
    assert [label.item() for _, label in data.load("digits").validation][:12] == [
        4,
        0,
        3,
        5,
        9,
        2,
        9,
        8,
        3,
        2,
        9,
        1,
    ]


def test_validation_and_test_depend_on_the_seed_and_not_on_the_count():
    few, more, other = (
        data.load("shapes", count=count, size=12, seed=seed)
        for count, seed in ((5, 0), (9, 0), (9, 1))
    )
    for split in ("validation", "test"):
        same = fingerprints(getattr(few, split))
        assert same == fingerprints(getattr(more, split))
        assert not set(same) & set(fingerprints(getattr(other, split)))


def test_loaded_shapes_are_the_drawn_ones():
    drawn = data.shapes(20, 24, seed=3)
    train = data.load("shapes", size=24, count=20, seed=1).train
    image, label = train[7]
    assert torch.equal(image, drawn.images[7])
    assert label.dtype == torch.int64
    assert label == drawn.labels[7]
    assert train.classes == data.SHAPES
    assert repr(train) == "ImageSet(20 images, 10 classes)"


def test_one_set_serves_all_tasks():
    drawn = data.scenes(6, 32, seed=0)
    masks = data.load("shapes", "segmentation", size=32, count=6).train
    boxes = data.load("shapes", "detection", size=32, count=6).train
    assert masks.classes == boxes.classes == ("background", *data.SHAPES)
    for k in range(6):
        image, mask = masks[k]
        assert torch.equal(image, drawn.images[k])
        assert mask.dtype == torch.int64
        assert torch.equal(mask, drawn.masks[k])
        image, target = boxes[k]
        assert torch.equal(image, drawn.images[k])
        assert torch.equal(target["boxes"], drawn.boxes[k])
        assert torch.equal(target["labels"], drawn.labels[k])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cifar"], "there is no data set 'cifar'; did you mean cifar10"),
        (["FashionMNIST"], "did you mean fashion-mnist"),
        (["?"], "known: shapes, digits, mnist"),
        (["digits", "segmentation"], "digits has no task 'segmentation'; choose from classifica"),
        (["voc"], "voc has no task 'classification'; choose from segmentation, detection"),
        (["shapes", "classification", "size"], "size is 0; it must be at least 1"),
        (["digits", "classification", "count"], "count is 0; it must be at least 1"),
    ],
)
def test_what_cannot_be_loaded_is_refused(arguments, message):
    name, *task, last = [*arguments, None] if len(arguments) < 3 else arguments
    with pytest.raises(ValueError, match=message):
        data.load(name, *task, **{last: 0} if last else {})


def test_more_training_images_than_there_are_are_refused():
    assert len(data.load("digits", count=1295).train) == 1295
    with pytest.raises(ValueError, match="count is 1296, but digits has 1295 training images"):
        data.load("digits", count=1296)


def test_statistics_are_those_of_all_pixels():
    images = data.shapes(700, seed=0).images
    mean, std = data.channel_statistics(images)
    torch.testing.assert_close(mean, images.mean((0, 2, 3)))
    torch.testing.assert_close(std, images.std((0, 2, 3), correction=0))
    eight_bits = data.channel_statistics((images * 255).round().byte())
    torch.testing.assert_close(eight_bits, (mean, std))
    torch.testing.assert_close(
        data.channel_statistics(list(zip(images, range(700)))), (mean, std), rtol=0, atol=0
    )


def test_the_mean_deviation_of_single_images_is_another_number():
    """The number that travels through blog posts for CIFAR-10."""
    images = data.shapes(700, seed=0).images
    of_pixels = data.channel_statistics(images)[1]
    of_images = images.std((2, 3)).mean(0)
    assert (of_images < 0.9 * of_pixels).all()


def test_normalised_training_images_have_mean_0_and_deviation_1():
    for name in ("shapes", "digits"):
        train, validation, test = data.load(name, count=500, normalise=True)
        mean, std = data.channel_statistics(train)
        torch.testing.assert_close(mean, torch.zeros_like(mean), rtol=0, atol=1e-5)
        torch.testing.assert_close(std, torch.ones_like(std), rtol=0, atol=1e-5)
        for split in (validation, test):  # by the statistics of the training images
            assert torch.equal(split.mean, train.mean)
            assert torch.equal(split.std, train.std)


def test_a_batch_holds_what_single_items_are():
    train = data.load("shapes", count=10, normalise=True).train
    images, labels = next(iter(data.batches(train, batch_size=10)))
    for k in range(10):
        assert torch.equal(images[k], train[k][0])
        assert labels[k] == train[k][1]


def test_size_resizes_what_is_not_drawn():
    digits = data.load("digits", size=32)
    for split in digits:
        image, _ = split[0]
        assert image.shape == (1, 32, 32)
        assert 0 <= image.min() < image.max() <= 1
    assert digits.train[5][1] == data.load("digits").train[5][1]


def test_only_training_images_are_augmented():
    plain = data.load("digits")
    negative = data.load("digits", augment=v2.RandomInvert(p=1))
    torch.testing.assert_close(negative.train[0][0], 1 - plain.train[0][0])
    for split in ("validation", "test"):
        assert torch.equal(getattr(negative, split)[0][0], getattr(plain, split)[0][0])


def test_flip_and_crop_moves_by_at_most_the_padding_and_mirrors_half():
    torch.manual_seed(0)
    image = torch.zeros(1, 12, 12)
    image[0, 5, 4] = 1
    places = {tuple(data.flip_and_crop(12, 2)(image)[0].nonzero()[0].tolist()) for _ in range(400)}
    straight = {(y, x) for y in range(3, 8) for x in range(2, 7)}
    assert places == straight | {(y, 11 - x) for y, x in straight}


def test_masks_follow_the_augmentation():
    torch.manual_seed(1)
    plain = data.load("shapes", "segmentation", size=32, count=20).train
    moved = data.load(
        "shapes", "segmentation", size=32, count=20, augment=data.flip_and_crop(32)
    ).train
    seen = 0
    for (before, mask), (after, moved_mask) in zip(plain, moved):
        assert type(after) is type(moved_mask) is torch.Tensor
        assert moved_mask.dtype == torch.int64
        assert ((moved_mask == 255) <= (after == 0).all(0)).all()  # void where there is no image
        for k in set(mask.unique().tolist()) & set(moved_mask.unique().tolist()) - {0, 255}:
            colour = before[:, mask == k].mean(1)
            torch.testing.assert_close(after[:, moved_mask == k].mean(1), colour, rtol=0, atol=0.1)
            seen += 1
    assert seen > 20


def test_boxes_follow_the_augmentation_and_leave_with_their_objects():
    plain = data.load("shapes", "detection", size=32, count=30).train
    mirrored = data.load(
        "shapes", "detection", size=32, count=30, augment=v2.RandomHorizontalFlip(p=1)
    ).train
    for (before, target), (after, moved) in zip(plain, mirrored):
        assert torch.equal(after, before.flip(-1))
        x0, y0, x1, y1 = target["boxes"].unbind(1)
        assert torch.equal(moved["boxes"], torch.stack([32 - x1, y0, 32 - x0, y1], 1))
        assert torch.equal(moved["labels"], target["labels"])
        assert type(moved["boxes"]) is type(moved["labels"]) is torch.Tensor
    middle = data.load("shapes", "detection", size=32, count=30, augment=v2.CenterCrop(8)).train
    left = 0
    for (_, before), (_, after) in zip(plain, middle):
        assert after["boxes"].shape == (len(after["labels"]), 4)
        assert ((after["boxes"] >= 0) & (after["boxes"] <= 8)).all()
        x0, y0, x1, y1 = before["boxes"].unbind(1)
        inside = (x0 <= 19) & (x1 >= 13) & (y0 <= 19) & (y1 >= 13)
        assert torch.equal(after["labels"], before["labels"][inside])
        left += (~inside).sum()
    assert left > 5


def test_batches_shuffle_from_a_seed_and_keep_pairs():
    images, labels = torch.arange(10.0).view(10, 1, 1, 1), torch.arange(10)

    def order(seed):
        return [y for _, ys in data.batches(images, labels, batch_size=3, seed=seed) for y in ys]

    assert order(None) == list(range(10))
    assert order(1) == order(1) != order(2)
    for xs, ys in data.batches(images, labels, batch_size=3, seed=1):
        assert torch.equal(xs.flatten().long(), ys)


def test_batches_of_a_set_are_those_of_its_tensors():
    train = data.load("digits").train
    images, labels = (torch.stack(parts) for parts in zip(*train))
    for (x, y), (images_, labels_) in zip(
        data.batches(train, seed=4), data.batches(images, labels, seed=4), strict=True
    ):
        assert torch.equal(x, images_)
        assert torch.equal(y, labels_)


def test_batches_of_boxes_keep_them_apart():
    train = data.load("shapes", "detection", size=32, count=7).train
    (images, targets), _ = data.batches(train, batch_size=4)
    assert images.shape == (4, 3, 32, 32)
    assert [len(target["boxes"]) for target in targets] == [
        len(train[k][1]["boxes"]) for k in range(4)
    ]


def test_images_without_labels_are_refused():
    with pytest.raises(ValueError, match="come without labels"):
        data.batches(torch.zeros(3, 1, 8, 8))


def test_the_loop_takes_batches_of_a_set():
    train, validation, _ = data.load("digits", normalise=True)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    training.fit(model, data.batches(train, seed=0), optimizer, epochs=5)
    assert training.evaluate(model, data.batches(validation)) > 0.9


def test_a_transform_that_knows_images_only_is_given_the_image():
    from torchvision import transforms

    old = transforms.RandomCrop(8, padding=2)
    assert data.load("digits", augment=old).train[0][0].shape == (1, 8, 8)
    with pytest.raises(ValueError, match=r"take it from torchvision.transforms.v2"):
        data.load("shapes", "segmentation", count=2, augment=old)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.load("digits", size=(8, 8)), r"size is \(8, 8\); it must be an integer"),
        (lambda: data.load("digits", count=1.5), "count is 1.5; it must be an integer"),
        (lambda: data.photograph(height=0), "height is 0; it must be at least 1"),
        (lambda: data.channel_statistics([]), "there is no image"),
    ],
)
def test_what_cannot_be_is_told_in_words_of_ours(call, message):
    with pytest.raises(ValueError, match=message):
        call()
