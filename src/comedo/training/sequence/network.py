"""The sequence network: a small CNN for each face, a masked LSTM over them read in both directions, two answers.

A series is sound when its order is, and when every single photo shows a face: the order's probability is multiplied by
that of the least likely face, so that one photo of noise is enough to leave the series without an answer, and a long
series is as well off as a short one. Whether it is a face is read off its coarse layout and off how fine its structure
is, too; how unlike the photos of a series are, in a few numbers for each that are learnt for it, tells a stranger among
them.

Reading the series forwards and backwards with the same weights, and taking the difference, makes the answer turn around
exactly when the series does: a series that could as well be read backwards is "the same" by construction. The lesions
that the network counts on the first and the last face enter the answer directly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from comedo.training.sequence.framing import COLOURS
from comedo.training.sequence.plan import NetPlan

_GRID = 4  # cells along each side in which a face is summed up
_PER_CELL = 12
_AS_COUNTS = 2000.0  # times the mean brightness of drawn lesions: about ten for each in a cell, two in the face
_LEVELS = 4  # of fineness
_LOOKS = 12  # numbers for each photo by which strangers are told apart
_GROUPS = 4  # of GroupNorm: statistics of one face alone, so that batches, devices and noise images change nothing


def _conv(cin: int, cout: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.GroupNorm(_GROUPS, cout), nn.ReLU(inplace=True)
    )


class FaceEncoder(nn.Module):
    """One face to one vector; its own mean colour and contrast are taken off first, as light changes both.

    Lesions that are drawn as a fourth channel are left as they are, and their sum in each cell goes straight on.
    """

    def __init__(self, widths: tuple[int, int, int, int], out: int, channels: int) -> None:
        super().__init__()
        a, b, c, d = widths
        self.drawn = channels - COLOURS
        self.layers = nn.Sequential(
            _conv(channels, a, 2), _conv(a, a, 1), _conv(a, b, 2), _conv(b, c, 2), _conv(c, c, 1), _conv(c, d, 2)
        )
        self.squeeze = nn.Conv2d(d, _PER_CELL, 1)
        self.mix = nn.Linear((_PER_CELL + self.drawn) * _GRID**2 + 2 * d + self.drawn, out)

    def forward(self, face: Tensor) -> Tensor:
        """(N, 3 or 4, S, S) in [0, 1] to (N, out)."""
        maps: Tensor = self.layers(torch.cat([even_light(face), face[:, COLOURS:]], 1))
        flat = maps.flatten(2)
        sums = [_in_cells(self.squeeze(maps)), flat.mean(2), flat.amax(2)]
        if self.drawn:
            dots = face[:, COLOURS:]
            sums += [torch.log1p(_AS_COUNTS * _in_cells(dots)), torch.log1p(_AS_COUNTS * dots.mean((2, 3)))]
        y: Tensor = self.mix(torch.cat(sums, 1))
        return functional.relu(y)


def even_light(face: Tensor) -> Tensor:
    """The colours (N, 3, S, S) less their mean, by their contrast."""
    colours = face[:, :COLOURS]
    centred = colours - colours.mean((2, 3), keepdim=True)
    return centred / centred.square().mean((1, 2, 3), keepdim=True).add(1e-4).sqrt()


def layout(face: Tensor) -> Tensor:
    """What is bright where, and how strong structures of 1, 2, 4 and 8 pixels are: (N, 52)."""
    level = even_light(face)
    found = [_in_cells(level)]
    for _ in range(_LEVELS):
        coarser = functional.avg_pool2d(level, 2)
        fine = level - functional.interpolate(coarser, scale_factor=2.0)
        found.append(fine.square().mean((1, 2, 3)).add(1e-4).sqrt()[:, None])
        level = coarser
    return torch.cat(found, 1)


def _in_cells(maps: Tensor) -> Tensor:
    """Means of (N, C, h, w) over a grid of cells, (N, C * cells)."""
    side = maps.shape[-1] // _GRID
    return functional.avg_pool2d(maps, side, side)[..., :_GRID, :_GRID].flatten(1)


class MaskedLstm(nn.Module):
    """An LSTM that keeps its state over missing photos, wherever they are; returns the last state."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.into = nn.Linear(inputs, 4 * hidden)
        self.again = nn.Linear(hidden, 4 * hidden, bias=False)
        with torch.no_grad():
            self.into.bias[hidden : 2 * hidden] += 1.0  # remember at first (Jozefowicz et al. 2015)

    def forward(self, steps: Tensor, mask: Tensor, *, backwards: bool) -> Tensor:
        """(B, T, inputs) and (B, T) of 0 and 1 to (B, hidden)."""
        inputs = self.into(steps)
        state = memory = steps.new_zeros(steps.shape[0], self.hidden)
        order = range(steps.shape[1])
        for t in reversed(order) if backwards else order:
            enter, keep, show, new = (inputs[:, t] + self.again(state)).chunk(4, 1)
            later = torch.sigmoid(keep) * memory + torch.sigmoid(enter) * torch.tanh(new)
            there = mask[:, t : t + 1]
            state = there * (torch.sigmoid(show) * torch.tanh(later)) + (1 - there) * state
            memory = there * later + (1 - there) * memory
        return state


