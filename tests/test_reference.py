import copy
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models import WeightsEnum

from cnnbook import papers, reference
from cnnbook.data.archives import digest
from cnnbook.networks import cifar_resnet, inception_v3, resnet18, resnet34, resnet50
from cnnbook.networks.resnet import bottleneck_v15, option_b
from cnnbook.reference import load_reference_weights

RESNET18 = torchvision.models.ResNet18_Weights.IMAGENET1K_V1


def small(first: int = 3, second: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, first, padding=first // 2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 5, second, padding=second // 2),
    )


def test_the_same_function_is_found_the_same():
    difference = reference.compare(small(), small(), (3, 8, 8))
    assert max(difference) < reference.TOLERANCE


def test_two_channels_swapped_are_found():
    class Swapped(nn.Sequential):
        def forward(self, x):
            x = self[2](self[1](self[0](x)))
            return self[3](x[:, [1, 0, 2, 3]])

    difference = reference.compare(Swapped(*small()), small(), (3, 8, 8))
    assert min(difference) > 1e-3


def test_a_missing_running_statistic_is_found():
    class Untracked(nn.Sequential):
        def forward(self, x):
            norm = self[1]
            x = nn.functional.batch_norm(self[0](x), None, None, norm.weight, norm.bias, True)
            return self[3](self[2](x))

    network = Untracked(*small())
    with pytest.raises(
        ValueError, match=r"part at step 2: 3 here .* but 1 in the reference holds .* running_mean"
    ):
        reference.compare(network, small(), (3, 8, 8))


def test_another_shape_is_named():
    with pytest.raises(ValueError, match=r"part at step 3: 3 here holds weight 5×4×1×1"):
        reference.copy_weights(small(), small(second=1), torch.zeros(1, 3, 8, 8))


def test_nothing_is_copied_when_something_does_not_fit():
    target = small(second=1)
    before = [p.clone() for p in target.parameters()]
    with pytest.raises(ValueError, match="part at step 3"):
        reference.copy_weights(small(), target, torch.zeros(1, 3, 8, 8))
    assert all(torch.equal(a, b) for a, b in zip(before, target.parameters()))


def test_weights_are_copied():
    source, target = small(), small()
    copied = reference.copy_weights(source, target, torch.zeros(1, 3, 8, 8))
    assert copied == len(source.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(source.parameters(), target.parameters()))


def test_the_models_are_left_as_they_were():
    ours = small()
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    reference.compare(ours, small(), (3, 8, 8))
    assert all(torch.equal(before[key], value) for key, value in ours.state_dict().items())
    assert ours.training


def test_a_network_with_another_count_is_not_proved():
    with pytest.raises(AssertionError, match=r"4,089,184,256 multiply–adds here, but 3,857,973,2"):
        reference.prove(resnet50(branch=bottleneck_v15), "resnet50")


def test_a_reference_that_differs_needs_a_reason():
    theirs = torchvision.models.resnet18(num_classes=10)
    with pytest.raises(AssertionError, match="give the reason in `explained`"):
        reference.prove(resnet18(), "resnet18", theirs)


def test_a_reason_without_a_difference_is_refused():
    with pytest.raises(AssertionError, match="ResNet-18 does not differ in parameters"):
        reference.prove(resnet18(), "resnet18", explained={"parameters": "no reason"})


def test_a_reason_is_shown():
    remark = "option B adds projections"
    facts = papers.paper("cifar_resnet20")
    with pytest.raises(AssertionError, match="272,474 parameters here"):
        reference.prove(cifar_resnet(20, shortcut=option_b), "cifar_resnet20")
    proof = reference.prove(cifar_resnet(20), "cifar_resnet20")
    assert f"{facts.parameters:,}" in repr(proof)
    assert remark not in repr(proof)


