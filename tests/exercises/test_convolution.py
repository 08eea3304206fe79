"""The exercises of *Convolution*: right answers pass in any form, wrong ones are told why."""

from tests.exercises.answers import judge

COUNT = """
def count(in_channels, out_channels, kernel_size, height, width):
    C, D, K, H, W = in_channels, out_channels, kernel_size, height, width
    return {}
"""
DESIGNED = """
def designed():
    move = {}
    diagonal = {}
    bend = {}
    return move, diagonal, bend
"""
MOVE = "[[0, 0, 0], [1, 0, 0], [0, 0, 0]]"
DIAGONAL = "[[.25, 0, .25], [0, 0, 0], [.25, 0, .25]]"
BEND = "[[0, 1, 0], [1, -4, 1], [0, 1, 0]]"
SEPARABLE = "def separable(x, column, row): return {}"
GRADIENT = """
def input_gradient(grad, weight):
    K = weight.shape[-1]
    padded = F.pad(grad, (K - 1,) * 4)
    return {}
"""
FIND = """
def find(picture, piece):
    K = piece.shape[-1]
    windows = F.unfold(picture[None], K)[0]
    spread = (windows - windows.mean(0)).norm(dim=0).clamp(min=1e-3)
    centred = (piece - piece.mean()).flatten()
    score = centred @ windows / spread
    in_a_row = picture.shape[-1] - K + 1
    {}
"""
BAR = """
def is_one(pictures):
    bar = torch.tensor([[-1.0, -1, 1, 1, 1, -1, -1]] * 8)
    score = F.conv2d(pictures, bar[None, None]).amax((1, 2, 3))
    return {}
"""


RIGHT = [
    (1, COUNT.format("[[D, H - K + 1, W - K + 1], D * K * K * C + D]")),
    (1, COUNT.format("torch.Size((D, H - K + 1, W - K + 1)), float(D * K * K * C + D)")),
    (1, COUNT.format("list(np.array([D, H - K + 1, W - K + 1])), np.int64(D * (K*K*C + 1))")),
    (2, DESIGNED.format(MOVE, DIAGONAL, BEND)),
    (2, DESIGNED.format(f"torch.tensor({MOVE})", f"torch.tensor({DIAGONAL})", BEND)),
    (2, DESIGNED.format(f"np.array({MOVE})", DIAGONAL, f"torch.tensor([[{BEND}]])")),
    (2, DESIGNED.format(MOVE, DIAGONAL, "[[0, 2, 0], [0, -4, 0], [0, 2, 0]]")),
    (2, DESIGNED.format(MOVE, DIAGONAL, "[[.5, 0, .5], [1, -4, 1], [.5, 0, .5]]")),
    (2, "def designed(): return torch.stack([torch.tensor(k).float() for k in "
        f"({MOVE}, {DIAGONAL}, {BEND})])"),
    (3, SEPARABLE.format("F.conv2d(F.conv2d(x, row.view(1, 1, 1, -1)), "
                         "column.view(1, 1, -1, 1))")),
    (3, SEPARABLE.format("sum(a * sum(b * x[:, :, u:x.shape[2] - len(column) + 1 + u, "
                         "v:x.shape[3] - len(row) + 1 + v] for v, b in enumerate(row)) "
                         "for u, a in enumerate(column))")),
    (4, "def input_gradient(grad, weight): return F.conv_transpose2d(grad, weight)"),
    (5, FIND.format("return list(divmod(int(score.argmax()), in_a_row))")),
    (5, FIND.format("return torch.tensor(divmod(int(score.argmax()), in_a_row))")),
    (6, BAR.format("(score > 9.12).tolist()")),
    (6, BAR.format("(score > 9.12).int().view(-1, 1)")),
]  # fmt: skip


ONE_PASS = "F.conv2d(x, torch.outer(column, row)[None, None])"


