"""The pairs of networks of ../pairs.hpp in PyTorch, channels-last, and how each is trained."""
import dataclasses

import torch
from torch import nn

NETS = ("mlp", "dcgan", "wgan-gp", "r1r2", "ring", "default", "dcgan-small", "dcgan64")


@dataclasses.dataclass
class Pair:
    generator: nn.Module
    discriminator: nn.Module
    sample: tuple
    latent: int
    classes: int = 0
    loss: str = "non-saturating"  # or wasserstein, relativistic, hinge
    penalty: str = ""             # r1, r1+r2 or gradient-penalty
    weight: float = 0.0
    every: int = 1                # steps from one penalty to the next
    rate: float = 2e-4
    discriminator_rate: float = 0.0  # 0: the same
    betas: tuple = (0.5, 0.999)
    average: float = 0.0          # decay of the generator's moving average; 0: none
    mixes_batch: bool = False     # the discriminator's score depends on the other samples


def leaky():
    return nn.LeakyReLU(0.2)


class ToMap(nn.Module):
    """[n, h w c] -> [n, c, h, w], channels-last in memory without a copy."""

    def __init__(self, h, w, c):
        super().__init__()
        self.size = (-1, h, w, c)

    def forward(self, x):
        return x.view(self.size).permute(0, 3, 1, 2)


class ToRow(nn.Module):
    """[n, c, h, w], channels-last in memory, -> [n, h w c] without a copy."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class MinibatchStdDev(nn.Module):
    """Appends a channel: the deviation within groups of 4, sample i in group i modulo their number."""

    def forward(self, x):
        n, c, h, w = x.shape
        groups = max(1, n // 4)
        if n % groups:
            raise ValueError(f"a batch of {n} is not made of {groups} groups of one size")
        deviation = (x.reshape(n // groups, groups, c, h, w).var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
        return torch.cat([x, deviation.repeat(n // groups).to(x.dtype).view(n, 1, 1, 1).expand(n, 1, h, w)], 1)


class LabelledGenerator(nn.Module):
    """An embedding of the label, as long as the noise, is joined to it."""

    def __init__(self, net, classes, latent):
        super().__init__()
        self.label, self.net = nn.Embedding(classes, latent), net

    def forward(self, z, labels):
        return self.net(torch.cat([z, self.label(labels)], 1))


class ProjectionDiscriminator(nn.Module):
    """score = features weight + bias + <embedding(label), features>."""

    def __init__(self, net, features, classes):
        super().__init__()
        self.net, self.score, self.embedding = net, nn.Linear(features, 1), nn.Embedding(classes, features)

    def forward(self, x, labels):
        h = self.net(x)
        return self.score(h) + (self.embedding(labels) * h).sum(1, keepdim=True)


class ClassNorm(nn.Module):
    """Batch norm with a scale and a shift for each class."""

    def __init__(self, channels, classes):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale, self.shift = nn.Embedding(classes, channels), nn.Embedding(classes, channels)

    def forward(self, x, labels):
        return self.norm(x) * self.scale(labels)[:, :, None, None] + self.shift(labels)[:, :, None, None]


class Block(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x))))))."""

    def __init__(self, channels, classes):
        super().__init__()
        self.norms = nn.ModuleList(ClassNorm(channels, classes) for _ in range(2))
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))

    def forward(self, x, labels):
        y = x
        for norm, conv in zip(self.norms, self.convs):
            y = conv(torch.relu(norm(y, labels)))
        return x + y


class ImageGenerator(nn.Module):
    """For 28 x 28: a residual block and a transposed convolution at 7 x 7 and at 14 x 14."""

    def __init__(self, latent, classes, width):
        super().__init__()
        self.classes = classes
        self.project = nn.Sequential(nn.Linear(latent + classes, 49 * 2 * width), ToMap(7, 7, 2 * width))
        self.blocks = nn.ModuleList(Block(c, classes) for c in (2 * width, width))
        self.norms = nn.ModuleList(ClassNorm(c, classes) for c in (2 * width, width))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in ((2 * width, width), (width, 1)))

    def forward(self, z, labels):
        code = nn.functional.one_hot(labels, self.classes).to(z.dtype)
        x = self.project(torch.cat([z, 3 * code], 1))
        for block, norm, up in zip(self.blocks, self.norms, self.ups):
            x = up(torch.relu(norm(block(x, labels), labels)))
        return 0.05 * x + 0.95 * x.clamp(-1, 1)


def normed(layer):
    return nn.utils.parametrizations.spectral_norm(layer)


