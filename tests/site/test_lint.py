"""What is found wrong on a built site."""

import pytest

from tools.site import lint


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<img src="x.png" alt="x">', "loads x.png, which is not there"),
        ('<script src="https://cdn.example/a.js"></script>', "from another host"),
        ('<link rel="stylesheet" href="//cdn.example/a.css">', "from another host"),
        ('<iframe src="https://example.org"></iframe>', "from another host"),
        ('<img src="here.png" alt="">', "no text for those who do not see it"),
        ('<img src="here.png">', "no text for those who do not see it"),
        ("<p>a {term}`kernel`</p>", "raw markup: '{term}'"),
        ("<p>see [this](that.md)</p>", "raw markup: '](that.md)'"),
        ("<p>half $$ x</p>", "raw markup: '$$'"),
        ("<p>:::{note}</p>", "raw markup: ':::'"),
        ('<a href="gone.html">x</a>', "the link gone.html leads nowhere"),
        ('<a href="#gone">x</a>', "the link #gone leads to no place on its page"),
        ('<a href="index.html#gone">x</a>', "leads to no place on its page"),
    ],
)
def test_check_finds(tmp_path, body, problem):
    (tmp_path / "here.png").write_bytes(b"")
    (tmp_path / "index.html").write_text(body)
    found = lint.check(tmp_path)
    assert len(found) == 1
    assert problem in found[0]
    assert found[0].startswith("index.html: ")


def test_check_finds_nothing_on_a_page_that_is_right(tmp_path):
    (tmp_path / "here.png").write_bytes(b"")
    (tmp_path / "style.css").write_text("@font-face { src: url('here.png') }")
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="style.css"><h1 id="top">Top</h1><img src="here.png" alt="x">'
        '<a href="#top">up</a> <a href="https://example.org">out</a> <pre>{term}`x` $$</pre>'
    )
    assert lint.check(tmp_path) == []


def test_check_weighs_pages(tmp_path, monkeypatch):
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images/one.png").write_bytes(b"0" * 500)
    (tmp_path / "index.html").write_text('<img src="_images/one.png" alt="x">' + " " * 500)
    assert lint.check(tmp_path) == []
    monkeypatch.setattr(lint, "PAGE_LIMIT", 400)
    monkeypatch.setattr(lint, "FIGURES_LIMIT", 400)
    heavy, pictures = lint.check(tmp_path)
    assert "bytes without pictures; the limit is 400" in heavy
    assert "has 500 bytes of pictures; the limit is 400" in pictures


def test_style_may_not_load_from_elsewhere(tmp_path):
    (tmp_path / "a.css").write_text("@import url(https://fonts.example/x.css); b {src: url(no)}")
    assert lint.check(tmp_path) == [
        "a.css: loads https://fonts.example/x.css from another host",
        "a.css: loads no, which is not there",
    ]
