from hypothesis import given
from hypothesis import strategies as st

from cnnbook.tables import Link, Table, giga


def test_a_table_reads_the_same_as_text_and_as_html():
    table = Table(
        ("", "size"), [("a", "1"), ("long", "1,000"), ("all of it",)], "lr", "card", "Sizes"
    )
    assert repr(table).splitlines() == [
        "Sizes   size",
        "a          1",
        "long   1,000",
        "all of it",
    ]
    html = table._repr_html_()
    assert '<table class="cnnbook-card"><caption>Sizes</caption>' in html
    assert '<td colspan="2">all of it</td>' in html


def test_the_first_column_can_name_the_rows():
    html = Table(("", "b"), [("a", "1")], "lr", named=True)._repr_html_()
    assert '<th scope="col">b</th>' in html
    assert '<th scope="row">a</th><td>1</td>' in html


def test_a_link_leads_somewhere_in_html_only():
    table = Table(("where",), [(Link("here & now", "https://example.org/?a=1&b=2"),)], "l")
    assert repr(table) == "where\nhere & now"
    assert '<a href="https://example.org/?a=1&amp;b=2">here &amp; now</a>' in table._repr_html_()


@given(st.text())
def test_whatever_a_text_holds_it_is_shown_as_it_is(text):
    bare = Table(("",), [("",)], "l", caption="a")._repr_html_()
    html = Table((text,), [(text,)], "l", caption="a" + text)._repr_html_()
    assert html.count("<") == bare.count("<")
    assert html.count(">") == bare.count(">")


def test_counts_are_written_as_papers_write_them():
    assert [giga(n) for n in (999_999, 499_999_999, 500_000_000)] == ["1.0 M", "500.0 M", "0.50 G"]
