#!/usr/bin/env python3
"""A long run of mixed load while sandboxes and the server are killed at random moments: `./dev soak [minutes]`.

What must hold: no acknowledged asynchronous event is lost, none reaches another function or version than it was
meant for, every synchronous answer is right or an honest error, and nothing is left behind: processes, control
groups, mounts, network namespaces, loop devices, firewall tables are as many after as before; descriptors and memory
of the server do not grow from one quiet moment to the next. Prints what it counted; exits with 1 if anything fails.
"""

import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
from cloud import Cloud, Functions, LOGS_POLICY, NODE_RUNTIME, zipped  # noqa: E402

import botocore.exceptions  # noqa: E402

SANDBOX_UID = 0x70000000  # and above: the host's user ids of sandboxes
TROUBLE = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
# The effect of an event is a user whose name says which event it was, in a path that says where it arrived.
PYTHON = """
import boto3, os
iam = boto3.client('iam')
def handler(event, context):
    here = os.environ['AWS_LAMBDA_FUNCTION_NAME'] + '.' + context.function_version
    if 'effect' in event:
        try:
            iam.create_user(UserName=event['effect'], Path='/' + here.replace('$', '') + '/')
        except iam.exceptions.EntityAlreadyExistsException:
            pass
    return {'n': event['n'] + 1, 'here': here}
"""
NODE = """exports.handler = async (event, context) =>
  ({n: event.n + 1, here: process.env.AWS_LAMBDA_FUNCTION_NAME + '.' + context.functionVersion});
"""


def count(command):
    return len(subprocess.run(command, shell=True, capture_output=True, text=True).stdout.split("\n")) - 1


