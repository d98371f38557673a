"""One person's and one clinician's way through every page, in a real browser of two sizes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from comedo.service.database.tables import Analysis
from comedo.service.demo.fill import CLINICIAN, PASSWORD
from service.pages.chromium import SIZES, Browser
from service.pages.conftest import Site

pytestmark = pytest.mark.weights
HOME = "\ue011"  # the key, as WebDriver names it
STORED = (
    "const done = arguments[arguments.length - 1];"
    "(async () => {"
    "  const kept = [];"
    "  for (const name of await caches.keys())"
    "    for (const request of await (await caches.open(name)).keys()) kept.push(new URL(request.url).pathname);"
    "  return [kept, localStorage.length + sessionStorage.length, document.cookie];"
    "})().then(done);"
)
FETCH = (
    "const done = arguments[1];"
    "fetch(arguments[0]).then((answer) => done([answer.status, answer.headers.get('content-type')]));"
)


@pytest.fixture(params=list(SIZES))
def browser(request: pytest.FixtureRequest, site: Site) -> Iterator[Browser]:
    opened = Browser.open(site.url, request.param, site.camera)
    yield opened
    opened.close()


def test_the_whole_way(browser: Browser, site: Site) -> None:
    email = f"robin-{browser.size}@example.org"
    sign_up(browser, email)
    take_photo(browser)
    choose_photo(browser, site)
    measure_again(browser, site)
    look_at_change(browser)
    ask_for_guidance(browser)
    get_reports(browser)
    allow_clinician(browser)
    sign_out(browser)
    review(browser, email)
    sign_out(browser)
    export_and_erase(browser, email)
    assert browser.problems == []
    assert browser.complaints() == []
    assert {url for url in browser.asked_for() if not url.startswith(site.url)} == set()
    assert len(set(browser.checked)) == 22


@pytest.mark.parametrize("browser", ["phone"], indirect=True)
def test_a_photo_waits_for_a_lost_connection(browser: Browser, site: Site) -> None:
    sign_up(browser, "offline@example.org")
    browser.go("/capture")
    browser.all('.view input[name="front"]')[0].send_keys(str(site.before))
    browser.connect(False)
    browser.click("#send")
    browser.find('.queue__item[data-state="offline"]')
    browser.connect(True)
    browser.arrive("/photos/")
    browser.find(".viewer__stage")
    browser.go("/diary")
    assert len(browser.all(".visit")) == 1


def sign_up(browser: Browser, email: str) -> None:
    browser.go("/")
    browser.check("start")
    browser.go("/reset")
    browser.check("reset")
    browser.go("/")
    browser.click('main a[href="/sign-up"]')
    browser.check("sign-up")
    browser.fill(email=email, password=PASSWORD)
    browser.click('[name="understood"]')
    browser.click("main form button")
    browser.arrive("/diary")
    browser.check("diary-empty")


def take_photo(browser: Browser) -> None:
    """With the camera's guide; the fake camera shows a rendered face."""
    browser.go("/capture")
    browser.check("capture")
    browser.click("#live")
    for lamp in ("distance", "pose"):
        browser.find(f'[data-light="{lamp}"].is-ok')
    browser.check("camera")
    browser.click("#shutter")
    browser.find('.view.is-done[data-view="front"]')
    browser.click("#send")
    browser.arrive("/photos/")
    browser.find(".viewer__stage")
    browser.check("result")


def choose_photo(browser: Browser, site: Site) -> None:
    """An earlier one, from a file."""
    browser.go("/capture")
    browser.all('.view input[name="front"]')[0].send_keys(str(site.before))
    browser.click("#upload summary")
    day = (datetime.now(UTC) - timedelta(days=85)).date().isoformat()
    browser.driver.execute_script("document.getElementById('taken').value = arguments[0]", day)
    browser.click("#send")
    browser.arrive("/photos/")
    assert len(browser.until(lambda _: browser.all(".lesion"), "lesions")) >= 10
    browser.click('[data-toggle="regions"]')
    browser.click('[data-toggle="redness"]')
    browser.click("[data-show]")
    assert "mm" in browser.find(".viewer__tip").text
    browser.check("result-layers")


