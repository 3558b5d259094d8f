#!/usr/bin/env python3
"""Many at once and many at rest: cold starts of one function side by side, warm environments' memory,
functions that nobody calls. The bare interpreter is the floor in the same run.

BENCH_BURST (100), BENCH_ENVIRONMENTS (500), BENCH_FUNCTIONS (1000) make it smaller."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from cloud import Cloud, Functions  # noqa: E402

BURST = int(os.environ.get("BENCH_BURST", "100"))
ENVIRONMENTS = int(os.environ.get("BENCH_ENVIRONMENTS", "500"))
FUNCTIONS = int(os.environ.get("BENCH_FUNCTIONS", "1000"))
CODE = ("import os, time\ndef handler(event, context):\n"
        "    time.sleep(event['hold'])\n    return os.getppid()\n")
HOLD = 3.0  # longer than a burst takes to start, so that every event needs an environment of its own


def row(what, value, remark=""):
    print(f"    {what:<52} {value:>14}  {remark}", flush=True)


def machine_memory():
    """What the machine has in use and cannot drop, in KB."""
    with open("/proc/meminfo") as file:
        fields = {line.split(":")[0]: int(line.split()[1]) for line in file}
    return fields["MemTotal"] - fields["MemAvailable"]


def resident(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def at_once(functions, name, count, hold):
    api = functions.cloud.client("lambda", max_pool_connections=count)

    def one(_):
        started = time.perf_counter()
        answer = api.invoke(FunctionName=name, Payload=json.dumps({"hold": hold}))
        body = answer["Payload"].read()
        assert "FunctionError" not in answer, body
        return time.perf_counter() - started - hold, json.loads(body) == 0

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        started = time.perf_counter()
        answers = list(pool.map(one, range(count)))
        total = time.perf_counter() - started - hold
    return total, sorted(taken for taken, _ in answers), sum(forked for _, forked in answers)


def floor(count):
    """As many bare interpreters that import what a runtime imports, all at once."""
    started = time.perf_counter()
    programs = [subprocess.Popen(["/usr/bin/python3", "-I", "-S", "-c", "import json, logging, socket"])
                for _ in range(count)]
    for program in programs:
        program.wait()
    return time.perf_counter() - started


def burst():
    bare = floor(BURST)
    cloud = Cloud("--log-level", "warn").start()
    try:
        functions = Functions(cloud)
        name = functions.create(CODE)
        time.sleep(1)
        total, times, forked = at_once(functions, name, BURST, HOLD)
        row(f"{BURST} cold starts of one Python function at once", f"{total:.2f} s", f"target ≤ 1.5 s; {forked} forked")
        row("  each: p50", f"{times[len(times) // 2] * 1e3:.0f} ms", f"max {times[-1] * 1e3:.0f} ms")
        row(f"  {BURST} bare interpreters at once", f"{bare:.2f} s", "no isolation, no function")
    finally:
        cloud.close()


def environments():
    cloud = Cloud("--log-level", "warn").start()
    try:
        functions = Functions(cloud)
        name = functions.create(CODE)
        time.sleep(1)
        before = machine_memory()
        made = 0
        while made < ENVIRONMENTS:  # as many clients as a machine of two cores serves
            made = min(ENVIRONMENTS, made + 100)
            at_once(functions, name, made, 4.0 + made / 50)
        time.sleep(2)
        row(f"{ENVIRONMENTS} warm Python environments: memory each", f"{(machine_memory() - before) / ENVIRONMENTS / 1024:.1f} MB",
            "target ≤ 12 MB; of the whole machine")
    finally:
        cloud.close()


def idle_functions():
    cloud = Cloud("--log-level", "warn", "--prewarm", "0").start()
    try:
        functions = Functions(cloud)
        role = functions.role()
        functions.create("def handler(e, c): pass", role=role)
        time.sleep(1)
        before = resident(cloud.process.pid)
        for _ in range(FUNCTIONS):
            functions.create("def handler(e, c): pass", role=role, wait=False)
        time.sleep(2)
        row(f"{FUNCTIONS} idle functions: memory of the server more", f"{(resident(cloud.process.pid) - before) / 1024:.2f} MB",
            "target ≤ 1 MB")
    finally:
        cloud.close()


if __name__ == "__main__":
    burst()
    environments()
    idle_functions()
