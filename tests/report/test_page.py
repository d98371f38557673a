import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from builders import make_analysis, make_grades, make_image, make_quality
from comedo.errors import NoFaceFound
from comedo.report.page import photos_digest, report_html
from comedo.report.pictures import to_jpeg
from comedo.report.tables import to_document, to_error
from comedo.types import Verdict

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Outline(HTMLParser):
    """Checks that tags are balanced, and collects what a browser would act on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def make_page(**changes) -> str:
    return report_html([(to_document(make_analysis(**changes)), to_jpeg(make_image()))])


def test_one_photo_shows_every_number_with_its_reason():
    page = make_page()
    for text in ("4 active lesions", "90 % interval 2 to 7", "2.6 of 5: Mild", "why of gea", "source of hayashi"):
        assert text in page
    assert "chest, back" in page, "what the scale misses"
    assert "Come closer to the camera." in page
    assert "not visible" in page
    assert "not a medical device" in page
    assert len(Outline(page).all("article")) == 1


def test_several_photos_have_an_overview_and_failed_ones_a_reason():
    good, failed = to_document(make_analysis()), to_error(NoFaceFound("there is no face"), "b.jpg")
    page = report_html([(good, None), (failed, None)])
    outline = Outline(page)
    assert "Overview" in page
    assert "Not analysed: there is no face" in page
    assert {a["href"] for a in outline.all("a")} == {"#photo-1", "#photo-2"}
    assert {a["id"] for a in outline.all("article")} == {"photo-1", "photo-2"}


def test_page_loads_nothing():
    page = make_page()
    outline = Outline(page)
    assert not {"script", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in outline.tags}
    assert all(img["src"].startswith("data:image/jpeg;base64,") for img in outline.all("img"))
    assert not re.search(r"//|url\(|@import|\son\w+=|\sstyle=", re.sub(r'"data:[^"]*"', "", page))


def test_policy_allows_only_the_page_s_own_style():
    import base64
    import hashlib

    page = make_page()
    style = page.split("<style>")[1].split("</style>")[0]
    expected = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(m["content"] for m in Outline(page).all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{expected}'; base-uri 'none'; form-action 'none'"
    )


EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("place", ["name", "notice", "advice", "grade", "error"])
def test_texts_from_outside_are_escaped(place):
    analysis = {
        "name": make_analysis(photo_name=EVIL),
        "notice": make_analysis(notices=(EVIL,)),
        "advice": make_analysis(quality=make_quality()),
        "grade": make_analysis(grades={n: type(g)(n, EVIL, EVIL, EVIL, EVIL) for n, g in make_grades().items()}),
        "error": make_analysis(),
    }[place]
    document = to_error(ValueError(EVIL), EVIL) if place == "error" else to_document(analysis)
    page = report_html([(document, None), (document, None)])
    assert "<script" not in page
    assert "<img" not in page
    Outline(page)


def test_headings_tables_and_pictures_are_readable_by_ear():
    page = make_page()
    outline = Outline(page)
    assert outline.all("html")[0]["lang"] == "en"
    assert len(outline.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(b - a <= 1 for a, b in pairwise(levels)), "no level is skipped"
    assert len(outline.all("caption")) == len(outline.all("table")) > 0
    assert all(th.get("scope") in ("col", "row") for th in outline.all("th"))
    assert all(len(img["alt"]) > 20 for img in outline.all("img"))


def test_unknown_is_a_dash():
    page = make_page(grades={})
    assert page.count("not assessed") == 7
    assert "None" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_quality_is_said_in_words(verdict):
    assert f"Photo quality: {verdict}" in make_page(quality=make_quality(verdict))


def test_same_input_same_bytes():
    assert make_page() == make_page()


def test_digest_names_the_photos_in_any_order():
    a, b = to_document(make_analysis()), to_document(make_analysis(photo_sha256="f" * 64))
    assert photos_digest([a, b]) == photos_digest([b, a]) != photos_digest([a])
