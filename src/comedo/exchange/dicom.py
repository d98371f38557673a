"""An analysis as DICOM: the photo (VL Photographic), its masks (SEG) and its lesions and counts (SR, TID 1500).

Written so that most viewers read it: native RGB in Explicit VR Little Endian, a binary SEG with every frame, an SR
whose lesions are circles on the photo. Read back here with pydicom and highdicom; no viewer and no archive was tested.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from comedo import __version__
from comedo.errors import ComedoError, MissingExtra
from comedo.report.case import Case

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

MAKER, MODEL = "comedo", "comedo"
SERIAL = "none"
_LOSSY = {"jpeg": "ISO_10918_1", "heic": "ISO_23008_12", "webp": None}
FILES = {"photo": "photo.dcm", "seg": "masks.seg.dcm", "sr": "lesions.sr.dcm"}


@dataclass(frozen=True)
class DicomOptions:
    """Who and when; what is not given stays empty."""

    patient_id: str = ""
    patient_name: str = ""
    study_uid: str | None = None  # None: one that follows from the photo
    made_at: datetime | None = None
    taken_at: datetime | None = None
    tracking: Mapping[int, str] = field(default_factory=dict)  # lesion: UID that it keeps from visit to visit

    @property
    def made(self) -> datetime:
        """When the objects were made, UTC."""
        return (self.made_at or datetime.now(UTC)).astimezone(UTC)


def write_dicom(case: Case, folder: Path, options: DicomOptions = DicomOptions()) -> list[Path]:
    """Write photo, masks and lesions into a folder as three DICOM files.

    Raises:
        MissingExtra: pydicom or highdicom is not installed.
        UnusableInput: The photo or the mask is absent.
        ComedoError: The folder cannot be written to.
    """
    try:
        from comedo.exchange.dicom_seg import segmentation
        from comedo.exchange.dicom_sr import structured_report
    except ModuleNotFoundError as error:
        raise MissingExtra(f"DICOM needs {error.name}; install it with: pip install 'comedo[clinical]'") from error
    photo = photo_dataset(case, options)
    made = {"photo": photo, "seg": segmentation(case, photo), "sr": structured_report(case, photo, options)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, dataset in made.items():
            dataset.save_as(folder / FILES[name], enforce_file_format=True)
    except OSError as error:
        raise ComedoError(f"{folder} cannot be written: {error.strerror}; choose another folder") from error
    return [folder / FILES[name] for name in made]


def photo_dataset(case: Case, options: DicomOptions) -> Dataset:
    """The photo as VL Photographic Image, of which highdicom has no class.

    Its face is recognizable, which is said in RecognizableVisualFeatures. Pixel spacing is left out: one photo gives no
    spacing that holds over the whole picture.
    """
    from pydicom import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, VLPhotographicImageStorage

    photo = case.need_photo("a DICOM export")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = VLPhotographicImageStorage
    meta.MediaStorageSOPInstanceUID = uid(case, "photo")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(FILES["photo"], {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = VLPhotographicImageStorage
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _identify(dataset, case, options)
    _describe(dataset)
    dataset.Rows, dataset.Columns = photo.height, photo.width
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    pixels = np.ascontiguousarray(photo.image).tobytes()
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
    lossy = photo.format in _LOSSY
    dataset.LossyImageCompression = "01" if lossy else "00"
    if lossy and case.photo_bytes:
        dataset.LossyImageCompressionRatio = f"{len(pixels) / case.photo_bytes:.2f}"
        method = _LOSSY[photo.format]
        if method is not None:
            dataset.LossyImageCompressionMethod = method
    return dataset


def _identify(dataset: Any, case: Case, options: DicomOptions) -> None:
    """Whose photo, of which study and series; what is not known is there and empty, as the standard wants."""
    dataset.PatientName, dataset.PatientID = options.patient_name, options.patient_id
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyInstanceUID = options.study_uid or uid(case, "study")
    dataset.StudyID = dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    taken = options.taken_at
    dataset.StudyDate = dataset.ContentDate = "" if taken is None else f"{taken:%Y%m%d}"
    dataset.StudyTime = dataset.ContentTime = "" if taken is None else f"{taken:%H%M%S}"
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
    dataset.Laterality = ""
    dataset.BurnedInAnnotation = "NO"
    dataset.RecognizableVisualFeatures = "YES"
    dataset.AcquisitionContextSequence = []


def uid(case: Case, name: str) -> UID:
    """A UID that follows from the photo (and, for what was measured, from the analysis and its review)."""
    from pydicom.uid import generate_uid

    of_photo = name in ("photo", "study", "series")
    reader = "" if case.reader is None else f"{case.reader.name}/{case.reader.at}"
    sources = [case.document.photo.sha256] if of_photo else [case.sha256, reader]
    return generate_uid(entropy_srcs=["comedo", *sources, name])
