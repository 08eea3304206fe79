"""The pages on the package, from a small package of one name for everything."""

import textwrap
from pathlib import Path

import pytest
from test_extension import make_book, page, write

from tools.site import SiteError, reading
from tools.site.build import build

TOC = """
format: jb-book
root: book/index
parts:
  - caption: Reference
    chapters:
      - file: book/api
        sections: [{file: book/api/cnnbook}, {file: book/api/sizes}, {file: book/api/networks}]
      - file: book/glossary
      - file: book/references
  - chapters: [{file: notebooks/part/one}, {file: notebooks/part/two-ways}, {file: book/part}]
"""

PACKAGE = {
    "__init__": '''
        """A small package."""
        from cnnbook.hidden import twice
        __all__ = ["twice"]
    ''',
    "hidden": '''
        """Handed on by the package."""
        def twice(x: int) -> int:
            """Return `x` two times."""
            return 2 * x

        def not_handed_on(): ...
    ''',
    "sizes": '''
        """Sizes of things.

        The first thing is a kernel.
        """
        from math import pi
        from typing import NamedTuple

        # Of a disc,
        # of radius one.
        AREA = pi
        SMALL, LARGE = 1, 1_000  # pixels
        plain = 3

        def size(kernel_size: int, *, a_long_name: int = 1, some: str = "a, (b", last: float = 0.5):
            """Give a size; see `Box`.

            With a second paragraph, from He, and a list:

            - one
            - two

            Args:
                kernel_size: width of the kernel: in pixels,
                    on two lines.
                a_long_name: not `None`.

            Returns:
                Image: the size.

            Raises:
                ValueError: it is too small.

            Source:
                A book, 1998.

            Examples:
                >>> size(3)
                3
            """

        class Box(NamedTuple):
            """A box."""
            left: int  # the first pixel # of all
            sides: tuple[int, ...]

            def area(self, unit: int = 1) -> int:
                """Pixels inside."""
                return unit

            @property
            def empty(self) -> bool:
                """Whether nothing is inside."""
                return False

        class Block:
            """Made from a width.

            Args:
                width: of the block.
            """
            def __init__(self, width: int) -> None:
                self.width = width

            def forward(self, x): ...

        def _private(): ...
    ''',
    "networks/__init__": '"""All networks."""',
    "networks/one": '"""One network, of notebooks/part/one.ipynb."""\n__all__ = ["one"]\n'
    'def one():\n    """Build it."""\n\ndef other(): ...',
}


def write_package(root: Path, **changed: str) -> None:
    for name, source in {**PACKAGE, **changed}.items():
        write(root, f"cnnbook/{name}.py", textwrap.dedent(source).lstrip())


def make_api_book(root: Path) -> Path:
    make_book(root)
    write(root, "_toc.yml", TOC)
    write(root, "book/api.md", "# The package\n\n```{api-modules} cnnbook\n```\n")
    for module, flag in {
        "cnnbook": "",
        "cnnbook.sizes": "",
        "cnnbook.networks": ":modules:",
    }.items():
        source = f"# {module}\n\n```{{api}} {module}\n{flag}\n```\n"
        write(root, f"book/api/{module.rpartition('.')[2]}.md", source)
    write_package(root)
    return root


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    root = make_api_book(tmp_path_factory.mktemp("book"))
    assert build(root)
    return root


@pytest.fixture(scope="module")
def sizes(book):
    return page(book, "book/api/sizes.html").article


def section(article, name):
    return article.find(id=f"cnnbook.sizes.{name}")


def words(element):
    return " ".join(element.text.split())


def test_every_public_name_has_its_section_in_the_order_of_the_source(sizes):
    names = [s["id"].removeprefix("cnnbook.sizes.") for s in sizes.select("section.api")]
    assert names == ["size", "Box", "Box.area", "Box.empty", "Block"]
    assert section(sizes, "Box.area").h3.code.text == "Box.area"


def test_the_text_of_the_module_comes_first_and_terms_are_linked(sizes):
    lead = [words(p) for p in sizes.section.find_all("p", recursive=False)]
    assert lead == ["Sizes of things.", "The first thing is a kernel."]
    assert sizes.select_one("a.term").text == "kernel"


def test_constants_stand_as_in_the_source_with_their_comments(sizes):
    block = section(sizes, "AREA")
    assert block.text.strip() == (
        "# Of a disc,\n# of radius one.\nAREA = pi\nSMALL, LARGE = 1, 1_000  # pixels"
    )
    assert section(sizes, "LARGE") is not None
    assert section(sizes, "plain") is None


def test_a_long_signature_has_a_line_for_each_argument(sizes):
    assert section(sizes, "size").select_one("pre").text.strip().splitlines() == [
        "size(",
        "    kernel_size: int,",
        "    *,",
        "    a_long_name: int = 1,",
        "    some: str = 'a, (b',",
        "    last: float = 0.5,",
        ")",
    ]