@pytest.mark.parametrize(
    ("counted", "stated", "agrees"),
    [
        (3_857_973_248, "3.8 G", True),  # cut off
        (3_857_973_248, "3.9 G", True),  # rounded
        (3_857_973_248, "3.7 G", False),
        (269_722, "0.27 M", True),
        (61_706, "61,706", True),
        (61_707, "61,705", False),
        (5, "", True),  # the paper states nothing
        (5, "about five", False),
    ],
)
def test_what_a_paper_prints_is_compared_to_its_digits(counted, stated, agrees):
    assert reference._agrees(counted, stated) is agrees


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that torchvision's ResNet-18 would be downloaded to."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder / RESNET18.url.rpartition("/")[2]


@pytest.fixture
def download(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Callable:
    """Put weights where a download would, under a name that has their sum."""

    def put(theirs: nn.Module, chosen: WeightsEnum = RESNET18) -> Path:
        torch.save(theirs.state_dict(), weights)
        named = weights.with_name(f"weights-{digest(weights, 'sha256')[:8]}.pth")
        monkeypatch.setattr(chosen.value, "url", chosen.url.rpartition("/")[0] + f"/{named.name}")
        return weights.rename(named)

    return put


def test_weights_that_were_trained_are_loaded(download):
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18().eval()
    download(theirs)
    ours = resnet18().eval()
    classes, preprocess = load_reference_weights(ours, "resnet18")
    image = preprocess(torch.rand(3, 300, 400)).unsqueeze(0)
    assert image.shape == (1, 3, 224, 224)
    assert len(classes) == 1000
    assert classes[281] == "tabby"
    with torch.no_grad():
        assert torch.allclose(ours(image), theirs(image), atol=1e-5)


def test_weights_of_another_network_change_nothing(download):
    download(torchvision.models.resnet18())
    ours = resnet34()
    before = copy.deepcopy(ours.state_dict())
    with pytest.raises(ValueError, match=r"the networks part at step 1\d"):
        load_reference_weights(ours, "resnet18")
    assert all(torch.equal(before[key], tensor) for key, tensor in ours.state_dict().items())


def test_a_network_of_the_same_shapes_that_computes_something_else_is_told(download):
    download(torchvision.models.resnet18())
    ours = resnet18()
    for module in ours.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.1
    with pytest.raises(ValueError, match="another network with layers of the same shapes"):
        load_reference_weights(ours, "resnet18")


def test_a_broken_file_of_weights_is_told(download):
    weights = download(torchvision.models.resnet18())
    weights.write_bytes(weights.read_bytes()[:1_000_000])  # a download that was cut off
    with pytest.raises(OSError, match=r"weights-\w+.pth is broken, .* delete it"):
        load_reference_weights(resnet18(), "resnet18")


def test_weights_put_by_hand_must_have_the_sum_in_their_name(weights):
    torch.save(torchvision.models.resnet18().state_dict(), weights)
    with pytest.raises(OSError, match=r"name: its .* does not begin with f37072fd"):
        load_reference_weights(resnet18(), "resnet18")


def test_without_a_network_the_file_is_named(weights, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    with pytest.raises(ConnectionError, match=r"no route to host.*put https://.*pth into .*check"):
        load_reference_weights(resnet18(), "resnet18")
    assert not list(weights.parent.iterdir())


def test_weights_cannot_be_written(weights, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(PermissionError, match="cannot be written: set TORCH_HOME"):
        load_reference_weights(resnet18(), "resnet18")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("resnet51",), r"no network 'resnet51'; did you mean resnet"),
        (("resnet18", "V3"), r"no weights 'V3' of resnet18; choose IMAGENET1K_V1"),
    ],
)
def test_weights_that_are_not_there_are_told(call, message):
    with pytest.raises(ValueError, match=message):
        load_reference_weights(resnet18(), *call)


