"""The bill adds up to the REPORT lines, to the millisecond, and prices what it says it prices."""

import json
import re
import subprocess
import time

import pytest

from cloud import BINARY, Functions, NODE_RUNTIME

REPORT = re.compile(r"^REPORT RequestId: (\S+)\tDuration: [\d.]+ ms\tBilled Duration: (\d+) ms\tMemory Size: (\d+) MB")
MIXED = """import os, time
def handler(e, c):
    if e.get('sleep'): time.sleep(e['sleep'])
    if e.get('fail'): raise ValueError('no')
    if e.get('exit'): os._exit(3)
    return 'x' * e.get('size', 1)
"""
PRICES = {"currency": "EUR", "lambda": {
    "per_million_requests": 1000000, "storage_gb_second": 7,
    "gb_second": {"x86_64": [{"up_to": 1, "price": 10}, {"price": 5}], "arm64": [{"price": 1}]},
    "provisioned": {"x86_64": {"gb_second": 2, "duration_gb_second": 3}, "arm64": {"gb_second": 2, "duration_gb_second": 3}}}}


def bill_of(cloud, name, requests, wanted=lambda line: True):
    """The function's line, once the meter has written it (it does so ten times a second)."""
    deadline = time.monotonic() + 15
    while True:
        bill = cloud.admin("GET", "bill")
        line = next((l for l in bill["lines"] if l["function"] == name), None)
        if line and line["requests"] == requests and wanted(line):
            return bill, line
        assert time.monotonic() < deadline, bill
        time.sleep(0.02)


def test_a_mixed_run_adds_up_exactly(cloud, functions):
    functions_of = {
        functions.create(MIXED, MemorySize=512, Timeout=1): [{}, {"fail": 1}, {"exit": 1}, {"sleep": 3}, {"size": 5000}, {}],
        functions.create(MIXED, MemorySize=1792, EphemeralStorage={"Size": 1536}): [{}, {"sleep": 0.2}, {"fail": 1}],
        functions.create("export const handler = async () => 1;\n", runtime=NODE_RUNTIME, MemorySize=256): [{}, {}, {}],
    }
    for name, events in functions_of.items():
        for event in events:
            functions.invoke(name, event)
        functions.invoke(name, {}, InvocationType="Event")
    for name, events in functions_of.items():
        count = len(events) + 1
        _, line = bill_of(cloud, name, count)
        reports = [REPORT.match(m) for m in functions.messages(name, count, pattern="REPORT") if m.startswith("REPORT")]
        assert len({r.group(1) for r in reports}) == count
        assert line["billed_ms"] == sum(int(r.group(2)) for r in reports)
        memory = int(reports[0].group(3))
        assert line["gb_seconds"] == pytest.approx(line["billed_ms"] / 1000 * memory / 1024, rel=1e-12)
        storage = 1.0 if memory == 1792 else 0.0
        assert line["storage_gb_seconds"] == pytest.approx(line["billed_ms"] / 1000 * storage, rel=1e-12)
        cost = count * 0.2e-6 + line["gb_seconds"] * 0.0000166667 + line["storage_gb_seconds"] * 0.0000000309
        assert line["cost"] == pytest.approx(cost, rel=1e-9)
        assert line["failed"] == sum("fail" in e or "exit" in e or e.get("sleep", 0) > 1 for e in events)
    bill = cloud.admin("GET", "bill")
    assert bill["list_total"] == pytest.approx(sum(l["cost"] for l in bill["lines"]))
    assert bill["total"] == bill["list_total"] and not bill["free_tier_applies"]
    assert 0 < bill["free_tier"] <= bill["list_total"]


def test_ones_own_prices_with_tiers_free_tier_and_provisioned_concurrency(fresh, tmp_path):
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({**PRICES, "free_tier": {"applies": True, "requests": 2, "gb_seconds": 0}}))
    cloud = fresh("--prices", str(prices), "--clock", "manual")
    functions = Functions(cloud)
    name = functions.create(MIXED, MemorySize=2048)
    for _ in range(3):
        functions.invoke(name, {"sleep": 0.3})
    bill, line = bill_of(cloud, name, 3)
    assert bill["currency"] == "EUR"
    assert line["duration_cost"] == pytest.approx(10 + (line["gb_seconds"] - 1) * 5)
    assert line["request_cost"] == 3
    assert bill["free_tier"] == 2 and bill["total"] == pytest.approx(bill["list_total"] - 2)
    version = functions.api.publish_version(FunctionName=name)["Version"]
    functions.api.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    deadline = time.monotonic() + 30
    while functions.api.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)["Status"] != "READY":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    cloud.admin("POST", "clock", {"by_us": 10 * 60 * 1_000_000})
    functions.invoke(name, {}, Qualifier=version)
    functions.api.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
    _, stood = bill_of(cloud, name, 4, lambda line: line["provisioned_gb_seconds"] > 0)
    assert stood["provisioned_gb_seconds"] == pytest.approx(600 * 2)
    assert stood["provisioned_cost"] == pytest.approx(600 * 2 * 2)
    ran = stood["gb_seconds"] - line["gb_seconds"]
    assert stood["duration_cost"] - line["duration_cost"] == pytest.approx(ran * 3)
    shown = subprocess.run([BINARY, "bill", "--listen", cloud.address], capture_output=True, text=True, check=True).stdout
    assert name in shown and "of the free tier" in shown


def test_a_price_list_that_makes_no_sense_stops_the_start(tmp_path):
    prices = tmp_path / "prices.json"
    prices.write_text('{"lambda": {"gb_second": {}}}')
    done = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--prices", str(prices)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "price list" in done.stderr + done.stdout