def test_every_section_of_a_docstring_is_shown(sizes):
    size = section(sizes, "size")
    labels = [label.text for label in size.select("p.rubric")]
    assert labels == ["Arguments", "Returns", "Raises", "Source", "Examples"]
    arguments, errors = size.select("dl.arguments")
    assert [dt.text for dt in arguments("dt")] == ["kernel_size", "a_long_name"]
    assert words(arguments.dd) == "width of the kernel: in pixels, on two lines."
    assert arguments("dd")[1].code.text == "None"
    assert [words(part) for part in errors(["dt", "dd"])] == ["ValueError", "it is too small."]
    after = [words(label.find_next_sibling()) for label in size.select("p.rubric")]
    assert after[1] == "Image: the size."
    assert after[3] == "A book, 1998."
    assert size.select_one(".highlight-pycon").text.strip() == ">>> size(3)\n3"
    assert [li.text.strip() for li in size("li")] == ["one", "two"]


def test_names_of_the_module_lead_to_their_sections(sizes):
    link = section(sizes, "size").find("a", string="Box")
    assert link["href"] == "#cnnbook.sizes.Box"


def test_fields_have_their_types_and_comments(sizes):
    fields = section(sizes, "Box").select_one("dl.arguments")
    assert [words(dt) for dt in fields("dt")] == ["left", "sides"]
    assert [words(dd) for dd in fields("dd")] == [
        "int the first pixel # of all",
        "tuple[int, ...]",
    ]


def test_a_class_says_what_it_is_made_from(sizes):
    assert section(sizes, "Box").pre.text.strip() == "class Box(NamedTuple)"
    assert section(sizes, "Block").pre.text.strip() == "class Block\nBlock(width: int)"
    assert section(sizes, "Block").dl.dt.text == "width"
    assert section(sizes, "Box.area").pre.text.strip() == "Box.area(unit: int = 1) -> int"
    assert section(sizes, "Box.empty").pre.text.strip() == "Box.empty: bool"


def test_names_link_to_their_source(book, sizes):
    source = (book / "cnnbook/sizes.py").read_text().splitlines()
    address = section(sizes, "Box").select_one(".source a")["href"]
    home, line = address.split("#L")
    assert home == "https://github.com/cnnbook/cnnbook/blob/main/cnnbook/sizes.py"
    assert source[int(line) - 1].startswith("class Box")


def test_headings_are_in_the_contents_of_the_page_and_in_the_search(book):
    links = page(book, "book/api/sizes.html").select(".on-page a")
    assert "#cnnbook.sizes.Box.area" in [link["href"] for link in links]
    assert '"Box.area": [[' in (book / "_build/html/searchindex.js").read_text()


def test_a_package_shows_what_it_hands_on(book):
    article = page(book, "book/api/cnnbook.html").article
    assert [s["id"] for s in article.select("section.api")] == ["cnnbook.twice"]
    assert "hidden.py#L2" in article.select_one(".source a")["href"]


def test_networks_are_sorted_by_module_and_lead_to_their_chapters(book):
    article = page(book, "book/api/networks.html").article
    assert [s["id"] for s in article.select("section.api")] == [
        "cnnbook.networks.one",
        "cnnbook.networks.one.one",
    ]
    assert article.find("a", string="A kernel")["href"] == "../../notebooks/part/one.html"


def test_table_lists_the_modules_that_have_pages_of_their_own(book):
    rows = page(book, "book/api.html").select("tbody tr")
    assert [words(row) for row in rows] == [
        "cnnbook A small package.",
        "cnnbook.networks All networks.",
        "cnnbook.sizes Sizes of things.",
    ]
    assert [row.a["href"] for row in rows][2] == "api/sizes.html"


def test_what_is_missing_fails_with_what_to_do(tmp_path):
    root = make_api_book(tmp_path)
    sizes = '''
        """Sizes."""
        def naked(): ...

        def f():
            """F.

            Args:
                y: no.
            """
    '''
    write_package(root, sizes=sizes, new='"""New."""')
    write(root, "book/api/networks.md", "# Networks\n\n```{api} cnnbook.gone\n```")
    with pytest.raises(SiteError) as raised:
        build(root)
    said = str(raised.value).splitlines()
    assert said == [
        "book/api.md: cnnbook.new has no page: write api/new.md beside this one, "
        "and add it to _toc.yml",
        "book/api/networks.md: there is no module cnnbook.gone; mend its name",
        "cnnbook/sizes.py: cnnbook.sizes.naked has no docstring; "
        "say in its first line what it does",
        "cnnbook/sizes.py: the docstring of cnnbook.sizes.f describes y, "
        "which is no argument of it",
        "The site was not built.",
    ]


def test_a_change_in_the_package_changes_its_page(tmp_path):
    root = make_api_book(tmp_path)
    assert build(root)
    assert not build(root)
    write_package(root, hidden=PACKAGE["hidden"].replace("two times", "twice over"))
    assert build(root)
    assert "twice over" in page(root, "book/api/cnnbook.html").text


def test_a_function_may_have_the_name_of_its_module(tmp_path):
    write(tmp_path, "cnnbook/__init__.py", 'from cnnbook.box import box\n__all__ = ["box"]')
    write(tmp_path, "cnnbook/box.py", "def box(): ...")
    (member,) = reading.public(reading.load("cnnbook", tmp_path))
    assert member.path == "cnnbook.box.box"
