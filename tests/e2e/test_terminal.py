"""The `pileus` program as people use it."""

import subprocess
import time

from cloud import BINARY


def pileus(cloud, *arguments, check=True):
    answer = subprocess.run([BINARY, *arguments, *(["--listen", cloud.address] if cloud else [])], capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0 or not check, answer.stderr
    return answer


def test_env_prints_what_to_export(cloud):
    lines = pileus(cloud, "env").stdout.splitlines()
    assert f"export AWS_ENDPOINT_URL={cloud.url}" in lines
    assert "export AWS_DEFAULT_REGION=us-east-1" in lines


def test_status_names_what_it_may_do(cloud):
    text = pileus(cloud, "status").stdout
    for word in ("isolation", "cgroup", "network", "runtimes"):
        assert word in text.lower(), text


def test_bill_reconciles_with_the_report(cloud, functions):
    name = functions.create("def handler(e, c): return 1\n", MemorySize=1024)
    for _ in range(3):
        functions.invoke(name)
    deadline = time.monotonic() + 10  # the meter is written ten times a second
    while True:
        bill = cloud.admin("GET", "bill?account=000000000000&region=us-east-1")
        line = next((l for l in bill["lines"] if l["function"] == name), {"requests": 0})
        if line["requests"] == 3:
            break
        assert time.monotonic() < deadline, bill
    reports = functions.messages(name, 3, pattern="REPORT")
    billed = sum(int(r.split("Billed Duration: ")[1].split()[0]) for r in reports)
    assert abs(line["gb_seconds"] - billed / 1000) < 1e-9
    assert name in pileus(cloud, "bill").stdout


def test_logs_of_a_function(cloud, functions):
    name = functions.create("def handler(e, c): print('hello from here')\n")
    functions.invoke(name)
    functions.messages(name, 4)
    assert "hello from here" in pileus(cloud, "logs", name).stdout
    assert f"/aws/lambda/{name}" in pileus(cloud, "logs").stdout


def test_tail_follows(cloud, functions):
    name = functions.create("def handler(e, c): print('number', e)\n")
    functions.invoke(name, 1)
    functions.messages(name, 4)
    tail = subprocess.Popen([BINARY, "logs", name, "--tail", "--listen", cloud.address], stdout=subprocess.PIPE, text=True)
    try:
        while "number 1" not in tail.stdout.readline():
            pass
        functions.invoke(name, 2)
        while "number 2" not in tail.stdout.readline():
            pass
    finally:
        tail.kill()
        tail.wait()


def test_errors_name_the_remedy():
    answer = subprocess.run([BINARY, "status", "--listen", "127.0.0.1:1"], capture_output=True, text=True)
    assert answer.returncode == 1 and "pileus serve" in answer.stderr
    answer = subprocess.run([BINARY, "serve", "--account", "12"], capture_output=True, text=True)
    assert answer.returncode != 0 and "12 digits" in answer.stderr


def test_two_servers_do_not_share_a_data_directory(cloud):
    answer = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", cloud.data], capture_output=True, text=True, timeout=20)
    assert answer.returncode == 1 and "data" in answer.stderr


def test_clock(fresh):
    cloud = fresh("--clock", "manual")
    before = cloud.admin("GET", "clock")["now_ms"]
    subprocess.run(
        [BINARY, "clock", "--listen", cloud.address, "advance", "5m"], check=True, capture_output=True)
    assert cloud.admin("GET", "clock")["now_ms"] == before + 300_000
    cloud.kill()
    cloud.start()
    assert cloud.admin("GET", "clock")["now_ms"] >= before + 300_000


def test_completion_and_help():
    assert "complete -F" in subprocess.run([BINARY, "completion"], capture_output=True, text=True).stdout
    for command in ("serve", "status", "logs", "bill", "clock", "env", "reset", "runtimes"):
        assert "Usage" in subprocess.run([BINARY, command, "--help"], capture_output=True, text=True).stdout
