"""A zygote: the interpreter with what functions load anyway, and none of a customer's code, that
forks into prepared sandboxes. serve() returns in the forks only; a fork then takes its assignment
like a held process. The forking is done by a library that the platform puts in our way."""

import gc
import os
import sys

LIBRARY = "/run/pileus/enter.so"
SOCKET = 3
IDLE_MS = 250  # so long without a fork: time to load the SDK, for whoever comes later
FORK, IDLE = 0, -1
usual_modules = frozenset()  # loaded in a held process as well

# What functions import; a fork shares its memory.
USUAL = ("base64", "collections.abc", "concurrent.futures", "contextlib", "copy", "datetime", "decimal",
         "enum", "functools", "hashlib", "hmac", "http.client", "importlib", "io", "itertools", "json",
         "logging", "math", "operator", "random", "re", "socket", "ssl", "string", "struct", "tempfile",
         "threading", "time", "traceback", "typing", "urllib.parse", "urllib.request", "uuid", "zlib")
SDK = ("boto3", "botocore.client", "botocore.endpoint", "botocore.session", "s3transfer")
# Top-level names that come with the SDK: a function that brings one of them gets its own.
SDK_NAMES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")


def load(names):
    for name in names:
        try:
            __import__(name)
        except Exception:  # a fork will load it, or say what is wrong
            pass
    gc.collect()
    gc.freeze()  # a collection in a fork would write to all that is shared


def serve():
    global usual_modules
    usual_modules = frozenset(sys.modules)
    import ctypes
    fork = ctypes.PyDLL(LIBRARY).pileus_serve_forks  # keeps the interpreter's lock
    load(USUAL)
    outcome = fork(SOCKET, IDLE_MS)
    while outcome == IDLE:
        load(SDK)
        outcome = fork(SOCKET, -1)
    if outcome != FORK:
        sys.exit("this process cannot be forked from: %s" % os.strerror(outcome))
    sys.argv.pop()
    forget_chance()


def forget_chance():
    """Forks have random numbers of their own. The random module sees to itself; OpenSSL looks at
    its process number only, which may be the same in two sandboxes."""
    ssl = sys.modules.get("_ssl")
    if ssl is not None:
        ssl.RAND_add(os.urandom(48), 48.0)
    uuid = sys.modules.get("uuid")
    if uuid is not None:
        uuid._last_timestamp = None


def drop_shadowed(runtime_dir):
    """Forgets what we loaded ahead where the function's path finds a module of that name first: a
    function that brings its own gets its own, as in a process that started for it."""
    first = sys.path[:sys.path.index(runtime_dir)] if runtime_dir in sys.path else sys.path
    brought = set()
    for folder in first:
        try:
            brought.update(name.partition(".")[0] for name in os.listdir(folder))
        except OSError:
            pass
    ahead = {name.partition(".")[0] for name in sys.modules.keys() - usual_modules}
    hidden = ahead & brought
    if hidden & set(SDK_NAMES):
        hidden.update(SDK_NAMES)
    if hidden:
        for module in list(sys.modules):
            if module.partition(".")[0] in hidden:
                del sys.modules[module]
