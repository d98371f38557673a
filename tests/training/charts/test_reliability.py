import pytest
from defusedxml.ElementTree import fromstring

from comedo.training.charts.reliability import Curve, in_short, reliability_chart
from comedo.training.metrics.reliability import reliability

SVG = "{http://www.w3.org/2000/svg}"


def curve(name, *answers, people="ab"):
    """Answers of each part: what was said, what was true."""
    parts = [reliability([s for s, _ in part], [t for _, t in part]) for part in answers]
    return Curve(name, parts, list(people[: len(parts)]))


MANY = curve("<many>", [(0.25, True)] + [(0.25, False)] * 3, [(0.25, False)] * 4 + [(0.95, True)])


def dots(chart):
    return [
        (float(c.get("cx")), float(c.get("cy")), float(c.get("r")), c[0].text)
        for c in chart.iter(f"{SVG}circle")
        if len(c)
    ]


def test_dots_lie_where_said_meets_true_and_grow_with_their_number():
    few, many = sorted(dots(fromstring(reliability_chart("A & B", [MANY]))), key=lambda dot: dot[2])
    assert few[3] == "said 0.95, true 1, 1 of them"
    assert many[3].startswith("said 0.25, true 0.125, 8 of them, 90 % interval 0 to 0.25")
    assert few[2] < many[2] == 6.0
    assert few[0] > many[0]  # more was said
    assert few[1] < many[1]  # up is less in SVG


def test_the_picture_carries_its_figures():
    chart = fromstring(reliability_chart("A & B", [MANY, curve("none")], x="score", y="share"))
    texts = [t.text for t in chart.iter(f"{SVG}text")]
    assert {"A & B", "score", "share", "<many> (9): error 0.117", "none (0)"} <= set(texts)  # 1.05 / 9
    counts = [t.text for t in chart.iter(f"{SVG}text") if t.get("class") == "n" and t.text != "n ="]
    assert counts == ["0", "0", "8", "0", "0", "0", "0", "0", "0", "1"] + ["0"] * 10


def test_a_dot_on_the_diagonal_means_what_it_says():
    chart = fromstring(reliability_chart("t", [curve("sure", [(1.0, True)])]))
    (diagonal,) = [line for line in chart.iter(f"{SVG}line") if line.get("class") == "d"]
    ((x, y, _, _),) = dots(chart)
    assert (x, y) == (float(diagonal.get("x2")), float(diagonal.get("y2")))


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (12_345, "12k"), (7_800_000, "7.8M"), (10**10, "10G")],
)
def test_large_counts_are_written_in_short(number, text):
    assert in_short(number) == text
