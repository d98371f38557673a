"""What a severity network is taught by votes and smoothed labels, and the head of conditional steps (corn)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")
pytest.importorskip("lightning", reason="needs comedo[train]")

import torch
from torch.nn import functional

from comedo.training.runner.plan import Ship
from comedo.training.runner.ship import export_checked
from comedo.training.severity.network import HEADS, SeverityExport, SeverityNet, build_net, head_loss
from comedo.training.severity.recipe import Net
from comedo.training.severity.task import Severity
from recipe_trials import small_recipe

VOTES = (0.2, 0.3, 0.5)  # of raters for three grades
WORSE = (0.8, 0.5)  # than grade 0, than grade 1


def logit(prob: float) -> float:
    return float(np.log(prob / (1 - prob)))


@pytest.mark.parametrize(
    ("head", "best"),
    [
        pytest.param("regression", [1.3], id="regression: the mean vote"),
        pytest.param("coral", [logit(WORSE[0]), logit(WORSE[1])], id="coral: worse than each grade"),
        pytest.param("corn", [logit(WORSE[0]), logit(WORSE[1] / WORSE[0])], id="corn: worse, where it is that bad"),
        pytest.param("distribution", np.log(VOTES).tolist(), id="distribution: the shares of the votes"),
    ],
)
def test_every_loss_is_least_where_the_network_says_what_the_raters_say(head, best):
    output = torch.tensor([best], requires_grad=True)
    head_loss(head, output, torch.tensor([VOTES])).backward()
    assert output.grad.abs().max() < 1e-6
    agreed = torch.tensor([best], requires_grad=True)  # one certain label wants something else
    head_loss(head, agreed, torch.tensor([[0.0, 0.0, 1.0]])).backward()
    assert agreed.grad.abs().max() > 0.05


def test_corn_is_the_papers_loss_where_labels_are_certain():
    """Each step learns from the photos that are at least so bad, all steps together divided by their number."""
    torch.manual_seed(0)
    logits, grades = torch.randn(7, 3), torch.tensor([0, 1, 1, 2, 3, 3, 0])
    total, number = torch.tensor(0.0), 0
    for step in range(3):
        there = grades >= step
        total += functional.binary_cross_entropy_with_logits(
            logits[there, step], (grades[there] > step).float(), reduction="sum"
        )
        number += int(there.sum())
    found = head_loss("corn", logits, functional.one_hot(grades, 4).float())
    assert float(found) == pytest.approx(float(total / number), abs=1e-6)


def test_corn_gives_back_the_votes_it_learnt():
    class Said(torch.nn.Module):
        shares = torch.ones(len(VOTES))  # no grade was copied

        def forward(self, images):
            return torch.tensor([[logit(WORSE[0]), logit(WORSE[1] / WORSE[0])]])

    score, probs = SeverityExport(Said(), "corn")(torch.zeros(1, 8, 8, 3, dtype=torch.uint8))
    assert probs[0].tolist() == pytest.approx(VOTES, abs=1e-6)
    assert float(score) == pytest.approx(1.3, abs=1e-6)


def test_corn_exports_to_the_same_ordered_probabilities(tmp_path):
    recipe = replace(small_recipe("severity-ordinal")[1], net=Net(backbone="small", hidden=(8,), head="corn"))
    torch.manual_seed(1)
    net = build_net(recipe.net, tmp_path, len(recipe.grades)).eval()
    assert isinstance(net, SeverityNet)
    shipped = Severity().shipped(recipe, net)
    assert export_checked(shipped, tmp_path / "severity.onnx", Ship()) < 1e-4
    _, probs = shipped.module(torch.from_numpy(shipped.examples[0]["patches"]))
    assert (probs >= 0).all()
    assert probs.sum(1).tolist() == pytest.approx([1.0] * len(probs), abs=1e-5)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "changes",
    [pytest.param(("votes=false", "votes=true"), id="votes"), pytest.param(("smoothing=0", "smoothing=1"), id="bell")],
)
def test_votes_and_smoothing_change_what_is_learnt(head, changes, rendered, tmp_path):
    """The same network, the same pictures, another loss."""
    losses = []
    for change in changes:
        task, recipe = small_recipe(
            "severity", "grades=[clear, mild, moderate, severe]", f"net.head={head}", "net.hidden=[4]", change
        )
        faces = [f for f in task.items(recipe, rendered, rendered / "cache") if len(set(f.votes)) > 1][:3]
        examples = task.examples(recipe, faces, learning=False)
        batch = task.collate([examples.draw(i, np.random.default_rng(0)) for i in range(4)])
        torch.manual_seed(2)
        net = task.build(recipe, tmp_path, faces)
        losses.append(sum(float(v.detach()) for v in task.loss(recipe, net, batch, 0).values()))
    assert abs(losses[0] - losses[1]) > 1e-3
