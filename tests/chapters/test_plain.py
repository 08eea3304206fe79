"""What GitHub, Colab and the site all show as it is meant; and what one of them shows raw."""

import pytest

from tools.chapters import plain


@pytest.mark.parametrize(
    "source",
    [
        "A *kernel* of **3×3** weights, `kernel_size=3`, costs \\$0; sets are {a, b}.",
        "$x_{1}$ and\n\n$$\n\\begin{aligned} y &= x \\\\ z &= \\vert x \\vert \\end{aligned}\n$$",
        "| $k$ | size |\n|---|---|\n| 3 | $\\mathbb{R}^{3}$ |",
        "> **Pitfall.** Read `{term}` as it stands, and `$` too.",
        "<details><summary>Hint</summary>\n\nThink of *x*<sup>2</sup>.<br>\n\n</details>",
        "[He et al., 2015](https://arxiv.org/abs/1512.03385), <https://pytorch.org>",
        "```python\n:::{note}\n$x\n```",
        "```\n{term}`x`\n```",
        "1. one\n2. two\n   - three",
        "<!-- nobody sees this -->",
    ],
)
def test_plain(source: str) -> None:
    assert list(plain.problems(source)) == []


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("```{note}\nText\n```", "a directive (```{note}): write plain Markdown"),
        (":::{tip}\nText\n:::", "a colon fence (:::)"),
        ("Text\n:::{tip}\nText\n:::", "a colon fence (:::)"),
        ("See {term}`stride`.", "a role ({name}`…`): write a link or plain text"),
        ("See {cite:p}`he2015`.", "a role"),
        ("$$\n\\begin{align}x\\end{align}\n$$", "the environment align: write \\begin{aligned}"),
        ("$$\n\\begin{gather*}x\\end{gather*}\n$$", "the environment gather*: write \\begin{gath"),
        ("\\begin{aligned}x\\end{aligned}", "LaTeX outside mathematics: put it between $$ and $$"),
        ("$$\nx \\label{eq}\n$$", "\\label in mathematics: write it out"),
        ("$$\nx\n$$ (eq)", "a label behind $$: leave it out"),
        ("| a |\n|---|\n| $|x|$ |", "a $ outside a formula: put $$ on lines of its own; write"),
        ("It costs $5.", "a $ outside a formula"),
        ("\\(x\\)", "mathematics in \\( and \\): write it in $ and $"),
        ("Text[^1]\n\n[^1]: note", "a footnote ([^1])"),
        ("Text[^1]", "a footnote ([^1])"),
        ("See [@he2015].", "a citation by key"),
        ("(part)=\n## Part", "a label ((name)=)"),
        ("% hidden", "a MyST comment or break"),
        ("+++", "a MyST comment or break"),
        ("- [ ] to do", "a task list"),
        ("## Part {#part}", "attributes ({.class}): leave them out"),
        ("Term\n: meaning", "a definition list"),
        ("{{ version }}", "a substitution"),
        ("![alt](picture.png)", "the picture picture.png: draw it in a code cell"),
        ("<img src='x.png'>", "the HTML tag <img>: write Markdown, or one of "),
        ("<p style='color: red'>Text</p>", "the HTML attribute style of <p>: leave it out"),
        ("[part](#part)", "the link #part: leave out #part, Colab does not follow it"),
        ("[next](x.ipynb#part)", "the link x.ipynb#part: leave out #part"),
        ("[next](/x.ipynb)", "the link /x.ipynb: write the path relative to this chapter"),
        ("[mail](mailto:x@y.z)", "the link mailto:x@y.z: use https, or a path relative to"),
    ],
)
def test_raw(source: str, sentence: str) -> None:
    assert any(what.startswith(sentence) for what in plain.problems(source))


def test_headings() -> None:
    assert plain.headings("# One\n\ntext\n\n### *Three*\n\n```\n# no\n```") == [
        (1, "One"),
        (3, "*Three*"),
    ]
