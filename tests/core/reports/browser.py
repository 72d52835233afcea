"""A real browser without a window, driven over a pipe by the Chrome DevTools Protocol."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)


def find_browser() -> str | None:
    """A Chromium of this machine. None on Windows, too: it hands no pipes to a browser."""
    if sys.platform == "win32":
        return None
    named = next((found for name in NAMES if (found := shutil.which(name))), None)
    return named or next((place for place in PLACES if Path(place).exists()), None)


class Browser:
    """One page. `events` holds what the browser told meanwhile: requests, errors, messages of the console."""

    def __init__(self, program: str, folder: Path) -> None:
        read_there, self._write = os.pipe()
        self._read, write_there = os.pipe()
        command = [
            program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
            "about:blank",
        ]
        # The protocol speaks on descriptors 3 and 4.
        lay = f"import os, sys; os.dup2({read_there}, 13); os.dup2({write_there}, 14); os.dup2(13, 3); os.dup2(14, 4)"
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"{lay}; os.execv(sys.argv[1], sys.argv[1:])", *command],
            pass_fds=(read_there, write_there),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_there)
        os.close(write_there)
        self._left = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        os.close(self._write)
        os.close(self._read)

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command and its answer. Raises RuntimeError for what the browser refuses."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = self._next(lambda told: told.get("id") == self._number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, page: Path) -> None:
        """Show a file and wait until it is loaded."""
        self.events.clear()
        self.send("Page.navigate", url=page.as_uri())
        self.wait("Page.loadEventFired")

    def wait(self, event: str) -> dict[str, Any]:
        """The next event of a kind, or the one that already came."""
        known = next((one for one in self.events if one.get("method") == event), None)
        return known or self._next(lambda told: told.get("method") == event)

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def click(self, selector: str) -> None:
        """A real click on the middle of an element."""
        x, y = self.middle(selector)
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def mouse(self, kind: str, x: float, y: float) -> None:
        button = {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1, "clickCount": 1}
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def middle(self, selector: str) -> tuple[float, float]:
        self.ask(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        box = self.ask(
            f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        return box[0], box[1]

    def complaints(self) -> list[str]:
        """Errors and warnings of the page so far, breaches of its own policy among them."""
        found = []
        for one in self.events:
            parameters = one.get("params", {})
            if one.get("method") == "Runtime.exceptionThrown":
                found.append(str(parameters["exceptionDetails"]))
            elif one.get("method") == "Log.entryAdded":
                found.append(str(parameters["entry"]["text"]))
            elif one.get("method") == "Runtime.consoleAPICalled":
                found.append(str(parameters["args"]))
        return found

    def requests(self) -> list[str]:
        """Addresses that the page asked for so far, data within it left out."""
        sent = (
            one["params"]["request"]["url"] for one in self.events if one.get("method") == "Network.requestWillBeSent"
        )
        return [address for address in sent if not address.startswith("data:")]

    def _next(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            while b"\0" not in self._left:
                read = os.read(self._read, 1 << 16)
                if not read:
                    raise RuntimeError("The browser is gone.")
                self._left += read
            first, self._left = self._left.split(b"\0", 1)
            told: dict[str, Any] = json.loads(first)
            if "method" in told:
                self.events.append(told)
            if wanted(told):
                return told
