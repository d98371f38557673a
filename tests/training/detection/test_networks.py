"""Detectors as networks: shapes, sizes, gradients, and that each can learn a picture by heart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from comedo.errors import UnusableInput
from comedo.training.detection.backbones import PLANS, BackboneName, ResNeXt, build_backbone
from comedo.training.detection.boxes import iou
from comedo.training.detection.centernet_head import heat_radius, heat_target
from comedo.training.detection.dense import PRIOR, Truth, centredness
from comedo.training.detection.detector import Detector
from comedo.training.detection.losses import BoxLoss, ClassLoss
from comedo.training.detection.neck import Pafpn
from comedo.training.detection.plan import DetectorKind, DetectorPlan
from comedo.training.detection.tood_head import sample_at
from comedo.training.imagenet import resnext_name

TINY = {"backbone": BackboneName.RESNEXT_TINY, "width": 16, "stacked": 2, "strides": (4, 8)}
TRUTH = Truth(torch.tensor([[10.0, 12, 26, 30], [40, 36, 56, 50]]), torch.tensor([0, 1]))
EMPTY = Truth(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))


def detector(kind: DetectorKind, **changes: object) -> Detector:
    torch.manual_seed(3)
    return Detector(2, DetectorPlan(kind=kind, **{**TINY, **changes}))


@pytest.mark.parametrize("name", [BackboneName.RESNEXT_TINY, BackboneName.MOBILENET_V2])
def test_backbones_give_strides_4_to_32(name):
    net = build_backbone(name).eval()
    features = net(torch.rand(1, 3, 64, 96))
    assert [x.shape[1] for x in features] == list(net.channels)
    assert [tuple(x.shape[2:]) for x in features] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_the_reference_backbone_has_the_papers_size():
    # Xie et al. 2017, table 1: ResNeXt-50 has 25.0 million parameters; the classifier has 2.05 of them.
    with torch.device("meta"):
        number = sum(p.numel() for p in ResNeXt(PLANS[BackboneName.RESNEXT_50]).parameters())
        largest = sum(p.numel() for p in ResNeXt(PLANS[BackboneName.RESNEXT_101]).parameters())
    assert number / 1e6 == pytest.approx(25.0 - 2.05, abs=0.1)
    assert largest / 1e6 == pytest.approx(83.5 - 2.05, abs=0.3)


def torchvisions(net: ResNeXt) -> dict[str, torch.Tensor]:
    """Its weights under torchvision's names for a ResNet, with the classifier that every published file has."""
    state, layers = dict(net.state_dict()), ("conv1", "bn1", "relu", "conv2", "bn2", "relu", "conv3", "bn3")
    found = {"fc.weight": torch.zeros(1000, 256), "fc.bias": torch.zeros(1000)}
    for name, value in state.items():
        part, *where, last = name.split(".")
        if part == "stem":
            found[f"{('conv1', 'bn1')[int(where[0])]}.{last}"] = value
        else:
            stage, block, way, place = where
            inside = f"downsample.{place}" if way == "shortcut" else layers[int(place)]
            found[f"layer{int(stage) + 1}.{block}.{inside}.{last}"] = value
    return found


@pytest.mark.parametrize("levels", [4, 2])
def test_a_resnext_takes_published_weights(levels, tmp_path):
    torch.manual_seed(1)
    whole = build_backbone(BackboneName.RESNEXT_TINY).eval()
    torch.save(torchvisions(whole), tmp_path / "resnext.pth")
    filled = build_backbone(BackboneName.RESNEXT_TINY, levels=levels, weights=tmp_path / "resnext.pth").eval()
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        pairs = list(zip(filled(picture), whole(picture), strict=False))
    assert len(pairs) == levels
    assert all(torch.equal(found, wanted) for found, wanted in pairs)


