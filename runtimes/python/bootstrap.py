"""The managed Python runtime (3.9 and newer): one function, one process, one event at a time.

Started in two ways:
  python3.x -I -S bootstrap.py          held: loads what is slow, then reads its environment as
                                        KEY=value NUL ... until end of file from descriptor 3
  python3.x -I -S bootstrap.py --now    (or without a descriptor 3) the environment is its own

It then imports the handler and serves the Runtime API over one kept-alive socket. Start time
counts, so only C modules are imported here; json, logging and traceback are loaded while held, or
when they are first needed. What it answers and logs follows AWS's own runtime client.
"""

import _socket
import os
import sys
import time

API = "/2018-06-01/runtime/"
RUNTIME_DIR = os.path.dirname(os.path.abspath(__file__))
THIS_FILE = (lambda: 0).__code__.co_filename  # as in tracebacks, also when compiled
MAX_CAUSE_HEADER = 16384  # a longer X-Ray cause is left out
# Read by the dynamic loader or the interpreter before any of our code runs: a held process whose
# assignment differs in one of them starts itself again.
START_VARIABLES = ("LD_", "MALLOC_", "GLIBC_TUNABLES", "PYTHON", "LC_", "LANG")
NOT_START_VARIABLES = ("PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")


# --- environment -----------------------------------------------------------------------------

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
    sys.dont_write_bytecode = True  # /var/task and /opt are read-only
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


# --- JSON ------------------------------------------------------------------------------------

class _ScannerOptions:
    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}.__getitem__
    memo = {}


def make_loads():
    """json.loads without importing json: its C scanner directly, where it is as we know it."""
    try:
        from _json import make_scanner
        scan = make_scanner(_ScannerOptions)
        if scan('{"a": [1, 2.5, null]}', 0) != ({"a": [1, 2.5, None]}, 21):
            raise ValueError
    except Exception:
        import json
        return json.loads

    def loads(text):
        if not isinstance(text, str):
            text = text.decode("utf-8")
        begin = len(text) - len(text.lstrip(" \t\n\r"))
        try:
            value, end = scan(text, begin)
            if not text[end:].strip(" \t\n\r"):
                return value
        except (StopIteration, SystemError, ValueError):
            pass  # SystemError: the scanner wants json.decoder's exception, which is not loaded
        import json  # malformed: let json say how
        return json.loads(text)

    return loads


class _Raw(str):
    """Text that goes into JSON as it is: how a Decimal keeps all its digits."""


class _HasDecimal(Exception):
    pass


def _is_decimal(kind):
    return kind.__name__ == "Decimal" and kind.__module__ == "decimal"


def _refuse(value):
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def _default(value):
    if _is_decimal(type(value)):
        raise _HasDecimal
    _refuse(value)


def _default_with_decimals(value):
    if _is_decimal(type(value)):
        return float("nan") if value.is_nan() else _Raw(value)
    _refuse(value)


def _default_plain(value):  # an interpreter whose C encoder we do not know: Decimals as floats
    return float(value) if _is_decimal(type(value)) else _refuse(value)


