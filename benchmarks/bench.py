"""Stage medians and memory for two photo sizes, as ratios to what the machine can do in the same run.

    make bench

Nothing here judges: timings move with the machine. The limits measured beside them do not: decoding
the same file with libjpeg-turbo alone, and the networks' multiplications over the measured rate of
a matrix product.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import simplejpeg
from rich.console import Console
from rich.table import Table

from comedo.build import default_analyzer
from comedo.inference import WEIGHTS, Network
from comedo.lesions.counting import count_lesions
from comedo.lesions.finder import measure_peaks
from comedo.lesions.network import draw_canvas, read_face
from comedo.lesions.peaks import find_peaks
from comedo.photo import read_photo
from comedo.photo.quality import assess
from comedo.report.overlay import draw_overlay
from comedo.report.pictures import mask_png
from comedo.synthetic import sample_face
from comedo.types import Image

SIZES = {"12 MP": (3024, 4032), "1 MP": (864, 1152)}


def median_ms(work: Callable[[], object], rounds: int) -> float:
    """Median wall time of some rounds after one that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def gemm_gflops(rounds: int) -> float:
    """Rate of a single-precision matrix product on all cores, as NumPy's BLAS does it."""
    a = np.random.default_rng(0).standard_normal((1536, 1536), np.float32)
    return 2 * 1536**3 / median_ms(lambda: a @ a, rounds) / 1e6


def gflops(name: str, shapes: list[tuple[int, ...]]) -> float:
    """Multiplications and additions of a network's convolutions over some pictures (H, W, 3), in 10^9."""
    total = 0.0
    for height, width, _ in shapes:
        model = onnx.load(str(WEIGHTS / f"{name}.onnx"))
        for axis, value in enumerate((1, height, width, 3)):
            model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = value
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        sizes = {
            v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*graph.value_info, *graph.output)
        }
        weights = {i.name: i.dims for i in graph.initializer}
        for node in graph.node:
            if node.op_type == "Conv":
                _, inputs, *kernel = weights[node.input[1]]
                total += 2 * float(np.prod(sizes[node.output[0]])) * inputs * float(np.prod(kernel))
    return total / 1e9


class Watched:
    """A network that remembers the sizes of its pictures."""

    def __init__(self, network: Network) -> None:
        self.network, self.name, self.shapes = network, network.name, []

    def run(self, image: Image) -> np.ndarray:
        """Evaluate one picture."""
        self.shapes.append(image.shape)
        return self.network.run(image)


def network_limits(jpeg: bytes, rate: float) -> tuple[float, float]:
    """Milliseconds that the two networks' arithmetic takes at the rate of the matrix product."""
    analyzer = default_analyzer()
    photo = read_photo(jpeg, name="bench")
    face_net, lesion_net = Watched(analyzer.mapper.network), Watched(analyzer.finder.network)
    face = replace(analyzer.mapper, network=face_net).find(photo)
    read_face(lesion_net, photo, face)
    names = ("face-map", face_net), ("lesion-map", lesion_net)
    first, second = (1000 * gflops(name, net.shapes) / rate for name, net in names)
    return first, second


def measure(jpeg: bytes, rounds: int) -> list[tuple[str, float]]:
    """Stages of one photo in the order in which they run."""
    analyzer = default_analyzer()
    photo = read_photo(jpeg, name="bench")
    face = analyzer.mapper.find(photo)
    canvas = read_face(analyzer.finder.network, photo, face)
    peaks = analyzer.finder.choose(find_peaks(canvas.maps, canvas.skin))
    reading = analyzer.finder.find(photo, face)
    analysis = analyzer.analyze(jpeg, name="bench", allow_poor=True)
    return [
        ("libjpeg-turbo alone (limit)", median_ms(lambda: simplejpeg.decode_jpeg(jpeg), rounds)),
        ("read: limits, decode, hash", median_ms(lambda: read_photo(jpeg, name="bench"), rounds)),
        ("face map", median_ms(lambda: analyzer.mapper.find(photo), rounds)),
        ("quality", median_ms(lambda: assess(photo, face), rounds)),
        ("face to one scale", median_ms(lambda: draw_canvas(photo, face), rounds)),
        (
            "face to one scale + lesion network",
            median_ms(lambda: read_face(analyzer.finder.network, photo, face), rounds),
        ),
        ("peaks", median_ms(lambda: find_peaks(canvas.maps, canvas.skin), rounds)),
        (f"measure {len(peaks)} lesions", median_ms(lambda: measure_peaks(canvas, peaks, None), rounds)),
        ("count", median_ms(lambda: count_lesions(reading.lesions, face, analyzer.calibration), rounds)),
        ("whole analysis, warm", median_ms(lambda: analyzer.analyze(jpeg, name="bench", allow_poor=True), rounds)),
        ("overlay picture (after the answer)", median_ms(lambda: draw_overlay(photo.image, analysis), rounds)),
        ("mask PNG (after the answer)", median_ms(lambda: mask_png(analysis), rounds)),
    ]


