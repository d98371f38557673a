"""HEIC: decoded by a child that may crash, hang or eat memory without harm."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from comedo.errors import ComedoError, DamagedPhoto, MissingExtra
from comedo.photo import Limits, heic, read_photo
from photo.files import P3_COLUMNS, SRGB_CURVE, make_heic_header, make_picture, make_profile

needs_heif = pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="needs the extra comedo[heic]")


def make_heic(picture: np.ndarray | None = None, **options: object) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    image = Image.fromarray(make_picture() if picture is None else picture)
    pillow_heif.from_pillow(image).save(out, quality=95, chroma=444, **options)
    return out.getvalue()


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heic.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"\.\[heic\]"):
        read_photo(make_heic_header((128, 96)))


@needs_heif
def test_heic_gives_its_pixels() -> None:
    photo = read_photo(make_heic())
    assert photo.format == "heic"
    assert photo.image.shape == (96, 128, 3)
    assert np.abs(photo.image.astype(int) - make_picture()).mean() < 2
    assert not photo.image.flags.writeable


@needs_heif
def test_heic_grey_and_transparent() -> None:
    grey = read_photo(make_heic(make_picture()[..., 0])).image
    assert np.abs(grey.astype(int) - make_picture()[..., :1]).mean() < 2
    alpha = np.dstack([make_picture(), np.where(np.arange(128) < 64, 0, 255).astype(np.uint8)[None].repeat(96, 0)])
    photo = read_photo(make_heic(alpha))
    assert any("white" in notice for notice in photo.notices)
    assert (photo.image[:, :56] > 250).all()


@needs_heif
def test_heic_profile_is_converted() -> None:
    image = Image.fromarray(make_picture())
    image.info["icc_profile"] = make_profile(P3_COLUMNS, SRGB_CURVE)
    out = io.BytesIO()
    pytest.importorskip("pillow_heif").from_pillow(image).save(out, quality=95)
    assert "the colour profile was converted to sRGB" in read_photo(out.getvalue()).notices


@needs_heif
@pytest.mark.parametrize("share", [0.05, 0.3, 0.7, 0.99])
def test_cut_heic_is_refused(share: float) -> None:
    data = make_heic()
    with pytest.raises(DamagedPhoto):
        read_photo(data[: int(share * len(data))])


@needs_heif
@pytest.mark.parametrize("seed", range(8))
def test_damaged_heic_ends_in_a_photo_or_an_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = np.frombuffer(make_heic(), np.uint8).copy()
    at = rng.integers(12, len(data), 10)
    data[at] ^= rng.integers(1, 256, 10).astype(np.uint8)
    with contextlib.suppress(ComedoError):
        assert read_photo(data.tobytes()).image.shape[2] == 3


def child(tmp_path: Path, code: str) -> Path:
    script = tmp_path / "child.py"
    script.write_text("import json, os, signal, sys, time\nsys.stdin.buffer.read()\n" + code)
    return script


ANSWER = (
    'print(json.dumps({"width": 128, "height": 96, "channels": 3, "icc": "", "primaries": None, "transfer": None}))\n'
)


@needs_heif
@pytest.mark.parametrize(
    "code",
    [
        pytest.param("os.kill(os.getpid(), signal.SIGSEGV)", id="segfault"),
        pytest.param("time.sleep(100)", id="hang"),
        pytest.param(ANSWER + "os.kill(os.getpid(), signal.SIGKILL)", id="killed-before-the-pixels"),
        pytest.param(ANSWER + "print('x' * 5000)", id="too-few-pixels"),
        pytest.param("print(json.dumps({'error': 'ValueError: bad file'}))", id="says-so"),
        pytest.param("", id="says-nothing"),
    ],
)
def test_whatever_happens_to_the_child_is_a_damaged_photo(tmp_path: Path, code: str) -> None:
    with pytest.raises(DamagedPhoto):
        heic.decode(make_heic_header((128, 96)), Limits(heic_seconds=0.8), child=child(tmp_path, code))


@needs_heif
def test_a_child_that_does_not_read_is_no_deadlock(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text("")
    data = make_heic_header((128, 96))[:-8] + (2_000_000).to_bytes(4, "big") + b"mdat" + bytes(1_999_992)
    with pytest.raises(DamagedPhoto):
        heic.decode(data, Limits(heic_seconds=5), child=script)


@needs_heif
def test_the_child_cannot_take_more_memory_or_write_files(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    target = tmp_path / "written"
    code = (
        "import importlib.util\n"
        f"spec = importlib.util.spec_from_file_location('child', {str(heic.CHILD)!r})\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "module.limit(int(sys.argv[1]), int(sys.argv[2]))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "done = []\n"
        "try: bytearray(1_000_000_000); done.append('memory')\n"
        "except MemoryError: pass\n"
        f"try: open({str(target)!r}, 'w').write('x' * 100000); done.append('file')\n"
        "except OSError: pass\n"
        "print(json.dumps({'error': f'did {done}'}))"
    )
    with pytest.raises(DamagedPhoto, match=r"did \[\]"):
        heic.decode(make_heic_header((128, 96)), Limits(), child=child(tmp_path, code))