def measure_again(browser: Browser, site: Site) -> None:
    """A photo that was measured before the service kept faint lesions."""
    with site.database.write() as session:
        session.execute(update(Analysis).where(Analysis.photo == browser.path.rpartition("/")[2]).values(faint=None))
    browser.go(browser.path)
    browser.check("result-again")
    browser.click('form[action$="/again"] button')
    browser.until(
        lambda _: browser.all("#lesions") and not browser.all('form[action$="/again"], #waiting'), "the result"
    )


def look_at_change(browser: Browser) -> None:
    browser.go("/diary")
    browser.until(lambda _: browser.go("/diary") or browser.all(".verdict"), "the verdict")
    browser.find('[name="text"]').send_keys("Slept well.")
    browser.click('form[action="/notes"] button')
    browser.until(lambda _: "Slept well." in browser.driver.page_source, "the note")
    browser.check("diary")
    browser.go("/compare")
    browser.click('[data-split="100"]')
    assert browser.all("[data-slider] input")[0].get_attribute("aria-valuetext") == "100 % before"
    browser.check("compare")


def ask_for_guidance(browser: Browser) -> None:
    browser.go("/guidance")
    browser.check("guidance-empty")
    browser.click('main a[href="/guidance/questions"]')
    browser.check("questions")
    browser.fill(age="24")
    browser.click('[name="pregnancy"][value="not_possible"]')
    browser.click("main form > .row button")
    browser.arrive("/guidance")
    browser.until(lambda _: browser.all('a[href^="#source-"]'), "a source")
    browser.check("guidance")


def get_reports(browser: Browser) -> None:
    browser.go("/reports")
    browser.check("reports")
    for link in browser.all("main a[download]"):
        status, media_type = browser.driver.execute_async_script(FETCH, link.get_attribute("href"))
        assert (status, bool(media_type)) == (200, True), link.get_attribute("href")


def allow_clinician(browser: Browser) -> None:
    browser.go("/privacy")
    browser.fill(clinician=CLINICIAN)
    browser.click('form[action="/privacy/consents"] button')
    browser.until(lambda _: "Dr. Ada Demo" in browser.driver.page_source, "the consent")
    browser.check("privacy")
    browser.go("/account")
    browser.check("account")


def sign_out(browser: Browser) -> None:
    kept, stored, cookies = browser.driver.execute_async_script(STORED)
    assert all(path.startswith("/static/") or path == "/offline" for path in kept), kept
    assert (stored, cookies) == (0, "")  # the session's cookie is out of reach of scripts
    browser.go("/privacy")
    browser.click('form[action="/sign-out"] button')
    browser.until(lambda _: browser.path == "/", "the start page")


def sign_in(browser: Browser, email: str) -> None:
    browser.go("/sign-in")
    browser.fill(email=email, password=PASSWORD)
    browser.click("main form button")


def review(browser: Browser, email: str) -> None:
    """By the clinician, from the keyboard: next, reject, next, confirm."""
    sign_in(browser, CLINICIAN)
    browser.arrive("/clinic")
    browser.check("inbox")
    browser.click(".inbox__item")
    first = browser.find(".moment.is-here").text
    browser.find("#moment").send_keys(HOME)
    assert browser.find(".moment.is-here").text != first
    browser.check("patient")
    assert email in browser.driver.title
    browser.click(".head .button")
    browser.arrive("/photos/")
    keyboard = browser.find("body")
    for key in "jxc":
        keyboard.send_keys(key)
    assert browser.all('.reading input[value="reject"]:checked')
    browser.check("review")
    browser.click("#review > .columns > .card button.button--large")
    browser.find(".earlier")


def export_and_erase(browser: Browser, email: str) -> None:
    sign_in(browser, email)
    browser.arrive("/diary")
    browser.go("/privacy")
    link = browser.find('a[href="/api/v1/export"]').get_attribute("href")
    assert browser.driver.execute_async_script(FETCH, link) == [200, "application/zip"]
    browser.go("/privacy/erase")
    browser.check("erase")
    browser.click('[name="sure"]')
    browser.fill(password=PASSWORD)
    browser.click("main form button")
    browser.until(lambda _: "receipt" in browser.driver.page_source, "the receipt")
    browser.check("receipt")
