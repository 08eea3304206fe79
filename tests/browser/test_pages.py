"""Every page in Chromium: at desktop and phone width, in light and dark, served and from a disk."""

import re
import time
from pathlib import Path

import pytest

HTML = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(
    path.relative_to(HTML).as_posix()
    for path in HTML.rglob("*.html")
    if not {"_static", "_sources"} & set(path.parts)
) or ["index.html"]
SCREENS = {"desktop": (1280, 900), "phone": (390, 844)}

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
CONTRAST = """
(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map((one) => {
      const part = one / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    const colour = getComputedStyle(one).backgroundColor;
    return /, 0\\)$/.test(colour) ? ground(one.parentElement) : colour;
  };
  const ratio = (one) => {
    const pair = [light(getComputedStyle(one).color), light(ground(one))].sort();
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const texts = "p, li, a, td, th, code, summary, h1, h2, h3, dt, dd, small, pre span, .copy";
  return [...document.querySelectorAll(texts)]
    .filter((one) => one.textContent.trim() && one.checkVisibility({ opacityProperty: true }))
    .filter((one) => !one.closest(".katex, .headerlink, .skip") && ratio(one) < 4.5)
    .map((one) => one.tagName + "." + one.className + ": " + one.textContent.trim().slice(0, 30));
})()
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("page", PAGES)
def test_page(browser, address, page, screen, dark):
    browser.look(*SCREENS[screen], dark=dark)
    browser.open(f"{address}/{page}")
    browser.run("document.querySelectorAll('img').forEach((one) => (one.loading = 'eager'))")
    browser.until("[...document.images].every((one) => one.complete)")
    assert browser.messages == []
    assert [url for url in browser.requests if not url.startswith((address, "data:"))] == []
    assert browser.run("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert browser.run("document.documentElement.scrollWidth") <= SCREENS[screen][0]
    assert browser.run(OVERFLOWING) == []
    assert browser.run("[...document.images].filter((one) => !one.naturalWidth).length") == 0
    assert browser.run(CONTRAST) == []


@pytest.mark.parametrize("page", PAGES)
def test_page_from_a_disk(browser, page):
    browser.open((HTML / page).as_uri())
    assert browser.messages == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_moves_while_a_page_loads(browser, address, page):
    browser.open(f"{address}/{page}")
    assert browser.run(SHIFT) < 0.02


def page_with(selector: str) -> str:
    """Return the first page that holds a class name."""
    found = [page for page in PAGES if selector in (HTML / page).read_text(encoding="utf-8")]
    if not found:
        pytest.skip(f"no page has {selector}")
    return found[0]


STEPPER = "document.querySelector('.stepper')"
SHOWN = f"[...{STEPPER}.querySelectorAll('img')].findIndex((one) => !one.hidden)"


def press_button(browser, name: str) -> None:
    browser.run(f"{STEPPER}.querySelector('[aria-label=\"{name}\"]').click()")


def test_stepper(browser, address):
    browser.open(f"{address}/{page_with('tag_stepper')}")
    count = browser.run(f"{STEPPER}.querySelectorAll('img').length")
    assert count > 1
    assert browser.run(SHOWN) == 0
    assert browser.run(f"[...{STEPPER}.querySelectorAll('img')].every((one) => one.alt)")
    press_button(browser, "Next step")
    assert browser.run(SHOWN) == 1
    said = f"{STEPPER}.querySelector('output')"
    assert browser.run(f"{said}.textContent") == f"step 2 of {count}"
    assert browser.run(f"{said}.getAttribute('aria-live')") == "polite"
    browser.run(f"{STEPPER}.querySelector('input').focus()")
    browser.press("ArrowRight", 39)
    assert browser.run(SHOWN) == min(2, count - 1)
    browser.press("End", 35)
    assert browser.run(SHOWN) == count - 1
    press_button(browser, "Next step")  # stays at the end
    assert browser.run(SHOWN) == count - 1
    browser.press("Home", 36)
    press_button(browser, "Previous step")
    assert browser.run(SHOWN) == 0


def test_stepper_plays_and_pauses(browser, address):
    browser.open(f"{address}/{page_with('tag_stepper')}")
    press_button(browser, "Play")
    browser.until(f"{SHOWN} === 1")
    press_button(browser, "Pause")
    time.sleep(1.5)
    assert browser.run(SHOWN) == 1


def test_stepper_offers_no_motion_to_who_wants_none(browser, address):
    browser.look(1280, 900, calm=True)
    browser.open(f"{address}/{page_with('tag_stepper')}")
    assert browser.run(f"{STEPPER}.querySelector('[aria-label=Play]')") is None
    assert browser.run("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def test_without_scripts_everything_is_there(browser, address):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.call("Page.navigate", url=f"{address}/{page_with('tag_stepper')}")
        browser.until("document.readyState === 'complete' && document.images.length > 1")
        steps = "[...document.querySelectorAll('.tag_stepper img')]"
        assert browser.run(f"{steps}.length > 1 && {steps}.every((one) => one.checkVisibility())")
        assert browser.run("document.querySelector('.contents').checkVisibility()")
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_solutions_fold(browser, address):
    browser.open(f"{address}/{page_with('tag_solution')}")
    code = "document.querySelector('.tag_solution pre').checkVisibility()"
    assert not browser.run(code)
    browser.run("document.querySelector('.tag_solution summary').click()")
    assert browser.run(code)


@pytest.mark.parametrize("served", [True, False], ids=["served", "from a disk"])
def test_search_finds(browser, address, served):
    base = address if served else HTML.as_uri()
    browser.open(f"{base}/search.html?q=kernel")
    browser.until("document.querySelectorAll('#search-results li a').length > 0")
    browser.until("document.querySelector('.search-summary').textContent.includes('found')")
    assert browser.messages == []
    browser.follow("#search-results li a")
    assert browser.run("document.querySelector('article h1') && !location.href.includes('search')")


def test_search_key(browser, address):
    browser.open(f"{address}/index.html")
    browser.press("/", 191)
    assert browser.run("document.activeElement.name") == "q"


def test_colours_are_the_readers_choice(browser, address):
    mode = "document.documentElement.dataset.mode"
    theme = "document.documentElement.dataset.theme"
    browser.open(f"{address}/index.html")
    seen = []
    for _ in range(3):
        browser.run("document.querySelector('.mode').click()")
        seen.append((browser.run(mode), browser.run(theme)))
    assert seen == [("light", "light"), ("dark", "dark"), ("auto", "light")]
    browser.run("document.querySelector('.mode').click()")
    browser.run("document.querySelector('.mode').click()")
    browser.open(f"{address}/search.html")
    assert browser.run(theme) == "dark"  # it is remembered
    browser.run("document.querySelector('.mode').click()")
    assert browser.run("localStorage.length") == 0


def test_contents_on_a_phone(browser, address):
    browser.look(*SCREENS["phone"])
    browser.open(f"{address}/index.html")
    visible = "document.querySelector('#contents').checkVisibility()"
    assert not browser.run(visible)
    browser.run("document.querySelector('.menu').click()")
    assert browser.run(visible)
    assert browser.run("document.querySelector('.menu').getAttribute('aria-expanded')") == "true"
    covered = "document.querySelector('#contents').getBoundingClientRect()"
    assert browser.run(f"[{covered}.width, {covered}.bottom]") == list(SCREENS["phone"])
    browser.press("Escape", 27)
    assert not browser.run(visible)


def test_link_to_a_term_leads_to_it(browser, address):
    browser.open(f"{address}/{page_with('term reference internal')}")
    browser.follow("a.term")
    assert browser.run("location.pathname").endswith("glossary.html")
    assert browser.run("document.querySelector(':target').tagName") == "DT"


def test_the_cheat_sheet_prints_on_one_sheet_of_a4(browser, address):
    browser.open(f"{address}/book/cheat-sheet.html")
    printed = browser.print()
    assert len(re.findall(rb"/Type */Page\b", printed)) == 1
    width, height = map(
        float, re.search(rb"/MediaBox *\[0 0 ([\d.]+) ([\d.]+)\]", printed).groups()
    )
    assert (round(width), round(height)) == (595, 842)  # points
