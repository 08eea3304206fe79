import copy
import math
import os
import subprocess
import sys
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader

from cnnbook import data, training


def digits() -> tuple[DataLoader, DataLoader]:
    images, labels = data.digits()
    return data.batches(images[:1500], labels[:1500], seed=0), data.batches(
        images[1500:], labels[1500:]
    )


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


class Number(nn.Module):
    """A model that is one number, its output for any image."""

    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.tensor(number))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.number.expand(len(images), 1)


def distance(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return (outputs.squeeze(1) - labels).abs().mean()


def pull(to: float, *, count: int = 1) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """A batch that draws the number to another one."""
    return [(torch.zeros(count, 1), torch.full((count,), to))]


def walk(model: Number, train: list, **how) -> training.History:
    """Train by whole steps: the gradient of a distance is 1 or -1."""
    optimizer = torch.optim.SGD(model.parameters(), how.pop("rate", 1.0))
    return training.fit(model, train, optimizer, loss_function=distance, **how)


def test_a_linear_layer_learns_the_digits():
    train, validation = digits()
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=3 * len(train))
    history = training.fit(
        model, train, optimizer, epochs=3, scheduler=schedule, validation=validation
    )
    assert len(history.losses) == len(history.learning_rates) == 3 * len(train)
    assert len(history.accuracies) == len(history.validation_losses) == 3
    assert history.accuracies[-1] > 0.85
    assert history.accuracies[-1] == training.evaluate(model, validation)
    assert max(history.learning_rates) == pytest.approx(0.5, rel=1e-2)
    assert history.ends == [len(train), 2 * len(train), 3 * len(train)]


def test_the_loop_gives_the_weights_of_one_written_out():
    model, twin = linear(), linear()
    train, validation = digits()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    history = training.fit(model, train, optimizer, epochs=2, validation=validation)
    train, optimizer, losses = digits()[0], torch.optim.Adam(twin.parameters(), 0.01), []
    for _ in range(2):
        for images, labels in train:
            loss = F.cross_entropy(twin(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert history.losses == losses
    assert all(torch.equal(x, y) for x, y in zip(model.parameters(), twin.parameters()))


def test_a_plateau_is_seen_in_the_validation_loss():
    model = Number(0.0)
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0)
    history = training.fit(
        model,
        pull(9.0),
        optimizer,
        epochs=4,
        scheduler=schedule,
        validation=pull(2.0),
        loss_function=distance,
    )
    assert history.validation_losses == [1.0, 0.0, 1.0, 1.5]
    assert history.learning_rates == [1.0, 1.0, 1.0, 0.5]


def test_patience_keeps_the_best_weights():
    model = Number(0.0)
    history = walk(model, pull(9.0), epochs=9, validation=pull(3.0), patience=2)
    assert history.validation_losses == [2.0, 1.0, 0.0, 1.0, 2.0]
    assert model.number.item() == 3.0


def test_patience_keeps_the_best_weights_even_where_it_does_not_run_out():
    model = Number(0.0)
    walk(model, pull(9.0), epochs=4, validation=pull(3.0), patience=2)
    assert model.number.item() == 3.0
    walk(model, pull(9.0), epochs=4, validation=pull(3.0))
    assert model.number.item() == 7.0  # without patience, the last ones


def test_an_equal_loss_is_not_a_lower_one():
    model = Number(0.0)
    history = walk(model, pull(0.0), epochs=9, validation=pull(0.0), patience=3)
    assert history.validation_losses == [0.0] * 4


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("validated", [True, False])
def test_a_loss_that_is_no_number_is_named_and_the_best_weights_kept(broken, validated):
    good, bad = pull(9.0)[0], pull(broken)[0]
    epochs = iter([[good, good], [good, good], [good, good, bad, good]])

    class Epochs:
        def __iter__(self):
            return iter(next(epochs))

    model = Number(0.0)
    with pytest.raises(FloatingPointError) as told:
        walk(model, Epochs(), epochs=5, validation=pull(2.0) if validated else None)
    best = 1 if validated else 2  # the second epoch went past the validation images
    assert f"the loss is {broken} at step 3 of epoch 3; lower the learning rate" in str(told.value)
    assert f"back at its weights after epoch {best}." in str(told.value)
    assert model.number.item() == 2.0 * best


def test_a_rate_beyond_all_measure_leaves_the_first_weights():
    model = linear()
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), 1e38)
    with pytest.raises(FloatingPointError, match=r"at step 2 of epoch 1; .* after epoch 0"):
        training.fit(model, digits()[0], optimizer, epochs=2)
    assert all(torch.equal(before[name], x) for name, x in model.state_dict().items())


