"""Runs train_step and the programs in peers/ in turn and prints a table; started by compare.sh."""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PAIRS = ["mlp", "dcgan", "wgan-gp", "r1r2", "ring", "default"]

# What of ours is timed: name, arithmetic of its products, arguments of train_step beyond --net, --batch, --threads, --reps.
OUR_VARIANTS = [("highest", "float", []), ("medium", "bfloat16", ["--precision", "medium"])]

# Repetitions at batch 128: ours, PyTorch's, JAX's. One of `dcgan-small` is 16 steps, of which one has a penalty.
REPS = {"mlp": (40, 30, 30), "dcgan": (9, 5, 2), "wgan-gp": (9, 5, 2), "r1r2": (15, 9, 2), "ring": (1000, 400, 600),
        "default": (20, 10, 1), "dcgan-small": (3, 2, 1), "dcgan64": (3, 2, 1)}
# JAX is several times slower on convolutions: it runs in the first round only there, in float32.
DENSE = ("mlp", "ring")
NOT_IN_JAX = ("default",)  # nobody has written it there


def arguments():
    p = argparse.ArgumentParser(prog="compare.sh", description="Times a training step of the library, PyTorch and JAX in turn.")
    words = lambda text: [w for w in text.split(",") if w]  # noqa: E731
    numbers = lambda text: [int(w) for w in words(text)]  # noqa: E731
    p.add_argument("--venv", help="folder of a virtual environment with PyTorch and JAX, made when missing "
                   "(default: build/peers-venv; PyPI's PyTorch brings CUDA along and takes 6 GB)")
    p.add_argument("--nets", type=words, help=f"of {','.join(PAIRS)},dcgan64 (default: all but the last)")
    p.add_argument("--threads", type=numbers, help="default: 1,2, as far as there are processors")
    p.add_argument("--batches", type=numbers, help="default: 128")
    p.add_argument("--rounds", type=int, default=3, help="default: 3; each figure is the median of them")
    p.add_argument("--effort", type=float, default=1, help="factor of the usual repetitions in a round (default: 1)")
    p.add_argument("--peers", type=words, default=["torch", "jax"], help="default: torch,jax")
    p.add_argument("--all", action="store_true", help="batches 32 and 512, dcgan64 and torch.compile, too: hours")
    p.add_argument("--json", metavar="FILE", help="write all figures to it")
    p.add_argument("--program", help=argparse.SUPPRESS)
    p.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    a = p.parse_args()
    processors = len(os.sched_getaffinity(0))
    a.nets = a.nets or PAIRS + (["dcgan64"] if a.all else [])
    a.batches = a.batches or ([128, 32, 512] if a.all else [128])
    a.threads = a.threads or [t for t in (1, 2) if t <= processors]
    for net in a.nets:
        if net not in REPS:
            p.error(f"--nets: {net} is not one of {', '.join(REPS)}")
    for peer in a.peers:
        if peer not in ("torch", "jax"):
            p.error(f"--peers: {peer} is neither torch nor jax")
    if max(a.threads) > processors or min(a.threads) < 1:
        p.error(f"--threads: this process may run on {processors} processors")
    if a.rounds < 1 or a.effort <= 0 or min(a.batches) < 8 or any(b % 4 for b in a.batches):
        p.error("expected --rounds of 1 or more, --effort above 0, --batches of 8 or more that 4 divides")
    return a


def machine():
    """The processor's name, and which of the instruction sets that products can use it has."""
    info = pathlib.Path("/proc/cpuinfo").read_text()
    fields = dict(reversed([(k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in info.splitlines())]))
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    names = {"amx_bf16": "AMX-BF16", "avx512_bf16": "AVX512-BF16", "avx512f": "AVX-512", "avx2": "AVX2", "sve": "SVE",
             "bf16": "BF16", "asimd": "NEON"}
    return {"processor": fields.get("model name", "unknown"), "processors": len(os.sched_getaffinity(0)),
            "instruction_sets": [name for flag, name in names.items() if flag in flags]}


