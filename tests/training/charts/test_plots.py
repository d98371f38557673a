from defusedxml.ElementTree import fromstring

from comedo.training.charts.plots import Line, confusion_chart, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_lines_are_drawn_to_scale_with_their_names():
    chart = fromstring(
        line_chart("A & B", "recall", "precision", [Line("<ours>", [(0, 0), (1, 1)], dots=True), Line("b", [])])
    )
    first, second, *named = chart.iter(f"{SVG}polyline")
    (x0, y0), (x1, y1) = (tuple(map(float, p.split(","))) for p in first.get("points").split())
    assert x0 < x1
    assert y0 > y1  # up is less in SVG
    assert second.get("points") == ""
    assert first.get("stroke-dasharray") != second.get("stroke-dasharray")  # told apart without colour
    assert [n.get("stroke") for n in named] == [first.get("stroke"), second.get("stroke")]
    texts = {t.text for t in chart.iter(f"{SVG}text")}
    assert {"A & B", "recall", "precision", "<ours>", "b"} <= texts
    assert len(list(chart.iter(f"{SVG}circle"))) == 2 + 1  # one beside the name


def test_a_confusion_matrix_shows_numbers_and_shares_of_rows():
    chart = fromstring(confusion_chart("Grades", ("clear", "mild"), [[3, 1], [0, 0]]))
    texts = [t.text for t in chart.iter(f"{SVG}text")]
    assert {"3", "75%", "1", "25%"} <= set(texts)
    assert texts.count("0%") == 2  # a row without photos
    fills = [r.get("fill") for r in chart.iter(f"{SVG}rect")][1:]
    assert fills[0] != fills[1]
    assert fills[2] == fills[3]
