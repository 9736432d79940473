#!/usr/bin/env python3
"""One alternating GAN update in PyTorch 2, timed, in every variant that its users would try.

    torch_step.py --net mlp --batch 128 --threads 1 --reps 40 [--variants frozen,joint,bf16,bf16-joint] [--compile] [--json]

Variants: eager, as most loops are written (the generator's step makes gradients of the discriminator's weights, too);
frozen, without those; joint, frozen and real and generated samples in one pass (not where the discriminator mixes its
batch); bf16 and bf16-joint, the same two under autocast. --compile adds torch.compile of the float and the bfloat16 one,
which cannot differentiate twice. Networks are those of ../pairs.hpp: channels-last, fused Adam.

Prints one line a variant: median step in ms, and memory in MB: rss_mb, the process's peak so far beyond what it had after
the imports, so that only the first variant's is its own, and state_mb, parameters, gradients, moments and moving average.
"""
import argparse
import os

parser = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
parser.add_argument("--net", default="mlp")
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--reps", type=int, default=40)
parser.add_argument("--variants", default="frozen,joint,bf16,bf16-joint")
parser.add_argument("--compile", action="store_true")
parser.add_argument("--json", action="store_true")
args = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(args.threads)
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # of another library's tuning
    os.environ.pop(name, None)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

import measure  # noqa: E402
from torch_pairs import NETS, make_pair  # noqa: E402

if args.net not in NETS:
    parser.error(f"--net {args.net}: expected one of {', '.join(NETS)}")
torch.set_num_threads(args.threads)


def import_the_rest():
    """Optimizer and autograd load modules when first used; these are not the step's memory."""
    net = torch.nn.Linear(2, 2)
    adam = torch.optim.Adam(net.parameters(), fused=True)
    net(torch.ones(2, 2)).sum().backward()
    adam.step()


import_the_rest()
measure.forget_peak()
AFTER_IMPORT = measure.resident_mb("VmRSS")


def gradient_of(scores, x):
    return torch.autograd.grad(scores.float().sum(), x, create_graph=True)[0]


def squared_norms(gradient):
    return gradient.float().square().flatten(1).sum(1)


def discriminator_loss(loss, real, fake):
    if loss == "wasserstein":
        return fake.mean() - real.mean()
    if loss == "relativistic":
        return F.softplus(fake - real).mean()
    if loss == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(loss, real, fake):
    if loss in ("wasserstein", "hinge"):
        return -fake.mean()
    return F.softplus(real - fake if loss == "relativistic" else -fake).mean()


class Step:
    def __init__(self, net, batch, variant):
        torch.manual_seed(1)
        self.pair = pair = make_pair(net)
        g, d = pair.generator, pair.discriminator
        self.real = torch.rand(batch, *pair.sample) * 2 - 1
        if self.real.dim() == 4:
            g, d = (x.to(memory_format=torch.channels_last) for x in (g, d))
            self.real = self.real.to(memory_format=torch.channels_last)
        self.g_values, self.d_values = list(g.parameters()), list(d.parameters())
        adam = dict(betas=pair.betas, fused=True)
        self.g_adam = torch.optim.Adam(self.g_values, lr=pair.rate, **adam)
        self.d_adam = torch.optim.Adam(self.d_values, lr=pair.discriminator_rate or pair.rate, **adam)
        self.averaged = self.g_values + [b for b in g.buffers() if b.is_floating_point()]
        self.average = [v.detach().clone() for v in self.averaged] if pair.average else []
        self.labels = (torch.arange(batch) % pair.classes,) if pair.classes else ()
        self.batch, self.bf16 = batch, "bf16" in variant
        self.frozen, self.joint = variant != "eager", "joint" in variant
        self.g, self.d = (torch.compile(g), torch.compile(d)) if "compile" in variant else (g, d)

    def cast(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16)

    def scores(self, x):
        return self.d(x, *(y.repeat(len(x) // self.batch) for y in self.labels)).float()

    def both(self, real, fake):
        if self.joint:
            return self.scores(torch.cat([real, fake])).split(self.batch)
        return self.scores(real), self.scores(fake)

    def discriminator(self, fake, number):
        pair, real = self.pair, self.real
        due = number % pair.every == 0
        if due and pair.penalty.startswith("r1"):
            real = real.detach().requires_grad_()
        if due and pair.penalty == "r1+r2":
            fake = fake.requires_grad_()
        real_scores, fake_scores = self.both(real, fake)
        loss = discriminator_loss(pair.loss, real_scores, fake_scores)
        if due and pair.penalty == "gradient-penalty":
            u = torch.rand(self.batch, *[1] * (real.dim() - 1))
            x = torch.lerp(fake.float(), real, u).requires_grad_()
            slope = (squared_norms(gradient_of(self.scores(x), x)) + 1e-12).sqrt()
            loss = loss + pair.weight * (slope - 1).square().mean()
        elif due and pair.penalty:
            factor = 0.5 * pair.weight * pair.every
            loss = loss + factor * squared_norms(gradient_of(real_scores, real)).mean()
            if pair.penalty == "r1+r2":
                loss = loss + factor * squared_norms(gradient_of(fake_scores, fake)).mean()
        return loss

    def __call__(self, number):
        pair = self.pair
        with self.cast():
            fake = self.g(torch.randn(self.batch, pair.latent), *self.labels)
            loss = self.discriminator(fake.detach(), number)
        self.d_adam.zero_grad(set_to_none=True)
        loss.backward(inputs=self.d_values)
        self.d_adam.step()
        if self.frozen:
            for value in self.d_values:
                value.requires_grad_(False)
        with self.cast():
            real_scores = None
            if pair.loss == "relativistic":
                with torch.no_grad():
                    real_scores = self.scores(self.real)
            loss = generator_loss(pair.loss, real_scores, self.scores(fake))
        self.g_adam.zero_grad(set_to_none=True)
        loss.backward()
        self.g_adam.step()
        if self.frozen:
            for value in self.d_values:
                value.requires_grad_(True)
        if self.average:
            torch._foreach_lerp_(self.average, [v.detach() for v in self.averaged], 1 - pair.average)

    def state_mb(self):
        count = 4 * sum(v.numel() for v in self.g_values + self.d_values) + sum(v.numel() for v in self.average)
        return 4e-6 * count


def run(variant):
    if "compile" in variant:
        torch._dynamo.reset()
    step = Step(args.net, args.batch, variant)
    ms = measure.median_ms(step, args.reps, step.pair.every, 3)
    measure.report(args.json, library="torch", version=torch.__version__, net=args.net, variant=variant, batch=args.batch,
                   threads=args.threads, median_ms=ms, state_mb=step.state_mb(),
                   rss_mb=measure.resident_mb("VmHWM") - AFTER_IMPORT)


variants = args.variants.split(",") + (["compile", "bf16-compile"] if args.compile else [])
if make_pair(args.net).mixes_batch:
    variants = [v for v in variants if "joint" not in v]
for variant in variants:
    try:
        run(variant)
    except RuntimeError as error:  # a variant that PyTorch refuses, such as a second derivative of a compiled network
        if "compile" not in variant:
            raise
        print(f"# torch {args.net} {variant} fails: {str(error).splitlines()[0][:120]}", flush=True)
