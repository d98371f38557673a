"""An analysis as DICOM: the photo (VL Photographic), its masks (SEG), its lesions and counts (SR, TID 1500).

Written so that most viewers read it: native RGB in Explicit VR Little Endian, a binary SEG with every frame, an SR
whose lesions are circles on the photo. On request the photo is a JPEG, the SEG a label map, and the drawn overlay comes
along as a Secondary Capture. Read back here with pydicom and highdicom; no viewer and no archive was tested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import simplejpeg

from comedo import __version__
from comedo.errors import missing_extra
from comedo.report.case import Case
from comedo.report.overlay import draw_face
from comedo.report.whole_file import unwritable
from comedo.types import Image

if TYPE_CHECKING:
    from pydicom import Dataset, FileDataset
    from pydicom.uid import UID

MAKER, MODEL = "comedo", "comedo"
SERIAL = "none"
_LOSSY = {"jpeg": "ISO_10918_1", "heic": "ISO_23008_2", "webp": None}  # DICOM PS3.3 C.7.6.1.1.5.1: HEIC holds HEVC
FILES = {"photo": "photo.dcm", "seg": "masks.seg.dcm", "sr": "lesions.sr.dcm", "overlay": "overlay.sc.dcm"}
JPEG_QUALITY = 92
OVERLAY_SIDE = 2000  # pixels


@dataclass(frozen=True)
class DicomOptions:
    """Who and when; what is not given stays empty."""

    patient_id: str = ""
    patient_name: str = ""
    study_uid: str | None = None  # None: one that follows from the photo
    made_at: datetime | None = None
    taken_at: datetime | None = None
    tracking: Mapping[int, str] = field(default_factory=dict)  # lesion: UID that it keeps from visit to visit
    jpeg: bool = False  # the photo in JPEG Baseline, a tenth of the size; some servers show its colours wrong
    labelmap: bool = False  # one label a pixel in place of one bit a segment; few viewers read it
    overlay: bool = False  # the drawn lesions too, burned into a copy of the photo

    @property
    def made(self) -> datetime:
        """When the objects were made, UTC."""
        return (self.made_at or datetime.now(UTC)).astimezone(UTC)


def write_dicom(case: Case, folder: Path, options: DicomOptions = DicomOptions()) -> list[Path]:
    """Write photo, masks and lesions into a folder as three DICOM files, with the overlay as four.

    Raises:
        MissingExtra: pydicom or highdicom is not installed.
        UnusableInput: The photo or the mask is absent.
        ComedoError: The folder cannot be written to.
    """
    try:
        from comedo.exchange.dicom_seg import segmentation
        from comedo.exchange.dicom_sr import structured_report
    except ModuleNotFoundError as error:
        raise missing_extra("DICOM", error.name, "clinical") from error
    photo = photo_dataset(case, options)
    masks = segmentation(case, photo, labelmap=options.labelmap)
    made = {"photo": photo, "seg": masks, "sr": structured_report(case, photo, options)}
    if options.overlay:
        made["overlay"] = overlay_dataset(case, photo, options)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, dataset in made.items():
            dataset.save_as(folder / FILES[name], enforce_file_format=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return [folder / FILES[name] for name in made]


def photo_dataset(case: Case, options: DicomOptions) -> Dataset:
    """The photo as VL Photographic Image, of which highdicom has no class.

    Its face is recognizable, which is said in RecognizableVisualFeatures. Pixel spacing is left out: one photo gives no
    spacing that holds over the whole picture.
    """
    from pydicom.uid import VLPhotographicImageStorage

    photo = case.need_photo("a DICOM export")
    name = "photo-jpeg" if options.jpeg else "photo"
    dataset = _image_file(FILES["photo"], str(VLPhotographicImageStorage), uid(case, name))
    _identify(dataset, case, options)
    _describe(dataset)
    dataset.AcquisitionContextSequence = []
    frame_bytes = _put_pixels(dataset, photo.image, jpeg=options.jpeg)
    steps = [(case.photo_bytes, _LOSSY[photo.format])] if photo.format in _LOSSY else []
    _say_losses(dataset, [*steps, (frame_bytes, _LOSSY["jpeg"])] if options.jpeg else steps)
    return dataset


def overlay_dataset(case: Case, photo: Dataset, options: DicomOptions) -> Dataset:
    """The photo with its lesions and regions drawn on it, as Secondary Capture: for the eye, not to measure."""
    from pydicom import Dataset
    from pydicom.uid import SecondaryCaptureImageStorage

    drawn = draw_face(case.need_photo("an overlay").image, case.face, case.lesions, max_side=OVERLAY_SIDE)
    dataset = _image_file(FILES["overlay"], str(SecondaryCaptureImageStorage), uid(case, "overlay"))
    _identify(dataset, case, options)
    _describe(dataset)
    dataset.Modality, dataset.ConversionType = "OT", "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.BurnedInAnnotation = "YES"
    dataset.DerivationDescription = "Lesions outlined: circle inflamed, diamond not inflamed, square mark"
    dataset.SeriesInstanceUID, dataset.SeriesNumber = uid(case, "overlay-series"), 4
    dataset.SeriesDescription = "Acne overlay"
    source = Dataset()
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = photo.SOPClassUID, photo.SOPInstanceUID
    dataset.SourceImageSequence = [source]
    _put_pixels(dataset, drawn, jpeg=False)
    for keyword in ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"):
        if keyword in photo:
            setattr(dataset, keyword, photo[keyword].value)
    return dataset


def _image_file(name: str, sop_class: str, instance: str) -> FileDataset:
    from pydicom import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(instance)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(name, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    return dataset


def _put_pixels(dataset: Any, image: Image, *, jpeg: bool) -> int:
    """An (H, W, 3) uint8 RGB picture as the dataset's pixels; returns the bytes that they take."""
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGBaseline8Bit

    dataset.Rows, dataset.Columns = image.shape[:2]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    pixels = np.ascontiguousarray(image)
    if not jpeg:
        native = pixels.tobytes()
        dataset.PixelData = native + b"\0" * (len(native) % 2)
        return len(native)
    frame = simplejpeg.encode_jpeg(pixels, quality=JPEG_QUALITY, colorspace="RGB", colorsubsampling="422")
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True
    return len(frame)


