"""What the benchmarks compute and write; nothing is timed here."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.pages import benchmarks as bench
from tools.pages.benchmarks import Count, Drawing, Result, Spread, Task

SECONDS = st.lists(st.floats(0.01, 100), min_size=1, max_size=30)


@given(SECONDS)
def test_spread_is_in_order_and_within_the_numbers(numbers):
    low, median, high = bench.spread(numbers)
    assert min(numbers) <= low <= median <= high <= max(numbers)


@given(SECONDS, st.floats(0.1, 10))
def test_a_contender_that_always_takes_twice_as_long_has_the_ratio_two(theirs, drift):
    theirs = [seconds * drift**turn for turn, seconds in enumerate(theirs[:10])]
    found = bench.ratios({"ours": [2 * s for s in theirs], "theirs": theirs, "same": theirs})
    assert list(found) == ["theirs", "same"]
    assert found["theirs"] == pytest.approx((2, 2, 2))


def test_contenders_take_turns_and_each_begins_a_round():
    ran = []
    contenders = {name: lambda name=name: ran.append(name) for name in "abc"}
    times = bench.take_turns(contenders, rounds=4)
    assert "".join(ran) == "abc" + "abc" + "bca" + "cab" + "abc"  # the first three are warm-up
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 4, "b": 4, "c": 4}


@pytest.mark.parametrize("training", [False, True])
def test_a_task_changes_the_weights_only_in_training(training):
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 4 * 4, 5))
    before = network[1].weight.clone()
    Task(training, batch_size=2, size=4).prepare(network)()
    assert torch.equal(before, network[1].weight) != training


@pytest.fixture
def page():
    time = {"torchvision": Spread(0.981, 1.0, 1.024), "timm": Spread(1, 2, 3)}
    results = [
        Result("ResNet-18", str(Task(True, 4, 224)), 0.1234, time, 56.7, {"a": 0.5, "b": 2.0}),
        Result("ResNet-50", str(Task(False, 4, 32)), 0.01, time, 8.0, {"a": 1.0, "b": 1.0}),
    ]
    counts = [Count("ResNet-50", "fvcore", 1234567, 0.2), Count("ResNet-50", "field", None, 0.1)]
    drawings = [Drawing("shapes(9, 32)", Spread(900, 12345.6, 20000))]
    return bench.page(results, counts, drawings, "a processor, torch 2, 2026-01-31", 15)


def test_page_says_on_what_it_was_measured_and_how(page):
    assert page.startswith("# Benchmarks\n")
    assert "a processor, torch 2, 2026-01-31." in page
    assert "each of 15 rounds" in page


def test_page_gives_every_number(page):
    ratios = "1.00 (0.98–1.02) | 2.00 (1.00–3.00)"
    assert f"| ResNet-18 | training step, batch of 4, 224² | 123 | {ratios} |" in page
    assert "| ResNet-18 | training step, batch of 4, 224² | 57 | 0.50 | 2.00 |" in page
    assert "| ResNet-50 | fvcore | 1,234,567 | 200 |" in page
    assert "| ResNet-50 | field | – | 100 |" in page
    assert "| `data.shapes(9, 32)` | 12,346 | 900–20,000 |" in page


def test_tables_are_whole(page):
    tables = re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE)
    assert len(tables) == 4
    for rows in tables:
        assert len({row.count("|") for row in rows.splitlines()}) == 1
    assert not re.search(r"[{}]", page)  # nothing was left to fill in
