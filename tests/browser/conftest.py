"""Browser tests run on the built site: `make book` first, Chromium on the PATH.

Where either is missing they are skipped, except in continuous integration (CI is set), where they
fail: a green run must have looked at the pages.
"""

import os
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tools.pages import chromium as system
from tools.site.serve import server

HTML = Path(__file__).parents[2] / "_build" / "html"


def need(there: object, reason: str) -> None:
    """Skip, or fail in continuous integration, if something is not there."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="session")
def address():
    """Serve the built site, and give its address."""
    need((HTML / "index.html").exists(), "the site is not built; run: make book")
    with server(HTML, 0) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def chromium():
    """Start one browser for all tests."""
    need(system.executable(), "Chromium is not installed")
    with sync_playwright() as playwright:
        yield system.launch(playwright)


@pytest.fixture
def visit(chromium):
    """Give a function that makes a page in a window of its own: desktop, light, nothing stored.

    What the page prints, throws and loads is in its `messages` and `requests`.
    """
    contexts = []

    def open_window(width=1280, height=900, **options):
        window = {"viewport": {"width": width, "height": height}, **options}
        contexts.append(chromium.new_context(**window))
        page = contexts[-1].new_page()
        page.messages, page.requests = [], []
        page.on("console", lambda message: page.messages.append(message.text))
        page.on("pageerror", lambda error: page.messages.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        return page

    yield open_window
    for context in contexts:
        context.close()