WRONG = [
    (1, COUNT.format("(D, H - K + 1, W - K + 1), D * K * K * C"), "wrong in place 2"),
    (1, COUNT.format("(D, H - K + 1, W - K + 1), K * K * D + D"), "wrong in place 2"),
    (1, COUNT.format("(D, H - K, W - K), D * (K * K * C + 1)"), "wrong in place 1"),
    (1, COUNT.format("(D, W - K + 1, H - K + 1), D * (K * K * C + 1)"), "count(64, 128, 3, 56"),
    (1, COUNT.format("(D, H - K + 1), D * (K * K * C + 1)"), "wrong in place 1"),
    (1, COUNT.format("D * (K * K * C + 1)"), "2 values are wanted"),
    (2, DESIGNED.format("[[0, 0, 0], [0, 0, 1], [0, 0, 0]]", DIAGONAL, BEND), "kernel 1"),
    (2, DESIGNED.format("[[0, 1, 0], [0, 0, 0], [0, 0, 0]]", DIAGONAL, BEND), "kernel 1"),
    (2, DESIGNED.format(MOVE, "[[1, 0, 1], [0, 0, 0], [1, 0, 1]]", BEND), "4 times"),
    (2, DESIGNED.format(MOVE, DIAGONAL, "[[1, 2, 0], [0, -4, 0], [0, 1, 0]]"), "·i"),
    (2, DESIGNED.format(MOVE, DIAGONAL, "[[0, -1, 0], [-1, 4, -1], [0, -1, 0]]"), "single 1"),
    (2, DESIGNED.format(MOVE, DIAGONAL, "[[0, 0, 0], [0, -4, 0], [0, 0, 0]]"), "kernel 3 on 1"),
    (2, DESIGNED.format(MOVE, DIAGONAL, "[[0, 2, 0], [2, -4, 0], [0, 0, 0]]"), "·i"),
    (2, DESIGNED.format("[[0, 1], [0, 0]]", DIAGONAL, BEND), "shape of kernel 1"),
    (2, f"def designed(): return {MOVE}, {DIAGONAL}", "how many kernels gave 2"),
    (3, SEPARABLE.format(ONE_PASS), "number of multiplications"),
    (3, SEPARABLE.format("F.conv2d(x, column.view(1, 1, -1, 1))"), "shape"),
    (3, SEPARABLE.format("F.conv2d(F.conv2d(x, row.view(1, 1, -1, 1)), "
                         "column.view(1, 1, 1, -1))"), "values are wrong"),
    (3, SEPARABLE.format(f"F.pad({ONE_PASS}, (1, 1, 1, 1))"), "shape"),
    (4, GRADIENT.format("F.conv2d(padded, weight.transpose(0, 1))"), "values are wrong"),
    (4, GRADIENT.format("F.conv2d(padded, weight.transpose(0, 1).flip(-1))"), "are wrong"),
    (4, GRADIENT.format("F.conv2d(padded, weight.flip(-1, -2))"), "3 channels to 3"),
    (4, GRADIENT.format("F.conv2d(grad, weight.transpose(0, 1).flip(-1, -2))"), "shape"),
    (5, FIND.format("return divmod(int((centred @ windows).argmax()), in_a_row)"), "wrong in"),
    (5, FIND.format("return divmod(int((piece.flatten() @ windows).argmax()), in_a_row)"), ""),
    (5, FIND.format("return divmod(int(score.argmax()), "
                    "picture.shape[-1])"), "wrong in place"),
    (5, FIND.format("return divmod(int(score.argmax()), "
                    "in_a_row)[::-1]"), "wrong in place 1, 2"),
    (5, FIND.format("windows = windows.view(3, -1, windows.shape[1])[0]\n"
                    "    spread = (windows - windows.mean(0)).norm(dim=0).clamp(min=1e-3)\n"
                    "    score = piece[0].flatten() @ windows / spread\n"
                    "    return divmod(int(score.argmax()), in_a_row)"),
     "wrong in place"),
    (6, "def is_one(pictures): return torch.ones(len(pictures))", "share of right answers"),
    (6, "def is_one(pictures): return pictures.mean((1, 2, 3)) < 0.05", "share of right"),
    (6, BAR.format("score < 9.12"), "too small"),
    (6, BAR.format("(score > 9.12)[:-1]"), "answers gave"),
    (6, "def is_one(pictures): return pictures[:, 0, 7:13, 9:11].mean((1, 2)) > 0.3", ""),
]  # fmt: skip


def test_no_call_tells_where_the_piece_was() -> None:
    verdict = judge("convolution", 5, "def find(picture, piece): return -1, -1")
    assert verdict.right == "(10, 30)"
    assert "10" not in verdict.failed
