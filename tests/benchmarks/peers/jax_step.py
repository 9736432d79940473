#!/usr/bin/env python3
"""One alternating GAN update in JAX, timed: one jitted function a step, whose arguments are donated.

    taskset -c 0 jax_step.py --net mlp --batch 128 --reps 20 [--variants float32,joint,bfloat16,bfloat16-joint] [--json]

XLA takes its threads from the processors that it may run on: taskset sets them. Variants: products in float32 or bfloat16;
joint, real and generated samples in one pass (not where the discriminator mixes its batch). Networks are those of
../pairs.hpp, channels-last. Prints what torch_step.py prints.
"""
import argparse
import os

parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
parser.add_argument("--net", default="mlp")
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--reps", type=int, default=20)
parser.add_argument("--variants", default="float32,joint,bfloat16,bfloat16-joint")
parser.add_argument("--json", action="store_true")
args = parser.parse_args()
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from jax import random  # noqa: E402

import measure  # noqa: E402
from jax_pairs import NETS, make_pair  # noqa: E402

if args.net not in NETS:
    parser.error(f"--net {args.net}: expected one of {', '.join(NETS)}")
jnp.zeros(1).block_until_ready()  # starts the backend, which belongs to the import
measure.forget_peak()
AFTER_IMPORT = measure.resident_mb("VmRSS")


def squared_norms(gradient):
    return jnp.sum(gradient**2, tuple(range(1, gradient.ndim)))


def discriminator_loss(loss, real, fake):
    if loss == "wasserstein":
        return fake.mean() - real.mean()
    if loss == "relativistic":
        return jax.nn.softplus(fake - real).mean()
    return jax.nn.softplus(-real).mean() + jax.nn.softplus(fake).mean()


def generator_loss(loss, real, fake):
    if loss == "wasserstein":
        return -fake.mean()
    return jax.nn.softplus(real - fake if loss == "relativistic" else -fake).mean()


def adam(rate, values, gradients, first, second, t):
    first = jax.tree.map(lambda m, g: 0.5 * m + 0.5 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    c1, c2 = 1 - 0.5**t, 1 - 0.999**t
    return jax.tree.map(lambda q, m, v: q - rate * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), values, first, second), first, second


def make_step(pair, joint):
    n = args.batch
    labels = jnp.arange(n) % pair.classes if pair.classes else None

    def penalty(d, real, fake, key, mixing_key):
        def slopes(x):
            return squared_norms(jax.grad(lambda x: pair.score(d, x, labels, key).sum())(x))

        if pair.penalty == "gradient-penalty":
            u = random.uniform(mixing_key, (n, *[1] * (real.ndim - 1)))
            return pair.weight * jnp.mean((jnp.sqrt(slopes(fake + u * (real - fake)) + 1e-12) - 1) ** 2)
        total = slopes(real).mean()
        if pair.penalty == "r1+r2":
            total = total + slopes(fake).mean()
        return 0.5 * pair.weight * pair.every * total

    def step(state, real, key, due):
        g, d, average, g_first, g_second, d_first, d_second, t = state
        t = t + 1
        noise_key, real_key, fake_key, last_key, mixing_key = random.split(key, 5)
        z = random.normal(noise_key, (n, pair.latent))
        fake, pull_back = jax.vjp(lambda g: pair.generate(g, z, labels), g)

        def loss(d):
            if joint:
                both = pair.score(d, jnp.concatenate([real, fake]), labels, real_key)
                value = discriminator_loss(pair.loss, both[:n], both[n:])
            else:
                value = discriminator_loss(pair.loss, pair.score(d, real, labels, real_key),
                                           pair.score(d, fake, labels, fake_key))
            return value + penalty(d, real, fake, real_key, mixing_key) if due else value

        d, d_first, d_second = adam(pair.rate, d, jax.grad(loss)(d), d_first, d_second, t)
        real_scores = pair.score(d, real, labels, real_key) if pair.loss == "relativistic" else None
        to_fake = jax.grad(lambda x: generator_loss(pair.loss, real_scores, pair.score(d, x, labels, last_key)))(fake)
        g, g_first, g_second = adam(pair.rate, g, pull_back(to_fake)[0], g_first, g_second, t)
        if pair.average:
            average = jax.tree.map(lambda a, v: a + (1 - pair.average) * (v - a), average, g)
        return g, d, average, g_first, g_second, d_first, d_second, t

    return jax.jit(step, donate_argnums=0, static_argnums=3)


def run(variant):
    pair = make_pair(args.net, "bfloat16" if "bfloat16" in variant else "float32")
    step = make_step(pair, "joint" in variant)
    zeros = lambda tree: jax.tree.map(jnp.zeros_like, tree)  # noqa: E731
    g, d = pair.generator, pair.discriminator
    state = (g, d, jax.tree.map(jnp.copy, g) if pair.average else (), zeros(g), zeros(g), zeros(d), zeros(d), jnp.float32(0))
    state_mb = 1e-6 * sum(x.nbytes for x in jax.tree.leaves((state, g, d)))  # and gradients
    real = 2 * random.uniform(random.PRNGKey(1), (args.batch, *pair.sample)) - 1
    keys = random.PRNGKey(2)

    def one(number):
        nonlocal state
        due = bool(pair.penalty) and number % pair.every == 0
        state = step(state, real, random.fold_in(keys, number), due)
        jax.block_until_ready(state)

    ms = measure.median_ms(one, args.reps, pair.every, 3)
    measure.report(args.json, library="jax", version=jax.__version__, net=args.net, variant=variant, batch=args.batch,
                   threads=len(os.sched_getaffinity(0)), median_ms=ms, state_mb=state_mb,
                   rss_mb=measure.resident_mb("VmHWM") - AFTER_IMPORT)


variants = args.variants.split(",")
if make_pair(args.net, "float32").mixes_batch:
    variants = [v for v in variants if "joint" not in v]
for variant in variants:
    run(variant)