def _without_named_tuples(value):
    """AWS's encoder writes named tuples as objects; the standard one as lists."""
    if isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            value = value._asdict()
        else:
            return [_without_named_tuples(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_named_tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_named_tuples(item) for item in value]
    return value


_SCALARS = frozenset((str, int, float, bool, type(None)))


def _has_named_tuple(value):
    kind = type(value)
    if kind is dict:
        items = value.values()
    elif kind is list:
        items = value
    elif isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            return True
        items = value
    elif isinstance(value, dict):
        items = value.values()
    elif isinstance(value, list):
        items = value
    else:
        return False
    for item in items:
        if type(item) not in _SCALARS and _has_named_tuple(item):
            return True
    return False


def make_dumps():
    """The answer's encoder: (', ', ': '), NaN allowed; non-ASCII is escaped before Python 3.12."""
    runtime = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("_python")[2]
    version = runtime.split(".") if runtime else ()
    if len(version) == 2 and version[0] == "3" and version[1].isdigit():
        escape_non_ascii = int(version[1]) < 12
    else:
        escape_non_ascii = True
    from _json import encode_basestring, encode_basestring_ascii
    quote = encode_basestring_ascii if escape_non_ascii else encode_basestring

    def quote_or_raw(text):
        return str.__str__(text) if type(text) is _Raw else quote(text)

    try:
        from _json import make_encoder
        probe = make_encoder({}, _default, quote, None, ": ", ", ", False, False, True)
        if "".join(probe({"a": [1, 2.5, None, True]}, 0)) != '{"a": [1, 2.5, null, true]}':
            raise ValueError
    except Exception:
        import json
        return json.JSONEncoder(ensure_ascii=escape_non_ascii, default=_default_plain).encode

    def encode(value, default, quoter):
        encoder = make_encoder({}, default, quoter, None, ": ", ", ", False, False, True)
        return "".join(encoder(value, 0))

    def dumps(value):
        try:
            if type(value) is str:
                return quote(value)
            if type(value) not in _SCALARS and _has_named_tuple(value):
                value = _without_named_tuples(value)
        except RecursionError:
            pass  # the encoder says what is wrong
        try:
            return encode(value, _default, quote)
        except _HasDecimal:
            return encode(value, _default_with_decimals, quote_or_raw)

    return dumps


# --- the Runtime API -------------------------------------------------------------------------

class Api:
    """HTTP/1.1 over one socket. An answer and the wait for the next event go out together."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.host = host or address
        self.address = (self.host, int(port or 80))
        self.socket = None
        self.rest = b""  # received and not used yet
        agent = "pileus-python/%d.%d" % sys.version_info[:2]
        self.tail = ("Host: %s\r\nUser-Agent: %s\r\n" % (address, agent))
        self.next_request = ("GET %sinvocation/next HTTP/1.1\r\n%s\r\n" % (API, self.tail)).encode()

    def connect(self):
        self.close()
        family = _socket.AF_INET6 if ":" in self.host else _socket.AF_INET
        connection = _socket.socket(family, _socket.SOCK_STREAM)
        connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        host = self.host.strip("[]")
        try:
            connection.connect((host, self.address[1]))
        except OSError:
            if host.replace(".", "").isdigit():
                raise
            found = _socket.getaddrinfo(host, self.address[1], 0, _socket.SOCK_STREAM)[0]
            connection = _socket.socket(found[0], found[1], found[2])
            connection.connect(found[4])
        self.socket = connection

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.rest = b""

    def send(self, data):
        if self.socket is None:
            self.connect()
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError("the Runtime API closed the connection")
        return data

    def response(self):
        """One response: (status, headers by lower-case name, body)."""
        buffer = self.rest
        end = buffer.find(b"\r\n\r\n")
        while end < 0:
            seen = max(0, len(buffer) - 3)
            buffer += self.more()
            end = buffer.find(b"\r\n\r\n", seen)
        lines = buffer[:end].decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ", 2)[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.rest = buffer[end + 4:]
        if status == 100:
            return self.response()
        if "chunked" in headers.get("transfer-encoding", ""):
            body = self.chunks()
        else:
            length = headers.get("content-length")
            body = self.exactly(int(length)) if length else b""
        if headers.get("connection", "").lower() == "close":
            self.close()
        return status, headers, body

    def exactly(self, length):
        if len(self.rest) < length:
            pieces = [self.rest]
            missing = length - len(self.rest)
            while missing > 0:
                data = self.more()
                pieces.append(data)
                missing -= len(data)
            self.rest = b"".join(pieces)
        body, self.rest = self.rest[:length], self.rest[length:]
        return body

    def line(self):
        while b"\r\n" not in self.rest:
            self.rest += self.more()
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line

    def chunks(self):
        body = []
        while True:
            size = int(self.line().split(b";")[0], 16)
            if size == 0:
                while self.line():
                    pass  # trailers
                return b"".join(body)
            body.append(self.exactly(size))
            self.exactly(2)

    def post_request(self, path, body, extra):
        head = "POST %s%s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n" % (
            API, path, self.tail, extra, len(body))
        return head.encode("latin-1") + body

    def post(self, path, body, extra=""):
        """Posts and waits for the answer."""
        self.send(self.post_request(path, body, extra))
        return self.response()[0]

    def next(self, answer=None):
        """Gives `answer` (a request made by post_request), then waits for the next event."""
        if answer is not None:
            try:
                self.send(answer + self.next_request if len(answer) < 131072 else answer)
                if len(answer) >= 131072:
                    self.send(self.next_request)
                status, _, body = self.response()
            except OSError:
                # Whether it arrived is unknown; the platform refuses a second answer.
                self.connect()
                self.send(answer)
                status, _, body = self.response()
                if self.socket is not None:
                    self.send(self.next_request)
            if status >= 300:
                sys.stderr.write("The Runtime API refused the answer: %d %s\n" % (
                    status, body.decode("utf-8", "replace")))
                if status == 403 or status >= 500:
                    sys.exit(1)
        attempts = 0
        waiting = answer is not None and self.socket is not None
        while True:
            try:
                if not waiting:
                    self.send(self.next_request)
                status, headers, body = self.response()
                break
            except OSError:
                attempts += 1
                if attempts > 3:
                    raise
                waiting = False
                self.connect()
        if status != 200:
            sys.stderr.write("The Runtime API gave no event: %d %s\n" % (
                status, body.decode("utf-8", "replace")))
            sys.exit(1)
        return headers, body


# --- logs ------------------------------------------------------------------------------------

class StandardSink:
    """Standard output. A line feed inside a message travels as a carriage return, as AWS's own
    client does, so that a message stays one event."""

    def log(self, message, frame_type=None):
        text = message[:-1] if message.endswith("\n") else message
        sys.stdout.write(text.replace("\n", "\r") + "\n")

    def log_error(self, lines):
        sys.stdout.write("\r".join(lines) + "\n")


class FramedSink:
    """Descriptor _LAMBDA_TELEMETRY_LOG_FD: type, length, time in microseconds, message."""

    def __init__(self, descriptor, json_format):
        self.descriptor = descriptor
        self.error_type = 0xA55A0016 if json_format else 0xA55A0017

    def log(self, message, frame_type=None):
        data = message.encode("utf-8", "backslashreplace")
        head = (frame_type or 0xA55A0003).to_bytes(4, "big") + len(data).to_bytes(4, "big")
        frame = head + (time.time_ns() // 1000).to_bytes(8, "big") + data
        while frame:
            frame = frame[os.write(self.descriptor, frame):]

    def log_error(self, lines):
        self.log("\n".join(lines), self.error_type)


class State:
    """What the running invocation is, for log lines."""
    request_id = None
    tenant_id = None
    json_format = False
    sink = None
    dumps = None


def make_sink():
    State.json_format = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    descriptor = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    State.sink = FramedSink(int(descriptor), State.json_format) if descriptor else StandardSink()


def now_text():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class _LoggingFinder:
    """Sets the root logger up as soon as something imports logging, and not before."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                break
        load = spec.loader.exec_module

        def load_and_set_up(module):
            load(module)
            set_up_logging(module)

        spec.loader.exec_module = load_and_set_up
        return spec


def arrange_logging():
    if "logging" in sys.modules:
        set_up_logging(sys.modules["logging"])
    else:
        sys.meta_path.insert(0, _LoggingFinder())


def set_up_logging(logging):
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    typed = State.json_format or bool(level)
    sink = State.sink

    class RequestFilter(logging.Filter):
        def filter(self, record):
            record.aws_request_id = State.request_id or ""
            record.tenant_id = State.tenant_id
            return True

    class LambdaLoggerHandler(logging.Handler):
        log_sink = sink

        def emit(self, record):
            kind = None
            if typed:
                base = 0xA55A0002 if State.json_format else 0xA55A0003
                steps = min(50, max(0, record.levelno)) // 10
                kind = base + 4 * (steps + 1 if steps else 0)
            sink.log(self.format(record), kind)

    logging.Formatter.converter = time.gmtime
    handler = LambdaLoggerHandler()
    if State.json_format:
        handler.setFormatter(make_json_formatter(logging))
    else:
        handler.setFormatter(logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
            "%Y-%m-%dT%H:%M:%S"))
    root = logging.getLogger()
    if level in logging._nameToLevel:
        root.setLevel(level)
    handler.addFilter(RequestFilter())
    root.addHandler(handler)


