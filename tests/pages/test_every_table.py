"""The table of every network is whole and true, and the page is what the table gives."""

import random
import warnings
from functools import partial

import pytest

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


@pytest.mark.parametrize("reason", [r for r in REASONS if r.options], ids=lambda r: r.why[:40])
def test_built_as_the_reason_says_a_network_has_the_published_figures(reason, listed):
    entry = min(
        (e for e in ENTRIES if e.differs and reason.explains(e)), key=lambda e: e.row.counting
    )
    constructor = listed[entry.row.library, entry.row.name]
    network = constructors.on_meta(
        constructor._replace(build=partial(constructor.build, **reason.options))
    )
    known = published.pytorchcv() | published.torchvision()
    theirs = published.of(known, entry.row.library, entry.row.name, entry.row.input_size)
    assert theirs.parameters.agrees(functions.parameters(network))


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
    assert every_page.page(ENTRIES, REASONS, machine) == PAGE


def test_the_table_is_stored_as_it_was_read(tmp_path):
    every_page.store(ENTRIES, tmp_path / "table.csv")
    stored = (every.ROOT / every_page.TABLE).read_text(encoding="utf-8")
    assert (tmp_path / "table.csv").read_text(encoding="utf-8") == stored
