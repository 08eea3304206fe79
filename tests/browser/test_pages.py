"""Every page in Chromium: at desktop and phone width, in light and dark, served and from a disk."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tools.site.build import MOVED

HTML = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(
    path.relative_to(HTML).as_posix()
    for path in HTML.rglob("*.html")
    if not {"_static", "_sources"} & set(path.parts)
) or ["index.html"]
PAGES = [page for page in PAGES if page not in MOVED]
SCREENS = {"desktop": {}, "phone": {"width": 390, "height": 844, "is_mobile": True}}

# What lies right of the window, and is in no box of its own that scrolls.
OVERFLOWING = """
[...document.querySelectorAll("body *")].filter((one) => {
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let box = one; box !== document.body; box = box.parentElement)
    if (getComputedStyle(box).overflowX !== "visible") return false;
  return getComputedStyle(one).position !== "fixed" && one.getClientRects().length > 0;
}).map((one) => one.tagName + "." + one.className)
"""
SHIFT = """
new Promise((done) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((one) => (sum += one.value));
  new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 100);
})
"""


def violations(page, options):
    """What axe finds on a page, one line for each element."""
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


# What a page says is judged once, by every rule of axe's; in each other view only its colours.
# (target-size is one of axe's rules that are off unless asked for: links within a line of text,
# whose size the text sets, are exempt in WCAG, and it reports two of them.)
EVERY_RULE, LOOKS = {}, {"runOnly": ["color-contrast"]}


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", PAGES)
def test_page(visit, address, name, screen, colours):
    page = visit(**SCREENS[screen], color_scheme=colours)
    page.goto(f"{address}/{name}")
    page.evaluate("document.querySelectorAll('img').forEach((one) => (one.loading = 'eager'))")
    page.wait_for_function("[...document.images].every((one) => one.complete)")
    assert page.messages == []
    assert [url for url in page.requests if not url.startswith((address, "data:"))] == []
    assert page.evaluate("document.documentElement.dataset.theme") == colours
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate("[...document.images].filter((one) => !one.naturalWidth).length") == 0
    is_first = (screen, colours) == ("desktop", "light")
    assert violations(page, EVERY_RULE if is_first else LOOKS) == []


@pytest.mark.parametrize("name", PAGES)
def test_page_from_a_disk(visit, name):
    page = visit()
    page.goto((HTML / name).as_uri())
    assert page.messages == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_moves_while_a_page_loads(visit, address, name):
    """What moves a page moves it each time; a font that a busy machine is late with does not."""
    shifts = []
    while not shifts or (shifts[-1] >= 0.02 and len(shifts) < 3):
        page = visit()
        page.goto(f"{address}/{name}")
        shifts.append(page.evaluate(SHIFT))
    assert min(shifts) < 0.02, shifts


@pytest.mark.parametrize("old", MOVED)
def test_a_page_that_moved_leads_on(visit, address, old):
    page = visit()
    page.goto(f"{address}/{old}")
    page.wait_for_url(f"{address}/{MOVED[old]}")


def page_with(marker: str) -> str:
    """Return the first page that holds a piece of HTML."""
    found = [page for page in PAGES if marker in (HTML / page).read_text(encoding="utf-8")]
    if not found:
        pytest.skip(f"no page has {marker}")
    return found[0]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("way", ["tap", "keys"])
def test_a_figure_opens_large(visit, address, screen, way):
    page = visit(**SCREENS[screen])
    page.goto(f"{address}/notebooks/classics/vgg.html")
    figure = page.locator("article img[role=button]").first
    drawn = int(figure.get_attribute("width"))
    if way == "tap":
        figure.click()
    else:
        figure.focus()
        page.keyboard.press("Enter")
    large = page.locator("dialog.enlarged[open] img")
    assert large.get_attribute("alt") == figure.get_attribute("alt")
    assert large.bounding_box()["width"] >= drawn
    box = page.locator("dialog.enlarged").bounding_box()
    assert box["width"] <= page.viewport_size["width"]
    assert box["height"] <= page.viewport_size["height"]
    assert violations(page, EVERY_RULE) == []
    if way == "tap":
        large.click()
    else:
        page.keyboard.press("Escape")
    assert page.locator("dialog.enlarged[open]").count() == 0
    assert figure.evaluate("(one) => one === document.activeElement")


def shown(stepper) -> int:
    """Which picture of a stepper is to be seen."""
    return stepper.locator("img").evaluate_all("(all) => all.findIndex((one) => !one.hidden)")


def test_stepper(visit, address):
    page = visit()
    page.goto(f"{address}/{page_with('tag_stepper')}")
    stepper = page.locator(".stepper").first
    pictures, said = stepper.locator("img"), stepper.locator("output")
    count = pictures.count()
    assert count > 1
    assert shown(stepper) == 0
    assert all(one.get_attribute("alt") for one in pictures.all())
    stepper.get_by_label("Next step").click()
    assert shown(stepper) == 1
    expect(said).to_have_text(f"step 2 of {count}")
    expect(said).to_have_attribute("aria-live", "polite")
    stepper.locator("input").focus()
    page.keyboard.press("ArrowRight")
    assert shown(stepper) == min(2, count - 1)
    page.keyboard.press("End")
    assert shown(stepper) == count - 1
    stepper.get_by_label("Next step").dispatch_event("click")  # stays at the end
    assert shown(stepper) == count - 1
    page.keyboard.press("Home")
    stepper.get_by_label("Previous step").dispatch_event("click")
    assert shown(stepper) == 0


def test_stepper_plays_and_pauses(visit, address):
    page = visit()
    page.goto(f"{address}/{page_with('tag_stepper')}")
    stepper = page.locator(".stepper").first
    stepper.get_by_label("Play").click()
    expect(stepper.locator("output")).to_contain_text("step 2 of")
    stepper.get_by_label("Pause").click()
    page.wait_for_timeout(1500)
    assert shown(stepper) == 1


def test_stepper_offers_no_motion_to_who_wants_none(visit, address):
    page = visit(reduced_motion="reduce")
    page.goto(f"{address}/{page_with('tag_stepper')}")
    expect(page.locator(".stepper").first.get_by_label("Play")).to_have_count(0)
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(behaviour) == "auto"


def test_without_scripts_everything_is_there(visit, address):
    page = visit(java_script_enabled=False)
    page.goto(f"{address}/{page_with('tag_stepper')}")
    steps = page.locator(".tag_stepper img").all()
    assert len(steps) > 1
    assert all(step.is_visible() for step in steps)
    assert page.locator(".contents").first.is_visible()


def test_solutions_fold(visit, address):
    page = visit()
    page.goto(f"{address}/{page_with('tag_solution')}")
    code = page.locator(".tag_solution pre").first
    expect(code).to_be_hidden()
    page.locator(".tag_solution summary").first.click()
    expect(code).to_be_visible()


@pytest.mark.parametrize("served", [True, False], ids=["served", "from a disk"])
def test_search_finds(visit, address, served):
    page = visit()
    page.goto(f"{address if served else HTML.as_uri()}/search.html?q=kernel")
    expect(page.locator(".search-summary")).to_contain_text("found")
    assert page.messages == []
    page.locator("#search-results li a").first.click()
    page.wait_for_url(lambda url: "search" not in url)
    expect(page.locator("article h1")).to_be_visible()


def test_search_key(visit, address):
    page = visit()
    page.goto(f"{address}/index.html")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"


def test_colours_are_the_readers_choice(visit, address):
    page = visit()
    page.goto(f"{address}/index.html")
    mode, seen = page.locator("button.mode"), []
    for _ in range(3):
        mode.click()
        seen.append(page.evaluate("[root.dataset.mode, root.dataset.theme].join()"))
    assert seen == ["light,light", "dark,dark", "auto,light"]
    mode.click()
    mode.click()
    page.goto(f"{address}/search.html")
    assert page.evaluate("root.dataset.theme") == "dark"  # it is remembered
    page.locator("button.mode").click()
    assert page.evaluate("localStorage.length") == 0


def test_contents_on_a_phone(visit, address):
    page = visit(**SCREENS["phone"])
    page.goto(f"{address}/index.html")
    contents, menu = page.locator("#contents"), page.locator("button.menu")
    expect(contents).to_be_hidden()
    menu.click()
    expect(contents).to_be_visible()
    expect(menu).to_have_attribute("aria-expanded", "true")
    box = contents.bounding_box()
    assert [box["width"], box["y"] + box["height"]] == [390, 844]
    page.keyboard.press("Escape")
    expect(contents).to_be_hidden()


def test_link_to_a_term_leads_to_it(visit, address):
    page = visit()
    page.goto(f"{address}/{page_with('term reference internal')}")
    page.locator("a.term").first.click()
    page.wait_for_url("**/glossary.html#*")
    assert page.evaluate("document.querySelector(':target').tagName") == "DT"


def test_the_cheat_sheet_prints_on_one_sheet_of_a4(visit, address):
    page = visit()
    page.goto(f"{address}/book/cheat-sheet.html")
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type */Page\b", printed)) == 1
    width, height = map(
        float, re.search(rb"/MediaBox *\[0 0 ([\d.]+) ([\d.]+)\]", printed).groups()
    )
    assert (round(width), round(height)) == (595, 842)  # points