def uid(pid):
    try:
        return int(re.search(r"Uid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))
    except (OSError, AttributeError):
        return -1


def below(pid):
    """The processes that a process started, and theirs."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [p for child in map(int, children) for p in (child, *below(child))]


def machine():
    """What a server could leave on the machine."""
    return {"sandbox processes": sum(uid(p.name) >= SANDBOX_UID for p in pathlib.Path("/proc").glob("[0-9]*")),
            "control groups": count("find /sys/fs/cgroup -maxdepth 6 -type d -name 'pileus-*'"),
            "mounts": count("cat /proc/self/mountinfo"),
            "network namespaces": count("lsns -n -t net"),
            "loop devices": count("losetup -n -l"),
            "firewall tables": count("nft list tables | grep pileus"),
            "network interfaces": count("ls /sys/class/net")}


class Soak:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.cloud = Cloud("--log-level", "warn").start()
        self.stop = threading.Event()
        self.counts = collections.Counter()
        self.faults = []
        self.acknowledged = {}  # effect -> where it must arrive
        self.functions = Functions(self.cloud)
        role = self.functions.role(managed=(LOGS_POLICY,), policy={"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}]})
        self.targets = []  # (function, qualifier, where)
        for i in range(3):
            name = self.functions.create(PYTHON, name=f"soak-{i}", role=role, Timeout=30, MemorySize=256)
            for _ in range(2):
                self.functions.api.update_function_configuration(FunctionName=name, Description=os.urandom(4).hex())
                self.functions.api.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.2})
                version = self.functions.api.publish_version(FunctionName=name)["Version"]
                self.targets.append((name, version, f"{name}.{version}"))
            self.functions.api.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
            self.targets.append((name, "live", f"{name}.{version}"))
        self.node = self.functions.create(runtime=NODE_RUNTIME, package=zipped(app__js=NODE), name="soak-node", role=role)

    def fault(self, text):
        self.faults.append(text)
        print("    FAULT", text, flush=True)

    def client(self, service):
        return self.cloud.client(service, connect_timeout=5)

    # --- the load ---------------------------------------------------------------------------------
    def send_events(self, worker):
        api, number, chance = self.client("lambda"), 0, random.Random(worker)
        while not self.stop.wait(0.03):
            name, qualifier, where = chance.choice(self.targets)
            effect = f"e-{worker}-{number}"
            number += 1
            try:
                api.invoke(FunctionName=name, Qualifier=qualifier, InvocationType="Event",
                           Payload=json.dumps({"n": number, "effect": effect}))
            except TROUBLE:
                self.counts["events refused"] += 1
                continue
            self.acknowledged[effect] = where
            self.counts["events acknowledged"] += 1

    def ask(self, worker):
        api, number, chance = self.client("lambda"), 0, random.Random(1000 + worker)
        while not self.stop.is_set():
            name, qualifier, where = chance.choice([*self.targets, (self.node, "$LATEST", "soak-node.$LATEST")])
            number += 1
            try:
                answer = api.invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps({"n": number}))
            except TROUBLE:
                self.counts["calls cut off"] += 1
                self.stop.wait(0.05)
                continue
            body = json.loads(answer["Payload"].read())
            if answer.get("FunctionError"):
                self.counts["calls whose sandbox was killed"] += 1
                if body.get("errorType") != "Runtime.ExitError":
                    self.fault(f"{where}: {body}")
            elif body != {"n": number + 1, "here": where}:
                self.fault(f"{where} answered {body}")
            else:
                self.counts["calls answered"] += 1

    def churn(self):
        """Functions come, change and go."""
        number = 0
        while not self.stop.wait(0.5):
            number += 1
            functions = Functions(self.cloud)
            try:
                name = functions.create(f"def handler(e, c): return {number}\n", role=self.functions_role())
                if functions.invoke(name)[1] != number:
                    self.fault(f"{name} is not what was created")
                functions.api.update_function_code(FunctionName=name, ZipFile=zipped(app__py=f"def handler(e, c): return -{number}\n"))
                functions.api.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.2})
                answer, body = functions.invoke(name)
                if body != -number and not answer.get("FunctionError"):
                    self.fault(f"{name} ran old code: {body}")
                functions.api.delete_function(FunctionName=name)
                self.counts["functions come and gone"] += 1
            except (*TROUBLE, AssertionError):
                self.counts["changes cut off"] += 1

    def functions_role(self):
        return self.functions.api.get_function_configuration(FunctionName="soak-0")["Role"]

    # --- the blows --------------------------------------------------------------------------------
    def kill_sandboxes(self):
        while not self.stop.wait(self.random.uniform(0.2, 1.5)):
            victims = [p for p in below(self.cloud.process.pid) if uid(p) >= SANDBOX_UID]
            if victims:
                try:
                    os.kill(self.random.choice(victims), 9)
                    self.counts["sandboxes killed"] += 1
                except ProcessLookupError:
                    pass

    def kill_server(self):
        while not self.stop.wait(self.random.uniform(10, 30)):
            self.cloud.kill()
            self.cloud.start()
            self.counts["servers killed"] += 1

    # --- what must hold ---------------------------------------------------------------------------
    def settle(self):
        """All acknowledged events have had their effect, where they should."""
        iam, deadline = self.client("iam"), time.monotonic() + 600
        while True:
            arrived = {u["UserName"]: u["Path"].strip("/") for p in iam.get_paginator("list_users").paginate() for u in p["Users"]}
            missing = set(self.acknowledged) - set(arrived)
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(2)
        for effect in sorted(missing)[:20]:
            self.fault(f"event {effect} for {self.acknowledged[effect]} was acknowledged and lost")
        for effect, where in self.acknowledged.items():
            if effect in arrived and arrived[effect] != where:
                self.fault(f"event {effect} for {where} arrived at {arrived[effect]}")

    def quiet(self):
        """Descriptors and memory of the server with nothing to do."""
        time.sleep(3)
        pid = self.cloud.process.pid
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return {"descriptors": len(os.listdir(f"/proc/{pid}/fd")), "resident MB": int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024}

    def run(self, seconds):
        workers = [threading.Thread(target=self.send_events, args=(i,)) for i in range(2)]
        workers += [threading.Thread(target=self.ask, args=(i,)) for i in range(3)]
        workers += [threading.Thread(target=f) for f in (self.churn, self.kill_sandboxes, self.kill_server)]
        for worker in workers:
            worker.start()
        ends, shown = time.monotonic() + seconds, time.monotonic()
        while time.monotonic() < ends and not self.faults:
            time.sleep(1)
            if time.monotonic() - shown > 30:
                shown = time.monotonic()
                print("   ", dict(self.counts), flush=True)
        self.stop.set()
        for worker in workers:
            worker.join()
        self.settle()


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(os.environ.get("PILEUS_SEED", time.time_ns() % 1_000_000))
    print(f"    seed {seed}, {minutes:g} minutes", flush=True)
    before = machine()
    soak = Soak(seed)
    try:
        first = soak.quiet()
        soak.run(minutes * 60)
        soak.cloud.admin("POST", "reset")  # ends the environments: what they held must be given back
        last = soak.quiet()
        print("    at rest, first server:", first, " last server, emptied:", last)
        if last["descriptors"] > first["descriptors"] + 10:
            soak.fault("descriptors left open")
    finally:
        soak.cloud.close()
    time.sleep(1)
    after = machine()
    for what, number in before.items():
        print(f"    {what:<22} before {number:>4}   after {after[what]:>4}")
        if after[what] > number:
            soak.fault(f"{after[what] - number} {what} left behind")
    for what, number in sorted(soak.counts.items()):
        print(f"    {what:<32} {number:>8}")
    print("soak:", "FAILED" if soak.faults else "clean")
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
