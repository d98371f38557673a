"""Every error that comedo raises on purpose, in one tree.

`code` is stable and machine-readable; the message names the rule, what came, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class ComedoError(Exception):
    """Base of all errors of comedo."""

    code = "error"
    exit_code = 1


class UnusableInput(ComedoError):
    """The input cannot be analysed: not a picture, damaged, too large, too poor."""

    code = "unusable_input"
    exit_code = 2


class UnsupportedFormat(UnusableInput):
    """The first bytes are not those of a format that comedo reads."""

    code = "unsupported_format"


class DamagedPhoto(UnusableInput):
    """The file is truncated or corrupt; no pixel of it is used."""

    code = "damaged_photo"


class PhotoTooLarge(UnusableInput):
    """The file, its pixels or its scans exceed a limit."""

    code = "photo_too_large"


class PhotoTooSmall(UnusableInput):
    """The picture has too few pixels to hold a face."""

    code = "photo_too_small"


class PoorPhoto(UnusableInput):
    """The quality gate refused the photo; `allow_poor` analyses it anyway."""

    code = "poor_photo"


class MissingExtra(UnusableInput):
    """An optional package is needed; the message names the extra to install."""

    code = "missing_extra"


def missing_extra(what: str, package: str | None, extra: str) -> MissingExtra:
    """The error for a package of an extra that is not installed; comedo is installed from its sources."""
    return MissingExtra(
        f'{what} needs the package {package}; in the folder of comedo\'s sources run: pip install ".[{extra}]"'
    )


class NoFaceFound(ComedoError):
    """The photo was read, but there is no face in it."""

    code = "no_face"
    exit_code = 3


class ModelError(ComedoError):
    """A weight file is absent, altered, or not what its manifest says."""

    code = "model_error"


def exit_code_of(code: str) -> int:
    """The exit code of the error with a code, 1 for any other."""
    kinds = [ComedoError]
    for kind in kinds:  # which grows by those below
        kinds += kind.__subclasses__()
    return next((kind.exit_code for kind in kinds if kind.code == code), ComedoError.exit_code)


def worst_exit(codes: Iterable[int]) -> int:
    """Of several photos: 1, something that nobody foresaw, before all others; 0 without a failure."""
    found = set(codes)
    return 1 if 1 in found else max(found, default=0)
