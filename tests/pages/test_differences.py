"""The list of differences to other implementations is whole, true, and what the page shows."""

import re

import pytest
import torchvision

from cnnbook import networks, papers
from tools.pages import differences

STORED = differences.PAGE.read_text(encoding="utf-8").partition("\n<!-- Written by ")[0]
PARTS = re.split(r"^(?=## )", STORED, flags=re.M)


@pytest.mark.parametrize("pair", differences.pairs(), ids=lambda pair: pair.title)
def test_every_difference_has_a_reason_and_stands_on_the_page(pair):
    differ = pair.found()
    assert differences.missing(pair, differ) == []
    right = differences.section(pair, differ)
    assert right.rstrip() in map(str.rstrip, PARTS), "run 'make differences'"


def test_the_page_has_all_pairs_in_their_order():
    head, *sections = PARTS
    assert head.rstrip() == differences.HEAD.rstrip()
    titles = [section.partition("\n")[0] for section in sections]
    assert titles == [f"## {pair.title}" for pair in differences.pairs()]


def test_all_networks_that_torchvision_has_are_compared_with_it():
    here = {name for name in networks.__all__ if name in torchvision.models.list_models()}
    compared = {pair.reference for pair in differences.pairs()}
    assert {f"torchvision {name}" for name in here & set(papers.names())} <= compared


def test_a_difference_without_a_reason_is_found():
    pair = next(pair for pair in differences.pairs() if pair.listed)
    problems = differences.missing(pair._replace(listed=pair.listed[1:]), pair.found())
    assert len(problems) == len(differences.aspects(pair.listed[0]))
    assert all("gives no reason" in problem for problem in problems)


def test_a_reason_without_a_difference_is_found():
    pair = next(pair for pair in differences.pairs() if not pair.listed)
    listed = [{"aspect": "dropout p", "paper": "0.5", "why": "taste"}]
    (problem,) = differences.missing(pair._replace(listed=listed), pair.found())
    assert problem.endswith("dropout p does not differ")