# The peak of the program itself: getrusage would count what the benchmark held when it started the program.
_PEAK = """
def peak_mb():
    status = open("/proc/self/status").read()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024
"""
_ANALYZE = f"""{_PEAK}
import atexit, sys
atexit.register(lambda: print(peak_mb()))
from comedo.cli import main
main()
"""


def cold_command(photo: Path, rounds: int) -> tuple[float, float]:
    """Seconds of `comedo analyze PHOTO` from nothing, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as out:
        arguments = ["analyze", str(photo), "--out", out, "--allow-poor"]
        command = [sys.executable, "-m", "comedo", *arguments]
        seconds = median_ms(lambda: subprocess.run(command, check=True, capture_output=True), rounds) / 1000
        told = subprocess.run([sys.executable, "-c", _ANALYZE, *arguments], check=True, capture_output=True, text=True)
    return seconds, float(told.stdout.split()[-1])


SERIES = (5, 15, 30)  # photos: time must grow as their number, memory far less than their pixels
_TRACK = f"""{_PEAK}
import sys, time
from pathlib import Path
from comedo.tracking import track
photos = sorted(Path(sys.argv[1]).iterdir())
start = time.perf_counter()
change = track(photos, dates="name", allow_poor=True)
print(time.perf_counter() - start, peak_mb(), sum(c.comparable for c in change.comparisons))
"""


def cold_series(jpeg: bytes, number: int) -> tuple[float, float]:
    """Seconds of `comedo.track` over so many photos in a process of its own, and its peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(number):
            comment = b"\xff\xfe\x00\x03" + bytes([i])  # after the start of the file: copies are left out of a series
            Path(folder, f"2026-01-{i + 1:02}.jpg").write_bytes(jpeg[:2] + comment + jpeg[2:])
        done = subprocess.run([sys.executable, "-c", _TRACK, folder], check=True, capture_output=True, text=True)
    seconds, memory, compared = (float(v) for v in done.stdout.split())
    if compared != number:
        raise RuntimeError(f"only {compared:.0f} of {number} copies of one photo were compared; run the tests")
    return seconds, memory


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="timed repetitions of each stage")
    rounds = parser.parse_args().rounds
    table = Table("stage", *(f"{size}, ms" for size in SIZES), *(f"{size}, x limit" for size in SIZES))
    rows: dict[str, list[float]] = {}
    cold: dict[str, tuple[float, float]] = {}
    jpegs = []
    face = sample_face().image
    for size, (width, height) in SIZES.items():
        image = cv2.resize(face, (width, height), interpolation=cv2.INTER_CUBIC)
        jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality=92, colorsubsampling="420")
        jpegs.append(jpeg)
        for index, (_, value) in enumerate(measure(jpeg, rounds)):
            rows.setdefault(str(index), []).append(value)
        names = [name for name, _ in measure(jpeg, 1)]
        with tempfile.NamedTemporaryFile(suffix=".jpg") as handle:
            handle.write(jpeg)
            handle.flush()
            cold[size] = cold_command(Path(handle.name), 3)
    rate = gemm_gflops(rounds)
    limits = {"face map": [], "face to one scale + lesion network": []}
    for jpeg in jpegs:
        for name, value in zip(limits, network_limits(jpeg, rate), strict=True):
            limits[name].append(value)
    for index, values in rows.items():
        name = names[int(index)]
        best = limits.get(name, rows["0"])
        ratios = [f"{v / limit:.2f}" for v, limit in zip(values, best, strict=True)]
        table.add_row(name, *(f"{v:.1f}" for v in values), *ratios)
    console = Console()
    console.print(table)
    console.print(
        f"Limit of the networks: their convolutions at the rate of a matrix product, {rate:.0f} GFLOP/s on all"
    )
    console.print("cores; of all else: decoding the file with libjpeg-turbo.")
    for size, (seconds, memory) in cold.items():
        console.print(f"comedo analyze, {size}, cold: {seconds:.2f} s, peak {memory:.0f} MB")
    for number in SERIES:
        seconds, memory = cold_series(jpegs[0], number)
        console.print(f"comedo.track, {number} photos of 12 MP: {seconds:.1f} s, peak {memory:.0f} MB")


if __name__ == "__main__":
    main()
