"""The web app in a browser: when the first result page can be used on a slow phone, and from upload to result.

    make bench

Chromium is driven as in the tests, at a phone's size. For the first page its processor is slowed down four times (as
Lighthouse does) and nothing is cached. Usable: the photo is decoded, the lesions are drawn and the controls answer.
Photos are rendered faces of 12 megapixels. Skipped, with a word, where there is no Chromium with its driver.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import simplejpeg
from rich.console import Console
from rich.table import Table

from comedo.photo import read_photo
from comedo.service.demo.photos import demo_photos
from service import served

WIDTH, SLOWER, WAIT_S = 3000, 4, 600
USABLE_LIMIT_S, RESULT_LIMIT_S = 1.5, 2.0
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
SECRET = "only for a benchmark"
WATCH = """
window.seen = {paint: 0, usable: 0, blocked: 0};
new PerformanceObserver((list) => list.getEntries().forEach((e) => (seen.paint = e.startTime)))
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver((list) => list.getEntries().forEach((e) => (seen.blocked += Math.max(0, e.duration - 50))))
  .observe({type: 'longtask', buffered: true});
const look = () => {
  const photo = document.querySelector('.viewer__plane img'), shown = document.querySelector('.viewer output');
  if (photo?.complete && photo.naturalWidth && shown?.textContent) seen.usable = performance.now();
  else requestAnimationFrame(look);
};
look();
"""
READ = """
const bytes = performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize || 0), 0);
return {...seen, origin: performance.timeOrigin, bytes};
"""


@dataclass(frozen=True)
class Load:
    """One load of a result page; seconds since it was asked for."""

    paint_s: float
    usable_s: float
    blocked_s: float
    kilobytes: float


@contextmanager
def browser() -> Iterator[Any]:
    """A fresh Chromium; refuses where there is none."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    driver, program = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or program is None:
        raise FileNotFoundError("there is no Chromium with its driver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    opened = webdriver.Chrome(options=options, service=Service(driver))
    opened.set_page_load_timeout(WAIT_S)
    opened.set_script_timeout(WAIT_S)
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    opened.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    try:
        yield opened
    finally:
        opened.quit()


def until(holds: Any, what: str) -> Any:
    """What holds, once it does."""
    end = time.monotonic() + WAIT_S
    while not (found := holds()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {WAIT_S} s")
        time.sleep(0.05)
    return found


def sign_up(page: Any, base: str) -> None:
    page.get(f"{base}/sign-up")
    for name, text in (("email", "pages@bench.example"), ("password", SECRET)):
        page.find_element("css selector", f'main [name="{name}"]').send_keys(text)
    page.find_element("css selector", '[name="understood"]').click()
    page.find_element("css selector", "main form button").click()
    until(lambda: page.current_url.endswith("/diary"), "the diary")


def usable(page: Any) -> dict[str, float]:
    """What the watch saw, once the result page is usable."""
    until(lambda: "/photos/" in page.current_url, "the result page")
    until(lambda: page.execute_script("return window.seen?.usable"), "a usable result page")
    seen: dict[str, float] = page.execute_script(READ)
    return seen


def upload(page: Any, base: str, photo: Path) -> float:
    """Seconds from the click that sends a photo to its usable result."""
    page.get(f"{base}/capture")
    page.find_element("css selector", '.view input[name="front"]').send_keys(str(photo))
    page.find_element("css selector", ".view.is-done")
    clicked = page.execute_script("document.getElementById('send').click(); return Date.now()")
    seen = usable(page)
    return (seen["origin"] + seen["usable"] - clicked) / 1000


def load(page: Any, address: str) -> Load:
    """The page by a slow processor that has seen nothing of it."""
    page.get("about:blank")
    for command, value in (
        ("Network.enable", {}),
        ("Network.clearBrowserCache", {}),
        ("Network.setBypassServiceWorker", {"bypass": True}),
        ("Emulation.setCPUThrottlingRate", {"rate": SLOWER}),
    ):
        page.execute_cdp_cmd(command, value)
    page.get(address)
    seen = usable(page)
    time.sleep(0.3)  # the largest paint is told a frame later
    seen = page.execute_script(READ)
    return Load(seen["paint"] / 1000, seen["usable"] / 1000, seen["blocked"] / 1000, seen["bytes"] / 1000)


def photos(folder: Path, number: int, width: int) -> Iterator[Path]:
    """One rendered face as so many files, none with the bytes of another."""
    rendered = next(demo_photos(datetime.now(UTC), width=width, visits=2, sides=False))
    image = read_photo(rendered.jpeg).image
    for n in range(number):
        path = folder / f"{n}.jpg"
        path.write_bytes(simplejpeg.encode_jpeg(image, quality=90 - n, colorsubsampling="420"))
        yield path


def rest(page: Any) -> None:
    """Until no job is left: the comparison that follows a photo belongs to no upload."""
    script = (
        "const done = arguments[0]; fetch('/api/v1/jobs').then((a) => a.json())"
        ".then((p) => done(p.items.every((job) => ['done', 'failed'].includes(job.state))));"
    )
    until(lambda: page.execute_async_script(script), "the end of all jobs")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="of each; the table has the median")
    parser.add_argument("--width", type=int, default=WIDTH, help="of the photos in pixels, the height is 4/3 of it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        files = list(photos(Path(folder), given.runs + 1, given.width))
        with served(data) as (base, _), browser() as page:
            sign_up(page, base)
            waits = []
            for file in files:
                waits.append(upload(page, base, file))
                rest(page)
            loads = [load(page, page.current_url) for _ in range(given.runs)]
    print_table(loads, waits[1:], given.width)  # the first upload starts the workers' networks


def print_table(loads: list[Load], waits: list[float], width: int) -> None:
    table = Table("figure, median", "value", "at most")
    rows = (
        (f"result page usable, processor {SLOWER} times slower", [x.usable_s for x in loads], f"{USABLE_LIMIT_S} s"),
        ("  its largest paint", [x.paint_s for x in loads], ""),
        ("  scripts that block for more than 50 ms, beyond those", [x.blocked_s for x in loads], ""),
        (f"{width * width * 4 / 3 / 1e6:.0f}-megapixel photo, click to usable result", waits, f"{RESULT_LIMIT_S} s"),
    )
    for name, seconds, limit in rows:
        table.add_row(name, f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})", limit)
    table.add_row(
        "bytes of the result page, nothing cached", f"{statistics.median(x.kilobytes for x in loads):.0f} kB", ""
    )
    Console().print(table)


if __name__ == "__main__":
    try:
        main()
    except (FileNotFoundError, ImportError) as error:
        Console(stderr=True).print(f"pages are not measured: {error}")
