"""Answers to the exercises of ResNeXt, right ones and wrong ones."""

import pytest

from tests.exercises.answers import judge

CHAPTER = "resnext"
ELSEWHERE = (3, 5)  # exercises whose wrong answers have tests of their own

# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        "def width(c):\n    return 64 // c": "width(2) gave 32, which is too small",
        "def width(c):\n    return 128 // c": "width(1) gave 128, which is too large",
        "def width(c):\n    return int((math.sqrt(512 ** 2 + 36 * 69_632 / c) - 512) / 18)": (
            "width(2) gave 39, which is too small"
        ),
        "def width(c):\n    return math.ceil((math.sqrt(512 ** 2 + 36 * 69_632 / c) - 512) / 18)": (
            "width(64) gave 3, which is too large"
        ),
        "def width(c):\n    return (math.sqrt(512 ** 2 + 36 * 69_632 / c) - 512) / 18": (
            "where a whole number is wanted"
        ),
        "def width(c):\n"
        "    return {1: 64, 2: 40, 4: 24, 8: 14, 32: 4}.get(c, 0)": "width(16) gave 0",
    },
    2: {
        "def split_paths(a, b, c, n):\n    return list(zip(a.chunk(n), b.chunk(n), c.chunk(n)))": (
            "the shapes in split_paths(…, 2)[0] gave"
        ),
        "def split_paths(a, b, c, n):\n    return [(a, b, c)] * n": "the shapes in",
        "def split_paths(a, b, c, n):\n"
        "    return list(zip(a.chunk(n), b.chunk(n), reversed(c.chunk(n, 1))))": (
            "the sum of the paths of split_paths(…, 2) gave a tensor"
        ),
        "def split_paths(a, b, c, n):\n"
        "    return [(a[i::n], b[i::n], c[:, i::n]) for i in range(n)]": (
            "the sum of the paths of split_paths(…, 2) gave a tensor"
        ),
        "def split_paths(a, b, c, n):\n"
        "    return list(zip(a.chunk(n), b.chunk(n), c.chunk(n, 1)))[:1]": (
            "the length of split_paths(…, 2) gave 1, which is too small"
        ),
    },
    4: {
        "def added(fault):\n    return 7_680, 0": "added('bare projection') gave (7680, 0)",
        "def added(fault):\n"
        "    return -7_680 if 'bare' in fault else 0": "where 2 values are wanted",
        "def added(fault):\n    return (-7_680, 0) if 'bare' in fault else (0, 0)": (
            "added('late stride') gave (0, 0): wrong in place 2 of 2"
        ),
        "def added(fault):\n"
        "    head = 2048 * 1280 + 2 * 1280 + 1280 * 1000 + 1000, 2048 * 1280 * 49 + 1280 * 1000\n"
        "    return {'bare projection': (-7_680, 0), 'late stride': (0, 130_056_192)}.get(fault, "
        "head)": "added('convolution in the head') gave (3905000",
        "def added(fault):\n"
        "    known = {'bare projection': (-7_680, 0), 'late stride': (0, 130_056_192),\n"
        "             'convolution in the head': (1_856_000, 127_682_560)}\n"
        "    return known.get(fault, (25_028_904, 4_230_479_872))": "added('no reduction') gave",
    },
    5: {
        "def path_lesions(network, batches):\n    return {}": "2 paths: its keys gave []",
        "def path_lesions(network, batches):\n"
        "    whole = training.evaluate(network, batches)\n"
        "    return {(n, k, i): whole for n in ('conv2_x', 'conv3_x')\n"
        "            for k, b in enumerate(getattr(network, n))\n"
        "            for i in range(b.branch[3].groups)}": "gave 1, which is too large",
    },
}

POSTED = """
class Mine(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        w = {width}
        self.shortcut = nn.Identity()
        if s != 1 or i != o:
            self.shortcut = {shortcut}
        self.branch = nn.Sequential(
            conv_bn_relu(i, w, 1, stride={first}),
            conv_bn_relu(w, w, 3, stride={middle}, groups={groups}),
            {last},
        )

    def forward(self, x):
        shortcut = self.shortcut(x)
        return {out}


def mended(stages, num_classes):
    layers = [conv_bn_relu(3, 64, 7, stride=2), nn.MaxPool2d(3, 2, 1)]
    i = 64
    for depth, o, s in stages:
        for step in [s] + [1] * (depth - 1):
            layers.append(Mine(i, o, step))
            i = o
    {head}
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(i, num_classes))
"""
PIECES = {
    "width": "o // 2",
    "shortcut": "conv_bn(i, o, 1, stride=s)",
    "first": "1",
    "middle": "s",
    "groups": "32",
    "last": "conv_bn(w, o, 1)",
    "out": "F.relu(self.branch(x) + shortcut)",
    "head": "",
}