class ChangeNet(nn.Module):
    """A series to its course, to whether it is sound, and each photo to its lesions and to whether it is a face."""

    def __init__(self, plan: NetPlan) -> None:
        super().__init__()
        self.ordinal = plan.output == "ordinal"
        self.encoder = FaceEncoder(plan.widths, plan.hidden, plan.channels)
        self.lstm = MaskedLstm(plan.hidden, plan.hidden)
        self.course = nn.Linear(plan.hidden, 1 if self.ordinal else 2)
        self.sound = nn.Linear(plan.hidden, 1)
        self.looks = nn.Linear(plan.hidden, _LOOKS)
        self.unlike = nn.Parameter(torch.tensor(-1.0))  # weight of the largest difference of looks, before softplus
        self.load = nn.Linear(plan.hidden, 1)
        self.face = nn.Linear(plan.hidden + COLOURS * _GRID**2 + _LEVELS, 1)
        nn.init.constant_(self.face.bias, 3.0)  # nearly every photo is one
        if self.ordinal:
            self.width = nn.Parameter(torch.tensor(2.5))  # of "the same" on the axis, before softplus
        self.weight = nn.Parameter(torch.tensor(3.0))  # of what was counted, beside what the LSTM makes of the series

    def forward(self, faces: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Judge series.

        Args:
            faces: (B, T, 3 or 4, S, S) in [0, 1]; anything where a photo is missing.
            mask: (B, T), 1 for a photo, 0 for a missing one.

        Returns:
            (B, 3) log probabilities of worse, same, better; (B,) logit of a sound order; (B, T) log(1 + lesions);
            (B, T) logit of a face.
        """
        b, t = faces.shape[:2]
        single = faces.flatten(0, 1)
        vectors = self._encode(single, mask.flatten() > 0).reshape(b, t, -1)
        there = self.lstm(vectors, mask, backwards=False)
        back = self.lstm(vectors, mask, backwards=True)
        is_face = self.face(torch.cat([vectors, layout(single).reshape(b, t, -1)], 2))[..., 0]
        order = ((self.sound(there) + self.sound(back)) / 2)[:, 0]
        order = order - functional.softplus(self.unlike) * largest_difference(self.looks(vectors), mask)
        loads = self.load(vectors)[..., 0]
        fewer = self.weight * (loads * (first_of(mask) - first_of(mask.flip(1)).flip(1))).sum(1)
        return self._course(self.course(there), self.course(back), fewer), order, loads, is_face

    def _encode(self, faces: Tensor, there: Tensor) -> Tensor:
        """Vectors (N, hidden); while learning, places without a photo, of which batches are full, are passed over."""
        if not self.training:
            every: Tensor = self.encoder(faces)
            return every
        seen: Tensor = self.encoder(faces[there])
        vectors = seen.new_zeros(len(faces), seen.shape[1])
        vectors[there] = seen
        return vectors

    def _course(self, there: Tensor, back: Tensor, fewer: Tensor) -> Tensor:
        if self.ordinal:
            return ordinal_log_probs((there - back)[:, 0] + fewer, functional.softplus(self.width) + 0.05)
        same = (there[:, 1] + back[:, 1]) / 2
        return functional.log_softmax(torch.stack([back[:, 0] - fewer, same, there[:, 0] + fewer], 1), 1)


def first_of(mask: Tensor) -> Tensor:
    """1 at the first photo that is there, 0 elsewhere; (B, T) both."""
    return mask * (mask.cumsum(1) == 1).float()


def largest_difference(looks: Tensor, mask: Tensor) -> Tensor:
    """Largest mean squared difference (B,) of any two photos, of (B, T, looks), missing ones left out."""
    apart = (looks[:, :, None] - looks[:, None]).square().mean(3)
    return (apart * mask[:, :, None] * mask[:, None]).amax((1, 2))


def sound_prob(order: Tensor, photos: Tensor, mask: Tensor) -> Tensor:
    """Probability (B,) of a sound series: the order's, by its logit (B,), times the least of the photos', by (B, T)."""
    return (functional.logsigmoid(order) + (mask * functional.logsigmoid(photos)).amin(1)).exp()


def ordinal_log_probs(place: Tensor, width: Tensor) -> Tensor:
    """Log probabilities (B, 3) of below, within and above +-`width` of 0 for logistic errors around `place` (B,)."""
    above, below = place - width, -place - width
    within = functional.logsigmoid(-above) + functional.logsigmoid(-below) + torch.log1p(-torch.exp(-2 * width))
    return torch.stack([functional.logsigmoid(below), within, functional.logsigmoid(above)], 1)


class ShippedChange(nn.Module):
    """As exported: uint8 faces and a mask in, probabilities out.

    `odds` is added to the log odds of a sound order: spoilt series are fewer in life than among those learnt from
    (Saerens, Latinne and Decaestecker 2002).
    """

    def __init__(self, net: ChangeNet, odds: float = 0.0) -> None:
        super().__init__()
        self.net = net
        self.odds = odds

    def forward(self, faces: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(1, T, S, S, 3 or 4) uint8, (1, T) bool to (1, 3) worse, same, better, and (1,) of a sound series."""
        pixels = faces.permute(0, 1, 4, 2, 3).float() / 255.0
        there = mask.float()
        course, order, _, is_face = self.net(pixels, there)
        return course.exp(), sound_prob(order + self.odds, is_face, there)