class Runs(nn.Module):
    """Makes harm where it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('code was run')",)


def test_no_code_runs_from_a_file_of_weights(download):
    harmful = nn.Identity()
    harmful.state_dict = lambda: {"conv1.weight": Runs()}
    download(harmful)
    with pytest.raises(OSError, match="is broken"):
        load_reference_weights(resnet18(), "resnet18")


def test_a_reference_that_rescales_its_input_is_followed(download):
    chosen = torchvision.models.Inception_V3_Weights.DEFAULT
    made = torchvision.models.inception_v3(init_weights=False)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # statistics of one batch
    with torch.no_grad():
        made(torch.randn(2, 3, 299, 299))
    download(made, chosen)
    theirs = torchvision.models.inception_v3(weights=chosen).eval()
    ours = inception_v3().eval()
    for _ in range(2):  # loading twice rescales once
        _, preprocess = load_reference_weights(ours, "inception_v3")
    image = preprocess(torch.rand(3, 320, 320))[None]
    with torch.no_grad():
        assert reference._relative(ours(image), theirs(image)) < 1e-3


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.scale = nn.Parameter(torch.randn(16))

    def forward(self, x):
        return self.attention(x, x, x)[0] * self.scale


def test_weights_that_no_module_runs_with_are_copied_too():
    theirs, ours = Attends(), Attends()
    assert reference.copy_weights(theirs, ours, torch.randn(1, 5, 16)) == 5
    copied = ours.state_dict()
    assert all(torch.equal(copied[key], tensor) for key, tensor in theirs.state_dict().items())
    assert max(reference.compare(Attends(), Attends(), (5, 16))) < reference.TOLERANCE


def test_a_tensor_that_one_of_them_lacks_is_named():
    with pytest.raises(ValueError, match=r"layer.bias here is 4, – in the reference is nothing"):
        reference.copy_weights(Functional(False), Functional(True), torch.randn(1, 5))


def test_a_first_layer_may_work_in_place():
    a, b = (nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 4, 3)) for _ in range(2))
    assert max(reference.compare(a, b, (3, 8, 8))) < reference.TOLERANCE


def test_the_first_of_several_outputs_is_compared():
    a, b = (Both(nn.Conv2d(3, 4, 3)) for _ in range(2))
    assert max(reference.compare(a, b, (3, 8, 8))) < reference.TOLERANCE


class Functional(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.layer, self.bias = nn.Linear(5, 4), bias

    def forward(self, x):
        return F.linear(x, self.layer.weight, self.layer.bias if self.bias else None)


class Both(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return {"out": self.layer(x), "aux": None}


def test_two_that_differ_do_not_go_into_one():
    theirs, ours = (nn.Sequential(*(nn.Linear(4, 4) for _ in range(2))) for _ in range(2))
    ours[1].weight = ours[0].weight
    before = ours[0].weight.clone()
    with pytest.raises(ValueError, match="used twice here"):
        reference.copy_weights(theirs, ours, torch.zeros(1, 4))
    assert torch.equal(ours[0].weight, before)


def test_a_run_to_find_the_order_changes_no_statistics():
    theirs, ours = (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)) for _ in range(2))
    reference.copy_weights(theirs, ours, torch.ones(2, 3, 8, 8))
    assert theirs[1].num_batches_tracked == 0


class Silent(nn.Conv2d):
    def forward(self, x):
        return super().forward(x) * 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reference.compare(Silent(3, 4, 3), Silent(3, 4, 3), (3, 8, 8)), "zero everywhere"),
        (
            lambda: reference.compare(nn.Conv2d(3, 4, 3), nn.Conv2d, (3, 8, 8)),
            "a network is wanted",
        ),
        (
            lambda: reference.compare(nn.ReLU(), nn.ReLU(), (3, 8, 8), order="runs"),
            "order is 'runs'",
        ),
        (lambda: reference.compare(nn.ReLU(), nn.ReLU(), 8), "input_size is 8"),
        (
            lambda: reference.compare(nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), (4, 8, 8)),
            "does not take an in",
        ),
        (lambda: reference.copy_weights(nn.ReLU(), nn.ReLU(), [1]), "image is a list"),
        (lambda: load_reference_weights(nn.ReLU(), None), "no network None"),
    ],
)
def test_what_cannot_be_compared_is_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()
