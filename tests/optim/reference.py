#!/usr/bin/env python3
"""Writes reference_values.hpp: parameters after each step of every optimizer, on prescribed gradients.

    python3 reference.py > reference_values.hpp

Written from the papers' formulas in scalar Python (double precision), independently of the library: one number at a
time, corrected moments formed explicitly, first steps of momentum treated as special cases where PyTorch does.
"""
import math

START = [0.5, -1.25, 2.0, 0.0]
STEPS = 6


def gradients(step):
    """Gradients of every sign and of very different sizes, one of them zero at times."""
    return [math.sin(1.0 + 0.7 * step), -1e-3 * (step + 1), 50.0 * math.cos(2.0 * step), 0.0 if step % 2 else 1e-6]


def adam(rate, beta1, beta2, epsilon, decay, decoupled, optimistic=False):
    def run(start, grads):
        p, m, v, before, path = start, 0.0, 0.0, 0.0, []
        for t, g in enumerate(grads, 1):
            if decoupled:
                p = p - rate * decay * p
            else:
                g = g + decay * p
            m = m + (1 - beta1) * (g - m)
            v = v + (1 - beta2) * (g * g - v)
            m_hat = m / (1 - beta1 ** t)
            v_hat = v / (1 - beta2 ** t)
            step = rate * m_hat / (math.sqrt(v_hat) + epsilon)
            p = p - step - (step - before if optimistic else 0.0)
            before = step
            path.append(p)
        return path
    return run


def sgd(rate, momentum, nesterov, decay):
    def run(start, grads):
        p, buffer, path = start, None, []
        for g in grads:
            g = g + decay * p
            if momentum:
                buffer = g if buffer is None else momentum * buffer + g
                g = g + momentum * buffer if nesterov else buffer
            p = p - rate * g
            path.append(p)
        return path
    return run


def rms_prop(rate, alpha, epsilon, momentum, centered, decay):
    def run(start, grads):
        p, square, mean, buffer, path = start, 0.0, 0.0, 0.0, []
        for g in grads:
            g = g + decay * p
            square = alpha * square + (1 - alpha) * g ** 2
            if centered:
                mean = alpha * mean + (1 - alpha) * g
                deviation = math.sqrt(square - mean ** 2)
            else:
                deviation = math.sqrt(square)
            direction = g / (deviation + epsilon)
            if momentum:
                buffer = momentum * buffer + direction
                direction = buffer
            p = p - rate * direction
            path.append(p)
        return path
    return run


CASES = {
    "adam_default": adam(2e-4, 0.5, 0.999, 1e-8, 0.0, False),
    "adam_classic": adam(0.05, 0.9, 0.99, 1e-3, 0.0, False),
    "adam_no_first": adam(0.01, 0.0, 0.9, 1e-8, 0.0, False),
    "adam_decay": adam(0.05, 0.9, 0.999, 1e-8, 0.1, False),
    "adam_optimistic": adam(0.05, 0.5, 0.9, 1e-8, 0.0, False, True),
    "adamw": adam(0.05, 0.9, 0.999, 1e-8, 0.1, True),
    "sgd": sgd(0.1, 0.0, False, 0.0),
    "sgd_decay": sgd(0.1, 0.0, False, 0.2),
    "sgd_momentum": sgd(0.1, 0.9, False, 0.01),
    "sgd_nesterov": sgd(0.1, 0.9, True, 0.01),
    "rms_prop": rms_prop(0.01, 0.99, 1e-8, 0.0, False, 0.0),
    "rms_prop_decay": rms_prop(0.01, 0.9, 1e-4, 0.0, False, 0.1),
    "rms_prop_momentum": rms_prop(0.01, 0.9, 1e-4, 0.8, False, 0.0),
    "rms_prop_centered": rms_prop(0.01, 0.9, 1e-4, 0.0, True, 0.0),
    "rms_prop_centered_momentum": rms_prop(0.01, 0.9, 1e-4, 0.8, True, 0.05),
}


def rows(values):
    return ",\n    ".join("{" + ", ".join(repr(float(x)) for x in row) + "}" for row in values)


def main():
    grads = [gradients(step) for step in range(STEPS)]
    n = len(START)
    print("// Made by reference.py; do not edit.\n#pragma once\n\n#include <array>\n\nnamespace gan::test {\n")
    print(f"using Row = std::array<double, {n}>;\nusing Path = std::array<Row, {STEPS}>;  // one row a step\n")
    print("// clang-format off")
    print("inline constexpr Row reference_start = {" + ", ".join(repr(x) for x in START) + "};\n")
    print("inline constexpr Path reference_gradients = {{\n    " + rows(grads) + "}};\n")
    for name, run in CASES.items():
        paths = [run(START[i], [g[i] for g in grads]) for i in range(n)]
        print(f"inline constexpr Path reference_{name} = {{{{\n    " + rows(zip(*paths)) + "}};\n")
    print("// clang-format on\n\n}  // namespace gan::test")


if __name__ == "__main__":
    main()
