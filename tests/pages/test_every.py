"""The counters behind the table of every network, and what stands around them."""

import json
import os
import time

import pytest
import torch
from torch import nn

from tools.pages import constructors, every, functions, thrice
from tools.pages.every_page import AGREES
from tools.pages.published import Figure
from tools.pages.thrice import Row

pytestmark = pytest.mark.filterwarnings("ignore")  # of three libraries


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]


NETWORKS = {
    "grouped": (nn.Conv2d(4, 6, 3, groups=2), (4, 8, 8), 36 * 6 * 2 * 9),
    "transposed": (nn.ConvTranspose2d(4, 6, 2, stride=2), (4, 8, 8), 64 * 4 * 6 * 4),
    "attention": (Attends(), (5, 8), 4 * 5 * 8 * 8 + 2 * 5 * 5 * 8),
    "recurrent": (nn.LSTM(3, 4, batch_first=True), (5, 3), 5 * 16 * (3 + 4)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_functions_are_counted_by_hand(name):
    network, size, expected = NETWORKS[name]
    with torch.no_grad(), functions.Listening() as heard:
        network.eval()(torch.zeros(1, *size))
    assert heard.multiply_adds == expected


def test_sums_in_einstein_s_way():
    a, b = torch.zeros(2, 3, 4), torch.zeros(4, 5)
    with functions.Listening() as heard:
        torch.einsum("nij,jk->nik", a, b)
    assert heard.multiply_adds == 2 * 3 * 4 * 5


def made(build):
    return constructors.Constructor("ours", "one", "a test", "none", build, lambda _: (3, 8, 8))


def test_a_network_is_counted_in_a_process_of_its_own():
    row = thrice.apart(made(lambda: nn.Conv2d(3, 4, 3)))
    assert (row.parameters, row.multiply_adds, row.reason) == (112, 3888, "")


def test_what_ends_its_process_or_takes_too_long_is_told():
    row = thrice.apart(made(lambda: os._exit(1)))
    assert row.reason == "takes more memory than there is"
    row = thrice.apart(made(lambda: time.sleep(600)), limit=1)
    assert row.reason == "takes more than 1 seconds"


class Differs(nn.Module):
    """Looks whether it is copied."""

    def __init__(self):
        super().__init__()
        self.conv, self.copied = nn.Conv2d(3, 4, 3), False

    def __deepcopy__(self, memo):
        copied = Differs()
        copied.copied = True
        return copied

    def forward(self, x):
        return x if self.copied else self.conv(x)


def test_counters_that_differ_are_told():
    with pytest.raises(thrice.DifferError, match="ours one"):
        thrice.apart(made(Differs))


def test_a_command_that_was_stopped_goes_on(tmp_path):
    row = Row("timm", "one", "classification", "none", "3 8 8", 1, 0, 2, 0.5, 0.25)
    lines = [{"code": code, "row": row._replace(name=code).to_texts()} for code in ("old", "new")]
    text = "\n".join(map(json.dumps, lines)) + '\n{"code": "new", "ro'
    (tmp_path / "kept").write_text(text)
    assert every.kept(tmp_path / "kept", "new") == {("timm", "new"): row._replace(name="new")}


def test_a_figure_agrees_as_it_is_rounded():
    assert Figure("25.56", 10**6).agrees(25_557_032)
    assert not Figure("25.56", 10**6).agrees(25_567_032)
    assert Figure("4.11", 10**9).agrees(4_089_184_256, near=0.05)
    assert not Figure("11689512", 1).agrees(11_689_513)


def test_figures_stand_beside_the_counts():
    assert every._beside(None, {1}) == ""
    assert every._beside(Figure("12", 1), {12, 20}) == AGREES
    assert every._beside(Figure("1.50", 10**6), {12}) == "1500000"
