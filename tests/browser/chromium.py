"""A small driver for headless Chromium over the DevTools protocol on a pipe: standard library only.

Shared by the browser tests of the SVG and of the HTML page. `CHROMIUM` is None where no browser is installed; tests
then skip with that as the notice.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--mute-audio", "--force-color-profile=srgb", "--remote-debugging-pipe",
)  # fmt: skip
_MODIFIERS = {"alt": 1, "ctrl": 2, "meta": 4, "shift": 8}
_KEY_CODES = {
    "Enter": 13, "Escape": 27, "Tab": 9, "Backspace": 8, "Delete": 46, "Home": 36, "End": 35, "F3": 114,
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "PageUp": 33, "PageDown": 34, "/": 191, "?": 191,
}  # fmt: skip


class BrowserError(Exception):
    """The browser refused a command, died or did not answer in time; or a script under `evaluate` threw."""


class Chromium:
    """One browser with one page, in a profile folder of its own that goes when the browser is closed.

    Attributes:
        dialogs: texts of alert, confirm, prompt and beforeunload dialogs seen since the last `open` (all dismissed).
        requests: URLs asked for since the last `open`, without the page itself (file:, blob: and data: included).
        console_errors: console.error texts, uncaught exceptions and browser complaints since the last `open`.
    """

    def __init__(self, *, width: int = 1280, height: int = 800, timeout: float = 60.0) -> None:
        if CHROMIUM is None:
            raise BrowserError("no chromium on this machine")
        self.timeout = timeout
        self.dialogs: list[str] = []
        self.requests: list[str] = []
        self.console_errors: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._last_id = 0
        self._session: str | None = None
        self._buffer = bytearray()
        self._opened = ""
        self._profile = tempfile.mkdtemp(prefix="flameparse-chromium-")
        command_read, self._write_fd = os.pipe()
        self._read_fd, answer_write = os.pipe()
        # The browser reads commands on descriptor 3 and answers on 4; both are first moved out of the way of those.
        child_read, child_write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (command_read, answer_write))
        os.close(command_read)
        os.close(answer_write)

        def take_descriptors() -> None:
            os.dup2(child_read, 3)
            os.dup2(child_write, 4)

        environment = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
        self._process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={self._profile}", f"--window-size={width},{height}", "about:blank"],
            preexec_fn=take_descriptors, pass_fds=(3, 4), env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(child_read)
        os.close(child_write)
        try:
            target = self.send("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                self.send(f"{domain}.enable")
            self.resize(width, height)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and remove its profile folder."""
        os.close(self._write_fd)  # the browser ends when its command pipe closes
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read_fd)
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url: str | os.PathLike[str]) -> None:
        """Load a URL or a local path and wait for its load event; the three lists start empty again."""
        text = os.fspath(url)
        if "://" not in text and not text.startswith(("about:", "data:")):
            text = pathlib.Path(text).resolve().as_uri()
        self.pump()
        del self.dialogs[:], self.requests[:], self.console_errors[:], self._events[:]
        self.send("Page.navigate", url="about:blank")
        self._wait_event("Page.loadEventFired")
        self._events.clear()
        self._opened = text.split("#", 1)[0]
        answer = self.send("Page.navigate", url=text)
        if "errorText" in answer:
            raise BrowserError(f"{text}: {answer['errorText']}")
        self._wait_event("Page.loadEventFired")
        self.pump()

    def evaluate(self, script: str) -> Any:
        """Run a script in the page, awaiting a promise, and give its value as plain JSON data."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def wait_for(self, script: str, *, seconds: float = 10.0) -> Any:
        """Evaluate until the value is true, and give it."""
        end = time.monotonic() + seconds
        while True:
            value = self.evaluate(script)
            if value:
                return value
            if time.monotonic() > end:
                raise BrowserError(f"still {value!r} after {seconds} s: {script}")
            time.sleep(0.02)

    def move(self, x: float, y: float) -> None:
        """Move the mouse to a point of the viewport."""
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float, *modifiers: str, count: int = 1, button: str = "left") -> None:
        """Click a point of the viewport; modifiers are "ctrl", "shift", "alt", "meta"."""
        mask = sum(_MODIFIERS[name] for name in modifiers)
        self.move(x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=count, modifiers=mask)
        self.pump()

    def drag(self, x: float, y: float, to_x: float, to_y: float, *modifiers: str) -> None:
        """Press at one point, move in steps to another, release."""
        mask = sum(_MODIFIERS[name] for name in modifiers)
        self.move(x, y)
        self._button("mousePressed", x, y, mask)
        for step in range(1, 6):
            self.send(
                "Input.dispatchMouseEvent", type="mouseMoved", button="left", buttons=1, modifiers=mask,
                x=x + (to_x - x) * step / 5, y=y + (to_y - y) * step / 5,
            )  # fmt: skip
        self._button("mouseReleased", to_x, to_y, mask)
        self.pump()

    def _button(self, kind: str, x: float, y: float, mask: int) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1, modifiers=mask)

    def wheel(self, x: float, y: float, delta_y: float, *modifiers: str, delta_x: float = 0) -> None:
        """Turn the wheel at a point of the viewport."""
        mask = sum(_MODIFIERS[name] for name in modifiers)
        self.send(
            "Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=delta_x, deltaY=delta_y, modifiers=mask
        )
        self.pump()

    def key(self, name: str, *modifiers: str) -> None:
        """Press and release one key: a character, or a DOM key name such as "Enter"; modifiers as in `click`."""
        mask = sum(_MODIFIERS[modifier] for modifier in modifiers)
        code = _KEY_CODES.get(name, ord(name.upper()) if len(name) == 1 else 0)
        event: dict[str, Any] = {"key": name, "modifiers": mask, "windowsVirtualKeyCode": code}
        if len(name) == 1:
            event["code"] = f"Key{name.upper()}" if name.isalpha() else ""
        text = "\r" if name == "Enter" else name if len(name) == 1 and not mask & 7 else ""
        self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **event)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)
        self.pump()

    def type_text(self, text: str) -> None:
        """Insert text where the focus is, as an input method would."""
        self.send("Input.insertText", text=text)
        self.pump()

    def resize(self, width: int, height: int, *, scale: float = 1) -> None:
        """Give the viewport a size in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def media(self, **features: str) -> None:
        """Emulate media features, such as ``prefers_color_scheme="dark"``."""
        listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.send("Emulation.setEmulatedMedia", features=listed)

    def screenshot(self, path: str | os.PathLike[str], *, full_page: bool = False) -> None:
        """Write a PNG of the viewport, or of the whole page."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=full_page)
        pathlib.Path(path).write_bytes(base64.b64decode(answer["data"]))

    def pump(self) -> None:
        """Take in what the browser has said so far, so that the three lists are up to date."""
        self.send("Runtime.evaluate", expression="0")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one DevTools command and wait for its answer."""
        number = self._post(method, params)
        self._read_until(lambda: number in self._answers, method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _post(self, method: str, params: dict[str, Any]) -> int:
        self._last_id += 1
        message: dict[str, Any] = {"id": self._last_id, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write_fd, data) :]
        return self._last_id

    def _wait_event(self, method: str) -> None:
        self._read_until(lambda: any(event["method"] == method for event in self._events), method)

    def _read_until(self, done: Callable[[], bool], wanted: str) -> None:
        end = time.monotonic() + self.timeout
        while not done():
            ready, _, _ = select.select([self._read_fd], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise BrowserError(f"no answer in {self.timeout} s to {wanted}")
            data = os.read(self._read_fd, 1 << 20)
            if not data:
                raise BrowserError(f"the browser ended during {wanted}")
            self._buffer += data
            *messages, rest = bytes(self._buffer).split(b"\0")
            self._buffer = bytearray(rest)
            for message in messages:
                self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        method, params = message["method"], message["params"]
        self._events.append(message)
        if method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
            self._post("Page.handleJavaScriptDialog", {"accept": False})
        elif method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if url.split("#", 1)[0] not in (self._opened, "about:blank"):
                self.requests.append(url)
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.console_errors.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self.console_errors.append(
                " ".join(str(arg.get("value", arg.get("description"))) for arg in params["args"])
            )
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.console_errors.append(params["entry"]["text"])
