"""Masks as DICOM Segmentation: the visible facial skin and the active lesions, pixel for pixel on the photo."""

from __future__ import annotations

import highdicom as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as DicomCode

from comedo import __version__
from comedo.exchange.codes import FACE, LESION, SCHEME, SKIN, Code
from comedo.exchange.dicom import MAKER, MODEL, SERIAL, uid
from comedo.report.case import Case
from comedo.report.pictures import skin_pixels

SEGMENTS = ((SKIN, codes.SCT.Tissue), (LESION, codes.SCT.MorphologicallyAbnormalStructure))  # with their categories


def dicom_code(code: Code) -> DicomCode:
    """A code of comedo's own system."""
    return DicomCode(code.value, SCHEME, code.display)


def segmentation(case: Case, photo: Dataset, *, labelmap: bool = False) -> hd.seg.Segmentation:
    """The masks, as binary segments that keep empty frames: viewers fail on a SEG without them.

    A label map has one label a pixel, and an active lesion goes before the skin that it lies on: there the segment of
    the skin is the skin outside lesions.
    """
    mask = case.need_mask("a DICOM SEG")
    skin = skin_pixels(case.face, (mask.shape[1], mask.shape[0]))
    layers = np.where(mask, 2, skin)[None] if labelmap else np.stack([skin, mask], axis=-1)[None]
    types = hd.seg.SegmentationTypeValues
    made = hd.seg.Segmentation(
        source_images=[photo],
        pixel_array=layers.astype(np.uint8),
        segmentation_type=types.LABELMAP if labelmap else types.BINARY,
        segment_descriptions=[_segment(n, *what, case) for n, what in enumerate(SEGMENTS, 1)],
        series_instance_uid=uid(case, "seg-series"),
        series_number=2,
        sop_instance_uid=uid(case, "labelmap" if labelmap else "seg"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MODEL,
        software_versions=__version__,
        device_serial_number=SERIAL,
        omit_empty_frames=False,
        content_label="ACNE",
        content_description="Facial skin and active acne lesions",
        series_description="Acne masks",
    )
    made.PatientOrientation = ""  # type 2C: nothing else says how the picture lies, and highdicom leaves it out
    return made


def _segment(number: int, code: Code, category: DicomCode, case: Case) -> hd.seg.SegmentDescription:
    kinds = hd.seg.SegmentAlgorithmTypeValues
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=code.display,
        segmented_property_category=category,
        segmented_property_type=dicom_code(code),
        algorithm_type=kinds.AUTOMATIC if case.reader is None else kinds.SEMIAUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=MAKER, version=__version__, family=codes.cid7162.ArtificialIntelligence
        ),
        tracking_uid=uid(case, f"segment/{code.value}"),
        tracking_id=code.display,
        anatomic_regions=[DicomCode(FACE.code, "SCT", FACE.display)],
    )
