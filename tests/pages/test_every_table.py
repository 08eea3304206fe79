"""The table of every network is whole and true, and the page is what the table gives."""

import random
import warnings
from functools import partial
from importlib import import_module

import pytest
import timm
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from cnnbook.arithmetic import multiply_adds
from tools.chapters import written
from tools.pages import constructors, every, every_page, functions, published, thrice
from tools.pages.every_page import Entry

if not (every.ROOT / every_page.TABLE).exists():
    pytest.skip("there is no table yet: make every writes it", allow_module_level=True)

ENTRIES = every_page.load(every.ROOT / every_page.TABLE)
REASONS = every_page.reasons(every.ROOT / every_page.REASONS)
PAGE = (every.ROOT / every_page.PAGE_FILE).read_text(encoding="utf-8")

pytestmark = pytest.mark.filterwarnings("ignore")  # of three libraries


@pytest.fixture(scope="module")
def listed():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {(c.library, c.name): c for c in constructors.constructors()}


def test_every_constructor_has_a_row(listed):
    assert [(entry.row.library, entry.row.name) for entry in ENTRIES] == list(listed)


def test_every_row_has_its_numbers_or_a_reason():
    for entry in ENTRIES:
        row = entry.row
        numbers = row.parameters, row.frozen, row.multiply_adds, row.building, row.counting
        if row.reason:
            assert row.parameters is row.multiply_adds is None
            assert "\n" not in row.reason
        else:
            assert None not in numbers
            assert row.input_size
            assert row.multiply_adds > 0


def sample(number: int) -> list[Entry]:
    """Some of the cheap rows, the same ones until the table changes."""
    cheap = [e for e in ENTRIES if not e.row.reason and e.row.counting < 0.3]
    return random.Random(len(ENTRIES)).sample(cheap, number)


@pytest.mark.parametrize("entry", sample(10), ids=lambda entry: entry.full_name)
def test_a_row_counts_again_as_it_is_stored(entry, listed):
    now = thrice.count(listed[entry.row.library, entry.row.name])
    assert now._replace(building=0, counting=0) == entry.row._replace(building=0, counting=0)


@pytest.mark.parametrize("kind", ["numbers", "quantised"])
def test_a_refused_row_is_refused_again(kind, listed):
    entry = min((e for e in ENTRIES if kind in e.row.reason), key=lambda e: e.row.building or 1)
    now = thrice.count(listed[entry.row.library, entry.row.name])
    assert now._replace(building=0) == entry.row._replace(building=0)


def explained(words: str) -> list[Entry]:
    """The rows whose figures a reason explains that has these words, the quickest first."""
    (reason,) = (reason for reason in REASONS if words in reason.why)
    found = [entry for entry in ENTRIES if entry.differs and reason.explains(entry)]
    return sorted(found, key=lambda entry: entry.row.counting)


def cheapest_of_each_pattern() -> list[tuple[every_page.Reason, Entry]]:
    tried = [reason for reason in REASONS if reason.options or reason.after]
    return [
        (reason, min((e for e in explained(reason.why) if alone.explains(e)), key=_cost))
        for reason in tried
        for alone in (reason._replace(networks=(pattern,)) for pattern in reason.networks)
    ]


def _cost(entry: Entry) -> float:
    return entry.row.building + entry.row.counting


def rebuilt(entry, reason, listed):
    constructor = listed[entry.row.library, entry.row.name]
    return constructors.on_meta(
        constructor._replace(build=partial(constructor.build, **reason.options))
    )


@pytest.mark.parametrize(
    ("reason", "entry"), cheapest_of_each_pattern(), ids=lambda one: getattr(one, "full_name", "")
)
def test_built_as_the_reason_says_a_network_has_the_published_figures(reason, entry, listed):
    if reason.after:  # works on numbers, so that the network has to have some
        module, _, name = reason.after.rpartition(".")
        network = getattr(import_module(module), name)(timm.create_model(entry.row.name))
        counted = sum(p.numel() for p in network.parameters())  # now some are frozen
    else:
        network = rebuilt(entry, reason, listed)
        counted = functions.parameters(network)
    figure = float(entry.parameters)
    assert abs(figure - counted) <= (5_100 if entry.row.library == "timm" else 0)  # 0.01 M


class Normalised(TorchDispatchMode):
    """Counts what fvcore counts of normalisation."""

    def __init__(self):
        super().__init__()
        self.work = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        if "norm" in name and isinstance(args[0], torch.Tensor):
            self.work += (2 if "batch_norm" in name else 5) * args[0].numel()
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "entry", explained("work of normalisation"), ids=lambda entry: entry.row.name
)
def test_with_normalisation_a_count_is_the_published_figure(entry, listed):
    network = constructors.on_meta(listed["timm", entry.row.name])
    size = map(int, entry.row.input_size.split())
    with torch.no_grad(), Normalised() as beside:
        network(torch.empty(1, *size, device="meta"))
    figure, counted = float(entry.multiply_adds), entry.row.multiply_adds + beside.work
    assert abs(figure - counted) <= max(5_100_000, 0.03 * figure)
    assert abs(figure - entry.row.multiply_adds) > published.NEAR * entry.row.multiply_adds


def test_the_figures_of_one_network_stand_at_another():
    (wrong,) = explained("of another network")
    twin = next(e for e in ENTRIES if e.full_name == "timm ecaresnext26t_32x4d")
    assert abs(float(wrong.parameters) - twin.row.parameters) < 5_100