def _say_losses(dataset: Any, steps: Sequence[tuple[int | None, str | None]]) -> None:
    """Which lossy compressions the pixels went through, in order: size in bytes after each, and its method."""
    dataset.LossyImageCompression = "01" if steps else "00"
    native = 3 * dataset.Rows * dataset.Columns
    sizes, methods = [size for size, _ in steps if size], [method for _, method in steps if method]
    if sizes and len(sizes) == len(steps):
        dataset.LossyImageCompressionRatio = [f"{native / size:.2f}" for size in sizes]
    if methods and len(methods) == len(steps):
        dataset.LossyImageCompressionMethod = methods


def _identify(dataset: Any, case: Case, options: DicomOptions) -> None:
    """Whose photo, of which study and series; what is not known is there and empty, as the standard wants."""
    dataset.PatientName, dataset.PatientID = options.patient_name, options.patient_id
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyInstanceUID = options.study_uid or uid(case, "study")
    dataset.StudyID = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    taken = options.taken_at
    dataset.StudyDate = "" if taken is None else f"{taken:%Y%m%d}"
    dataset.StudyTime = "" if taken is None else f"{taken:%H%M%S}"
    if taken is not None:  # type 1C: never there and empty
        dataset.ContentDate, dataset.ContentTime = dataset.StudyDate, dataset.StudyTime
    dataset.AcquisitionDateTime = "" if taken is None else f"{taken:%Y%m%d%H%M%S}"
    dataset.Modality = "XC"
    dataset.SeriesInstanceUID, dataset.SeriesNumber, dataset.InstanceNumber = uid(case, "series"), 1, 1
    dataset.SeriesDescription = "Face photo"
    dataset.Manufacturer, dataset.ManufacturerModelName, dataset.SoftwareVersions = MAKER, MODEL, __version__
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = f"{options.made:%Y%m%d}", f"{options.made:%H%M%S}"


def _describe(dataset: Any) -> None:
    from pydicom import Dataset

    face = Dataset()
    face.CodeValue, face.CodingSchemeDesignator, face.CodeMeaning = "73897004", "SCT", "Skin of face"
    dataset.AnatomicRegionSequence = [face]
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.PatientOrientation = ""
    dataset.BodyPartExamined = "FACE"  # no paired part, so that no side is asked for
    dataset.BurnedInAnnotation = "NO"
    dataset.RecognizableVisualFeatures = "YES"


def uid(case: Case, name: str) -> UID:
    """A UID that follows from the photo (and, for what was measured, from the analysis and its review)."""
    from pydicom.uid import generate_uid

    of_photo = name in ("photo", "photo-jpeg", "study", "series")
    reader = "" if case.reader is None else f"{case.reader.name}/{case.reader.at}"
    sources = [case.document.photo.sha256] if of_photo else [case.sha256, reader]
    return generate_uid(entropy_srcs=["comedo", *sources, name])