def test_nothing_to_learn_from_is_refused():
    model = linear()
    with pytest.raises(ValueError, match="train holds no batch"):
        walk(model, [], epochs=1)
    with pytest.raises(ValueError, match="train holds no batch"):  # used up after an epoch
        walk(Number(0.0), iter(pull(1.0)), epochs=2)
    with pytest.raises(ValueError, match="batches holds no image"):
        training.evaluate(model, [])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"epochs": 0}, "epochs is 0; it must be at least 1"),
        ({"patience": 0, "validation": pull(1.0)}, "patience is 0; it must be at least 1"),
        ({"patience": 2}, "patience needs validation images"),
        ({"metrics": {"none": None}}, "metrics needs validation images"),
    ],
)
def test_what_does_not_fit_is_refused(how, message):
    with pytest.raises(ValueError, match=message):
        walk(Number(0.0), pull(1.0), **{"epochs": 1} | how)


def test_a_plateau_without_validation_images_is_refused():
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="ReduceLROnPlateau needs validation images"):
        training.fit(model, digits()[0], optimizer, epochs=1, scheduler=schedule)


def test_evaluation_counts_images_and_leaves_the_mode():
    class Parrot(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, x):
            assert not self.training
            return nn.functional.one_hot(x.flatten().long(), 4).float() * self.scale

    parrot = Parrot().train()
    batches = [
        (torch.tensor([0, 1, 2]), torch.tensor([0, 1, 0])),
        (torch.tensor([3]), torch.tensor([3])),
    ]
    assert training.evaluate(parrot, batches) == 3 / 4
    assert parrot.training
    training.evaluate(parrot.eval(), batches)
    assert not parrot.training


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_a_smaller_batch_counts_for_less(sizes):
    images, labels = data.digits()
    model, total = linear(), sum(sizes)
    whole = training.measure(model, [(images[:total], labels[:total])])
    cut = list(zip(images[:total].split(sizes), labels[:total].split(sizes)))
    parts = training.measure(model, cut)
    assert parts["accuracy"] == whole["accuracy"]
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-5)


def test_metrics_of_torchmetrics_are_measured():
    from torchmetrics.classification import MulticlassAccuracy

    train, validation = digits()
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    metrics = {
        "top-1": MulticlassAccuracy(10, average="micro"),
        "top-5": MulticlassAccuracy(10, top_k=5, average="micro"),
    }
    history = training.fit(
        model, train, optimizer, epochs=2, validation=validation, metrics=metrics
    )
    assert history.metrics["top-1"] == pytest.approx(history.accuracies)
    assert all(five >= one for one, five in zip(*history.metrics.values()))
    assert "top-5" in repr(history)
    again = training.measure(model, validation, metrics=metrics)
    assert again["top-5"] == history.metrics["top-5"][-1]


def test_segmentation_is_measured_pixel_by_pixel():
    labels = torch.tensor([[[0, 1], [1, 1]]])
    model = nn.Conv2d(1, 2, 1)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.copy_(torch.tensor([0.0, 1.0]))
    assert training.evaluate(model, [(torch.zeros(1, 1, 2, 2), labels)]) == 3 / 4


def test_a_history_tabulates_its_epochs():
    history = walk(Number(0.0), pull(9.0) * 2, epochs=2, validation=pull(5.0))
    assert repr(history).splitlines() == [
        "epoch  learning rate  training loss  validation loss  accuracy",
        "    1              1         8.5000           3.0000       nan",
        "    2              1         6.5000           1.0000       nan",
    ]
    assert history._repr_html_().count("<tr>") == 3
    assert "<td>6.5000</td>" in history._repr_html_()
    assert "validation" not in repr(walk(Number(0.0), pull(9.0), epochs=1))


