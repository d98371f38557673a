"""Debian's Chromium, driven: sizes, themes, axe-core, and what it asked for and complained about."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
TABLET = (820, 1180)  # looked at in pictures only: its pages are those of the desktop, narrower
STILL = {"name": "prefers-reduced-motion", "value": "reduce"}
SETTLED = """
const done = arguments[0], frame = () => new Promise(requestAnimationFrame);
const still = () => Promise.allSettled(document.getAnimations().map((a) => a.finished));
frame().then(frame).then(still).then(frame).then(done);
"""  # colours are judged when none is on its way
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {
    "type": "rule",
    "values": ["color-contrast", "button-name"],
}  # a theme changes these and the button that leaves it
THEMES = {"light": WCAG, "dark": COLOURS}
WAIT_S = 60  # for a machine that does much else
SCREENSHOTS = "COMEDO_SCREENSHOTS"  # a folder: every page that is checked is kept there as a picture
RUN_AXE = (
    "const done = arguments[arguments.length - 1];"
    "axe.run(document, {preload: false, runOnly: arguments[0]}).then((found) => done({"
    "  bad: found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))"
    "    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')}`),"
    "  ran: [...found.passes, ...found.violations].map((v) => v.id)}));"
)


def find_tools() -> tuple[str, str, str]:
    """Browser, driver and the text of axe-core; skips the test where one is not to be had."""
    pytest.importorskip("selenium", reason="selenium is not installed")
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no Chromium with its driver: apt-get install chromium chromium-driver")
    wheel = find_spec("axe_playwright_python")
    if wheel is None or wheel.origin is None:
        pytest.skip("there is no axe-core: pip install --no-deps axe-playwright-python")
    return browser, driver, (Path(wheel.origin).parent / "axe.min.js").read_text("utf-8")


@dataclass
class Browser:
    """One browser of one size, and the site that it visits."""

    url: str
    size: str
    driver: Any
    axe: str
    problems: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, url: str, size: str, camera: Path) -> Browser:
        """A new browser whose camera shows the pictures of an MJPEG file."""
        program, driver_program, axe = find_tools()
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = program
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(driver_program))
        driver.set_page_load_timeout(WAIT_S)
        driver.set_script_timeout(WAIT_S)
        opened = cls(url, size, driver, axe)
        opened.resize(*SIZES[size])
        return opened

    def resize(self, width: int, height: int) -> None:
        """A screen of another size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": self.size == "phone"}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def go(self, path: str) -> None:
        """Open a page."""
        self.driver.get(self.url + path)

    @property
    def path(self) -> str:
        """Of the page that is shown."""
        return str(self.driver.current_url).removeprefix(self.url)

    def find(self, css: str) -> Any:
        """The first element that is shown, once it is there."""
        return self.until(lambda _: next((e for e in self.all(css) if e.is_displayed()), None), css)

    def all(self, css: str) -> list[Any]:
        """Every element."""
        return list(self.driver.find_elements("css selector", css))

    def until(self, holds: Any, what: str) -> Any:
        """Wait until something holds; returns what it gave."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.wait import WebDriverWait

        waiting = WebDriverWait(self.driver, WAIT_S, 0.1, ignored_exceptions=[StaleElementReferenceException])
        return waiting.until(holds, f"{what} on {self.path}")

    def click(self, css: str) -> None:
        """Click the first element that is shown."""
        element = self.find(css)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def fill(self, **fields: str) -> None:
        """Type into fields by their names."""
        for name, text in fields.items():
            self.find(f'main [name="{name}"]').send_keys(text)

    def arrive(self, path: str) -> None:
        """Wait for an address that begins so."""
        self.until(lambda _: self.path.startswith(path), path)

    def check(self, name: str) -> None:
        """Nothing wider than the screen, and no serious finding of axe, in either theme."""
        self.checked.append(name)
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        if self.driver.execute_script(wide) > 0:
            self.problems.append(f"{name}: wider than the screen")
        self.driver.execute_script(self.axe)
        for theme, rules in THEMES.items():
            features = [{"name": "prefers-color-scheme", "value": theme}, STILL]
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            self.driver.execute_async_script(SETTLED)
            found = self.driver.execute_async_script(RUN_AXE, rules)
            self.problems += [f"{name}, {theme}: {line}" for line in found["bad"]]
            self._keep_pictures(name, theme)

    def _keep_pictures(self, name: str, theme: str) -> None:
        folder = os.environ.get(SCREENSHOTS)
        if not folder:
            return
        self.driver.save_screenshot(str(Path(folder) / f"{name}-{self.size}-{theme}.png"))
        if self.size == "desktop":
            self.resize(*TABLET)
            self.driver.save_screenshot(str(Path(folder) / f"{name}-tablet-{theme}.png"))
            self.resize(*SIZES[self.size])

    def connect(self, online: bool) -> None:
        """Cut the connection, or bring it back."""
        free = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": not online, **free})

    def complaints(self) -> list[str]:
        """What the console says that is more than a remark."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def asked_for(self) -> set[str]:
        """Every address that was asked for over a network, whoever it belongs to."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return {url for url in sent if url.startswith(("http", "ws"))}

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()
