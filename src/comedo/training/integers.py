"""Static quantisation of an exported network by ONNX Runtime: 8-bit activations, 8-bit weights per channel."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LAST = 1  # convolutions at the end that always stay in floats: what they say is what is measured


def count_convolutions(path: Path) -> int:
    """How many convolutions an ONNX file has."""
    import onnx

    return sum(node.op_type == "Conv" for node in onnx.load(str(path)).graph.node)


def write_integers(
    path: Path,
    out: Path,
    questions: Any,
    *,
    layers: Sequence[str],
    floats_first: int,
    percentile: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Write the 8-bit twin of a network, whole or not at all.

    Args:
        path: ONNX file that comedo exported.
        out: The file to write.
        questions: A calibration reader of ONNX Runtime, from which the ranges of activations come.
        layers: Operators that are computed in integers.
        floats_first: Convolutions at the beginning that stay in floats.
        percentile: Of the activations, the range that is kept; without it from the least to the greatest.
        options: Further ones of ONNX Runtime's `quantize_static`.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    extra = {"WeightSymmetric": True, **(options or {})}
    if percentile is not None:
        extra["CalibPercentile"] = percentile
    with tempfile.TemporaryDirectory() as folder:
        prepared, draft = Path(folder) / "prepared.onnx", out.with_suffix(".draft.onnx")
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        convolutions = [n.name for n in onnx.load(str(prepared)).graph.node if n.op_type == "Conv"]
        quantize_static(
            str(prepared),
            str(draft),
            questions,
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=CalibrationMethod.MinMax if percentile is None else CalibrationMethod.Percentile,
            op_types_to_quantize=list(layers),
            nodes_to_exclude=[*convolutions[:floats_first], *convolutions[-LAST:]],
            extra_options=extra,
        )
        draft.replace(out)
