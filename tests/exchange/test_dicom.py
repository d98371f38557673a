from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest

from cases import drawn_case
from comedo.errors import UnusableInput
from comedo.exchange.dicom import FILES, OVERLAY_SIDE, DicomOptions, write_dicom
from comedo.report.overlay import draw_face
from comedo.report.pictures import skin_pixels
from comedo.types import Region

WHEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def case(tmp_path):
    return drawn_case(tmp_path / "in").load()


def written(case, folder, **options):
    paths = write_dicom(case, folder, DicomOptions(made_at=WHEN, **options))
    assert [path.name for path in paths][:3] == [FILES[name] for name in ("photo", "seg", "sr")]
    photo = pydicom.dcmread(folder / FILES["photo"])
    return photo, hd.seg.segread(folder / FILES["seg"]), hd.sr.srread(folder / FILES["sr"])


def values(group):
    return {m.name.value: float(m.value) for m in group.get_measurements()}


@pytest.mark.weights
def test_a_real_face_reads_back_with_the_same_masks_and_counts(sample_files, tmp_path):
    case = sample_files.load()
    photo, seg, sr = written(case, tmp_path)
    assert np.array_equal(photo.pixel_array, case.photo.image)
    frames = seg.get_pixels_by_source_instance([photo.SOPInstanceUID])[0]
    assert np.array_equal(frames[..., 0] > 0, skin_pixels(case.face, (photo.Columns, photo.Rows)))
    assert np.array_equal(frames[..., 1] > 0, case.mask)
    assert len(sr.content.get_planar_roi_measurement_groups()) == len(case.lesions)
    face = sr.content.get_image_measurement_groups()[0]
    assert values(face)["lesion-count"] == case.document.counts.total


def test_counts_and_places_by_hand(case, tmp_path):
    _, _, sr = written(case, tmp_path)
    face, *regions = sr.content.get_image_measurement_groups()
    found = values(face)
    assert [found[k] for k in ("lesion-count", "low-90", "high-90", "inflammatory", "gea")] == [4, 2, 7, 3, 2]
    assert "iga-estimate" not in found, "what is unknown is left out, not 0"
    assert len(regions) == 4, "the chin is not visible"
    lesions = sr.content.get_planar_roi_measurement_groups()
    circle = lesions[1].roi
    assert circle.graphic_type is hd.sr.GraphicTypeValues.CIRCLE
    assert circle.value.tolist() == [[122.0, 165.75], [119.5, 165.75]]  # half a pixel on, radius 2.5 inwards
    assert [g.finding_type.value for g in lesions] == ["papule", "open-comedone", "papule", "mark", "pustule"]
    assert values(lesions[0])["diameter"] == pytest.approx(7.2)
    assert "diameter" not in values(lesions[3])


