"""Works by others are named, and their licences lie beside them."""

from tools.chapters.notebooks import ROOT


def test_the_photographers_are_named():
    text = (ROOT / "LICENSE").read_text()
    for file, photographer in (("china.jpg", "danielbuechele"), ("flower.jpg", "vultilion")):
        assert f"{file}   {photographer}" in text or f"{file}  {photographer}" in text
    assert "creativecommons.org/licenses/by/2.0" in text


def test_fonts_carry_their_licence_and_its_notice():
    static = ROOT / "book" / "_static"
    for folder, owner in (
        (static / "fonts", "Adobe"),
        (static / "katex" / "fonts", "Khan Academy"),
    ):
        assert list(folder.glob("*.woff2"))
        licence = (folder / "LICENSE").read_text()
        assert "SIL OPEN FONT LICENSE Version 1.1" in licence
        assert owner in licence
        assert "Reserved Font Name" in licence
