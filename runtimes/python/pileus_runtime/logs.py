"""What the function logs: the two sinks, the running event's names, and the root logger."""

import os
import sys
import time


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


def begin():
    """Once the environment is the function's."""
    State.json_format = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    descriptor = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    State.sink = FramedSink(int(descriptor), State.json_format) if descriptor else StandardSink()
    arrange_logging()


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
