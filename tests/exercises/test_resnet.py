"""Answers to the exercises of Residual networks, right ones and wrong ones."""

import pytest

from tests.exercises.answers import judge

CHAPTER = "resnet"
ELSEWHERE = (4, 5)  # exercises whose wrong answers have tests of their own

# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        "def layers(stages, per_block):\n    return per_block * sum(s.depth for s in stages)": (
            "layers([Stage(1, 16, 1)], 2) gave 2, which is too small"
        ),
        "def layers(stages, per_block):\n    return 2 + 2 * sum(s.depth for s in stages)": (
            "layers(RESNET34, 3) gave 34, which is too small"
        ),
        "def layers(stages, per_block):\n"
        "    return 2 + sum(per_block * s.depth + (s.stride == 2) for s in stages)": (
            "layers(RESNET34, 2) gave 37, which is too large"
        ),
        "def layers(stages, per_block):\n"
        "    a, b, c, d = [*stages, *[Stage(0, 0, 0)] * (4 - len(stages))]\n"
        "    return 2 + per_block * (a.depth + b.depth + d.depth + (c.depth if d.depth else 0))": (
            "2) gave 74, which is too small"
        ),
    },
    2: {
        "def block_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    return i * w + 9 * w * w + w * o": "gave 69,632, which is too small",
        "def block_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    return i * w + 9 * w * w + w * o + 4 * w + 2 * o": (
            "block_parameters(256, 512, 2) gave 247,296, which is too small"
        ),
        "def block_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    branch = i * w + 9 * w * w + w * o + 4 * w + 2 * o\n"
        "    return branch + (i * o + 2 * o if s == 2 else 0)": (
            "block_parameters(64, 256, 1) gave 58,112, which is too small"
        ),
        "def block_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    branch = i * w + 9 * w * w + w * o + 4 * w + 2 * o\n"
        "    return branch + (i * o + 2 * o if i != o else 0)": (
            "block_parameters(512, 512, 2) gave"
        ),
        "def block_parameters(i, o, s):\n"
        "    w = o // 4\n"
        "    return i * w + 9 * w * w + w * o + 4 * w + 2 * o + i * o + 2 * o": (
            "block_parameters(256, 256, 1) gave 136,448, which is too large"
        ),
    },
    3: {
        "option_d = option_b": "option_d(4, 8, 2)(x) gave a tensor",
        "def option_d(i, o, s):\n"
        "    return nn.Sequential(nn.AvgPool2d(s), conv_bn(i, o, 1))": "option_d(4, 4, 1)(x) gave",
        "def option_d(i, o, s):\n"
        "    if s == 1 and i == o:\n"
        "        return nn.Identity()\n"
        "    return nn.Sequential(nn.MaxPool2d(s), conv_bn(i, o, 1))": "option_d(4, 8, 2)(x) gave",
        "def option_d(i, o, s):\n"
        "    if s == 1 and i == o:\n"
        "        return nn.Identity()\n"
        "    return nn.Sequential(conv_bn(i, o, 1), nn.AvgPool2d(s))": (
            "the multiply–adds of option_d(4, 8, 2) gave 2,048, which is too large"
        ),
        "def option_d(i, o, s):\n"
        "    if i == o:\n"
        "        return nn.Identity()\n"
        "    return nn.Sequential(nn.AvgPool2d(s), conv_bn(i, o, 1))": (
            "the shape of option_d(4, 4, 2)(x) gave (2, 4, 8, 8): wrong in place 3, 4 of 4"
        ),
        "def option_d(i, o, s):\n"
        "    if s == 1 and i == o:\n"
        "        return nn.Identity()\n"
        "    return nn.Sequential(nn.AvgPool2d(s), nn.Conv2d(i, o, 1))": (
            "the parameters of option_d(4, 8, 2) gave 40, which is too small"
        ),
        "def option_d(i, o, s):\n"
        "    if s == 1 and i == o:\n"
        "        return nn.Identity()\n"
        "    return nn.Sequential(nn.AvgPool2d(2), conv_bn(i, o, 1, stride=s))": "wrong in place 3",
    },
    5: {
        "def lesions(network, batches):\n    return {}": "basic: its keys gave []",
        "def lesions(network, batches):\n"
        "    whole = training.evaluate(network, batches)\n"
        "    names = ('conv2_x', 'conv3_x')\n"
        "    return {(n, k): whole for n in names for k, b in enumerate(getattr(network, n))\n"
        "            if isinstance(b.shortcut, nn.Identity)}": "gave 1, which is too large",
    },
}