def make_json_formatter(logging):
    import json
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
    plain = {"taskName"} | set(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
        "message", "asctime", "aws_request_id", "tenant_id", "exc_text", "stack_info", "_frame_type"}

    class JsonFormatter(logging.Formatter):
        def format(self, record):
            record.levelno = min(50, max(0, record.levelno)) // 10 * 10
            record.levelname = logging.getLevelName(record.levelno)
            error = record.exc_info
            whole = isinstance(record.msg, dict) and not record.args
            result = {
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
                "level": record.levelname,
                "message": record.msg if whole else record.getMessage(),
                "logger": record.name,
            }
            if error:
                import traceback
                result["stackTrace"] = traceback.format_tb(error[2])
                result["errorType"] = error[0].__name__ if error[0] else None
                result["errorMessage"] = str(error[1])
            result["requestId"] = getattr(record, "aws_request_id", None)
            if error:
                result["location"] = "%s:%s:%s" % (record.pathname, record.funcName, record.lineno)
            if getattr(record, "tenant_id", None) is not None:
                result["tenantId"] = record.tenant_id
            for key, value in vars(record).items():
                if key not in plain and key not in result:
                    result[key] = value
            return encode({k: v for k, v in result.items() if v is not None}) + "\n"

    return JsonFormatter()