def test_a_history_plots_its_losses():
    import matplotlib.pyplot as plt

    history = walk(Number(0.0), pull(9.0) * 2, epochs=2, validation=pull(5.0))
    axes = history.plot()
    training_line, validation_line = axes.get_lines()
    assert training_line.get_ydata().tolist() == history.losses == [9.0, 8.0, 7.0, 6.0]
    assert training_line.get_xdata().tolist() == [1.0, 2.0, 3.0, 4.0]
    assert list(validation_line.get_xdata()) == [2, 4]
    assert list(validation_line.get_ydata()) == [3.0, 1.0]
    plt.close(axes.figure)


@pytest.mark.parametrize("hidden", [True, False])
def test_the_bar_can_be_hidden_and_leaves_nothing_behind(hidden):
    code = (
        "import test_loop as t\n"
        "t.walk(t.Number(0.0), t.pull(9.0) * 3, epochs=2, validation=t.pull(5.0))\n"
    )
    environment = {"PYTHONPATH": os.path.dirname(__file__), "TQDM_DISABLE": "1" if hidden else ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b""
    assert (b"epoch 2 of 2" in done.stderr) != hidden
    left = done.stderr.rstrip(b"\r").rpartition(b"\r")[2]  # what the terminal shows in the end
    assert left.strip() == b""


@pytest.mark.parametrize("patience", [None, 2])
def test_a_validation_loss_that_is_no_number_is_told_and_the_training_kept(patience):
    images, labels = data.digits()
    broken = images[:8].clone()
    broken[3, 0, 0, 0] = math.nan
    torch.manual_seed(0)
    model = linear()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(FloatingPointError, match="validation loss is nan after epoch 1"):
        training.fit(
            model,
            data.batches(images, labels, seed=0),
            torch.optim.SGD(model.parameters(), 0.1),
            epochs=3,
            patience=patience,
            validation=data.batches(broken, labels[:8]),
        )
    assert not torch.equal(before["1.weight"], model[1].weight)


def test_void_labels_are_left_out_of_the_accuracy():
    masks = torch.zeros(8, 4, 4, dtype=torch.int64)
    masks[:, :, 2:] = 255
    masks[:, 0, 0] = 1
    scores = torch.stack([torch.ones(8, 4, 4), torch.zeros(8, 4, 4)], 1)
    found = training.measure(
        Given(scores),
        [(torch.zeros(8, 1, 4, 4), masks)],
        loss_function=nn.CrossEntropyLoss(ignore_index=255),
    )
    assert found["accuracy"] == 7 / 8


class Given(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.outputs = outputs

    def forward(self, _images):
        return self.outputs


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [((32, 1), (32, 1)), ((32, 10), (32, 1)), ((32,), (32,)), ((32, 10, 4, 4), (32,))],
)
def test_labels_that_would_be_broadcast_are_refused(outputs, labels):
    batches = [(torch.zeros(32, 3), torch.zeros(labels, dtype=torch.int64))]
    with pytest.raises(ValueError, match=r"a label \(the number of a class\) for each answer"):
        training.measure(
            Given(torch.zeros(outputs)), batches, loss_function=lambda *_: torch.tensor(0.0)
        )


def test_a_batch_too_small_for_batch_norm_is_told():
    images, labels = data.digits()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.Linear(16, 10))
    batches = data.batches(images[:65], labels[:65], batch_size=64)
    with pytest.raises(ValueError, match="a batch of 1 is too small for batch normalisation"):
        training.fit(model, batches, torch.optim.SGD(model.parameters(), 0.1), epochs=1)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_plateau_scheduler_waits_for_a_lower_loss_in_either_mode(mode):
    images, labels = data.digits()
    torch.manual_seed(0)
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, mode, patience=0)
    batches = data.batches(images[:200], labels[:200])
    history = training.fit(
        model, batches, optimizer, epochs=5, scheduler=plateau, validation=batches
    )
    assert history.learning_rates[-1] == 0.01


