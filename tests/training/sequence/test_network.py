import numpy as np
import pytest

pytest.importorskip("torch", reason="needs comedo[train]")

import torch

from comedo.training.sequence.network import ChangeNet, largest_difference, layout, ordinal_log_probs, sound_prob
from comedo.training.sequence.plan import NetPlan
from comedo.training.sequence.rows import answer_of
from comedo.training.sequence.series import Course

SMALL = {"side_px": 64, "widths": (4, 4, 8, 8), "hidden": 8}


@pytest.fixture(params=[("ordinal", True), ("classes", True), ("ordinal", False)], ids=str)
def net(request):
    torch.manual_seed(3)
    output, lesions = request.param
    return ChangeNet(NetPlan(**SMALL, output=output, lesions=lesions)).eval()


@pytest.fixture
def faces(net):
    """Random pictures with the channels of the network, by their seeds."""
    channels = net.encoder.layers[0][0].in_channels

    def draw(*seeds):
        random = [torch.Generator().manual_seed(s) for s in seeds]
        return torch.stack([torch.rand(channels, 64, 64, generator=r) for r in random])[None]

    return draw


def ask(net, pictures, mask):
    with torch.no_grad():
        course, sound, *_ = net(pictures, torch.tensor([mask], dtype=torch.float32))
    return course.exp()[0].numpy(), float(sound)


def test_every_parameter_learns(net, faces):
    """Several processes would wait for ever for the gradient of one that does not."""
    sum(answer.sum() for answer in net(faces(1, 2), torch.ones(1, 2))).backward()
    assert [name for name, parameter in net.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_missing_photo_changes_nothing_wherever_it_is_and_whatever_it_holds(net, faces, place):
    plain, sound = ask(net, faces(1, 2), [1, 1])
    numbers, mask = [1, 2], [1, 1]
    numbers.insert(place, 9)
    mask.insert(place, 0)
    masked, still = ask(net, faces(*numbers), mask)
    assert masked == pytest.approx(plain, abs=1e-6)
    assert still == pytest.approx(sound, abs=1e-6)


def test_the_answer_turns_round_with_the_series(net, faces):
    there, sound = ask(net, faces(1, 2, 3), [1, 1, 1])
    back, still = ask(net, faces(3, 2, 1), [1, 1, 1])
    assert there.sum() == pytest.approx(1, abs=1e-5)
    assert back == pytest.approx(there[::-1], abs=1e-6)
    assert still == pytest.approx(sound, abs=1e-6)
    assert abs(there[0] - there[2]) > 1e-4


def test_a_photo_repeated_is_no_change_for_the_better(net, faces):
    probs, _ = ask(net, faces(4, 4, 4), [1, 1, 1])
    assert probs[0] == pytest.approx(probs[2], abs=1e-6)


def test_places_without_a_photo_are_passed_over_while_learning(net, faces):
    pictures, mask = faces(1, 2, 9), torch.tensor([[1.0, 1.0, 0.0]])
    with torch.no_grad():
        learning, judging = net.train()(pictures, mask), net.eval()(pictures, mask)
    for found, expected in zip(learning[:2], judging[:2], strict=True):
        assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-6)


def test_light_that_changes_everything_alike_is_taken_off(net, faces):
    half = torch.tensor([0.5, 0.5, 0.5, 1.0])[: faces(1).shape[2]].reshape(-1, 1, 1)  # light changes no found lesion
    dark, _ = ask(net, torch.cat([faces(1) * half, faces(2)], 1), [1, 1])
    plain, _ = ask(net, faces(1, 2), [1, 1])
    assert dark == pytest.approx(plain, abs=2e-3)


@pytest.mark.parametrize(
    ("place", "width", "probs"),
    [
        pytest.param(0.0, np.log(3), (0.25, 0.5, 0.25), id="in the middle"),
        pytest.param(np.log(3), np.log(3), (0.1, 0.4, 0.5), id="on the upper cut"),
    ],
)
def test_the_ordinal_axis(place, width, probs):
    found = ordinal_log_probs(torch.tensor([place]), torch.tensor(width)).exp()[0].numpy()
    assert found == pytest.approx(probs, abs=1e-5)


@pytest.mark.parametrize(
    ("series", "photos", "mask", "prob"),
    [
        pytest.param(0.0, [40.0, 40.0], [1, 1], 0.5, id="faces, an order of even odds"),
        pytest.param(40.0, [0.0, 0.0], [1, 1], 0.5, id="two photos of even odds: the least likely one counts"),
        pytest.param(40.0, [40.0, -40.0], [1, 1], 0.0, id="one photo of noise"),
        pytest.param(40.0, [0.0, -40.0], [1, 0], 0.5, id="a missing photo says nothing"),
        pytest.param(40.0, [40.0, 40.0], [1, 1], 1.0, id="all sound"),
    ],
)
def test_a_series_is_as_sound_as_its_order_and_every_photo(series, photos, mask, prob):
    found = sound_prob(torch.tensor([series]), torch.tensor([photos]), torch.tensor([mask], dtype=torch.float32))
    assert float(found) == pytest.approx(prob, abs=1e-5)


@pytest.mark.parametrize(
    ("probs", "sound", "answer"),
    [
        pytest.param((0.05, 0.05, 0.9), 0.95, Course.BETTER, id="sure"),
        pytest.param((0.05, 0.05, 0.9), 0.5, None, id="not one person's series"),
        pytest.param((0.3, 0.1, 0.6), 0.99, None, id="not sure"),
        pytest.param((0.0, 1.0, 0.0), 1.0, Course.SAME, id="no change"),
    ],
)
def test_answers_want_both_probabilities(probs, sound, answer):
    assert answer_of(probs, sound, 0.8) is answer


@pytest.mark.parametrize(
    ("looks", "mask", "difference"),
    [
        pytest.param([1.0, 1.0, 1.0], [1, 1, 1], 0.0, id="one person"),
        pytest.param([1.0, 4.0, 1.0], [1, 1, 1], 9.0, id="a stranger in the middle"),
        pytest.param([1.0, 4.0, 3.0], [1, 0, 1], 4.0, id="a missing photo is nobody"),
        pytest.param([9.0, 1.0, 3.0], [0, 1, 1], 4.0, id="nor is a missing first one"),
        pytest.param([2.0, 1.0, 4.0], [1, 1, 1], 9.0, id="any two count"),
    ],
)
def test_how_unlike_the_photos_are(looks, mask, difference):
    found = largest_difference(torch.tensor([looks])[..., None], torch.tensor([mask], dtype=torch.float32))
    assert float(found) == pytest.approx(difference)


def test_the_layout_of_a_picture_and_how_fine_it_is():
    halves = torch.zeros(1, 3, 64, 64)
    halves[..., 32:] = 1.0
    grid = torch.zeros(1, 3, 64, 64)
    grid[..., ::2] = 1.0
    where, fine = layout(halves).split([48, 4], 1)
    assert where.reshape(3, 4, 4)[0, 0].tolist() == pytest.approx([-1, -1, 1, 1], abs=1e-3)
    assert fine[0].tolist() == pytest.approx([0.01] * 4, abs=1e-3)  # none but what keeps the root from 0
    where, fine = layout(grid).split([48, 4], 1)
    assert where.abs().max() < 1e-3
    assert fine[0].tolist() == pytest.approx([1.0, 0.01, 0.01, 0.01], abs=1e-3)
