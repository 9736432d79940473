#!/usr/bin/env python3
"""Square products by MKL from PyPI (pip install mkl numpy), beside `train_step --products`:

    OMP_NUM_THREADS=1 mkl_products.py [--sizes 256,1024]

Prints GFLOP/s of cblas_sgemm and of cblas_gemm_bf16bf16f32, one-shot calls that pack their factors each time."""
import argparse
import ctypes
import glob
import statistics
import sys
import time

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--sizes", default="256,1024")
arguments = parser.parse_args()
found = sorted(glob.glob(sys.prefix + "/lib/libmkl_rt.so*"))
if not found:
    sys.exit("no libmkl_rt.so in " + sys.prefix + "/lib: pip install mkl")
mkl = ctypes.CDLL(found[0])
ROW_MAJOR, NO_TRANSPOSE = 101, 111


def call(function, scalar, a, b, c, n):
    pointer = lambda x: ctypes.c_void_p(x.ctypes.data)  # noqa: E731
    function(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, n, n, n, scalar(1), pointer(a), n, pointer(b), n, scalar(0), pointer(c), n)


def gflops(run, n):
    for _ in range(3):
        run()
    seconds, total = [], 0.0
    while len(seconds) < 5 or (total < 0.3 and len(seconds) < 5000):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
        total += seconds[-1]
    return 2 * n**3 / statistics.median(seconds) * 1e-9


print(f"{'size':>6} {'float':>10} {'bfloat16':>10}")
for size in map(int, arguments.sizes.split(",")):
    a = np.random.default_rng(1).uniform(-1, 1, (size, size)).astype(np.float32)
    b, c = a.T.copy(), np.zeros_like(a)
    half = lambda x: ((x.view(np.uint32) + 0x8000) >> 16).astype(np.uint16)  # noqa: E731
    ah, bh = half(a), half(b)
    single = gflops(lambda: call(mkl.cblas_sgemm, ctypes.c_float, a, b, c, size), size)
    expected = a @ b
    rounded = gflops(lambda: call(mkl.cblas_gemm_bf16bf16f32, ctypes.c_float, ah, bh, c, size), size)
    if not np.allclose(c, expected, atol=0.02 * size**0.5):
        sys.exit("MKL's rounded product is wrong")
    print(f"{size:6} {single:10.1f} {rounded:10.1f}")