def test_a_model_without_parameters_can_be_measured():
    images, labels = data.digits()
    assert 0 <= training.evaluate(nn.Flatten(), data.batches(images, labels)) <= 1


def test_the_mode_comes_back_after_an_error():
    model = nn.Linear(8, 3).train()
    with pytest.raises(ValueError, match=r"does not take images of 2 × 5 \(torch.float32\)"):
        training.measure(model, [(torch.zeros(2, 5), torch.zeros(2))])
    assert model.training


def _small():
    images, labels = torch.rand(8, 1, 4, 4), torch.randint(0, 3, (8,))
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3)), [(images, labels)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"optimizer": torch.optim.SGD(nn.Linear(2, 2).parameters(), 0.1)}, "train another"),
        ({"optimizer": torch.optim.SGD}, "the optimizer is"),
        (
            {"loss_function": lambda x, y: (F.cross_entropy(x, y), 1)},
            "the loss is tuple",
        ),
        (
            {"loss_function": lambda x, y: F.cross_entropy(x.detach(), y)},
            "does not depend on any",
        ),
        ({"train": [{"image": 1, "label": 2}]}, "a batch is a dict"),
        ({"train": [(torch.zeros(0, 1, 4, 4), torch.zeros(0).long())]}, "holds no image"),
    ],
)
def test_what_cannot_be_trained_is_told(change, message):
    model, batches = _small()
    how = {"train": batches, "optimizer": torch.optim.SGD(model.parameters(), 0.1), "epochs": 1}
    how |= change
    with pytest.raises(ValueError, match=message):
        training.fit(model, how.pop("train"), how.pop("optimizer"), **how)


def test_a_scheduler_of_another_optimizer_is_told():
    model, batches = _small()
    here, there = (torch.optim.SGD(model.parameters(), 0.1) for _ in range(2))
    scheduler = torch.optim.lr_scheduler.StepLR(there, 1)
    with pytest.raises(ValueError, match="another optimizer"):
        training.fit(model, batches, here, epochs=1, scheduler=scheduler)


def test_an_answer_that_is_no_number_is_not_right():
    model, ((images, _),) = _small()
    assert training.evaluate(model, [(images * math.nan, torch.zeros(8).long())]) == 0


def test_a_metric_does_not_replace_the_accuracy():
    model, batches = _small()
    with pytest.raises(ValueError, match="'accuracy', which is measured in any case"):
        training.measure(model, batches, metrics={"accuracy": None})


class Wrapped(nn.Module):
    """Gives its answer in a container, as networks with auxiliary heads do."""

    def __init__(self, container):
        super().__init__()
        self.inner, self.container = _small()[0], container

    def forward(self, x):
        return self.container([self.inner(x)])


LABELS = torch.arange(8) % 3
IMAGES = torch.rand(8, 1, 4, 4)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (IMAGES, LABELS.int(), "the labels are torch.int32; .* labels.long()"),
        (IMAGES, LABELS.float(), "the labels are torch.float32"),
        (IMAGES, LABELS + 1, "go from 1 to 3, and the model knows the classes 0 to 2"),
        (IMAGES, LABELS - 1, "go from -1 to 1, and the model knows"),
        (torch.rand(8, 1, 5, 5), LABELS, r"does not take images of 8 × 1 × 5 × 5 \(torch.float32"),
        (IMAGES.double(), LABELS, r"does not take images of 8 × 1 × 4 × 4 \(torch.float64\)"),
        (IMAGES, LABELS[:5], "the labels are 5|labels of 5"),
        (IMAGES, torch.tensor(1), "the labels are a single number|labels of a single number"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_told(images, labels, message):
    model, _ = _small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        training.evaluate(model, [(images, labels)])
    with pytest.raises(ValueError, match=message):
        training.fit(model, [(images, labels)], torch.optim.SGD(model.parameters(), 0.1), epochs=1)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("container", [tuple, list, lambda outputs: {"out": outputs[0]}])
def test_an_answer_in_a_container_is_told(container):
    model = Wrapped(container)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(ValueError, match="which the loss does not take: put the model"):
        training.fit(model, [(IMAGES, LABELS)], optimizer, epochs=1)
    with pytest.raises(ValueError, match="accuracy wants one tensor"):
        training.evaluate(model, [(IMAGES, LABELS)])


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(), F.smooth_l1_loss])
@pytest.mark.parametrize("shape", [(8,), (1, 3), (8, 1)])
def test_labels_that_a_loss_would_repeat_are_refused(loss, shape):
    model, _ = _small()
    batches, optimizer = [(IMAGES, torch.rand(shape))], torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(ValueError, match="wants the same shape"):
        training.fit(model, batches, optimizer, epochs=1, loss_function=loss)
    batches = [(IMAGES, torch.rand(8, 3))]
    assert len(training.fit(model, batches, optimizer, epochs=1, loss_function=loss).losses) == 1


