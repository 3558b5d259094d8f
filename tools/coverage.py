#!/usr/bin/env python3
"""Writes docs/coverage.md from the models and models/services/*.json: per service the operations
spoken of all, those proved member by member, and the input members honoured, refused by name and in all.

  tools/coverage.py           writes the page
  tools/coverage.py --check   exits 1 when the page is stale
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
PENDING = ROOT / "tests" / "e2e" / "members_pending.json"


def botocore_loader():
    """botocore is in the build's own environment, whichever Python runs this."""
    for packages in sorted((ROOT / "build" / "venv" / "lib").glob("python3*/site-packages")):
        sys.path.append(str(packages))
    from botocore.loaders import Loader
    return Loader()


def members(shapes, shape_name, prefix="", seen=()):
    """Paths of all members below a structure; lists and maps are entered, a cycle once."""
    shape = shapes[shape_name]
    kind = shape["type"]
    if kind == "list":
        yield from members(shapes, shape["member"]["shape"], prefix, seen)
    elif kind == "map":
        yield from members(shapes, shape["value"]["shape"], prefix, seen)
    elif kind == "structure" and shape_name not in seen:
        for name, spec in shape.get("members", {}).items():
            path = f"{prefix}.{name}" if prefix else name
            yield path
            yield from members(shapes, spec["shape"], path, seen + (shape_name,))


class Coverage:
    def __init__(self, name, config, model, pending):
        self.name, self.config, self.model, self.pending = name, config, model, pending
        self.full_name = model["metadata"]["serviceFullName"]
        self.operations = sorted(set(config["operations"]))
        self.refused = config.get("refused", {})
        self.rows = [self.row(operation) for operation in self.operations]

    def row(self, operation):
        reference = self.model["operations"][operation].get("input")
        paths = list(members(self.model["shapes"], reference["shape"])) if reference else []
        reasons = {}
        for place, reason in self.refused.items():
            target, path = place.split(".", 1)
            if target == operation:
                reasons[path] = reason if isinstance(reason, str) else reason["reason"]
        refused = [p for p in paths if any(p == r or p.startswith(r + ".") for r in reasons)]
        return operation, len(paths), len(refused), reasons

    def totals(self):
        total = sum(row[1] for row in self.rows)
        refused = sum(row[2] for row in self.rows)
        return len(self.operations), len(self.model["operations"]), total - refused, refused, total


def page(services):
    total = sum(len(s.operations) for s in services)
    proved = total - sum(len(s.pending) for s in services)
    out = ["# Coverage", "",
           "Made by `tools/coverage.py` from the models and `models/services/*.json`; not edited by hand.", "",
           "An operation that is not spoken answers `NotImplemented` (501) in its protocol's own form. An input member",
           "is honoured, or refused by name with the reason; nothing is accepted and ignored. Members are counted at",
           "every depth of an operation's input. `tests/e2e/test_members.py` proves it against a running server: each",
           "member honoured is seen to act (what can be seen differs from the same call without it), each one refused is",
           "refused by its name. The operations that wait for their proof are listed in",
           f"`tests/e2e/members_pending.json`; any other without one fails the test. {proved} of {total} operations proved.", "",
           "| service | operations spoken | of | proved | members honoured | refused by name | of |",
           "|---|---:|---:|---:|---:|---:|---:|"]
    for service in services:
        spoken, all_operations, honoured, refused, members_total = service.totals()
        out.append(f"| [{service.name}](#{service.name}) | {spoken} | {all_operations} | {spoken - len(service.pending)} | {honoured} | {refused} | {members_total} |")
    for service in services:
        out += ["", f"## {service.name}", "", f"{service.full_name}.", "",
                "| operation | members honoured | refused | of |", "|---|---:|---:|---:|"]
        out += [f"| {name} | {total - refused} | {refused} | {total} |" for name, total, refused, _ in service.rows]
        reasons = [(name, path, why) for name, _, _, reasons in service.rows for path, why in reasons.items()]
        if reasons:
            out += ["", "| refused | why |", "|---|---|"]
            out += [f"| `{name}.{path}` | {why} |" for name, path, why in reasons]
    return "\n".join(out) + "\n"


def main():
    loader = botocore_loader()
    services, pending = [], json.loads(PENDING.read_text())
    for path in sorted((ROOT / "models" / "services").glob("*.json")):
        config = json.loads(path.read_text())
        model = loader.load_service_model(config["model"], "service-2", config.get("api_version"))
        services.append(Coverage(path.stem, config, model, pending.get(path.stem, [])))
    text = page(services)
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text() != text:
            print("docs/coverage.md is stale: run tools/coverage.py")
            return 1
        return 0
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    spoken, waiting = (sum(map(len, x)) for x in ([s.operations for s in services], pending.values()))
    print(f"{spoken - waiting} of {spoken} operations proved")
    return 0


if __name__ == "__main__":
    sys.exit(main())
