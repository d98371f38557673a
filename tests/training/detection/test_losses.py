"""Losses by hand: what right, wrong, easy and common examples cost."""

from __future__ import annotations

import math

import pytest
import torch

from comedo.training.detection.losses import (
    BoxLoss,
    ClassLoss,
    box_loss,
    centre_focal,
    class_loss,
    cross_entropy,
    focal,
    ghm_c,
    gradient_density,
    quality_focal,
)


def t(*values: float) -> torch.Tensor:
    return torch.tensor(values)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        pytest.param(focal(t(0.9), t(1.0)), 0.25 * 0.1**2 * -math.log(0.9), id="focal, right"),
        pytest.param(focal(t(0.2), t(0.0)), 0.75 * 0.2**2 * -math.log(0.8), id="focal, background"),
        pytest.param(focal(t(0.9), t(0.4)), 0.25 * 0.1**2 * -math.log(0.9), id="focal takes a soft target as 1"),
        pytest.param(
            quality_focal(t(0.5), t(0.8)),
            0.3**2 * -(0.8 * math.log(0.5) + 0.2 * math.log(0.5)),
            id="quality focal, soft target",
        ),
        pytest.param(centre_focal(t(0.6), t(1.0)), 0.4**2 * -math.log(0.6), id="centre"),
        pytest.param(centre_focal(t(0.6), t(0.5)), 0.5**4 * 0.6**2 * -math.log(0.4), id="near a centre"),
    ],
)
def test_terms_by_hand(found, wanted):
    assert found.item() == pytest.approx(wanted, rel=1e-5)


def test_gradient_densities_by_hand():
    prob, target = t(0.02, 0.03, 0.04, 0.97, 0.55), t(0.0, 0.0, 0.0, 1.0, 0.0)
    # regions of a tenth: four gradients in the first, one in the sixth
    assert gradient_density(prob, target).tolist() == [40, 40, 40, 40, 10]
    assert gradient_density(prob, target, bins=2).tolist() == [8, 8, 8, 8, 2]


def test_harmonized_loss_is_the_mean_over_regions_of_their_mean():
    prob, target = t(0.02, 0.03, 0.04, 0.97, 0.55), t(0.0, 0.0, 0.0, 1.0, 0.0)
    plain = cross_entropy(prob, target)
    assert ghm_c(prob, target).sum().item() == pytest.approx((plain[:4].mean() + plain[4]).item() / 2, rel=1e-5)


def test_harmonized_loss_does_not_mind_how_often_the_easy_ones_come():
    once = ghm_c(t(0.02, 0.3), t(0.0, 1.0)).sum().item()
    often = ghm_c(t(*[0.02] * 500, 0.3), t(*[0.0] * 500, 1.0)).sum().item()
    assert often == pytest.approx(once, rel=1e-4)


@pytest.mark.parametrize("kind", list(ClassLoss))
def test_a_perfect_prediction_costs_nothing_and_a_wrong_one_something(kind):
    target = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert class_loss(kind, target, target, target.sum()).item() == pytest.approx(0, abs=1e-5)
    assert class_loss(kind, 1 - target, target, target.sum()).item() > 1


@pytest.mark.parametrize("kind", list(ClassLoss))
def test_gradients_are_finite_at_the_ends_and_lead_to_the_target(kind):
    prob = torch.tensor([[0.0, 1.0, 0.3, 0.6]], requires_grad=True)
    class_loss(kind, prob, torch.tensor([[1.0, 0.0, 1.0, 0.0]]), torch.tensor(2.0)).backward()
    assert torch.isfinite(prob.grad).all()
    assert prob.grad[0, 2] < 0 < prob.grad[0, 3]


@pytest.mark.parametrize("kind", list(ClassLoss))
def test_no_examples_cost_nothing(kind):
    nothing = torch.zeros(0, 3)
    assert class_loss(kind, nothing, nothing, torch.tensor(1.0)).item() == 0


@pytest.mark.parametrize("kind", list(BoxLoss))
def test_box_losses_are_zero_for_equal_boxes_and_fall_as_boxes_approach(kind):
    true = torch.tensor([[10.0, 10, 20, 20]])
    costs = [box_loss(kind, true + shift, true).item() for shift in (0, 2, 6, 14, 40)]
    assert costs[0] == pytest.approx(0, abs=1e-5)
    assert costs == sorted(costs)