def processor_seconds():
    """What all programs of the machine have taken, with what a hypervisor gave to others, and our children."""
    ticks = [int(n) for n in pathlib.Path("/proc/stat").read_text().split(None, 9)[1:9]]
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK"), own.ru_utime + own.ru_stime


OTHERS = []  # processors that other programs took during each run


def run(command):
    everybody, own, start = *processor_seconds(), time.monotonic()
    lines = run_alone(command)
    everybody_after, own_after = processor_seconds()
    OTHERS.append(max(0.0, (everybody_after - everybody - own_after + own) / (time.monotonic() - start)))
    return lines


def run_alone(command):
    environment = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ends with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()


def repetitions(a, net, batch, which):
    return max(1, round(REPS[net][which] * a.effort * min(4.0, 128 / batch)))


def run_ours(a, net, batch, threads):
    for name, arithmetic, extra in OUR_VARIANTS:
        line = run([a.program, "--net", net, "--batch", batch, "--threads", threads, "--reps",
                    repetitions(a, net, batch, 0), *extra])[-1].split()
        values = {k: float(v) if v[0].isdigit() else v for k, v in zip(line[2::2], line[3::2])}
        yield {"variant": name, "arithmetic": arithmetic, **values}


def run_peer(a, peer, net, batch, threads):
    command = [sys.executable, HERE / "peers" / f"{peer}_step.py", "--net", net, "--batch", batch, "--json", "--reps",
               repetitions(a, net, batch, 1 if peer == "torch" else 2)]
    if peer == "torch":
        command += ["--threads", threads] + (["--compile"] if a.all else [])
    else:
        processors = ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))
        command = ["taskset", "-c", processors, *command]
        if net not in DENSE:
            command += ["--variants", "float32"]
    for line in run(command):
        if not line.startswith("{"):
            print(line, file=sys.stderr)
            continue
        values = json.loads(line)
        half = "bf16" in values["variant"] or "bfloat16" in values["variant"]
        yield {"arithmetic": "bfloat16" if half else "float", **values}


def measure(a):
    """{(net, batch, threads): {library: {variant: figures of all rounds}}}, and the peers' versions."""
    found, versions, start = {}, {}, time.monotonic()
    cells = [(net, batch, threads) for batch in a.batches for net in a.nets for threads in a.threads]
    for number in range(a.rounds):
        for cell in cells:
            told = []
            for library in ["gan", *a.peers]:
                if library == "jax" and (cell[0] in NOT_IN_JAX or (cell[0] not in DENSE and number > 0)):
                    continue
                results = list(run_ours(a, *cell) if library == "gan" else run_peer(a, library, *cell))
                for figures in results:
                    versions.setdefault(library, figures.get("version"))
                    variants = found.setdefault(cell, {}).setdefault(library, {})
                    variants.setdefault(figures["variant"], []).append(figures)
                    told.append(f"{library} {figures['variant']} {figures['median_ms']:.2f}")
            print(f"round {number + 1} of {a.rounds}, {time.monotonic() - start:.0f} s: {cell[0]} batch {cell[1]} threads "
                  f"{cell[2]}: {', '.join(told)}", file=sys.stderr)
    return found, {k: v for k, v in versions.items() if v}


def median_of(rounds):
    """The median of each number over the rounds."""
    return {k: statistics.median(r[k] for r in rounds) if isinstance(v, float) else v for k, v in rounds[0].items()}


def best(variants, arithmetic=None):
    fitting = [v for v in variants if arithmetic in (None, v["arithmetic"])]
    return min(fitting, key=lambda v: v["median_ms"], default=None)


def beyond_state(figures):
    return figures["rss_mb"] - figures["state_mb"]