PREACTIVATION = """
class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias={bias})
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias={bias})

    def forward(self, x):
        {forward}

preactivation = Block
"""
RIGHT_FORWARD = (
    "return x + self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))"  # functional
)

# What forward gives, and words that the verdict must say.
WRONG_BLOCKS = {
    "return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))": (
        "the layers that run gave ['Conv2d', 'BatchNorm2d', 'Conv2d', 'BatchNorm2d']"
    ),
    "return F.relu(x + self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x)))))))": (
        "its output where the last weights are 0"
    ),
    "y = F.relu(self.norm1(x)); return y + self.conv2(F.relu(self.norm2(self.conv1(y))))": (
        "its output where the last weights are 0"
    ),
    "return self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))": (
        "its output where the last weights are 0"
    ),
    "return x + self.conv2(F.relu(self.norm2(self.conv1(self.norm1(x)))))": (
        "its output with random weights"
    ),
    "return x + self.conv2(self.norm2(self.conv1(F.relu(self.norm1(x)))))": (
        "its output with random weights"
    ),
    "return x + self.conv2(F.relu(self.norm2(F.relu(self.conv1(F.relu(self.norm1(x)))))))": (
        "its output with random weights"
    ),
    "return x - self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))": (
        "its output with random weights"
    ),
    "return x + F.relu(self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x)))))))": (
        "its output with random weights"
    ),
    "return F.relu_(x) + self.conv2(F.relu(self.norm2(self.conv1(self.norm1(x)))))": (
        "x after the block has run gave"
    ),
    "return x + self.conv1(F.relu(self.norm1(self.conv1(F.relu(self.norm1(x))))))": (
        "the layers that run gave ['BatchNorm2d', 'Conv2d']"
    ),
}

LESIONS = """
import copy

def lesions(network, batches):
    found = {{}}
    for name in ("conv2_x", "conv3_x"):
        for place in range(len(network.get_submodule(name))):
            other = {copy}(network)
            stage = other.get_submodule(name)
            if isinstance(stage[place].shortcut, nn.Identity):
                {away}
                found[name, {place}] = training.evaluate(other, batches)
    return found
"""


@pytest.mark.parametrize(("forward", "words"), WRONG_BLOCKS.items())
def test_a_wrong_block_is_refused_and_told(forward, words):
    verdict = judge(CHAPTER, 4, PREACTIVATION.format(bias=False, forward=forward))
    assert not verdict.solved
    assert words in verdict.failed


def test_a_block_with_biases_is_refused():
    verdict = judge(CHAPTER, 4, PREACTIVATION.format(bias=True, forward=RIGHT_FORWARD))
    assert verdict.failed == "the parameters of preactivation(4) gave 312, which is too large"


@pytest.mark.parametrize(
    ("away", "place", "copy", "words"),
    [
        ("stage[place] = nn.Identity()", "place + 1", "copy.deepcopy", "its keys"),
        ("stage[place] = nn.Identity()", "place", "", "too small"),  # one after the other
        ("stage[place].branch = nn.Identity()", "place", "copy.deepcopy", "gave"),
        ("del stage[place].shortcut; stage[place].shortcut = nn.ReLU()", "place", "", "gave"),
    ],
)
def test_a_wrong_lesion_is_refused(away, place, copy, words):
    verdict = judge(CHAPTER, 5, LESIONS.format(away=away, place=place, copy=copy))
    assert not verdict.solved
    assert words in verdict.failed


RIGHT = [
    (
        1,
        "def layers(rows, k):\n    return 2.0 + k * sum(row[0] for row in rows)",
    ),
    (
        2,
        "def block_parameters(*shape):\n"
        "    return count_parameters(ResidualBlock(bottleneck(*shape), option_b(*shape)))",
    ),
    (
        3,
        "def option_d(i, o, s):\n"
        "    if (i, s) == (o, 1):\n"
        "        return nn.Sequential()\n"
        "    pool = [nn.AvgPool2d(2, 2, ceil_mode=True)] if s == 2 else []\n"
        "    return nn.Sequential(*pool, nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o))",
    ),
    (4, PREACTIVATION.format(bias=False, forward=RIGHT_FORWARD)),
    (
        5,
        LESIONS.format(away="stage[place] = nn.Sequential()", place="place", copy="copy.deepcopy"),
    ),
]
