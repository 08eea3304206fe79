"""Answers to the exercises of Wide residual networks and PyramidNet, right ones and wrong ones."""

import pytest

from tests.exercises.answers import judge

CHAPTER = "wide-pyramid"
ELSEWHERE = (4, 5)  # exercises whose wrong answers have tests of their own

WIDE_SUM = """
def wide_parameters(depth, widen):
    n, channels, total = (depth - 4) // 6, 16, {stem}
    for width in (16 * widen, 32 * widen, 64 * widen):
        total += {projection}
        for _ in range(n):
            total += {norms} + 9 * channels * width + 9 * width**2
            channels = width
    return total + {end}
"""
RIGHT_SUM = {
    "stem": "432",
    "projection": "channels * width * (channels != width)",
    "norms": "2 * channels + 2 * width",
    "end": "12 * channels + 10",
}

# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        "def stage_units(d, f):\n    return (d - 4) // 6": 'stage_units(110, "basic") gave 17',
        "def stage_units(d, f):\n    return (d - 2) // (9 if f == 'bottleneck' else 6)": (
            'stage_units(28, "basic") is None gave False'
        ),
        "def stage_units(d, f):\n    return d // 3": 'stage_units(28, "wide") gave 9',
        "def stage_units(d, f):\n"
        "    k, o = {'wide': (6, 4), 'basic': (6, 2), 'bottleneck': (6, 2)}[f]\n"
        "    return None if (d - o) % k else (d - o) // k": (
            'stage_units(272, "bottleneck") gave 45, which is too large'
        ),
        "def stage_units(d, f):\n"
        "    k, o = {'wide': (6, 4), 'basic': (6, 2), 'bottleneck': (9, 2)}[f]\n"
        "    return None if (d - o) % k else (d - o) // k": (
            'stage_units(4, "wide") is None gave False'
        ),
        "def stage_units(d, f):\n"
        "    if d >= 164 and f == 'basic':\n"
        "        return None\n"
        "    k, o = {'wide': (6, 4), 'basic': (6, 2), 'bottleneck': (9, 2)}[f]\n"
        "    return None if (d - o) % k or d <= o else (d - o) // k": (
            'stage_units(164, "basic") gave None'
        ),
    },
    2: {
        "def widths(s, a, n):\n    return s + a": "isinstance(widths(16, 48, 54), list) gave False",
        "def widths(s, a, n):\n    return [s + a * k // n for k in range(n + 1)]": (
            "len(widths(16, 12, 6)) gave 7, which is too large"
        ),
        "def widths(s, a, n):\n    return [s + a * k // n for k in range(n)]": (
            "widths(16, 12, 6) gave [16, 18, 20, 22, 24, 26]"
        ),
        "def widths(s, a, n):\n    return [s + a * k // n for k in range(1, n + 1)]": (
            "widths(16, 10, 6) gave [17, 19, 21, 22, 24, 26]"
        ),
        "def widths(s, a, n):\n    return [round(s + a * k / n) for k in range(1, n + 1)]": (
            "widths(16, 27, 54) gave [16, 17, 18, 18"
        ),
        "def widths(s, a, n):\n"
        "    found = [s]\n"
        "    for _ in range(n):\n"
        "        found.append(int(found[-1] + a / n))\n"
        "    return found[1:]": "widths(16, 10, 6) gave [17, 18, 19, 20, 21, 22]",
        "def widths(s, a, n):\n    return [s + round(a / n) * k for k in range(1, n + 1)]": (
            "widths(16, 10, 6) gave [18, 20, 22, 24, 26, 28]"
        ),
    },
    3: {
        WIDE_SUM.format(**RIGHT_SUM | {"projection": "channels * width"}): (
            "wide_parameters(10, 1) gave"
        ),
        WIDE_SUM.format(**RIGHT_SUM | {"norms": "0"}): "wide_parameters(10, 1) gave",
        WIDE_SUM.format(**RIGHT_SUM | {"projection": "0"}): "wide_parameters(10, 1) gave",
        WIDE_SUM.format(
            **RIGHT_SUM | {"projection": "channels * width * (width > 16 * widen)"}
        ): "wide_parameters(10, 2) gave",
        WIDE_SUM.format(**RIGHT_SUM | {"stem": "432 + 32"}): "which is too large",
        WIDE_SUM.format(**RIGHT_SUM | {"end": "2 * channels + 10 * channels"}): (
            "which is too small"
        ),
        "def wide_parameters(depth, widen):\n    return 36_479_194": (
            "wide_parameters(10, 1) gave 36,479,194, which is too large"
        ),
    },
}

