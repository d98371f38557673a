"""Lesions and counts as DICOM SR, template TID 1500: a circle on the photo for each lesion, then counts and scales."""

from __future__ import annotations

from collections.abc import Iterator

import highdicom as hd
import numpy as np
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as DicomCode

from comedo import __version__
from comedo.exchange.codes import (
    COUNT,
    COVERAGE,
    DIAMETER,
    FACE,
    GROUP_CODES,
    HIGH,
    KIND_CODES,
    LOW,
    PLACES,
    REPORT,
    SCALE_CODES,
    SCORE,
    Place,
)
from comedo.exchange.dicom import MAKER, MODEL, SERIAL, DicomOptions, uid
from comedo.exchange.dicom_seg import dicom_code
from comedo.report.case import Case
from comedo.types import Lesion, Region

_NO_UNITS = DicomCode("1", "UCUM", "no units")
_MM = DicomCode("mm", "UCUM", "millimeter")
_PERCENT = DicomCode("%", "UCUM", "Percent")


def structured_report(case: Case, photo: Dataset, options: DicomOptions) -> hd.sr.ComprehensiveSR:
    """The report; it says PRELIMINARY and UNVERIFIED until a clinician signs it elsewhere."""
    groups = [_lesion(case, photo, lesion, options) for lesion in case.lesions]
    report = hd.sr.MeasurementReport(
        observation_context=_observer(case),
        procedure_reported=dicom_code(REPORT),
        imaging_measurements=[*groups, *_measurements(case, photo)],
        title=codes.DCM.ImagingMeasurementReport,
    )
    return hd.sr.ComprehensiveSR(
        evidence=[photo],
        content=report[0],
        series_number=3,
        series_instance_uid=uid(case, "sr-series"),
        sop_instance_uid=uid(case, "sr"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MODEL,
        is_complete=False,
        is_final=False,
        is_verified=False,
        series_description="Acne lesions and counts",
    )


def _observer(case: Case) -> hd.sr.ObservationContext:
    device = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=uid(case, f"device/{__version__}"),
            name=MAKER,
            manufacturer_name=MAKER,
            model_name=MODEL,
            serial_number=SERIAL,
        ),
    )
    if case.reader is None:
        return hd.sr.ObservationContext(observer_device_context=device)
    person = hd.sr.ObserverContext(
        observer_type=codes.DCM.Person,
        observer_identifying_attributes=hd.sr.PersonObserverIdentifyingAttributes(name=person_name(case.reader.name)),
    )
    return hd.sr.ObservationContext(observer_person_context=person, observer_device_context=device)


def person_name(name: str) -> str:
    """A name as DICOM writes it: Family^Given; one that does not come so is taken as a whole for the first part."""
    clean = "".join(c if c.isprintable() and c not in "\\=" else " " for c in name)[:63]
    return clean if "^" in clean else f"{clean}^"


def _lesion(
    case: Case, photo: Dataset, lesion: Lesion, options: DicomOptions
) -> hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    """One lesion, TID 1410. Our pixel centres are whole numbers, DICOM's are at halves."""
    (x, y), radius = lesion.center_xy, lesion.diameter_px / 2
    inward = -radius if x > photo.Columns / 2 else radius  # the point on the circle stays inside the photo
    circle = hd.sr.ImageRegion(
        graphic_type=hd.sr.GraphicTypeValues.CIRCLE,
        graphic_data=np.array([[x + 0.5, y + 0.5], [x + inward + 0.5, y + 0.5]]),
        source_image=hd.sr.SourceImageForRegion.from_source_image(photo),
    )
    measured = [hd.sr.Measurement(dicom_code(SCORE), lesion.score, _NO_UNITS)]
    if lesion.diameter_mm is not None:
        measured.append(hd.sr.Measurement(dicom_code(DIAMETER), lesion.diameter_mm, _MM))
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=options.tracking.get(lesion.id) or uid(case, f"lesion/{lesion.id}"), identifier=f"Lesion {lesion.id}"
        ),
        referenced_region=circle,
        finding_category=dicom_code(GROUP_CODES[lesion.group]),
        finding_type=dicom_code(KIND_CODES[lesion.kind]),
        finding_sites=[_site(FACE if lesion.region is None else PLACES[lesion.region])],
        measurements=measured,
    )


def _measurements(case: Case, photo: Dataset) -> Iterator[hd.sr.MeasurementsAndQualitativeEvaluations]:
    """Counts of the face and of each visible region, coverage and scales, TID 1501; what is unknown is left out."""
    counts, fraction = case.document.counts, case.document.coverage.fraction
    whole = [hd.sr.Measurement(dicom_code(COUNT), counts.total, _NO_UNITS)]
    if case.count_interval is not None:
        ends = zip((LOW, HIGH), case.count_interval, strict=True)
        whole += [hd.sr.Measurement(dicom_code(code), end, _NO_UNITS) for code, end in ends]
    whole += [hd.sr.Measurement(dicom_code(GROUP_CODES[g]), n, _NO_UNITS) for g, n in counts.by_group.items()]
    if fraction is not None:
        whole.append(hd.sr.Measurement(dicom_code(COVERAGE), 100 * fraction, _PERCENT))
    for name, grade in case.document.grades.scales().items():
        if name in SCALE_CODES and isinstance(grade.value, int | float):
            whole.append(hd.sr.Measurement(dicom_code(SCALE_CODES[name]), grade.value, _NO_UNITS))
    yield _group(case, photo, "Face", FACE, whole)
    for region in Region:
        count = counts.by_region.get(region)
        if count is not None:
            measured = [hd.sr.Measurement(dicom_code(COUNT), count, _NO_UNITS)]
            yield _group(case, photo, region.value, PLACES[region], measured)


def _group(
    case: Case, photo: Dataset, name: str, place: Place, measured: list[hd.sr.Measurement]
) -> hd.sr.MeasurementsAndQualitativeEvaluations:
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=uid(case, f"counts/{name}"), identifier=name),
        finding_type=dicom_code(COUNT),
        finding_sites=[_site(place)],
        measurements=measured,
        source_images=[hd.sr.SourceImageForMeasurementGroup.from_source_image(photo)],
    )


def _site(place: Place) -> hd.sr.FindingSite:
    side = None if place.side is None else DicomCode(place.side[0], "SCT", place.side[1])
    return hd.sr.FindingSite(anatomic_location=DicomCode(place.code, "SCT", place.display), laterality=side)
