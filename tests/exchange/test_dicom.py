from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest

from cases import drawn_case
from comedo.errors import UnusableInput
from comedo.exchange.dicom import FILES, DicomOptions, write_dicom
from comedo.report.pictures import skin_pixels
from comedo.types import Region

WHEN = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def case(tmp_path):
    return drawn_case(tmp_path / "in").load()


def written(case, folder, **options):
    write_dicom(case, folder, DicomOptions(made_at=WHEN, **options))
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
