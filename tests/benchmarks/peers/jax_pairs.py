"""The pairs of networks of ../pairs.hpp in JAX, channels-last: parameters, and functions of them. See torch_pairs.py."""
import dataclasses
from typing import Any, Callable

import jax
import jax.numpy as jnp
from jax import lax, random

NETS = ("mlp", "dcgan", "wgan-gp", "r1r2", "ring", "dcgan-small", "dcgan64")


@dataclasses.dataclass
class Pair:
    generator: Any  # parameters
    discriminator: Any
    generate: Callable  # (parameters, z, labels) -> samples
    score: Callable     # (parameters, samples, labels, key of the dropout) -> scores [n, 1]
    sample: tuple
    latent: int
    classes: int = 0
    loss: str = "non-saturating"
    penalty: str = ""
    weight: float = 0.0
    every: int = 1
    rate: float = 2e-4
    average: float = 0.0
    mixes_batch: bool = False


class Layers:
    """Products in `dtype`, everything else in float32."""

    def __init__(self, dtype):
        self.dtype, self.key = jnp.dtype(dtype), random.PRNGKey(0)

    def weight(self, *shape):
        self.key, key = random.split(self.key)
        return 0.05 * random.normal(key, shape)

    def affine(self, n):
        return jnp.ones(n), jnp.zeros(n)

    def dot(self, x, w):
        return lax.dot(x.astype(self.dtype), w.astype(self.dtype), preferred_element_type=jnp.float32)

    def conv(self, x, w, stride, pad):
        return lax.conv_general_dilated(x.astype(self.dtype), w.astype(self.dtype), (stride, stride), [(pad, pad)] * 2,
                                        dimension_numbers=("NHWC", "HWIO", "NHWC")).astype(jnp.float32)

    def conv_transpose(self, x, w, stride):
        return lax.conv_transpose(x.astype(self.dtype), w.astype(self.dtype), (stride, stride), "SAME",
                                  dimension_numbers=("NHWC", "HWIO", "NHWC")).astype(jnp.float32)


def leaky(x):
    return jnp.where(x > 0, x, 0.2 * x)


def norm(x, affine):
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axes)) * lax.rsqrt(x.var(axes) + 1e-5) * affine[0] + affine[1]


def dropout(x, key, share):
    return jnp.where(random.bernoulli(key, 1 - share, x.shape), x / (1 - share), 0)


