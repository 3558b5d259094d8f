#!/usr/bin/env python3
"""The rules that a machine can keep: floors, names, lengths, and the few bans that matter.

Floors (a room includes its own folder, rooms on lower floors, and generated code where it may):
see ARCHITECTURE.md. Exits 1 and names file, line, rule and remedy for each breach.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
FLOORS = {"base": 0, "net": 1, "store": 2, "sandbox": 2, "network": 2, "balance": 2, "schedule": 2,
          "aws": 3, "gen": 3, "services": 4, "app": 5}
ONLY_NET = re.compile(r'#include\s*[<"](boost/(asio|beast)|openssl/(ssl|x509|tls))')
BANS = [
    (re.compile(r"\bstd::(rand|srand)\b|\brandom_device\b"), "chance is given: use base/random.h", {"base"}),
    (re.compile(r"system_clock::now|steady_clock::now|\bgettimeofday\b|(?<![\w.>])time\(nullptr\)"),
     "time is given: take a Clock or RealTime", {"base", "net", "sandbox", "store"}),
    (re.compile(r"std::this_thread::sleep|\busleep\("), "threads do not sleep: wait for the event", {"base", "sandbox"}),
    (re.compile(r"\b(strcpy|strcat|sprintf|gets|strtok)\("), "bounded forms only", set()),
    (re.compile(r"\bstd::cout\b|\bprintf\(\""), "only app/ talks to the terminal; others use base/log.h", {"app"}),
    (re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b"), "no TODO in the tree: do it, or file it", set()),
    (re.compile(r"/work/|/root/\.|helper-\d|\bin this session\b"), "nothing of the machine it was written on", set()),
]
MAX_LINE = 120
MAX_TEST_LINE = 200  # tests quote other languages
MAX_FILE = 1200
problems = []


def problem(path, line, text):
    problems.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def check_source(path):
    relative = path.relative_to(SRC)
    room = relative.parts[0]
    floor = FLOORS.get(room)
    if floor is None:
        problem(path, 1, f"src/{room} is no room of the house: name it in tools/tidy.py and ARCHITECTURE.md")
        return
    if not re.fullmatch(r"[a-z0-9_]+\.(cpp|h|c)", path.name):
        problem(path, 1, "file names are snake_case")
    test = path.name.endswith("_test.cpp") or "test" in path.stem.split("_")
    lines = path.read_text().splitlines()
    if len(lines) > MAX_FILE:
        problem(path, 1, f"{len(lines)} lines: a file that long holds two")
    if path.suffix == ".h" and not any("#pragma once" in line for line in lines[:40]):
        problem(path, 1, "headers begin with a comment of purpose and #pragma once")
    if path.suffix == ".h" and not (lines and lines[0].startswith("//")):
        problem(path, 1, "headers open with a comment: purpose, owner, thread, limits")
    for number, line in enumerate(lines, 1):
        include = re.match(r'\s*#include "([^"]+)"', line)
        if include:
            check_include(path, number, relative, floor, include.group(1), test)
        if room not in ("net",) and ONLY_NET.search(line) and not test:
            problem(path, number, "only net/ includes Asio, Beast and TLS")
        longest = MAX_TEST_LINE if test else MAX_LINE
        if len(line) > longest:
            problem(path, number, f"{len(line)} columns (100 is the aim, {longest} the end)")
        if not test:
            for pattern, remedy, allowed in BANS:
                if room not in allowed and pattern.search(line):
                    problem(path, number, remedy)


def check_include(path, number, relative, floor, included, test):
    parts = pathlib.PurePosixPath(included).parts
    if len(parts) == 1:
        problem(path, number, f'includes name their room: "{relative.parent}/{included}"')
        return
    target = FLOORS.get(parts[0])
    if target is None:
        return
    if parts[0] == relative.parts[0]:
        if parts[0] == "services" and parts[1] != relative.parts[1] and parts[1] != "billing":
            problem(path, number, f"rooms do not include one another: call {parts[1]} through its generated interface")
        return
    if target > floor or (target == floor and parts[0] != "gen" and relative.parts[0] != "gen"):
        problem(path, number, f"{relative.parts[0]}/ (floor {floor}) may not include {parts[0]}/ (floor {target})")


def main():
    for path in sorted(SRC.rglob("*")):
        if path.suffix in (".cpp", ".h", ".c") and "testdata" not in path.parts:
            check_source(path)
    for line in problems:
        print(line)
    print(f"    tidy: {len(problems)} breaches" if problems else "    tidy: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