PADDED = """
def padded(x, out_channels, stride):
    {before}
    zeros = x.new_zeros(len(x), out_channels - x.shape[1], *x.shape[2:])
    return {result}
"""
MEANS = "x = F.avg_pool2d(x, 2, ceil_mode=True) if stride == 2 else x"
JOINED = "torch.cat([x, zeros], dim=1)"
WRONG_PADDED = [
    ("x = x[:, :, ::stride, ::stride]", JOINED, "the first 3 channels of padded(x of 3×6×6, 4, 2)"),
    ("x = F.max_pool2d(x, stride, ceil_mode=True)", JOINED, "the first 3 channels of padded("),
    ("x = F.avg_pool2d(x, stride)", JOINED, "the shape of padded(x of 2×5×5, 7, 2) gave"),
    ("x = F.avg_pool2d(x, 2)", JOINED, "the shape of padded(x of 3×6×6, 5, 1) gave"),
    (MEANS, "torch.cat([zeros, x], dim=1)", "the first 3 channels of padded(x of 3×6×6, 5, 1)"),
    (MEANS, "x", "the shape of padded(x of 3×6×6, 5, 1) gave"),
    (MEANS, "F.pad(x, (0, out_channels - x.shape[1]))", "the shape of padded(x of 3×6×6, 5, 1)"),
    (MEANS, "torch.cat([x, zeros + 1], dim=1)", "the new channels of padded(x of 3×6×6, 5, 1)"),
    ("x *= 2; x = x / 2", JOINED, "x after padded(x of 3×6×6, 5, 1) gave"),
]

FIT = """
def fit(rule, candidates, target):
    costs = {{alpha: sum(unit_costs(rule(16, alpha, 54))) for alpha in candidates}}
    return {result}
"""
WRONG_FITS = [
    ("costs[candidates[0]]", "fit(additive, range(10, 100), "),
    ("candidates[0]", "fit(additive, range(10, 100), "),
    ("max(costs, key=lambda a: costs[a])", "fit(additive, range(10, 100), "),
    ("max([a for a in costs if costs[a] <= target], default=0)", "fit(additive, [100, 49, 20]"),
    ("min(costs, key=lambda a: abs(costs[a] - target))", "fit of [2.1, 1.9] to equal costs"),
]


@pytest.mark.parametrize(("before", "result", "words"), WRONG_PADDED)
def test_a_wrong_shortcut_is_refused_and_told(before, result, words):
    verdict = judge(CHAPTER, 4, PADDED.format(before=before, result=result))
    assert not verdict.solved
    assert words in verdict.failed


@pytest.mark.parametrize(("result", "words"), WRONG_FITS)
def test_a_wrong_fit_is_refused_and_told(result, words):
    verdict = judge(CHAPTER, 5, FIT.format(result=result))
    assert not verdict.solved
    assert words in verdict.failed


RIGHT = [
    (
        1,
        "def stage_units(depth, family):\n"
        "    n = (depth - (4 if family == 'wide' else 2)) / (9 if family[0:2] == 'bo' else 6)\n"
        "    return n if n >= 1 and n == int(n) else None",
    ),
    (2, "def widths(s, a, n):\n    return tuple(additive(s, a, n))"),
    (
        2,
        "def widths(start, alpha, units):\n"
        "    from fractions import Fraction\n"
        "    width, found = Fraction(start), []\n"
        "    for _ in range(units):\n"
        "        width += Fraction(alpha, units)\n"
        "        found.append(math.floor(width + Fraction(1, 2)))\n"
        "    return found",
    ),
    (3, WIDE_SUM.format(**RIGHT_SUM)),
    (
        3,
        "def wide_parameters(*pair):\n    return float(count_parameters(wide_resnet(*pair)))",
    ),
    (4, PADDED.format(before=MEANS, result=JOINED)),
    (
        4,
        "def padded(x, out_channels, stride):\n"
        "    return pyramid_shortcut(x.shape[1], out_channels, stride)(x)",
    ),
    (
        5,
        "def fit(rule, candidates, target):\n"
        "    best = None\n"
        "    for alpha in sorted(candidates):\n"
        "        apart = abs(sum(unit_costs(rule(16, alpha, 54))) - target)\n"
        "        if best is None or apart < best[0]:\n"
        "            best = apart, alpha\n"
        "    return best[1]",
    ),
]
