import numpy as np
import pytest
from PIL import Image

from tools.chapters import notebooks
from tools.pages import art, rooms

IMPORTS = rooms.imports(notebooks.ROOT)
ROOMS = rooms.read_rooms(notebooks.ROOT)


def test_no_import_leads_back_to_where_it_began():
    assert rooms.circle(IMPORTS) == []
    assert rooms.circle({name: room.uses for name, room in ROOMS.items()}) == []


def test_a_circle_is_found():
    assert rooms.circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert rooms.circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_the_package_knows_nothing_of_what_is_made_from_it():
    for module, others in IMPORTS.items():
        if module.startswith("cnnbook"):
            assert not [other for other in others if other.startswith("tools")], module


def test_nothing_but_the_command_knows_a_particular_network():
    for module, others in IMPORTS.items():
        if module.startswith("cnnbook.") and not module.startswith("cnnbook.networks"):
            known = [other for other in others if other.startswith("cnnbook.networks")]
            assert not known or module.startswith("cnnbook.train."), module


def test_arithmetic_builds_on_torch_tables_and_checked_numbers_alone():
    assert ROOMS["cnnbook.arithmetic"].uses == {"cnnbook.tables", "cnnbook.numbers"}


def test_every_arrow_of_the_picture_leads_down():
    floor = {name: k for k, row in enumerate(rooms.floors(ROOMS)) for name in row}
    assert set(floor) == set(ROOMS)
    for name in ROOMS:
        for other in rooms.needed(name, ROOMS):
            assert floor[other] < floor[name]


def test_an_arrow_that_others_make_clear_is_left_out():
    room = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    drawn = {name: rooms.Room("", frozenset(uses)) for name, uses in room.items()}
    assert rooms.needed("a", drawn) == ["b"]


@pytest.mark.parametrize("package", ["cnnbook", "tools"])
def test_no_file_is_too_long_to_be_read_at_once(package):
    for path in (notebooks.ROOT / package).rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 370 or "networks" in path.parts, f"{path} has {lines} lines: split it"


@pytest.mark.parametrize("name", ["front", "foundations", "rooms"])
def test_a_picture_is_what_the_code_draws(name, tmp_path):
    getattr(art, name)(tmp_path / "drawn.png")
    drawn, stored = (
        np.asarray(Image.open(path).convert("RGBA").resize((64, 64)), dtype=float)
        for path in (tmp_path / "drawn.png", notebooks.ROOT / f"book/_static/{name}.webp")
    )
    assert np.abs(drawn - stored).mean() < 4
