import pytest
import torch
from torch import nn

from cnnbook import data, training


def digits():
    images, labels = data.digits()
    return data.batches(images[:1500], labels[:1500], seed=0), data.batches(
        images[1500:], labels[1500:]
    )


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def test_a_linear_layer_learns_the_digits():
    train, validation = digits()
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=3 * len(train))
    history = training.fit(
        model, train, optimizer, epochs=3, scheduler=schedule, validation=validation
    )
    assert len(history.losses) == 3 * len(train)
    assert len(history.accuracies) == 3
    assert history.accuracies[-1] > 0.85
    assert history.accuracies[-1] == training.evaluate(model, validation)


def test_a_loss_that_is_no_number_stops_the_training():
    train, _ = digits()
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), 1e38)
    with pytest.raises(FloatingPointError, match="in epoch 1; lower the learning rate"):
        training.fit(model, train, optimizer, epochs=2)


def test_nothing_to_learn_from_is_refused():
    model = linear()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(ValueError, match="train holds no batch"):
        training.fit(model, [], optimizer, epochs=1)
    with pytest.raises(ValueError, match="batches holds no image"):
        training.evaluate(model, [])


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