@pytest.mark.parametrize(
    ("name", "some"),
    [
        (BackboneName.RESNEXT_50, {"conv1.weight", "layer2.0.downsample.1.running_var", "layer3.5.bn3.bias"}),
        (BackboneName.RESNEXT_101, {"bn1.weight", "layer1.0.downsample.0.weight", "layer3.22.conv2.weight"}),
    ],
)
def test_every_weight_of_a_resnext_has_a_name_of_its_own_in_the_published_file(name, some):
    with torch.device("meta"):
        own = ResNeXt(PLANS[name]).state_dict()
    names = {resnext_name(key) for key in own}
    assert len(names) == len(own)
    assert some <= names


def test_weights_of_another_backbone_are_refused(tmp_path):
    torch.save(torchvisions(build_backbone(BackboneName.RESNEXT_TINY)), tmp_path / "tiny.pth")
    with pytest.raises(UnusableInput, match="another network"):
        build_backbone(BackboneName.RESNEXT_50, weights=tmp_path / "tiny.pth")
    with pytest.raises(UnusableInput, match="no encoder weights"):
        build_backbone(BackboneName.RESNEXT_TINY, weights=Path("x.pth"))


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (DetectorKind.ATSS, "adaptive_share", 0.3),
        (DetectorKind.CENTERNET, "adaptive_share", 0.3),
        (DetectorKind.CENTERNET, "anchor_scale", 8.0),
    ],
)
def test_keys_that_a_detector_does_not_read_are_refused(kind, key, value):
    with pytest.raises(UnusableInput, match=f"detector.{key} is read by tood.* got {value} for {kind}"):
        DetectorPlan(kind=kind, **{key: value})
    assert getattr(DetectorPlan(kind=DetectorKind.TOOD, **{key: value}), key) == value


def test_every_level_of_the_neck_sees_every_other():
    torch.manual_seed(0)
    neck = Pafpn([3, 5], 4, 3)
    features = [torch.rand(1, 3, 8, 8, requires_grad=True), torch.rand(1, 5, 4, 4, requires_grad=True)]
    out = neck(features)
    assert [tuple(x.shape) for x in out] == [(1, 4, 8, 8), (1, 4, 4, 4), (1, 4, 2, 2)]
    for level in out:
        grads = torch.autograd.grad(level.sum(), features, retain_graph=True)
        assert all(g.abs().sum() > 0 for g in grads)


@pytest.mark.parametrize("kind", list(DetectorKind))
def test_a_fresh_detector_says_little_everywhere_and_boxes_have_an_area(kind):
    dense = detector(kind).eval()(torch.rand(2, 3, 64, 96))
    points = 16 * 24 + (0 if kind is DetectorKind.CENTERNET else 8 * 12)
    assert dense.prob.shape == dense.score.shape == (2, points, 2)
    assert dense.boxes.shape == (2, points, 4)
    assert (dense.boxes[..., 2:] > dense.boxes[..., :2]).all()
    assert dense.prob.mean().item() == pytest.approx(PRIOR, rel=0.5)


VARIANTS = [
    (kind, box, loss)
    for kind, losses in (
        (DetectorKind.TOOD, [None, *ClassLoss]),
        (DetectorKind.ATSS, [None, *ClassLoss]),
        (DetectorKind.CENTERNET, [None]),
    )
    for loss in losses
    for box in ([*BoxLoss] if loss is None else [BoxLoss.GIOU])
]


@pytest.mark.parametrize(("kind", "box", "loss"), VARIANTS, ids=lambda v: str(v))
def test_losses_and_gradients_are_finite_in_both_phases(kind, box, loss):
    net = detector(kind, box_loss=box, class_loss=loss)
    dense = net(torch.rand(2, 3, 64, 64))
    for done in (0.0, 0.9):
        for truths in ((TRUTH, EMPTY), (EMPTY, EMPTY)):
            net.zero_grad()
            terms = net.losses(dense, truths, done)
            assert all(v.item() >= 0 for v in map(torch.Tensor.detach, terms.values()))
            sum(terms.values()).backward(retain_graph=True)
            assert all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None)


