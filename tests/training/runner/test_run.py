import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

from comedo.training.runner.run import train_run
from toy_task import Toy, toy_recipe


def test_a_run(tmp_path):
    result = train_run(Toy(), toy_recipe(), data=tmp_path, out=tmp_path / "run", quiet=True)
    print(result.evaluation)
    print((tmp_path / "run" / "MODEL_CARD.md").read_text())
    print((tmp_path / "run" / "log.csv").read_text())
    print(list((tmp_path / "run").iterdir()))