def append_deviation(x):
    n, h, w, c = x.shape
    groups = max(1, n // 4)
    deviation = jnp.sqrt(x.reshape(n // groups, groups, h, w, c).var(0) + 1e-8).mean((1, 2, 3))
    return jnp.concatenate([x, jnp.broadcast_to(jnp.tile(deviation, n // groups)[:, None, None, None], (n, h, w, 1))], 3)


def dense_pair(layers, generator, discriminator, normed):
    def chain(sizes):
        return [(layers.weight(a, b), jnp.zeros(b)) for a, b in zip(sizes, sizes[1:])]

    g = dict(dense=chain(generator), norm=[layers.affine(n) for n in generator[1:-1]] if normed else [])
    d = chain(discriminator)

    def generate(p, z, labels):
        for i, (w, b) in enumerate(p["dense"][:-1]):
            z = leaky(layers.dot(z, w) + b)
            if normed:
                z = norm(z, p["norm"][i])
        w, b = p["dense"][-1]
        y = layers.dot(z, w) + b
        return jnp.tanh(y) if normed else y

    def score(p, x, labels, key):
        for w, b in p[:-1]:
            x = leaky(layers.dot(x, w) + b)
        return layers.dot(x, p[-1][0]) + p[-1][1]

    return Pair(g, d, generate, score, (discriminator[0],), generator[0])


def dcgan_generator(layers, latent, size, channels, strides, kernel, colors, classes=0):
    ends = list(zip(channels, [*channels[1:], colors]))
    p = dict(project=layers.weight(latent, size * size * channels[0]), first=layers.affine(size * size * channels[0]),
             conv=[layers.weight(kernel, kernel, a, b) for a, b in ends], norm=[layers.affine(b) for _, b in ends[:-1]])
    if classes:
        p["label"] = layers.weight(classes, latent // 2)

    def generate(p, z, labels):
        if classes:
            z = jnp.concatenate([z, p["label"][labels]], 1)
        x = leaky(norm(layers.dot(z, p["project"]), p["first"])).reshape(-1, size, size, channels[0])
        for w, stride, affine in zip(p["conv"], strides, p["norm"]):
            x = leaky(norm(layers.conv_transpose(x, w, stride), affine))
        return jnp.tanh(layers.conv_transpose(x, p["conv"][-1], strides[-1]))

    return p, generate


def dcgan_discriminator(layers, colors, channels, kernel, last, share=0.0, normed=False, classes=0):
    """`last`: side of the last map. With classes: deviation, a hidden layer of 256, projection."""
    p = dict(conv=[layers.weight(kernel, kernel, a, b) for a, b in zip([colors, *channels], channels)],
             bias=[jnp.zeros(b) for b in channels[:1 if normed else None]],
             norm=[layers.affine(b) for b in channels[1:]] if normed else [])
    features = last * last * (channels[-1] + (1 if classes else 0))
    if classes:
        p["hidden"], features = (layers.weight(features, 256), jnp.zeros(256)), 256
        p["label"] = layers.weight(classes, features)
    p["output"] = (layers.weight(features, 1), jnp.zeros(1))

    def score(p, x, labels, key):
        for i, w in enumerate(p["conv"]):
            x = layers.conv(x, w, 2, (kernel - 1) // 2)
            x = leaky(norm(x, p["norm"][i - 1]) if normed and i else x + p["bias"][i])
            if share:
                x = dropout(x, random.fold_in(key, i), share)
        if classes:
            x = append_deviation(x)
        x = x.reshape(x.shape[0], -1)
        if classes:
            x = leaky(layers.dot(x, p["hidden"][0]) + p["hidden"][1])
        y = layers.dot(x, p["output"][0]) + p["output"][1]
        return y + (p["label"][labels] * x).sum(1, keepdims=True) if classes else y

    return p, score


def make_pair(net, dtype):
    layers = Layers(dtype)
    if net == "mlp":
        return dense_pair(layers, [100, 256, 512, 1024, 784], [784, 512, 256, 1], True)
    if net == "ring":
        return dense_pair(layers, [16, 128, 128, 2], [2, 128, 128, 1], False)
    if net in ("dcgan", "wgan-gp"):
        g, generate = dcgan_generator(layers, 100, 7, (256, 128, 64), (1, 2, 2), 5, 1)
        d, score = dcgan_discriminator(layers, 1, (64, 128), 5, 7, 0.3 if net == "dcgan" else 0.0)
        pair = Pair(g, d, generate, score, (28, 28, 1), 100)
        if net == "dcgan":
            return pair
        return dataclasses.replace(pair, loss="wasserstein", penalty="gradient-penalty", weight=10)
    if net == "dcgan64":
        g, generate = dcgan_generator(layers, 100, 4, (512, 256, 128, 64), (2, 2, 2, 2), 4, 3)
        d, score = dcgan_discriminator(layers, 3, (64, 128, 256, 512), 4, 4, normed=True)
        return Pair(g, d, generate, score, (64, 64, 3), 100, mixes_batch=True)
    if net not in NETS:
        raise ValueError(f"no pair is named {net}")
    g, generate = dcgan_generator(layers, 128, 7, (128, 64), (2, 2), 4, 1, 10)
    d, score = dcgan_discriminator(layers, 1, (32, 64), 4, 7, classes=10)
    pair = Pair(g, d, generate, score, (28, 28, 1), 64, 10, rate=7e-4, average=0.998, mixes_batch=True)
    if net == "r1r2":
        return dataclasses.replace(pair, loss="relativistic", penalty="r1+r2", weight=1)
    return dataclasses.replace(pair, penalty="r1", weight=0.2, every=16)
