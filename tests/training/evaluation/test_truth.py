import json

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from comedo.errors import UnusableInput
from comedo.training.evaluation.truth import read_coco, read_folder
from comedo.types import Group


def coco_file(folder, *, categories=("acne",), images=(), annotations=()):
    path = folder / "annotations.json"
    rows = [{"id": i + 1, "name": name} for i, name in enumerate(categories)]
    path.write_text(json.dumps({"images": list(images), "annotations": list(annotations), "categories": rows}))
    return path


def image(number, file_name, **more):
    return {"id": number, "file_name": file_name, "width": 100, "height": 100} | more


def lesion(image_id, bbox, category=1, **more):
    return {"id": 1, "image_id": image_id, "category_id": category, "bbox": bbox} | more


def test_photos_are_chosen_by_split_and_prefix(tmp_path):
    path = coco_file(
        tmp_path,
        images=[
            image(1, "crops/a.jpg", split="val", group=7, grade=2),
            image(2, "crops/b.jpg", split="train", group=8),
            image(3, "frames/a.jpg", split="val", group=7),
        ],
        annotations=[lesion(1, [10, 20, 4, 6]), lesion(1, [0, 0, 2, 2], circle=[1, 1, 3])],
    )
    truth = read_coco(path, tmp_path, split="val", only="crops")
    (photo,) = truth.photos
    assert [p.name for p in truth.elsewhere] == ["crops/b.jpg"]
    assert (photo.scale, photo.group, photo.grade) == ("crops", "7", 2)
    assert photo.lesions.circles.tolist() == [[12, 23, 2.5], [1, 1, 3]]
    assert photo.lesions.boxes.tolist() == [[10, 20, 14, 26], [0, 0, 2, 2]]
    assert photo.lesions.groups is None
    assert len(read_coco(path, tmp_path, split=None).photos) == 3


def test_several_categories_are_groups(tmp_path):
    path = coco_file(
        tmp_path,
        categories=("acne", "pimple", "spot"),
        images=[image(1, "a.jpg")],
        annotations=[lesion(1, [0, 0, 2, 2], category=c) for c in (3, 1, 2)],
    )
    lesions = read_coco(path, tmp_path, split=None).photos[0].lesions
    assert lesions.groups == (Group.MARK, Group.NON_INFLAMMATORY, Group.INFLAMMATORY)
    assert len(lesions.choose((Group.INFLAMMATORY, Group.NON_INFLAMMATORY)).circles) == 2
    with pytest.raises(UnusableInput, match=r"'spot'.*--types"):
        read_coco(path, tmp_path, split=None, types={"acne": Group.MARK, "pimple": Group.MARK})


def test_lesions_that_nobody_marked_are_unknown_not_absent(tmp_path):
    images = [image(1, "a.jpg", grade=3, lesions_labelled=False), image(2, "b.jpg")]
    unknown, none = read_coco(coco_file(tmp_path, images=images), tmp_path, split=None).photos
    assert unknown.lesions is None
    assert len(none.lesions.circles) == 0


@pytest.mark.parametrize(
    ("text", "match"),
    [
        pytest.param("[]", "not a COCO file", id="a list"),
        pytest.param("{", "not a COCO file", id="no JSON"),
        pytest.param('{"images": [], "annotations": [], "categories": []}', "no images of split", id="empty"),
    ],
)
def test_what_is_no_coco_file_is_refused(tmp_path, text, match):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=match):
        read_coco(path, tmp_path, split="val")


def masked_folder(folder, names=("a", "b")):
    for part in ("images", "masks"):
        (folder / part).mkdir()
        for name in names:
            cv2.imwrite(str(folder / part / f"{name}.png"), np.full((8, 8, 3), 200, np.uint8))
    return folder


def test_a_folder_pairs_photos_with_masks(tmp_path):
    truth = read_folder(masked_folder(tmp_path), names=("b",))
    (photo,) = truth.photos
    assert photo.labels_path == tmp_path / "masks" / "b.png"
    assert photo.read().shape == (8, 8, 3)


def test_label_maps_keep_their_palette_values(tmp_path):
    masked_folder(tmp_path, names=("a",))
    picture = PillowImage.new("P", (2, 2))
    picture.putpalette(range(255, -1, -1))
    for at, value in {(0, 0): 0, (1, 0): 1, (0, 1): 13, (1, 1): 18}.items():
        picture.putpixel(at, value)
    picture.save(tmp_path / "masks" / "a.png")
    assert read_folder(tmp_path).photos[0].read_labels().tolist() == [[0, 1], [13, 18]]


def test_folders_that_lack_something_are_refused(tmp_path):
    masked_folder(tmp_path)
    with pytest.raises(UnusableInput, match="no photos named"):
        read_folder(tmp_path, names=("z",))
    (tmp_path / "masks" / "a.png").unlink()
    with pytest.raises(UnusableInput, match=r"no mask for a\.png"):
        read_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnusableInput, match="no JPEG"):
        read_folder(tmp_path / "empty")


def test_a_folder_of_photos_alone_has_no_labels(tmp_path):
    masked_folder(tmp_path)
    assert [p.labels_path for p in read_folder(tmp_path / "images").photos] == [None, None]
