"""The managed Python runtime (3.9 and newer): one function, one process, one event at a time.

Started in three ways:
  python3.x -I -S bootstrap.py          held: loads what is slow, then reads its environment as
                                        KEY=value NUL ... until end of file from descriptor 3
  python3.x -I -S bootstrap.py --now    (or without a descriptor 3) the environment is its own
  python3.x -I -S bootstrap.py --zygote loads still more and forks into sandboxes; each fork goes on
                                        as held (pileus_runtime.forks)

It then imports the handler and serves the Runtime API (pileus_runtime). Start time counts, so
only C modules are imported there; json, logging and traceback are loaded while held, or when they
are first needed. What it answers and logs follows AWS's own runtime client.
"""

import os
import sys
import time

RUNTIME_DIR = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, RUNTIME_DIR)
sys.dont_write_bytecode = True  # what we load is compiled already, or not to be written to

from pileus_runtime import client, handler, logs  # noqa: E402

# Read by the dynamic loader or the interpreter before any of our code runs: a held process whose
# assignment differs in one of them starts itself again.
START_VARIABLES = ("LD_", "MALLOC_", "GLIBC_TUNABLES", "PYTHON", "LC_", "LANG")
NOT_START_VARIABLES = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")


def take_assignment():
    """Waits at the hold point and replaces the environment by the assigned one."""
    preload()
    chunks = []
    while True:
        chunk = os.read(3, 65536)
        if not chunk:
            break
        chunks.append(chunk)
    os.close(3)
    assigned = {}
    for entry in b"".join(chunks).split(b"\0"):
        key, equals, value = entry.partition(b"=")
        if equals:
            assigned[os.fsdecode(key)] = os.fsdecode(value)
    if "LC_CTYPE" not in assigned:
        os.environ.pop("LC_CTYPE", None)  # the interpreter's own, where LANG's locale is not installed
    if start_variables(os.environ) != start_variables(assigned):
        flags = ["-S"] if any(key.startswith("PYTHON") for key in start_variables(assigned)) else ["-I", "-S"]
        os.execve(sys.executable, [sys.executable, *flags, sys.argv[0], "--now"], assigned)
    os.environ.clear()
    os.environ.update(assigned)


def start_variables(environment):
    return {
        key: value
        for key, value in environment.items()
        if key.startswith(START_VARIABLES) and key not in NOT_START_VARIABLES
    }


def preload():
    """What most functions load anyway; done while there is nothing else to do."""
    import contextlib, datetime, importlib, json, logging, re, socket, traceback  # noqa: F401, E401
    import uuid  # noqa: F401
    json.dumps([json.loads('{"warm": 1.5}')])


def settle_environment():
    """Paths, directory, time zone, and the few names that -S leaves out."""
    environ = os.environ
    if "TZ" in environ:
        time.tzset()
    task_root = environ.get("LAMBDA_TASK_ROOT") or "/var/task"
    version = "python%d.%d" % sys.version_info[:2]
    standard = [path for path in sys.path if path and path != RUNTIME_DIR]
    first = [task_root]
    mine = (task_root, RUNTIME_DIR, "/var/runtime")
    first += [path for path in environ.get("PYTHONPATH", "").split(":") if path and path not in mine]
    first += ["/opt/python/lib/" + version + "/site-packages", "/opt/python", RUNTIME_DIR]
    seen = set()
    sys.path[:] = [p for p in first + standard if not (p in seen or seen.add(p))]
    sys.argv[1:] = []
    try:
        os.chdir(task_root)
    except OSError:
        pass  # importing the handler will say what is missing
    import builtins
    import _sitebuiltins
    builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D (i.e. EOF)")
    builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D (i.e. EOF)")
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def held():
    if "--now" in sys.argv[1:]:
        return False
    try:
        os.fstat(3)
    except OSError:
        return False
    return True


def main():
    forks = None
    if "--zygote" in sys.argv[1:]:
        preload()
        from pileus_runtime import forks
        forks.serve()
    if held():
        take_assignment()
    settle_environment()
    if forks is not None:
        forks.drop_shadowed(RUNTIME_DIR)
    logs.begin()
    handler.run(client.Api(os.environ["AWS_LAMBDA_RUNTIME_API"]), os.environ.get("_HANDLER", ""))


if __name__ == "__main__":
    main()
