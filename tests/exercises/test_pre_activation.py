"""Answers to the exercises of Pre-activation residual networks, right ones and wrong ones."""

import pytest

from tests.exercises.answers import judge

CHAPTER = "pre-activation"
ELSEWHERE = (4, 5)  # exercises whose wrong answers have tests of their own
# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        "def units(d, k):\n    return (d - 2) // k": "units(112, 2) is None gave False",
        "def units(d, k):\n    return d // k": "units(110, 2) gave 55, which is too large",
        "def units(d, k):\n    return (d - 2) // (3 * k)": (
            "units(110, 2) gave 18, which is too small"
        ),
        "def units(d, k):\n    return (d - 2) // 2": "units(164, 3) gave 81, which is too large",
        "def units(d, k):\n    return None if (d - 2) % k else (d - 2) // k": (
            "units(112, 2) is None gave False"
        ),
    },
    2: {
        "def signal(x, s, b):\n    return x + sum(b)": "isinstance(signal(…), tuple) gave False",
        "def signal(x, s, b):\n    return x + sum(b), 1": "which is too large",
        "def signal(x, s, b):\n    return math.prod(s) * x + sum(b), math.prod(s)": (
            "the result of signal(2.0, [0.5, 0.25], [8.0, 1.0]) gave"
        ),
        "def signal(x, s, b):\n"
        "    p = math.prod(s)\n"
        "    return p * x + sum(f * math.prod(s[i:]) for i, f in enumerate(b)), p": (
            "the result of signal(2.0, [0.5], [3.0]) gave 2.5"
        ),
        "def signal(x, s, b):\n"
        "    p = math.prod(s)\n"
        "    return p * x + sum(f * math.prod(s[:i]) for i, f in enumerate(b)), p": (
            "the result of signal(2.0, [0.5, 0.25], [8.0, 1.0]) gave"
        ),
        "def signal(x, s, b):\n"
        "    y = x\n"
        "    for k, f in zip(s, b):\n"
        "        y = k * y + f\n"
        "    return y, y / x": "the slope of signal(1.0, [1.0, 1.0, 1.0], [-0.5, -1.0, 2.0]) gave",
    },
    3: {
        "def unit_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    return i * w + 9 * w * w + w * o": "unit_parameters(64, 64, 1) gave 4,352",
        "def unit_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    return i * w + 9 * w * w + w * o + 2 * (w + w + o) + (i != o) * i * o": (
            "unit_parameters(64, 128, 2) gave"
        ),
        "def unit_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    same = s == 1 and i == o\n"
        "    extra = 0 if same else i * o + 2 * o\n"
        "    return i * w + 9 * w * w + w * o + 2 * (i + w + w) + extra": (
            "unit_parameters(64, 128, 2) gave 24,064, which is too large"
        ),
        "def unit_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    return i * w + 9 * w * w + w * o + 2 * (i + w + w) + (s == 2) * i * o": (
            "unit_parameters(16, 64, 1) gave"
        ),
        "def unit_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    return i * w + 9 * w * w + w * o + 2 * (i + w + w) + (i != o) * i * o": (
            "unit_parameters(256, 256, 2) gave"
        ),
    },
}