def make_row(cell, libraries):
    row = {"net": cell[0], "batch": cell[1], "threads": cell[2]}
    for library, variants in libraries.items():
        row[library] = [{**median_of(rounds), "rounds_ms": [r["median_ms"] for r in rounds]} for rounds in variants.values()]
    peers = [v for library in ("torch", "jax") for v in row.get(library, [])]
    ratios = {"float": (best(row["gan"], "float"), best(peers, "float")), "all": (best(row["gan"]), best(peers))}
    row["ratio"] = {k: theirs["median_ms"] / ours["median_ms"] for k, (ours, theirs) in ratios.items() if ours and theirs}
    row["step_rss_mb"] = {"gan": beyond_state(row["gan"][0])}
    if row.get("torch"):
        row["step_rss_mb"]["torch"] = beyond_state(row["torch"][0])  # the first variant's alone is its own
    return row


def print_table(rows):
    def time_of(row, library, arithmetic):
        v = best(row.get(library, []), arithmetic)
        return f"{v['median_ms']:.2f} {v['variant']}" if v else "-"

    def ratio(row, kind):
        return f"{row['ratio'][kind]:.2f}" if kind in row["ratio"] else "-"

    halves = any(v["arithmetic"] == "bfloat16" for row in rows for v in row["gan"])
    head = ["net", "batch", "threads", "gan float", *(["gan bfloat16"] if halves else []), "PyTorch float", "PyTorch bfloat16",
            "JAX float", "JAX bfloat16", "float/float", "best/best", "products by", "peak %", "step MB", "gan RSS", "PyTorch RSS"]
    lines = [head]
    for row in rows:
        ours = best(row["gan"], "float") or row["gan"][0]
        rss = row["step_rss_mb"]
        lines.append([row["net"], str(row["batch"]), str(row["threads"]), time_of(row, "gan", "float"),
                      *([time_of(row, "gan", "bfloat16")] if halves else []), time_of(row, "torch", "float"),
                      time_of(row, "torch", "bfloat16"), time_of(row, "jax", "float"), time_of(row, "jax", "bfloat16"),
                      ratio(row, "float"), ratio(row, "all"), f"{ours['engine']} {ours['instructions']}", f"{ours['peak_percent']:.0f}", f"{ours['step_mb']:.1f}",
                      f"{rss['gan']:.0f}", f"{rss['torch']:.0f}" if "torch" in rss else "-"])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths))))


def main():
    a = arguments()
    if a.check:
        return
    if not a.program:
        sys.exit("started by compare.sh, which builds the program")
    here = machine()
    print(f"{here['processor']}, {here['processors']} processors: {', '.join(here['instruction_sets']) or 'no vectors known'}",
          file=sys.stderr)
    try:
        found, versions = measure(a)
    except RuntimeError as error:
        sys.exit(f"compare.sh: {error}")
    rows = [make_row(cell, libraries) for cell, libraries in found.items()]
    versions_text = ", ".join(f"{k} {v}" for k, v in versions.items())
    print(f"{here['processor']}, {here['processors']} processors ({', '.join(here['instruction_sets'])}); {versions_text}; "
          f"median of {a.rounds} rounds, ms a step")
    print("Ratios above 1: the library is faster than the best variant of PyTorch and JAX, in float and of all. step MB: of our "
          "tensors beyond\nparameters, gradients, moments and average; RSS: of the process beyond these and what it had before.\n")
    print_table(rows)
    others = {"mean": statistics.mean(OTHERS), "most": max(OTHERS)}
    if others["most"] > 0.1:
        print(f"\nOther programs took {others['mean']:.2f} processors on average, {others['most']:.2f} in one run: the more, the "
              "less these figures mean,\nabove all where there are as many threads as processors.")
    if a.json:
        result = {"machine": here, "versions": versions, "rounds": a.rounds, "processors_of_others": others, "rows": rows}
        pathlib.Path(a.json).write_text(json.dumps(result, indent=1) + "\n")


main()