def image_discriminator(classes, width):
    maps = [nn.Conv2d(1, width, 4, 2, 1), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.Conv2d(2 * width, 4 * width, 3, 2, 1)]
    layers = [part for conv in maps for part in (normed(conv), leaky())]
    net = ProjectionDiscriminator(nn.Sequential(*layers, ToRow(), normed(nn.Linear(16 * 4 * width, 256)), leaky()), 256,
                                  classes)
    net.score, net.embedding = normed(net.score), normed(net.embedding)
    return net


def dcgan_generator(latent, size, channels, strides, kernel, colors):
    layers = [nn.Linear(latent, size * size * channels[0], bias=False), nn.BatchNorm1d(size * size * channels[0]), leaky(),
              ToMap(size, size, channels[0])]
    after = [*channels[1:], colors]
    for i, (a, b, s) in enumerate(zip(channels, after, strides)):
        pad = (kernel - 1) // 2
        layers.append(nn.ConvTranspose2d(a, b, kernel, s, pad, s - kernel + 2 * pad, bias=False))
        layers += [nn.BatchNorm2d(b), leaky()] if i + 1 < len(channels) else [nn.Tanh()]
    return nn.Sequential(*layers)


def dcgan_maps(colors, channels, kernel, dropout=0.0, norm=False):
    layers = []
    for i, (a, b) in enumerate(zip([colors, *channels], channels)):
        normed = norm and i > 0
        layers.append(nn.Conv2d(a, b, kernel, 2, (kernel - 1) // 2, bias=not normed))
        layers += [nn.BatchNorm2d(b)] if normed else []
        layers += [leaky()] + ([nn.Dropout(dropout)] if dropout else [])
    return layers


def make_pair(net):
    if net == "mlp":
        g = []
        for a, b in ((100, 256), (256, 512), (512, 1024)):
            g += [nn.Linear(a, b), leaky(), nn.BatchNorm1d(b)]
        g = nn.Sequential(*g, nn.Linear(1024, 784), nn.Tanh())
        d = nn.Sequential(nn.Linear(784, 512), leaky(), nn.Linear(512, 256), leaky(), nn.Linear(256, 1))
        return Pair(g, d, (784,), 100)
    if net == "ring":
        g = nn.Sequential(nn.Linear(16, 128), leaky(), nn.Linear(128, 128), leaky(), nn.Linear(128, 2))
        d = nn.Sequential(nn.Linear(2, 128), leaky(), nn.Linear(128, 128), leaky(), nn.Linear(128, 1))
        return Pair(g, d, (2,), 16)
    if net in ("dcgan", "wgan-gp"):
        g = dcgan_generator(100, 7, (256, 128, 64), (1, 2, 2), 5, 1)
        d = nn.Sequential(*dcgan_maps(1, (64, 128), 5, 0.3 if net == "dcgan" else 0.0), ToRow(), nn.Linear(7 * 7 * 128, 1))
        if net == "dcgan":
            return Pair(g, d, (1, 28, 28), 100)
        return Pair(g, d, (1, 28, 28), 100, loss="wasserstein", penalty="gradient-penalty", weight=10)
    if net == "dcgan64":
        g = dcgan_generator(100, 4, (512, 256, 128, 64), (2, 2, 2, 2), 4, 3)
        d = nn.Sequential(*dcgan_maps(3, (64, 128, 256, 512), 4, norm=True), ToRow(), nn.Linear(4 * 4 * 512, 1))
        return Pair(g, d, (3, 64, 64), 100, mixes_batch=True)
    if net == "default":  # what `mnist train` trains; its average's decay changes with the step, which costs the same
        return Pair(ImageGenerator(64, 10, 32), image_discriminator(10, 32), (1, 28, 28), 64, 10, loss="hinge", rate=1e-3,
                    discriminator_rate=4e-3, betas=(0.0, 0.99), average=0.998)
    if net not in NETS:
        raise ValueError(f"no pair is named {net}")
    # What `mnist train --model dcgan-small` trains.
    classes, latent = 10, 64
    g = LabelledGenerator(dcgan_generator(2 * latent, 7, (128, 64), (2, 2), 4, 1), classes, latent)
    d = ProjectionDiscriminator(nn.Sequential(*dcgan_maps(1, (32, 64), 4), MinibatchStdDev(), ToRow(),
                                              nn.Linear(7 * 7 * 65, 256), leaky()), 256, classes)
    pair = Pair(g, d, (1, 28, 28), latent, classes, rate=7e-4, average=0.998, mixes_batch=True)
    if net == "r1r2":
        return dataclasses.replace(pair, loss="relativistic", penalty="r1+r2", weight=1)
    return dataclasses.replace(pair, penalty="r1", weight=0.2, every=16)