def test_a_memory_that_is_full_stays_what_it_is():
    def full(_logits, _labels):
        raise torch.OutOfMemoryError("no memory")

    model, batches = _small()
    with pytest.raises(torch.OutOfMemoryError):
        training.fit(
            model, batches, torch.optim.SGD(model.parameters(), 0.1), epochs=1, loss_function=full
        )


def test_one_output_is_no_choice_among_classes():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for labels in (torch.zeros(8, 1), torch.zeros(8).long()):
        with pytest.raises(ValueError, match="wants an output for each"):
            training.fit(model, [(IMAGES, labels)], optimizer, epochs=1)

    def binary(outputs, labels):
        return F.binary_cross_entropy_with_logits(outputs[:, 0], labels.float())

    found = training.measure(model, [(IMAGES, LABELS % 2)], loss_function=binary)
    assert math.isnan(found["accuracy"])
    assert found["loss"] > 0


def test_weights_that_are_no_numbers_are_told():
    def steep(outputs, labels):
        return F.cross_entropy(outputs, labels) + (outputs - outputs).abs().sum().sqrt()

    model, batches = _small()
    before = copy.deepcopy(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(FloatingPointError, match="a weight is no number after epoch 1"):
        training.fit(model, batches, optimizer, epochs=1, loss_function=steep)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("reduction", ["sum", "none"])
@pytest.mark.parametrize("wrap", [nn.CrossEntropyLoss, partial(partial, F.cross_entropy)])
def test_a_loss_that_is_no_mean_is_refused(reduction, wrap):
    model, batches = _small()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(ValueError, match=f"reduction '{reduction}'"):
        training.fit(model, batches, optimizer, epochs=1, loss_function=wrap(reduction=reduction))
    with pytest.raises(ValueError, match=f"reduction '{reduction}'"):
        training.measure(model, batches, loss_function=wrap(reduction=reduction))


@pytest.mark.parametrize("parts", [(8,), (6, 2), (4, 4)])
def test_the_loss_is_the_mean_over_what_has_a_label(parts):
    model, _ = _small()
    labels = torch.tensor([0, 1, 2, 0, -100, -100, -100, -100])
    batches = list(zip(IMAGES.split(parts), labels.split(parts)))
    with torch.no_grad():
        whole = F.cross_entropy(model(IMAGES), labels).item()
    assert training.measure(model, batches)["loss"] == pytest.approx(whole)


@pytest.mark.parametrize("loss", [partial(F.mse_loss), type("Mine", (nn.MSELoss,), {})()])
def test_a_loss_in_a_wrapping_repeats_no_labels_either(loss):
    model, _ = _small()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(ValueError, match="wants the same shape"):
        training.fit(model, [(IMAGES, torch.rand(3))], optimizer, epochs=1, loss_function=loss)


def test_what_is_held_in_evaluation_mode_stays_there():
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 3))
    model[1].eval()
    mean = model[1].running_mean.clone()
    training.evaluate(model, [(IMAGES, LABELS)])
    assert [part.training for part in model.modules()] == [True, True, False, True]
    training.fit(
        model,
        [(IMAGES, LABELS)],
        torch.optim.SGD(model.parameters(), 0.1),
        epochs=2,
        validation=[(IMAGES, LABELS)],
    )
    assert torch.equal(model[1].running_mean, mean)
