"""What the peers' programs share: memory of this process, the median of repeated steps, and the line they print."""
import json
import statistics
import time


def resident_mb(what):
    """VmRSS (now) or VmHWM (peak) in MB of 10^6 bytes; Linux only."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024e-6
    raise RuntimeError(f"/proc/self/status has no {what}")


def forget_peak():
    """Begins VmHWM anew, so that what an import needed for a moment is not counted."""
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass  # not allowed: the peak may then be the import's, and the step looks smaller or larger than it is


def median_ms(step, reps, period, warm_up):
    """Median over `reps` of the mean of `period` steps; step(i) is given its number."""
    number = 0
    for _ in range(warm_up):
        step(number)
        number += 1
    number = 0  # so that each repetition has what comes every period-th step once
    ms = []
    for _ in range(reps):
        start = time.perf_counter()
        for _ in range(period):
            step(number)
            number += 1
        ms.append((time.perf_counter() - start) * 1e3 / period)
    return statistics.median(ms)


def report(as_json, **values):
    """One line: JSON, or `library version net variant` and key value pairs."""
    if as_json:
        print(json.dumps(values), flush=True)
        return
    head = [str(values.pop(key)) for key in ("library", "version", "net", "variant")]
    text = {k: f"{v:.3f}" if k == "median_ms" else f"{v:.1f}" if isinstance(v, float) else str(v) for k, v in values.items()}
    print(" ".join(head), *(f"{k} {v}" for k, v in text.items()), flush=True)