SHORT = """
class Short(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.norm = nn.BatchNorm2d({norm})
        self.convolution = nn.Conv2d(i, o, 3, stride=s, padding=1, bias={bias})
        self.bare = s == 1 and i == o
        self.projection = None if self.bare else nn.Conv2d(i, o, 1, stride=s, bias=False)

    def forward(self, x):
        {forward}

short_unit = Short
"""
ACTIVE = "y = F.relu(self.norm(x)); "
RIGHT_FORWARD = ACTIVE + "return self.convolution(y) + (x if self.bare else self.projection(y))"
WRONG_FORWARDS = {
    ACTIVE + "return self.convolution(y) + (x if self.bare else self.projection(x))": (
        "short_unit(4, 8, 2)(x) with random weights gave a tensor"
    ),
    ACTIVE + "return self.convolution(y) + (y if self.bare else self.projection(y))": (
        "short_unit(4, 4, 1)(x) with random weights gave a tensor"
    ),
    ACTIVE + "return F.relu(self.convolution(y) + (x if self.bare else self.projection(y)))": (
        "short_unit(4, 4, 1)(x) with random weights gave a tensor"
    ),
    ACTIVE + "return self.convolution(y) + (0 if self.bare else self.projection(y))": (
        "short_unit(4, 4, 1)(x) with random weights gave a tensor"
    ),
    "y = self.norm(F.relu_(x)); return self.convolution(y) + "
    "(x if self.bare else self.projection(y))": "x after short_unit(4, 4, 1) has run gave",
    "y = self.norm(F.relu(x)); return self.convolution(y) + "
    "(x if self.bare else self.projection(y))": "with random weights gave",
}

SHARE = """
def bare_share(units, x, relu=False):
    def gradient(bare):
        y = start = x.clone().requires_grad_()
        for unit in units:
            added = unit.branch(y)
            y = unit.shortcut(y) + {added}
            {after}
        return torch.autograd.grad(y.sum(), start)[0].norm()
    return {result}
"""
DETACHED = "(added.detach() if bare else added)"
BEHIND = "y = F.relu(y) if relu else y"
RATIO = "(gradient(True) / gradient(False)).item()"


@pytest.mark.parametrize(("forward", "words"), WRONG_FORWARDS.items())
def test_a_wrong_unit_is_refused_and_told(forward, words):
    verdict = judge(CHAPTER, 4, SHORT.format(norm="i", bias=False, forward=forward))
    assert not verdict.solved
    assert words in verdict.failed


def test_a_unit_with_a_bias_is_refused():
    verdict = judge(CHAPTER, 4, SHORT.format(norm="i", bias=True, forward=RIGHT_FORWARD))
    assert verdict.failed == "the parameters of short_unit(4, 4, 1) gave 156, which is too large"


@pytest.mark.parametrize(
    ("added", "after", "result"),
    [
        ("added", BEHIND, RATIO),  # 1: the branches are in both
        ("(0 if bare else added)", BEHIND, RATIO),  # cuts elsewhere, without what is added
        (DETACHED, "pass", RATIO),  # no ReLU
        (DETACHED, "y = F.relu(y)", RATIO),  # always a ReLU
        (DETACHED, BEHIND, "(gradient(False) / gradient(True)).item()"),
        (DETACHED, BEHIND, "gradient(True).item()"),
    ],
)
def test_a_wrong_share_is_refused(added, after, result):
    verdict = judge(CHAPTER, 5, SHARE.format(added=added, after=after, result=result))
    assert not verdict.solved
    assert "bare_share of" in verdict.failed


def test_a_share_that_freezes_the_units_is_refused():
    answer = SHARE.format(added=DETACHED, after=BEHIND, result=RATIO).replace(
        "    def gradient", "    [unit.requires_grad_(False) for unit in units]\n    def gradient"
    )
    assert "still get gradients" in judge(CHAPTER, 5, answer).failed


RIGHT = [
    (
        1,
        "def units(depth, k):\n"
        "    n = (depth - 2) / 3 / k\n"
        "    return 3.0 * round(n) if abs(n - round(n)) < 1e-9 else None",
    ),
    (
        2,
        "def signal(x, scales, branches):\n"
        "    slope = 1\n"
        "    for scale, branch in zip(scales, branches):\n"
        "        x, slope = scale * x + branch, slope * scale\n"
        "    return [x, slope]",
    ),
    (
        3,
        "def unit_parameters(*shape):\n"
        "    unit = preact_unit(preact_bottleneck(*shape), preact_projection(*shape))\n"
        "    return count_parameters(unit)",
    ),
    (4, SHORT.format(norm="i", bias=False, forward=RIGHT_FORWARD)),
    (5, SHARE.format(added=DETACHED, after=BEHIND, result=RATIO)),
]
