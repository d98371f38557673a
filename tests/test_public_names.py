import pytest

import comedo
from builders import fresh_python

PUBLIC = [
    "Advice",
    "Analyzer",
    "Case",
    "Change",
    "Check",
    "ComedoError",
    "Counts",
    "Coverage",
    "DamagedPhoto",
    "FaceAnalysis",
    "FaceMap",
    "Grade",
    "Group",
    "Kind",
    "Lesion",
    "MissingExtra",
    "ModelError",
    "NoFaceFound",
    "Outcome",
    "Part",
    "PdfOptions",
    "Photo",
    "PhotoTooLarge",
    "PhotoTooSmall",
    "PoorPhoto",
    "Quality",
    "Region",
    "UnsupportedFormat",
    "UnusableInput",
    "Verdict",
    "__version__",
    "advise",
    "analyze",
    "analyze_many",
    "apply_corrections",
    "default_analyzer",
    "load_case",
    "read_photo",
    "report_pdf",
    "reviewed_case",
    "track",
]


def test_public_names_are_the_checked_in_list():
    assert list(comedo.__all__) == PUBLIC
    assert dir(comedo) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_can_be_loaded(name):
    assert getattr(comedo, name) is getattr(comedo, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        comedo.nonsense  # noqa: B018


def test_every_error_of_the_tree_is_public():
    from comedo import errors

    tree = {name for name, it in vars(errors).items() if isinstance(it, type) and issubclass(it, errors.ComedoError)}
    assert tree <= set(PUBLIC)


def test_version_is_that_of_the_package():
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("comedo")
    except PackageNotFoundError:
        pytest.skip("comedo is not installed here, only on the path")
    assert comedo.__version__ == installed


def test_star_import_brings_exactly_the_public_names():
    code = "from comedo import *; print(*[n for n in dir() if not n.startswith('__')])"
    assert set(fresh_python(code).split()) == set(PUBLIC) - {"__version__"}
