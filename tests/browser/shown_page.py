"""An HTML page in a real browser, spoken to as a person would, and asked what it shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from browser.chromium import Chromium


class Shown:
    """A page that is open in the browser, spoken to as a person would, and asked what it shows."""

    def __init__(self, browser: Chromium, path: Path) -> None:
        self.browser = browser
        self.path = path

    def open(self, fragment: str = "") -> Shown:
        self.browser.open(self.path.as_uri() + fragment)
        self.browser.evaluate("window.flameparse.ready.then(() => 0)")
        return self

    def __getitem__(self, script: str) -> Any:
        """The value of an expression about `page`, once it is drawn."""
        drawn = "const {page} = window.flameparse; await page.drawn;"
        return self.browser.evaluate(f"(async () => {{ {drawn} return {script}; }})()")

    def text(self, identity: str) -> str:
        text: str = self[f"document.getElementById({json.dumps(identity)}).textContent"]
        return text.replace("\u203a", " > ")

    def node(self, name: str) -> int:
        number: int = self[f"page.tree.frame.findIndex((_, node) => page.tree.name(node) === {json.dumps(name)})"]
        assert number >= 0
        return number

    def point(self, name: str) -> tuple[float, float]:
        """The middle of a frame in the viewport."""
        x, y = self[
            f"(() => {{ const box = page.graph.getBoundingClientRect(), rect = page.canvas.rectOf({self.node(name)});"
            "return [box.left + rect.x + rect.width / 2, box.top + rect.y + rect.height / 2]; })()"
        ]
        return x, y

    def click(self, name: str, *, count: int = 1) -> None:
        x, y = self.point(name)
        for number in range(1, count + 1):
            self.browser.click(x, y, count=number)

    def press(self, identity: str) -> None:
        x, y = self[
            f"(() => {{ const box = document.getElementById({json.dumps(identity)}).getBoundingClientRect();"
            "return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        ]
        self.browser.click(x, y)

    def search(self, text: str) -> str:
        """Type a pattern into the search box and give what the page says about it."""
        self.browser.key("/")
        self["document.getElementById('search').select()"]
        self.browser.type_text(text)
        return self.text("matched")

    def legend(self) -> dict[str, bool]:
        """What the buttons of the classes say, and whether each class is shown."""
        pressed: dict[str, bool] = self[
            "Object.fromEntries([...document.querySelectorAll('#legend button')]"
            ".map((button) => [button.textContent, button.getAttribute('aria-pressed') === 'true']))"
        ]
        return pressed

    def press_choice(self, text: str) -> None:
        """Click the button of a class, or another of the view, whose text begins so."""
        x, y = self[
            f"(() => {{ const found = [...document.querySelectorAll('.classes button')]"
            f".find((button) => button.textContent.startsWith({json.dumps(text)}));"
            "const box = found.getBoundingClientRect();"
            "return [box.left + box.width / 2, box.top + box.height / 2]; })()"
        ]
        self.browser.click(x, y)

    def stacks(self) -> dict[str, int]:
        """The visible tree as folded stacks: those that weigh something themselves."""
        folded: dict[str, int] = self[
            """(() => {
              const {tree} = page, path = [], folded = {};
              for (let node = 1; node < tree.size; node++) {
                path.length = tree.depth[node] - 1;
                path.push(tree.name(node));
                const own = Number(tree.exactWeight(node, true)), stack = path.join(';');
                if (own) folded[stack] = (folded[stack] ?? 0) + own;
              }
              return folded;
            })()"""
        ]
        return folded

    @property
    def zoomed(self) -> str:
        return str(self["page.tree.name(page.zoom)"])

    @property
    def selected(self) -> str | None:
        name: str | None = self["page.selected < 0 ? null : page.tree.name(page.selected)"]
        return name

    def colour(self, name: str) -> str:
        """The colour of a pixel at the left end of a frame, past its edge and before its label."""
        return str(self[
            f"(() => {{ const {{x, y}} = page.canvas.rectOf({self.node(name)}), ratio = page.canvas.ratio;"
            "const [r, g, b] = page.canvas.context.getImageData((x + 2) * ratio, (y + 3) * ratio, 1, 1).data;"
            "return '#' + [r, g, b].map((part) => part.toString(16).padStart(2, '0')).join(''); })()"
        ])  # fmt: skip

    def assert_quiet(self) -> None:
        """Nothing asked for, nothing popped up, nothing complained."""
        self.browser.pump()
        assert (self.browser.requests, self.browser.dialogs, self.browser.console_errors) == ([], [], [])
