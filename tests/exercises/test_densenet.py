"""Answers to the exercises of DenseNet, right ones and wrong ones."""

from tests.exercises.answers import judge

CHAPTER = "densenet"
HEAD = """
def at_head(channels, depths, growth, compression):
    for place, depth in enumerate(depths):
        {before}
        channels += depth * growth
        {after}
    return channels
"""
HALVE = "channels = {} if place else channels"

PIECE = """
def per_piece(convolution, widths):
    layers, start = [], 0
    for width in widths:
        layer = nn.Conv2d(width, convolution.out_channels, 1, bias={bias})
        layer.weight.data = convolution.weight.data[{columns}].clone()
        if layer.bias is not None:
            layer.bias.data = convolution.bias.data.clone()
        layers.append(layer)
        start += width
    return layers
"""
COLUMNS = ":, start:start + width"
FIRST = "convolution.bias is not None and start == 0"

WINDOW = """
class Own(nn.Module):
    def __init__(self, channels, depth, growth, window):
        super().__init__()
        sizes = [channels] + [growth] * depth
        self.layers = nn.ModuleList()
        for i in range(depth):
            self.layers.append(dense_bottleneck(sum({reads}), growth))
        self.window = window

    def forward(self, x):
        pieces = [x]
        for layer in self.layers:
            pieces.append(layer(torch.cat({pieces}, 1)))
        return {gives}

windowed = Own
"""
READS, PIECES = "sizes[max(0, i + 1 - window):i + 1]", "pieces[-self.window:]"
GIVES = "torch.cat(pieces, 1)"

# For each exercise: answers that are wrong, each with words that the verdict must say.
WRONG = {
    1: {
        HEAD.format(before="pass", after="pass"): "at_head(64, [6, 12, 32, 32], 32, 0.5) gave",
        HEAD.format(before="channels = int(channels * compression)", after="pass"): (
            "at_head(16, [5], 4, 0.5) gave 28, which is too small"
        ),
        HEAD.format(before="pass", after="channels = int(channels * compression)"): (
            "at_head(16, [5], 4, 0.5) gave 18, which is too small"
        ),
        HEAD.format(before=HALVE.format("math.ceil(channels * compression)"), after="pass"): (
            "at_head(3, [2, 2, 1], 1, 0.5) gave 4, which is too large"
        ),
        HEAD.format(before=HALVE.format("channels * compression"), after="pass"): (
            "at_head(3, [2, 2, 1], 1, 0.5) gave"
        ),
        HEAD.format(before=HALVE.format("channels // 2"), after="pass"): (
            "at_head(16, [12, 12, 12], 12, 1.0) gave"
        ),
    },
    2: {
        PIECE.format(bias="convolution.bias is not None", columns=COLUMNS): (
            "per_piece of widths (2, 5), with a bias: the sum of the outputs gave"
        ),
        PIECE.format(bias=False, columns=COLUMNS): "with a bias: the sum of the outputs gave",
        PIECE.format(bias=FIRST, columns=":, :width"): (
            "per_piece of widths (3, 2): the sum of the outputs gave"
        ),
        "def per_piece(convolution, widths):\n"
        "    return [nn.Conv2d(w, convolution.out_channels, 1, bias=False) for w in widths]": (
            "per_piece of widths (3, 2): the sum of the outputs gave"
        ),
        "def per_piece(convolution, widths):\n    return [convolution]": "the input channels gave",
    },
    3: {
        "def maps_kept(c, n, k):\n"
        "    return sum(c + i * k for i in range(n)) + 8 * k * n, c + (n - 1) * k + 8 * k * n": (
            "as DenseBlock gave 120, which is too small"
        ),
        "def maps_kept(c, n, k):\n"
        "    return 2 * sum(c + i * k for i in range(n)) + 8 * k * n, c + n * k + 8 * k * n": (
            "as CheckpointedBlock gave 132, which is too large"
        ),
        "def maps_kept(c, n, k):\n"
        "    return 2 * sum(c + i * k for i in range(n)) + 4 * k * n, c + (5 * n - 1) * k": (
            "as DenseBlock gave 96, which is too small"
        ),
        "def maps_kept(c, n, k):\n"
        "    return 2 * n * c + 8 * k * n, c + (n - 1) * k + 8 * k * n": (
            "maps_kept(24, 2, 12), as DenseBlock gave"
        ),
        "def maps_kept(c, n, k):\n    return 2 * n * c + 8 * k * n": "a pair gave False",
    },
    4: {
        "def momentum_for_two(m):\n    return m / 2": "momentum_for_two(0.1) gave 0.05",
        "def momentum_for_two(m):\n    return m": "momentum_for_two(0.1) gave 0.1",
        "def momentum_for_two(m):\n    return m ** 0.5": "which is too large",
        "def momentum_for_two(m):\n    return (1 - m) ** 0.5": "which is too large",
        "def momentum_for_two(m):\n    return 1 - (1 - m) ** 2": "which is too large",
    },
    5: {
        WINDOW.format(reads="sizes[:i + 1]", pieces="pieces", gives=GIVES): (
            "the parameters of windowed(6, 4, 2, 1) gave"
        ),
        WINDOW.format(reads="sizes[:1] + sizes[1:i + 1][-window:]",
                      pieces="pieces[:1] + pieces[1:][-self.window:]", gives=GIVES): (
            "the parameters of windowed(6, 4, 2, 1) gave"
        ),
        WINDOW.format(reads=READS, pieces=PIECES, gives=f"torch.cat({PIECES}, 1)"): (
            "the shape of windowed(6, 4, 2, 1)(x) gave 2, which is too small"
        ),
        WINDOW.format(reads=READS, pieces=PIECES, gives="torch.cat(pieces[::-1], 1)"): (
            "windowed(6, 4, 2, 1)(x) with our weights gave"
        ),
        WINDOW.format(reads=READS, pieces=f"{PIECES}[::-1]", gives=GIVES): (
            "windowed(6, 4, 2, 2)(x) with our weights gave"
        ),
    },
}  # fmt: skip


def test_a_bias_that_counts_once_a_piece_gets_the_hint_of_the_bias():
    verdict = judge(CHAPTER, 2, PIECE.format(bias="convolution.bias is not None", columns=COLUMNS))
    assert verdict.hint == "The bias is added once, not once a piece."


def test_a_solution_that_overwrites_the_convolution_is_refused():
    answer = PIECE.format(bias=FIRST, columns=COLUMNS).replace(
        "    return layers", "    convolution.weight.data.zero_()\n    return layers"
    )
    assert not judge(CHAPTER, 2, answer).solved


RIGHT = [
    (
        1,
        "def at_head(channels, depths, growth, compression):\n"
        "    if len(depths) == 1:\n"
        "        return float(channels + depths[0] * growth)\n"
        "    fewer = math.floor((channels + depths[0] * growth) * compression)\n"
        "    return at_head(fewer, depths[1:], growth, compression)",
    ),
    (2, PIECE.format(bias=FIRST, columns=COLUMNS)),
    (
        3,
        "def maps_kept(c, n, k):\n"
        "    return [2 * n * c + k * n * (n - 1) + 8 * k * n, c + (9 * n - 1) * k]",
    ),
    (4, "def momentum_for_two(m):\n    return 1 - math.sqrt(1 - m)"),
    (5, WINDOW.format(reads=READS, pieces=PIECES, gives=GIVES)),
]