def test_the_photo_says_what_it_is(case, tmp_path):
    photo, seg, sr = written(case, tmp_path, patient_id="P1", patient_name="Doe^Jane", taken_at=WHEN)
    assert photo.SOPClassUID.name == "VL Photographic Image Storage"
    assert (photo.Modality, photo.PhotometricInterpretation) == ("XC", "RGB")
    assert (photo.RecognizableVisualFeatures, photo.BurnedInAnnotation) == ("YES", "NO")
    assert photo.file_meta.TransferSyntaxUID.name == "Explicit VR Little Endian"
    assert "PixelSpacing" not in photo
    assert photo.LossyImageCompression == "00"  # it came as PNG
    assert (photo.PatientID, str(photo.PatientName), photo.StudyDate) == ("P1", "Doe^Jane", "20261120")
    for other in (seg, sr):
        assert (other.PatientID, other.StudyInstanceUID) == ("P1", photo.StudyInstanceUID)
        assert other.SeriesInstanceUID != photo.SeriesInstanceUID
    assert (sr.PreliminaryFlag, sr.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == photo.SeriesInstanceUID
    assert seg.SegmentationType == "BINARY"


def test_a_lossy_photo_says_so(case, tmp_path):
    jpeg = replace(case, photo=replace(case.photo, format="jpeg"), photo_bytes=23_040)
    photo, _, _ = written(jpeg, tmp_path)
    assert (photo.LossyImageCompression, photo.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert float(photo.LossyImageCompressionRatio) == 10  # 240 x 320 x 3 bytes


def test_an_empty_face_keeps_its_frames(case, tmp_path):
    document = case.document.model_copy(update={"lesions": ()})
    _, seg, sr = written(replace(case, document=document, mask=np.zeros_like(case.mask)), tmp_path)
    assert seg.NumberOfFrames == 2
    assert sr.content.get_planar_roi_measurement_groups() == []


def test_tracking_uids_can_be_kept_from_visit_to_visit(case, tmp_path):
    _, _, sr = written(case, tmp_path, tracking={3: "2.25.42"})
    uids = [g.tracking_uid for g in sr.content.get_planar_roi_measurement_groups()]
    assert uids[2] == "2.25.42"
    assert len(set(uids)) == len(uids)


def test_same_photo_same_uids(case, tmp_path):
    first, second = written(case, tmp_path / "a"), written(case, tmp_path / "b")
    assert [d.SOPInstanceUID for d in first] == [d.SOPInstanceUID for d in second]


@pytest.mark.parametrize("absent", ["photo", "mask"])
def test_what_is_needed_is_named(case, tmp_path, absent):
    with pytest.raises(UnusableInput, match=absent):
        write_dicom(replace(case, **{absent: None}), tmp_path)


def test_every_region_has_its_place(case, tmp_path):
    counts = case.document.counts.model_copy(update={"by_region": dict.fromkeys(Region, 2)})
    whole = replace(case, document=case.document.model_copy(update={"counts": counts}))
    _, _, sr = written(whole, tmp_path)
    sites = [g.finding_sites[0] for g in sr.content.get_image_measurement_groups()[1:]]
    assert [(s.topographical_modifier or s.laterality).meaning if s.laterality else "" for s in sites] == [
        "",
        "",
        "Left",
        "Right",
        "",
    ]


# ------------------------------------------------------------------ on request: JPEG, label map, overlay


def test_a_jpeg_photo_reads_back_alike_and_says_what_was_lost(case, tmp_path):
    photo, seg, sr = written(case, tmp_path, jpeg=True)
    assert photo.file_meta.TransferSyntaxUID.name.startswith("JPEG Baseline")
    assert (photo.PhotometricInterpretation, photo.LossyImageCompression) == ("YBR_FULL_422", "01")
    assert photo.LossyImageCompressionMethod == "ISO_10918_1"
    assert float(photo.LossyImageCompressionRatio) > 5
    assert photo.RecognizableVisualFeatures == "YES"
    decoded = photo.pixel_array.astype(int)
    assert decoded.shape == case.photo.image.shape
    assert np.abs(decoded - case.photo.image).mean() < 4, "RGB again, and near the photo"
    assert np.array_equal(hd.imread(tmp_path / FILES["photo"]).get_frame(1), photo.pixel_array)
    frames = seg.get_pixels_by_source_instance([photo.SOPInstanceUID])[0]
    assert np.array_equal(frames[..., 1] > 0, case.mask)
    assert values(sr.content.get_image_measurement_groups()[0])["lesion-count"] == case.document.counts.total
    native, _, _ = written(case, tmp_path / "native")
    assert native.SOPInstanceUID != photo.SOPInstanceUID, "other pixels are another instance"


def test_every_loss_on_the_way_is_named_in_order(case, tmp_path):
    heic = replace(case, photo=replace(case.photo, format="heic"), photo_bytes=23_040)
    photo, _, _ = written(heic, tmp_path, jpeg=True)
    assert list(photo.LossyImageCompressionMethod) == ["ISO_23008_2", "ISO_10918_1"]
    assert [float(ratio) > 1 for ratio in photo.LossyImageCompressionRatio] == [True, True]
    assert float(photo.LossyImageCompressionRatio[0]) == 10


def test_a_label_map_holds_the_same_masks(case, tmp_path):
    photo, seg, _ = written(case, tmp_path, labelmap=True)
    assert seg.SegmentationType == "LABELMAP"
    labels = seg.get_pixels_by_source_instance([photo.SOPInstanceUID], combine_segments=True)[0]
    skin = skin_pixels(case.face, (photo.Columns, photo.Rows))
    assert np.array_equal(labels == 2, case.mask)
    assert np.array_equal(labels == 1, skin & ~case.mask)


def test_the_overlay_is_a_picture_with_a_face(case, tmp_path):
    photo, _, _ = written(case, tmp_path, overlay=True, patient_id="P1")
    overlay = pydicom.dcmread(tmp_path / FILES["overlay"])
    assert overlay.SOPClassUID.name == "Secondary Capture Image Storage"
    assert (overlay.BurnedInAnnotation, overlay.RecognizableVisualFeatures) == ("YES", "YES")
    assert overlay.ImageType == ["DERIVED", "SECONDARY"]
    assert (overlay.PatientID, overlay.StudyInstanceUID) == ("P1", photo.StudyInstanceUID)
    assert overlay.SeriesInstanceUID != photo.SeriesInstanceUID
    assert overlay.SourceImageSequence[0].ReferencedSOPInstanceUID == photo.SOPInstanceUID
    drawn = draw_face(case.photo.image, case.face, case.lesions, max_side=OVERLAY_SIDE)
    assert np.array_equal(overlay.pixel_array, drawn)
    assert np.array_equal(hd.imread(tmp_path / FILES["overlay"]).get_frame(1), drawn)


@pytest.mark.parametrize("taken", [None, WHEN], ids=["no date", "dated"])
def test_fields_are_there_empty_or_absent_as_their_type_asks(case, tmp_path, taken):
    """What dciodvfy (dicom3tools) finds wrong is a fault here; the rows are those that it named."""
    photo, seg, _ = written(case, tmp_path, overlay=True, taken_at=taken)
    overlay = pydicom.dcmread(tmp_path / FILES["overlay"])
    for image in (photo, overlay):
        assert ("ContentTime" in image) is ("ContentDate" in image) is (taken is not None)
        assert "Laterality" not in image
        assert image.BodyPartExamined == "FACE", "no paired part"
        assert image.StudyDate == ("20261120" if taken else "")
    assert photo.AcquisitionContextSequence == []
    assert "AcquisitionContextSequence" not in overlay
    assert seg.PatientOrientation in (None, "")


def test_nothing_but_what_was_asked_for_is_written(case, tmp_path):
    written(case, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.dcm")) == ["lesions.sr.dcm", "masks.seg.dcm", "photo.dcm"]