def test_the_figures_of_sequencers_lack_their_lstms(listed):
    (entry, *_) = explained("lack the LSTMs")
    network, work = constructors.on_meta(listed["timm", entry.row.name]), 0

    def count(lstm, inputs, _output):
        nonlocal work
        weights = 4 * lstm.hidden_size * (lstm.input_size + lstm.hidden_size)
        work += inputs[0].shape[:2].numel() * weights * (2 if lstm.bidirectional else 1)

    for module in network.modules():
        if isinstance(module, torch.nn.LSTM):
            module.register_forward_hook(count)
    with torch.no_grad():
        network(torch.empty(1, *map(int, entry.row.input_size.split()), device="meta"))
    without = entry.row.multiply_adds - work
    assert abs(without - float(entry.multiply_adds)) < 0.01 * without


def test_the_missing_prelus_of_espnet(listed):
    network = constructors.on_meta(listed["pytorchcv", "espnetv2_w1"])
    units = [m for m in network.modules() if hasattr(m, "preactiv") and m.downsample]
    (entry,) = (e for e in ENTRIES if e.full_name == "pytorchcv espnetv2_w1")
    missing = int(entry.parameters) - entry.row.parameters
    assert sum(unit.preactiv.bn.num_features for unit in units) == missing


def test_every_difference_has_a_reason_and_every_reason_a_difference():
    assert every_page.problems(ENTRIES, REASONS) == []
    (first, *_) = (e for e in ENTRIES if e.differs)
    rest = [reason for reason in REASONS if not reason.explains(first)]
    assert f"{first.full_name} has no reason" in every_page.problems(ENTRIES, rest)
    idle = REASONS[0]._replace(networks=("timm no_such",))
    assert "timm no_such does not differ" in every_page.problems(ENTRIES, [*REASONS, idle])


def test_the_page_is_what_the_table_gives():
    machine = PAGE.partition("writes this page: ")[2].partition(".\n")[0]
    assert written.sealed(every_page.page(ENTRIES, REASONS, machine), "make every") == PAGE


def test_the_table_is_stored_as_it_was_read(tmp_path):
    every_page.store(ENTRIES, tmp_path / "table.csv")
    stored = (every.ROOT / every_page.TABLE).read_text(encoding="utf-8")
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == stored


def test_the_figures_of_differential_attention_take_the_values_once():
    for entry in explained("other form of the attention"):
        network = timm.create_model(entry.row.name)
        for module in network.modules():
            if hasattr(module, "fused_attn"):
                module.fused_attn = False
        counted = multiply_adds(network, tuple(map(int, entry.row.input_size.split())))
        assert abs(counted - float(entry.multiply_adds)) < 0.003 * counted


OPERATIONS = {  # of the author's program, for each number that a layer is given
    **dict.fromkeys(("ReLU", "ReLU6", "HSigmoid", "AdaptiveAvgPool2d"), 1),
    **dict.fromkeys(("ChannelShuffle", "ChannelShuffle2"), 1),
    **{"HSwish": 2, "PReLU": 3, "BatchNorm2d": 4, "ConvTranspose2d": 4},
    **{"Sigmoid": 4, "Swish": 5},
}


def operations(layer, x, y) -> int:
    """What pytorchcv's author counts of a layer: all operations."""
    bare = getattr(layer, "bias", None) is None
    if isinstance(layer, torch.nn.Conv2d):
        return 2 * layer.weight[0].numel() * y.numel() - bare * layer.weight[:, :, 0, 0].numel()
    if isinstance(layer, torch.nn.Linear):
        return 2 * layer.weight.numel() - bare * layer.out_features
    if isinstance(layer, (torch.nn.MaxPool2d, torch.nn.AvgPool2d)):
        side = layer.kernel_size
        return y.numel() * (side**2 if isinstance(side, int) else side[0] * side[1])
    return OPERATIONS.get(type(layer).__name__, 0) * x.numel()


@pytest.mark.parametrize(
    "entry",
    [*explained("half of all operations")[::5], *explained("lack the transposed")[:2]],
    ids=lambda entry: entry.row.name,
)
def test_with_all_operations_a_count_is_the_published_figure(entry, listed):
    network, counted = constructors.on_meta(listed["pytorchcv", entry.row.name]), []
    for layer in network.modules():
        if not list(layer.children()):
            layer.register_forward_hook(
                lambda layer, inputs, y: counted.append(operations(layer, inputs[0], y))
            )
    with torch.no_grad():
        network(torch.empty(1, *map(int, entry.row.input_size.split()), device="meta"))
    figure = float(entry.multiply_adds)
    assert abs(sum(counted) / 2 - figure) < 5e-4 * figure


def test_what_nobody_explains_is_the_same_for_all():
    entries = explained("We do not know why")
    apart = {round((float(e.multiply_adds) - e.row.multiply_adds) / 1e6) for e in entries}
    assert apart == {92}
    assert {e.parameters for e in entries} == {"="}


def test_on_small_images_deeplab_has_the_published_work(listed):
    (reason,) = (reason for reason in REASONS if "224 × 224" in reason.why)
    for entry in explained("224 × 224")[:2]:
        counted = multiply_adds(rebuilt(entry, reason, listed), (3, *reason.options["in_size"]))
        assert abs(counted - float(entry.multiply_adds)) < 0.01 * counted


def test_without_the_branch_the_work_is_near_the_published(listed):
    (reason,) = (reason for reason in REASONS if "within 5 % of the figures" in reason.why)
    for entry in explained("within 5 % of the figures"):
        if entry.multiply_adds not in ("", "="):
            size = tuple(map(int, entry.row.input_size.split()))
            counted = multiply_adds(rebuilt(entry, reason, listed), size)
            assert abs(counted - float(entry.multiply_adds)) < 0.05 * counted
