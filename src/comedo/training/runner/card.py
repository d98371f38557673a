"""The model card that every run writes about its network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from comedo.training.evaluation.evaluate import Evaluation
from comedo.training.evaluation.report import to_markdown
from comedo.training.manifest import Entry

_UNKNOWN = "Not measured, so nothing is known; `comedo evaluate-run` measures on what is held back."


def model_card(entry: Entry, evaluation: Evaluation | None, *, limits: Sequence[str], command: str) -> str:
    """Markdown: what the network is, what it learnt from, how good it is, what it is not for."""
    return "\n".join(_lines(entry, evaluation, limits, command)) + "\n"


def _lines(entry: Entry, evaluation: Evaluation | None, limits: Sequence[str], command: str) -> Iterator[str]:
    yield f"# {entry.name}\n"
    yield f"{entry.recipe['description']}. It judges appearance on photos. Research software, not a medical device.\n"
    yield f"- File: `{entry.file}`, SHA-256 `{entry.sha256}`, made {entry.date}"
    yield f"- Input: {entry.input}"
    yield f"- Output: {entry.output}"
    yield f"- At most {entry.parity:.1e} away from the network that was trained (ONNX Runtime against torch)"
    yield f"- Terms: {entry.terms or 'those of the photos that it learnt from'}\n"
    yield "## Data\n"
    yield from (f"- {name.replace('_', ' ')}: {_plain(value)}" for name, value in entry.data.items())
    yield "\n## How it was trained\n"
    yield f"`{command}`\n"
    yield "```yaml"
    yield yaml.safe_dump(_values(entry.recipe), sort_keys=False, allow_unicode=True).rstrip()
    yield "```\n"
    yield "## How good it is\n"
    yield _UNKNOWN if evaluation is None else to_markdown(evaluation).rstrip()
    yield "\n## Limits\n"
    yield from (f"- {sentence}" for sentence in limits)
    yield "- Figures hold for photos like the held-back ones; measure on your own before you rely on them."


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value)) or "none"
    return str(value)


def _values(value: Any) -> Any:
    """Values as YAML writes them plainly."""
    if isinstance(value, Mapping):
        return {k: _values(v) for k, v in value.items()}
    return [_values(v) for v in value] if isinstance(value, list | tuple) else value
