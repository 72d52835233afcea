"""A real Chromium, driven through its debugging pipe: no port, no driver."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any


class Browser:
    """`with Browser(program, folder) as browser: browser.run(page, expression)`."""

    def __init__(self, program: str, profile: Path) -> None:
        self._number = 0
        self._loaded = False
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe", "about:blank"]
        starter = "import os, sys; os.dup2({}, 3); os.dup2({}, 4); os.execv(sys.argv[1], sys.argv[1:])"
        self._process = subprocess.Popen(
            [sys.executable, "-c", starter.format(theirs_in, theirs_out), *command],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._read = os.fdopen(self._in, "rb")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(30)
        self._read.close()
        os.close(self._out)

    def run(self, page: Path, expression: str) -> str:
        """What a script in the page comes to, once it has loaded; the script may be a promise of a text."""
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = str(self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"])
        self._ask("Page.enable", {}, session)
        self._loaded = False
        self._ask("Page.navigate", {"url": page.as_uri()}, session)
        while not self._loaded:
            self._take()
        wanted = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self._ask("Runtime.evaluate", wanted, session)
        result = answer["result"]
        assert isinstance(result, dict), answer
        return str(result.get("value", answer))

    def _ask(self, method: str, parameters: dict[str, object], session: str = "") -> dict[str, object]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._take()).get("id") != self._number:
            pass
        assert "result" in answer, answer
        found: dict[str, object] = answer["result"]
        return found

    def _take(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._message())
        self._loaded |= answer.get("method") == "Page.loadEventFired"
        return answer

    def _message(self) -> bytes:
        found = bytearray()
        while (sign := self._read.read(1)) != b"\0":
            assert sign, "the browser has gone"
            found += sign
        return bytes(found)
