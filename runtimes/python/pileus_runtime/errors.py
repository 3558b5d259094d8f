"""Errors in AWS's words: bodies, log lines, X-Ray causes."""

import os

from .logs import State, now_text

MAX_CAUSE_HEADER = 16384  # a longer X-Ray cause is left out
OWN_FILES = os.path.dirname((lambda: 0).__code__.co_filename) + "/"  # as in tracebacks


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
    """The frames of an exception, without our own and the import machinery's at their head."""
    import traceback
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(error.__traceback__)]
    for index, frame in enumerate(frames):
        if not frame[0].startswith(OWN_FILES) and not frame[0].startswith("<frozen importlib"):
            return frames[index:]
    return [] if all(frame[0].startswith(OWN_FILES) for frame in frames) else frames


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


def log_error(body, dumps):
    if State.json_format:
        State.sink.log_error([dumps({"timestamp": now_text(), "level": "ERROR", **body})])
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