LESIONS = """
import copy

@torch.no_grad()
def path_lesions(network, batches):
    found = {{}}
    for name in ("conv2_x", "conv3_x"):
        for place in range(len(network.get_submodule(name))):
            groups = network.get_submodule(name)[place].branch[3].groups
            for number in range(groups):
                other = {copy}(network)
                branch = other.get_submodule(name)[place].branch
                {away}
                found[name, place, {number}] = training.evaluate(other, batches)
    return found
"""


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"width": "o"}, "its parameters gave"),
        ({"middle": "1", "last": "conv_bn(w, o, 1, stride=s)"}, "its multiply–adds gave"),
        ({"middle": "1", "first": "s"}, "its multiply–adds gave"),
        (
            {"shortcut": "nn.Conv2d(i, o, 1, stride=s, bias=False)"},
            "the number of its batch normalisations gave 10, which is too small",
        ),
        (
            {"head": "layers.append(conv_bn_relu(i, 1280, 1)); i = 1280"},
            "the number of its convolutions gave 13, which is too large",
        ),
        ({"groups": "w"}, "its parameters gave"),
        ({"last": "conv_bn_relu(w, o, 1)"}, "same outputs and gradients as ours gave False"),
        ({"out": "self.branch(x) + shortcut"}, "same outputs and gradients as ours gave False"),
    ],
)
def test_a_network_with_a_fault_left_is_refused(faults, words):
    verdict = judge(CHAPTER, 3, POSTED.format(**PIECES | faults))
    assert not verdict.solved
    assert words in verdict.failed


def test_the_posted_network_itself_is_refused():
    assert not judge(CHAPTER, 3, "mended = posted").solved


COLUMNS = "branch[6].weight.chunk(groups, dim=1)[number].zero_()"


@pytest.mark.parametrize(
    ("away", "number", "copy"),
    [
        (COLUMNS, "number + 1", "copy.deepcopy"),
        (COLUMNS, "number", ""),  # one after the other
        ("branch[6].weight.chunk(groups)[number].zero_()", "number", "copy.deepcopy"),
        ("branch[3].weight.chunk(groups)[number].zero_()", "number", "copy.deepcopy"),
        ("branch[0].weight.chunk(groups)[number].zero_()", "number", "copy.deepcopy"),
    ],
)
def test_a_wrong_lesion_is_refused(away, number, copy):
    assert not judge(CHAPTER, 5, LESIONS.format(away=away, number=number, copy=copy)).solved


RIGHT = [
    (1, "def width(c):\n    return round((math.sqrt(512 ** 2 + 36 * 69_632 / c) - 512) / 18)"),
    (1, "def width(c):\n    return {1: 64., 2: 40, 4: 24, 8: 14, 32: 4, 16: 8, 64: 2}[c]"),
    (
        2,
        "def split_paths(a, b, c, n):\n"
        "    d = len(a) // n\n"
        "    cut = [slice(i * d, (i + 1) * d) for i in reversed(range(n))]\n"
        "    return tuple([a[k], b[k], c[:, k]] for k in cut)",  # in any order
    ),
    (3, POSTED.format(**PIECES)),  # the shortcut runs first
    (
        3,
        "def mended(stages, n):\n"
        "    return imagenet_resnet(stages, partial(aggregated, template=Template(32, 4)), n)",
    ),
    (
        4,
        "def added(fault):\n"
        "    return {'bare projection': [-7680, 0.0], 'late stride': (0, 130056192),\n"
        "            'convolution in the head': (1856000, 127682560),\n"
        "            'no reduction': (22992896, 4213178368)}[fault]",
    ),
    (5, LESIONS.format(away=COLUMNS, number="number", copy="copy.deepcopy")),
    (
        5,
        LESIONS.format(
            away="branch[4].weight.chunk(groups)[number].zero_(); "
            "branch[4].bias.chunk(groups)[number].zero_()",
            number="number",
            copy="copy.deepcopy",
        ),
    ),
]
