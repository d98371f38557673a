"""Pascal VOC: Annotations/NAME.xml for each photo, boxes only.

Corners are written and read as they are, 0-based with the right and lower edge exclusive, as
today's annotation tools do; the original challenge counted pixels from 1.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from comedo.training.data.dataset import Dataset, Label, Rectangle, Sample
from comedo.training.data.files import BadAnnotations, CannotCarry, check_labels, check_size, read_xml, row, safe_name
from comedo.training.data.formats.base import Format, Origin

FOLDER = "Annotations"
_PHOTOS = ("JPEGImages", "images")


def read_voc(origin: Origin) -> Dataset:
    """Read a folder that holds Annotations/ (or the XML files themselves).

    Raises:
        BadAnnotations: There are none, or one breaks a rule.
    """
    root = origin.path / FOLDER if (origin.path / FOLDER).is_dir() else origin.path
    paths = sorted(p for p in root.rglob("*.xml") if p.is_file())
    if not paths:
        raise BadAnnotations(f"{origin.path} holds no Pascal VOC files {FOLDER}/NAME.xml")
    samples = [_read(path, root) for path in paths]
    names = dict.fromkeys(label.category for s in samples for label in s.marks)
    home = next((origin.path / n for n in _PHOTOS if (origin.path / n).is_dir()), origin.path)
    with row(str(origin.path)):
        return Dataset(tuple(samples), tuple(names), origin.photos or home)


def _read(path: Path, root: Path) -> Sample:
    tree = read_xml(path)
    with row(str(path)):
        name = safe_name(_text(tree, "filename"), str(path))
        if "/" not in name:
            name = (PurePosixPath(path.relative_to(root).parent.as_posix()) / name).as_posix()
        width, height = (int(float(_text(tree, f"size/{side}"))) for side in ("width", "height"))
        check_size(width, height, str(path))
    labels = []
    for number, thing in enumerate(tree.iter("object"), 1):
        with row(f"{path}: object {number}"):
            corners = [float(_text(thing, f"bndbox/{corner}")) for corner in ("xmin", "ymin", "xmax", "ymax")]
            labels.append(Label(_text(thing, "name"), Rectangle((corners[0], corners[1], corners[2], corners[3]))))
    return Sample(name, check_labels(labels, str(path)), width, height)


def _text(element: Element, tag: str) -> str:
    found = element.findtext(tag)
    if found is None or not found.strip():
        raise ValueError(f"<{tag}> is absent or empty")
    return found.strip()


def write_voc(dataset: Dataset, path: Path) -> None:
    """Write Annotations/NAME.xml for each photo.

    Raises:
        CannotCarry: A photo's size is unknown, or two photos differ in their ending only.
    """
    written: set[Path] = set()
    for sample in dataset.samples:
        target = path / FOLDER / Path(sample.photo).with_suffix(".xml")
        if target in written:
            raise CannotCarry(f"Pascal VOC names files without their ending: two photos are called {sample.photo!r}")
        written.add(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        ElementTree(_tree(sample)).write(target, encoding="utf-8", xml_declaration=True)


def _tree(sample: Sample) -> Element:
    if sample.width is None or sample.height is None:
        raise CannotCarry(f"Pascal VOC wants the size of each photo, that of {sample.photo} is unknown")
    root = Element("annotation")
    SubElement(root, "filename").text = sample.photo
    size = SubElement(root, "size")
    for tag, value in (("width", sample.width), ("height", sample.height), ("depth", 3)):
        SubElement(size, tag).text = str(value)
    for label in sample.marks:
        assert isinstance(label.shape, Rectangle)
        thing = SubElement(root, "object")
        SubElement(thing, "name").text = label.category
        box = SubElement(thing, "bndbox")
        for tag, place in zip(("xmin", "ymin", "xmax", "ymax"), label.shape.box_xyxy, strict=True):
            SubElement(box, tag).text = repr(place)
    indent(root)
    return root


VOC = Format(
    "voc",
    "a folder with Annotations/NAME.xml; boxes",
    (Rectangle,),
    frozenset({"size"}),
    folder=True,
    read=read_voc,
    write=write_voc,
)
