"""Formats that clinics, archives and annotators exchange: FHIR, DICOM, COCO, CSV. Heavy libraries load when used."""
