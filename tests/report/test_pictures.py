import io

import cv2
import numpy as np
import pytest
from PIL import Image

from builders import HEIGHT, WIDTH, make_analysis, make_image
from comedo.report.pictures import label_pixels, mask_png, to_jpeg, to_png


def test_labels_are_background_skin_lesion():
    analysis = make_analysis()
    labels = label_pixels(analysis)
    assert labels.shape == (HEIGHT, WIDTH)
    assert set(np.unique(labels)) == {0, 1, 2}
    np.testing.assert_array_equal(labels == 2, analysis.lesion_mask)
    assert labels[5, 5] == 0
    assert labels[100, 100] == 1, "forehead"
    assert labels[136, 85] == 0, "an eye is no skin"


def test_skin_of_the_mask_has_the_area_of_the_map():
    analysis = make_analysis(lesion_mask=np.zeros((HEIGHT, WIDTH), np.bool_))
    assert (label_pixels(analysis) == 1).sum() == pytest.approx(analysis.face.skin_area_px, rel=0.01)


def test_mask_file_holds_the_labels_for_any_reader():
    analysis = make_analysis()
    data = mask_png(analysis)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), label_pixels(analysis))
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), -1), label_pixels(analysis))


def test_png_keeps_every_pixel():
    image = make_image()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(to_png(image)))), image)


@pytest.mark.parametrize(("max_side", "size"), [(None, (240, 320)), (1000, (240, 320)), (160, (120, 160))])
def test_jpeg_is_made_smaller_never_larger(max_side, size):
    picture = Image.open(io.BytesIO(to_jpeg(make_image(), max_side=max_side)))
    assert picture.size == size
    assert picture.mode == "RGB"


@pytest.mark.parametrize("data", [to_png(make_image()), to_jpeg(make_image()), mask_png(make_analysis())])
def test_files_carry_no_metadata(data):
    picture = Image.open(io.BytesIO(data))
    assert not picture.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment"} & set(picture.info)
