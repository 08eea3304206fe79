"""A small driver of Chromium, over its DevTools protocol: for browser tests and screenshots."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # continuous integration runs as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)


def executable() -> str | None:
    """Return the path of Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class NavigatedError(RuntimeError):
    """The page went away while it was asked something."""


class Browser:
    """One tab of a headless Chromium.

    What the page loads, prints and throws since the last ``open`` is in ``requests`` and
    ``messages``.
    """

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds
        self.requests: list[str] = []
        self.messages: list[str] = []
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [executable() or NAMES[0], *FLAGS, f"--user-data-dir={self._profile.name}"]
        self._process = subprocess.Popen(
            [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._numbers = itertools.count(1)
        port, path = self._wait_for(self._address)
        self._socket = websocket.create_connection(
            f"ws://127.0.0.1:{port}{path}", timeout=seconds, suppress_origin=True
        )
        self._session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait()
        self._profile.cleanup()

    def _address(self) -> list[str] | None:
        file = Path(self._profile.name, "DevToolsActivePort")
        lines = file.read_text().split() if file.exists() else []
        return lines if len(lines) == 2 else None

    def _wait_for(self, answer: Any) -> Any:
        end = time.monotonic() + self.seconds
        while not (found := answer()):
            if time.monotonic() > end:
                raise TimeoutError(f"the browser did not answer within {self.seconds:.0f} s")
            time.sleep(0.02)
        return found

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call one method of the protocol and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    said = answer["error"]["message"]
                    gone = "navigated" in said or "context" in said  # the page that was asked
                    raise (NavigatedError if gone else RuntimeError)(f"{method}: {said}")
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        answer = json.loads(self._socket.recv())
        parameters = answer.get("params", {})
        match answer.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Runtime.consoleAPICalled":
                said = [str(one.get("value", one.get("description"))) for one in parameters["args"]]
                self.messages.append(" ".join(said))
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                thrown = details.get("exception", {}).get("description")
                self.messages.append(thrown or details["text"])
            case "Log.entryAdded":
                entry = parameters["entry"]
                self.messages.append(f"{entry['text']} {entry.get('url', '')}".strip())
        return answer

    def look(self, width: int, height: int, dark: bool = False, calm: bool = False) -> None:
        """Choose the size of the window, the system's colours, and whether it wants less motion."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"},
        ]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, url: str) -> None:
        """Load a page, and wait until it is complete and its fonts are there."""
        self.call("Page.navigate", url="about:blank")
        self.requests.clear()
        self.messages.clear()
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")
        self.run("document.fonts.ready.then(() => true)")

    def run(self, script: str) -> Any:
        """Evaluate JavaScript on the page and return its value."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """Evaluate JavaScript until it gives something true, and return that."""

        def attempt() -> Any:
            try:
                return self.run(script)
            except NavigatedError:
                return None

        return self._wait_for(attempt)

    def follow(self, link: str) -> None:
        """Click on the first link that a selector finds, and wait for the page it leads to."""
        before = self.run("location.href")
        self.run(f"setTimeout(() => document.querySelector({json.dumps(link)}).click()); 0")
        arrived = f"location.href !== {json.dumps(before)} && document.readyState === 'complete'"
        self.until(arrived)

    def press(self, key: str, code: int) -> None:
        """Press one key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code)

    def print(self) -> bytes:
        """Return the page as it is printed, a PDF; the style sheet chooses the paper."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def screenshot(self, path: Path, whole_page: bool = False) -> None:
        """Write a picture of the window, or of the whole page, as PNG."""
        if whole_page:  # pictures below the window load when they are near it
            self.run("document.querySelectorAll('img').forEach((one) => (one.loading = 'eager'))")
        wanted = "one.loading === 'eager' || Math.abs(one.getBoundingClientRect().y) < innerHeight"
        self.until(f"[...document.images].every((one) => one.complete || !({wanted}))")
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=whole_page)
        path.write_bytes(base64.b64decode(taken["data"]))