# --- errors ----------------------------------------------------------------------------------

class Fault(Exception):
    """An error of the runtime's own, with the type and message AWS gives it."""

    def __init__(self, kind, message, trace=None):
        self.kind = kind
        self.message = message
        self.trace = trace


def make_error(message, kind, trace, request_id=None):
    return {
        "errorMessage": message or "",
        "errorType": kind or "",
        "requestId": request_id or "",
        "stackTrace": trace or [],
    }


def user_frames(error):
    """The frames of an exception, without this file's and the import machinery's at their head."""
    import traceback
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    for index, frame in enumerate(frames):
        if frame[0] != THIS_FILE and not frame[0].startswith("<frozen importlib"):
            return frames[index:]
    return [] if all(frame[0] == THIS_FILE for frame in frames) else frames


def describe(error, request_id=None):
    """The error's body, and its cause in X-Ray's form."""
    if isinstance(error, Fault):
        body = make_error(error.message, error.kind, error.trace, request_id)
        kind, message, frames = "LambdaValidationError", error.message, []
    else:
        import traceback
        frames = user_frames(error)
        kind, message = type(error).__name__, str(error)
        body = make_error(message, kind, traceback.format_list(frames), request_id)
    stack = [{"label": name, "path": path, "line": line} for path, line, name, _ in frames]
    cause = {
        "working_directory": os.getcwd(),
        "exceptions": [{"message": message, "type": kind, "stack": stack}],
        "paths": sorted({frame["path"] for frame in stack}),
    }
    return body, cause


def log_error(body):
    if State.json_format:
        State.sink.log_error([State.dumps({"timestamp": now_text(), "level": "ERROR", **body})])
        return
    head = "[ERROR]"
    if body["errorType"]:
        head += " " + body["errorType"] + (":" if body["errorMessage"] else "")
    if body["errorMessage"]:
        head += " " + body["errorMessage"]
    lines = [head, "Traceback (most recent call last):"]
    for element in body["stackTrace"]:
        for line in element.splitlines() or [""]:
            text = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(text)) + text)
    State.sink.log_error(lines)


def error_headers(body, cause=None):
    kind = "".join(c for c in body["errorType"] if " " <= c <= "~") or "Unhandled"
    extra = "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: %s\r\n" % kind
    if cause is not None:
        import json
        text = json.dumps(cause)
        if len(text) <= MAX_CAUSE_HEADER:
            extra += "Lambda-Runtime-Function-XRay-Error-Cause: %s\r\n" % text
    return extra


UNHANDLED_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, "
    "or can be applied automatically. To determine if the runtime has been updated, check the "
    "runtime version in the INIT_START log entry. If this error correlates with a change in the "
    "runtime version, you may be able to mitigate this error by temporarily rolling back to the "
    "previous runtime version. For more information, see "
    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r")


# --- the handler -----------------------------------------------------------------------------

def load_handler(text):
    module_name, dot, function_name = text.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName",
                    "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % text)
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict",
                    "Cannot use built-in module %s as a handler module" % module_name)
    name = module_name.replace("/", ".")
    try:
        if name.startswith("."):
            raise TypeError(
                "the 'package' argument is required to perform a relative import for %r" % name)
        __import__(name)
        module = sys.modules[name]
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError",
                    "Unable to import module '%s': %s" % (module_name, error)) from None
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        raise Fault("Runtime.UserCodeSyntaxError",
                    "Syntax error in module '%s': %s" % (module_name, error), trace) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound",
                    "Handler '%s' missing on module '%s'" % (function_name, module_name)) from None