def picture() -> torch.Tensor:
    """Two marks of different colours where `TRUTH` says."""
    image = torch.full((1, 3, 64, 64), 0.6)
    image[0, 0, 12:30, 10:26] = 1.0
    image[0, 2, 36:50, 40:56] = 0.1
    return image


@pytest.mark.parametrize("kind", list(DetectorKind))
def test_each_detector_learns_a_picture_by_heart(kind):
    net = detector(kind)
    optimizer = torch.optim.AdamW(net.parameters(), lr=6e-3)
    steps = 40
    for step in range(steps):
        terms = net.losses(net(picture()), [TRUTH], step / steps)
        optimizer.zero_grad()
        sum(terms.values()).backward()
        optimizer.step()
    dense = net(picture())
    for number in range(2):
        best = dense.score[0, :, number].argmax()
        assert iou(dense.boxes[0, best], TRUTH.boxes[number]).item() > 0.5
        right, wrong = dense.prob[0, best, number].item(), dense.prob[0, best, 1 - number].item()
        assert right > max(wrong, 10 * PRIOR)


def test_centredness_by_hand():
    points = torch.tensor([[5.0, 5.0], [2.0, 5.0], [0.0, 5.0], [-3.0, 5.0]])
    got = centredness(points, torch.tensor([[0.0, 0.0, 10.0, 10.0]]))
    assert got.tolist() == pytest.approx([1, (2 / 8) ** 0.5, 0, 0])


def test_sampling_at_whole_cells_moves_and_at_half_cells_mixes():
    maps = torch.arange(12, dtype=torch.float32).reshape(1, 1, 3, 4)
    right, down = torch.zeros(1, 2, 3, 4), torch.zeros(1, 2, 3, 4)
    right[:, 0], down[:, 1] = 1, 0.5
    assert torch.allclose(sample_at(maps, torch.zeros(1, 2, 3, 4)), maps, atol=1e-5)
    assert torch.allclose(sample_at(maps, right)[..., :-1], maps[..., 1:], atol=1e-5)
    assert torch.allclose(sample_at(maps, down)[..., :-1, :], maps[..., :-1, :] + 2, atol=1e-5)


@pytest.mark.parametrize("sides", [(10.0, 10.0), (6.0, 30.0), (40.0, 25.0)])
def test_corners_moved_by_the_radius_still_overlap_by_seven_tenths(sides):
    w, h = sides
    r = heat_radius(torch.tensor([sides])).item()
    box = torch.tensor([0.0, 0.0, w, h])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1).T
    overlaps = [iou(box + r * torch.tensor(s, dtype=torch.float32), box).item() for s in signs]
    assert min(overlaps) == pytest.approx(0.7, abs=1e-3)


def test_heat_is_one_at_centres_and_the_smaller_box_has_a_shared_cell():
    truth = Truth(torch.tensor([[0.0, 0, 16, 16], [6, 6, 10, 10], [20, 4, 28, 12]]), torch.tensor([0, 0, 1]))
    heat, box = heat_target(truth, (8, 8), 4, 2)
    assert heat[2 * 8 + 2, 0] == 1
    assert box[2 * 8 + 2] == 1
    assert box[2 * 8 + 6] == 2
    assert heat[2 * 8 + 6].tolist()[1] == 1
    assert (box >= 0).sum() == 2
    assert 0 < heat[2 * 8 + 3, 0] < 1
    empty, nobody = heat_target(EMPTY, (8, 8), 4, 2)
    assert empty.sum() == 0
    assert (nobody == -1).all()


def test_a_class_loss_for_centernet_is_refused():
    with pytest.raises(UnusableInput, match="set class_loss to null"):
        detector(DetectorKind.CENTERNET, class_loss=ClassLoss.GHM_C)


@pytest.mark.parametrize("wrong", [{"strides": (4, 16)}, {"strides": ()}, {"strides": (3,)}, {"width": 20}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(UnusableInput, match="got"):
        DetectorPlan(**{**TINY, **wrong})
