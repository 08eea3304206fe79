import pytest
import torch
from torch.utils.data import TensorDataset

from cnnbook import data
from tools.pages import real
from tools.pages.real import NETWORKS, Run, Trained

CLASSES = tuple(f"class {k}" for k in range(10))


def answers(said: torch.Tensor, sure: float = 1.0) -> torch.Tensor:
    """Logits that say these classes."""
    return sure * torch.nn.functional.one_hot(said, 10).double()


def test_confusions_are_counted_in_rows_of_the_truth():
    truth, said = torch.tensor([0, 0, 0, 1, 9]), torch.tensor([0, 3, 3, 1, 0])
    counts = real.confusion(answers(said), truth)
    assert counts.sum() == 5
    assert counts[0].tolist() == [1, 0, 0, 2, 0, 0, 0, 0, 0, 0]
    assert counts[9, 0] == 1
    assert real.pairs(counts, CLASSES, 1) == [("class 0", "class 3", 2)]


def test_the_most_confident_mistakes_are_wrong_and_in_order():
    truth, said = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 2, 2, 4])
    logits = answers(said) * torch.tensor([[9.0], [1.0], [9.0], [5.0]])
    assert real.confident(logits, truth, 2) == [3, 1]


@pytest.mark.parametrize("how", NETWORKS, ids=lambda how: how.name)
def test_each_network_is_trained_and_asked(how: Trained):
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 256, (70, 1, 28, 28), dtype=torch.uint8, generator=generator)
    pairs = TensorDataset(pictures, torch.arange(70) % 10)
    split = data.ImageSet(pairs, CLASSES, torch.tensor([0.3]), torch.tensor([0.3]), normalise=True)
    found = real.run(how._replace(images=70), 0, data.Splits(split, split, split))
    assert len(found.losses) == 2
    assert found.logits.shape == (70, 10)
    assert 0 <= found.right(real.labels(split, 70)) <= 1
    assert found.seconds > 0


def test_the_page_has_every_number():
    truth = torch.arange(20) % 10
    right, wrong = answers(truth), answers((truth + 1) % 10)
    found = {how.name: [Run([2.0], wrong, 7.0)] * 2 for how in NETWORKS}
    found["ResNet-8"] = [Run([2.0], right, 61.7), Run([2.0], right, 70.2)]
    text = real.page(found, truth, CLASSES, "a processor, torch 2, 2026-01-31")
    assert "| ResNet-8 | 100.0, 100.0 | 54,000 | 66 | 12.2 | 75,290 |" in text
    assert "| LeNet-5 | 0.0, 0.0 | 54,000 | 7 | 0.3 | 60,000 |" in text
    assert "## Where ResNet-8 errs" in text
    assert "a processor, torch 2, 2026-01-31, one thread." in text
    assert "{" not in text.replace(":::{figure}", "")


def test_the_page_of_the_book_is_of_these_networks():
    text = (real.notebooks.ROOT / real.PAGE_FILE).read_text(encoding="utf-8")
    for how in NETWORKS:
        assert f"| {how.name} | " in text
        assert f"| {how.images:,} | " in text