class _Slots:
    __slots__ = ()

    def __repr__(self):
        values = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, values)

    def fill(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))
        return self


class CognitoIdentity(_Slots):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Slots):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code",
                 "app_package_name")


class ClientContext(_Slots):
    __slots__ = ("custom", "env", "client")


class LambdaContext:
    def __init__(self, headers, loads):
        environ = os.environ
        self.aws_request_id = headers.get("lambda-runtime-aws-request-id")
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._w3c_fields = {}
        self.client_context = None
        client = parsed(headers.get("lambda-runtime-client-context"), "Client Context", loads)
        if client is not None:
            w3c = client.pop("w3c", None)
            if isinstance(w3c, dict):
                self._w3c_fields = {
                    key: w3c[key] for key in ("traceparent", "tracestate", "baggage")
                    if isinstance(w3c.get(key), str)}
            self.client_context = ClientContext().fill(client)
            if self.client_context.client is not None:
                self.client_context.client = Client().fill(self.client_context.client)
        self.identity = CognitoIdentity().fill({})
        identity = parsed(headers.get("lambda-runtime-cognito-identity"), "Cognito Identity", loads)
        if identity is not None:
            self.identity.cognito_identity_id = identity.get("cognitoIdentityId")
            self.identity.cognito_identity_pool_id = identity.get("cognitoIdentityPoolId")
        self._epoch_deadline_time_in_ms = int(headers.get("lambda-runtime-deadline-ms") or 0)

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self):
        return dict(self._w3c_fields)

    def log(self, msg):
        State.sink.log(str(msg))

    def __repr__(self):
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name",
                 "memory_limit_in_mb", "function_version", "invoked_function_arn",
                 "client_context", "identity", "tenant_id")
        return "LambdaContext([%s])" % ",".join("%s=%s" % (n, getattr(self, n)) for n in names)


def parsed(text, name, loads):
    if not text:
        return None
    try:
        return loads(text.encode("latin-1").decode("utf-8"))
    except Exception as error:
        raise Fault("Runtime.LambdaContextUnmarshalError",
                    "Unable to parse %s JSON: %s" % (name, error)) from None


def invoke(handler, headers, body, loads, dumps):
    """(body, extra headers) of the answer to one event; raises what the handler raises."""
    context = LambdaContext(headers, loads)
    if headers.get("content-type", "application/json").startswith("application/json"):
        try:
            event = loads(body)
        except Exception as error:
            raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
    else:
        event = body
    result = handler(event, context)
    if isinstance(result, bytes):
        return result, "Content-Type: application/unknown\r\n"
    try:
        return dumps(result).encode("utf-8"), "Content-Type: application/json\r\n"
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None


def serve(api, handler, loads, dumps):
    answer = None
    environ = os.environ
    while True:
        headers, body = api.next(answer)
        request_id = State.request_id = headers.get("lambda-runtime-aws-request-id", "")
        State.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id:
            environ["_X_AMZN_TRACE_ID"] = trace_id
        elif "_X_AMZN_TRACE_ID" in environ:
            del environ["_X_AMZN_TRACE_ID"]
        try:
            result, extra = invoke(handler, headers, body, loads, dumps)
            outcome = "/response"
        except Exception as error:
            described, cause = describe(error, request_id)
            log_error(described)
            result, outcome = dumps(described).encode("utf-8", "backslashreplace"), "/error"
            extra = error_headers(described, cause)
            error = None
        body = None
        sys.stdout.flush()
        sys.stderr.flush()
        answer = api.post_request("invocation/" + request_id + outcome, result, extra)


def fail_init(api, error):
    body, _ = describe(error)
    import logging
    logging.warning(UNHANDLED_WARNING)
    log_error(body)
    sys.stdout.flush()
    api.post("init/error", State.dumps(body).encode("utf-8", "backslashreplace"), error_headers(body))
    sys.exit(1)


def held():
    if "--now" in sys.argv[1:]:
        return False
    try:
        os.fstat(3)
    except OSError:
        return False
    return True


def main():
    if held():
        take_assignment()
    settle_environment()
    make_sink()
    loads, dumps = make_loads(), make_dumps()
    State.dumps = dumps
    arrange_logging()
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load_handler(os.environ.get("_HANDLER", ""))
    except Exception as error:
        fail_init(api, error)
    serve(api, handler, loads, dumps)


if __name__ == "__main__":
    main()
