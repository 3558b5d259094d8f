"""The customer's handler: found, called with its event and context, answered for."""

import os
import sys
import time

from .errors import UNHANDLED_WARNING, Fault, describe, error_headers, log_error
from .json_codec import make_dumps, make_loads
from .logs import State


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
            log_error(described, dumps)
            result, outcome = dumps(described).encode("utf-8", "backslashreplace"), "/error"
            extra = error_headers(described, cause)
            error = None
        body = None
        sys.stdout.flush()
        sys.stderr.flush()
        answer = api.post_request("invocation/" + request_id + outcome, result, extra)


def run(api, name):
    loads, dumps = make_loads(), make_dumps()
    try:
        handler = load_handler(name)
    except Exception as error:
        fail_init(api, error, dumps)
    serve(api, handler, loads, dumps)


def fail_init(api, error, dumps):
    body, _ = describe(error)
    import logging
    logging.warning(UNHANDLED_WARNING)
    log_error(body, dumps)
    sys.stdout.flush()
    api.post("init/error", dumps(body).encode("utf-8", "backslashreplace"), error_headers(body))
    sys.exit(1)
