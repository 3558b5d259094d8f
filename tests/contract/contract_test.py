"""Round trips between botocore and Pileus' codecs, over every operation that is spoken.

Valid random inputs are serialised by botocore and parsed by the contract tool; random outputs are
serialised by the tool and parsed by botocore; each modelled error and each constraint is tried once.
The tool's path: PILEUS_CONTRACT_TOOL, else the newest of build/{release,dev}. The seed: PILEUS_SEED.
"""

import base64
import datetime
import io
import json
import os
import pathlib
import random
import re
import subprocess

import botocore.parsers
import botocore.serialize
import pytest
from botocore.awsrequest import create_request_object, prepare_request_dict
from botocore.compat import HTTPHeaders
from botocore.loaders import Loader
from botocore.model import ServiceModel

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = [p for p in (ROOT / "build" / b / "contract_tool" for b in ("release", "dev")) if p.exists()]
TOOL = os.environ.get("PILEUS_CONTRACT_TOOL") or str(max(BUILT, key=lambda p: p.stat().st_mtime, default="contract_tool"))
SEED = int(os.environ.get("PILEUS_SEED", "4566"))
ROUNDS = 4
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
BOTOCORE = {"json-1.0": "json", "json-1.1": "json", "cbor": "smithy-rpc-v2-cbor"}
TEXT = "abcXYZ019 _-./:+&=<>%\"'\\\n\té日😀"


class Tool:
    def __init__(self):
        self.process = subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace")

    def __call__(self, **job):
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def load_services():
    loader, out = Loader(), {}
    peers = ROOT / "tests" / "contract" / "peers"  # protocols that no room speaks yet
    for path in sorted((ROOT / "models" / "services").glob("*.json")) + sorted(peers.glob("*.json")):
        config = json.loads(path.read_text())
        raw = loader.load_service_model(config["model"], "service-2", config.get("api_version"))
        out[path.stem] = (ServiceModel(raw, config["model"]), config)
    return out


SERVICES = load_services()
CASES = [(name, op) for name, (_, config) in SERVICES.items() for op in sorted(config["operations"])]


def protocols(service):
    meta = SERVICES[service][0].metadata
    names = meta.get("protocols") or [meta["protocol"]]
    return ["json-" + meta.get("jsonVersion", "1.0") if n == "json" else "cbor" if n == "smithy-rpc-v2-cbor" else n for n in names]


@pytest.fixture(scope="session")
def tool():
    if not pathlib.Path(TOOL).exists():
        pytest.exit(f"{TOOL} is not built: build the target contract_tool, or set PILEUS_CONTRACT_TOOL", 2)
    return Tool()


def has_event_stream(shape):
    return shape is not None and any(m.serialization.get("eventstream") for m in shape.members.values())


class Maker:
    """Random values of a shape; `sparse` leaves optional members out half of the time."""

    def __init__(self, seed, output):
        self.random, self.output = random.Random(seed), output

    def value(self, shape, depth=0, where="body"):
        make = getattr(self, "make_" + shape.type_name, None)
        return make(shape, depth, where) if make else self.make_string(shape, depth, where)

    def make_structure(self, shape, depth, where):
        if getattr(shape, "is_document_type", False):
            return {"a": [1, "b", None, {"c": True}]}
        names = list(shape.members)
        if shape.is_tagged_union:
            names = [self.random.choice(names)]
        out = {}
        for name in names:
            member = shape.members[name]
            # Always there: what botocore gives for an absent status or payload is not absence; and a
            # structure without members can not be written in a form.
            certain = (member.serialization.get("location") in ("statusCode", "headers") or shape.serialization.get("payload") == name
                       or member.serialization.get("name", "").lower() == "content-type")
            required = name in shape.required_members or shape.is_tagged_union or certain or (depth > 0 and not out and name == names[-1])
            if not required and (depth > 4 or self.random.random() < 0.4):
                continue
            out[name] = self.value(member, depth + 1, member.serialization.get("location", "body"))
        return out

    def make_list(self, shape, depth, where):
        return [self.value(shape.member, depth + 1, where) for _ in range(self.random.randint(1, 3))]

    def make_map(self, shape, depth, where):
        keys = {self.make_string(shape.key, depth, "headers" if where == "headers" else where) for _ in range(self.random.randint(1, 3))}
        if where == "headers":
            keys = {k.lower() for k in keys}
        return {k: self.value(shape.value, depth + 1, where) for k in sorted(keys)}

    def make_string(self, shape, depth, where):
        if getattr(shape, "enum", None):
            return self.random.choice(shape.enum)
        alphabet = TEXT if where in ("body", "uri", "querystring") else "abcXYZ019-_"
        return "x" + "".join(self.random.choice(alphabet) for _ in range(self.random.randint(0, 12)))

    def make_blob(self, shape, depth, where):
        return bytes(self.random.randrange(256) for _ in range(self.random.randint(1, 20)))

    def make_boolean(self, shape, depth, where):
        return self.random.random() < 0.5

    def make_integer(self, shape, depth, where):
        if where == "statusCode":
            return 200
        return self.random.choice([0, 1, -7, 2**31 - 1, -2**31, self.random.randrange(10**6)])

    def make_long(self, shape, depth, where):
        return self.random.choice([0, -1, 2**53 - 1, 2**62, self.random.randrange(10**12)])

    def make_float(self, shape, depth, where):
        return self.random.choice([0.0, 1.5, -0.25, 1048576.0])

    def make_double(self, shape, depth, where):
        return self.random.choice([0.0, 0.1, -1e-9, 12345678.875, 1e300])

    def make_timestamp(self, shape, depth, where):
        when = EPOCH + datetime.timedelta(seconds=self.random.randrange(2**31))
        return when.replace(microsecond=123000) if self.output and where == "body" else when


def neutral(shape, value):
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        return {k: neutral(shape.members[k], v) for k, v in value.items() if k in shape.members and v is not None}
    if kind == "list":
        return [neutral(shape.member, v) for v in value]
    if kind == "map":
        return {k: neutral(shape.value, v) for k, v in value.items()}
    if kind == "timestamp":
        return (value - EPOCH) // datetime.timedelta(microseconds=1)
    if kind == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else value.read()).decode()
    return value


def botocore_request(service, operation, protocol, params):
    model = SERVICES[service][0].operation_model(operation)
    serializer = botocore.serialize.create_serializer(BOTOCORE.get(protocol, protocol), include_validation=False)
    parts = serializer.serialize_to_request(params, model)
    prepare_request_dict(parts, endpoint_url="http://localhost:4566", context={})
    request = create_request_object(parts).prepare()
    path, _, query = request.url.removeprefix("http://localhost:4566").partition("?")
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
    headers = [[k, v if isinstance(v, str) else v.decode()] for k, v in request.headers.items()]
    return {"method": request.method, "path": path or "/", "query": query, "headers": headers, "body": base64.b64encode(body).decode()}


def botocore_parse(service, operation, protocol, answer):
    model = SERVICES[service][0].operation_model(operation)
    parser = botocore.parsers.create_parser(BOTOCORE.get(protocol, protocol))
    headers = HTTPHeaders()
    for name, value in answer["headers"]:
        headers[name] = value
    body = base64.b64decode(answer["body"])
    if model.has_streaming_output and answer["status"] < 300:
        body = io.BytesIO(body)  # as botocore's endpoint gives it to the parser
    return parser.parse({"status_code": answer["status"], "headers": headers, "body": body}, model.output_shape)


@pytest.mark.parametrize("service,operation", CASES)
def test_inputs_that_botocore_writes_are_parsed_equal(tool, service, operation):
    shape = SERVICES[service][0].operation_model(operation).input_shape
    for protocol in protocols(service):
        for round_ in range(ROUNDS):
            params = Maker(f"{SEED}/{service}/{operation}/{round_}", False).value(shape) if shape else {}
            got = tool(do="parse", service=service, request=botocore_request(service, operation, protocol, params))
            assert got.get("operation") == operation, got
            assert got["protocol"] == protocol
            assert got["missing"] == []
            wanted = neutral(shape, params) if shape else {}
            for name, member in shape.members.items() if shape else ():
                if member.serialization.get("name", "").lower() == "content-length":  # HTTP's own
                    got["input"].pop(name, None), wanted.pop(name, None)
            assert got["input"] == wanted


@pytest.mark.parametrize("service,operation", CASES)
def test_outputs_are_parsed_equal_by_botocore(tool, service, operation):
    shape = SERVICES[service][0].operation_model(operation).output_shape
    if has_event_stream(shape):
        pytest.skip("event streams are written by the room that streams, not by the codec")
    for protocol in protocols(service):
        for round_ in range(ROUNDS):
            output = Maker(f"{SEED}/{service}/{operation}/{round_}", True).value(shape) if shape else {}
            wanted = neutral(shape, output) if shape else {}
            answer = tool(do="answer", service=service, protocol=protocol, operation=operation, output=wanted)
            assert "status" in answer, answer
            parsed = botocore_parse(service, operation, protocol, answer)
            metadata = parsed.pop("ResponseMetadata", {})
            assert metadata.get("HTTPStatusCode") == answer["status"]
            if answer["body"] or protocol != "cbor":  # botocore looks for it in a cbor body's company only
                assert metadata.get("RequestId") == "11111111-2222-3333-4444-555555555555"
            assert (neutral(shape, parsed) if shape else parsed) == wanted


@pytest.mark.parametrize("service,operation", CASES)
def test_requests_written_as_a_client_are_parsed_equal(tool, service, operation):
    shape = SERVICES[service][0].operation_model(operation).input_shape
    for protocol in protocols(service):
        wanted = neutral(shape, Maker(f"{SEED}/{service}/{operation}/c", False).value(shape)) if shape else {}
        request = tool(do="call", service=service, protocol=protocol, operation=operation, input=wanted)
        assert "path" in request, request
        got = tool(do="parse", service=service, request=request)
        assert (got.get("operation"), got.get("input")) == (operation, wanted), got


@pytest.mark.parametrize("service,operation", CASES)
def test_errors_are_understood_by_botocore(tool, service, operation):
    model = SERVICES[service][0].operation_model(operation)
    for protocol in protocols(service):
        for error in model.error_shapes + [None]:
            code = error.error_code if error else "SomeOtherException"
            raw = SERVICES[service][0]._service_description["shapes"][error.name] if error else {}
            status = raw.get("error", {}).get("httpStatusCode", 500 if raw.get("fault") else 400)
            answer = tool(do="error", service=service, protocol=protocol, operation=operation, code=code, message="It is <so> & thus", members={})
            assert answer["status"] == status
            parsed = botocore_parse(service, operation, protocol, answer)
            assert parsed["Error"]["Code"] == code
            assert parsed["Error"]["Message"] == "It is <so> & thus"
            assert parsed["ResponseMetadata"]["RequestId"] == "11111111-2222-3333-4444-555555555555"


# ---- every constraint, violated once ----

def camel(name):
    return name[:1].lower() + name[1:]


def measure(shape):
    return "value" if shape.type_name in ("integer", "long", "float", "double", "short", "byte") else "length"


def rules(shape):
    """(check, rule) for each constraint of a shape, in the order the services list them."""
    meta, out = shape.metadata, []
    kind = "range" if measure(shape) == "value" else "length"
    if "max" in meta:
        out.append((kind, f"Member must have {measure(shape)} less than or equal to {int(meta['max'])}"))
    if "min" in meta:
        out.append((kind, f"Member must have {measure(shape)} greater than or equal to {int(meta['min'])}"))
    if shape.metadata.get("pattern"):
        out.append(("pattern", f"Member must satisfy regular expression pattern: {meta['pattern']}"))
    if meta.get("enum"):
        out.append(("enum", f"Member must satisfy enum value set: [{', '.join(meta['enum'])}]"))
    return out


def violating(shape, rule):
    """A value that breaks one rule of a scalar or a list's length; None where none is possible."""
    meta, kind = shape.metadata, shape.type_name
    if rule.startswith("Member must satisfy enum"):
        return "no-such-value"
    if rule.startswith("Member must satisfy regular"):
        for text in ("☃!", "a b", "-", ""):
            try:
                matched = re.fullmatch(meta["pattern"].replace("\\p{", "\\P{") and re.sub(r"\\p\{\w+\}", "a-z", meta["pattern"]), text)
            except re.error:
                matched = None
            if not matched:
                return text
        return None
    over = "less than" in rule
    bound = meta["max"] if over else meta["min"]
    size = bound + 1 if over else bound - 1
    if measure(shape) == "value":
        return size if kind not in ("integer",) or -2**31 <= size < 2**31 else None
    if size < 0 or size > 300_000:
        return None
    if kind == "string":
        return "a" * size
    if kind == "blob":
        return base64.b64encode(b"a" * size).decode()
    if kind == "list":
        return [Maker(1, False).value(shape.member) if shape.member.type_name == "string" else {} for _ in range(size)] if shape.member.type_name in ("string", "structure") else None
    return None


def places(shape, names=(), seen=()):
    """(path of member names, shape) of every member under a structure, lists and maps entered once."""
    for name, member in shape.members.items():
        yield names + (name,), member
        inner = member
        while inner.type_name in ("list", "map"):
            inner = inner.member if inner.type_name == "list" else inner.value
        if inner.type_name == "structure" and inner.name not in seen and len(names) < 4:
            yield from places(inner, names + (name,), seen + (inner.name,))


def nest(shape, names, value):
    """An input that holds `value` at the path, and the path in AWS's words."""
    name, member = names[0], shape.members[names[0]]
    if len(names) == 1:
        return {name: value}, camel(name)
    wrap, text, inner = [], camel(name), member
    while inner.type_name in ("list", "map"):
        wrap.append(inner.type_name)
        text += ".1.member" if inner.type_name == "list" else ".k.member"
        inner = inner.member if inner.type_name == "list" else inner.value
    below, path = nest(inner, names[1:], value)
    for kind in reversed(wrap):
        below = [below] if kind == "list" else {"k": below}
    return {name: below}, f"{text}.{path}"


def shown(shape, value):
    if shape.metadata.get("sensitive"):
        return None
    if shape.type_name == "blob":
        size = len(base64.b64decode(value))
        return f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
    if shape.type_name == "list":
        if shape.member.type_name == "structure" and value or shape.member.metadata.get("sensitive"):
            return None
        text = "[" + ", ".join(value) + "]"
    else:
        text = f"{value}.0" if shape.type_name in ("float", "double") else str(value)
    return text if len(text.encode()) <= 2048 else None if shape.type_name == "list" else text.encode()[:2048].decode(errors="ignore") + "..."


def default_code(service):
    model, config = SERVICES[service]
    default = "ValidationError" if model.metadata["protocol"] in ("query", "ec2") else "ValidationException"
    return config.get("validation", {}).get("code", default)


def exception_for(service, operation, names, shape, check):
    """The service's own words for a broken rule: False when it has none, None when it is not enforced."""
    exceptions = SERVICES[service][1].get("validation", {}).get("exceptions", {})
    for where in (f"{operation}.{'.'.join(names)}", shape.name):
        if f"{where}.{check}" in exceptions:
            return exceptions[f"{where}.{check}"]
    return False


@pytest.mark.parametrize("service,operation", CASES)
def test_every_constraint_is_worded_as_the_service_does(tool, service, operation):
    shape = SERVICES[service][0].operation_model(operation).input_shape
    unenforced = json.loads((pathlib.Path(__file__).parent / "patterns_not_enforced.json").read_text())
    for names, member in places(shape) if shape else ():
        for check, rule in rules(member):
            value = violating(member, rule)
            if value is None or (check == "pattern" and member.metadata["pattern"] in unenforced):
                continue
            given, path = nest(shape, names, value)
            error = tool(do="validate", service=service, operation=operation, input=given, missing=[]).get("error", {})
            own = exception_for(service, operation, names, member, check)
            if own is None:
                assert f"at '{path}' failed to satisfy constraint: {rule}" not in error.get("message", "")
                continue
            assert error.get("code") == default_code(service), (path, rule, error)
            if own:
                # Words of its own are the whole message, unless an earlier member has some as well.
                assert "validation error" not in error["message"]
                continue
            if "validation error" not in error["message"]:
                continue  # a required name that is absent here speaks first, in its own words
            text = shown(member, value)
            start = f"Value '{text}' at" if text is not None else "at"
            assert f"{start} '{path}' failed to satisfy constraint: {rule}" in error["message"]


def element_cases(member):
    """(lead, shape that breaks, container in neutral form) for the scalars inside a list or map."""
    if member.type_name == "list":
        yield "Member must satisfy constraint", member.member, lambda bad: [bad]
    if member.type_name == "map":
        yield "Map keys must satisfy constraint", member.key, lambda bad: {bad: sample(member.value)}
        yield "Map value must satisfy constraint", member.value, lambda bad: {sample(member.key): bad}


def sample(shape):
    return neutral(shape, Maker(3, False).value(shape))


@pytest.mark.parametrize("service,operation", CASES)
def test_constraints_of_elements_are_worded_on_their_list_or_map(tool, service, operation):
    shape = SERVICES[service][0].operation_model(operation).input_shape
    for names, member in places(shape) if shape else ():
        for lead, inner, wrap in element_cases(member):
            if inner.type_name in ("structure", "list", "map"):
                continue
            wanted = ", ".join(text for _, text in rules(inner))
            for check, rule in rules(inner):
                bad = violating(inner, rule)
                if bad is None or exception_for(service, operation, names, inner, check) is not False:
                    continue
                given, path = nest(shape, names, wrap(bad))
                error = tool(do="validate", service=service, operation=operation, input=given, missing=[]).get("error", {})
                assert error.get("code") == default_code(service), (path, rule, error)
                if "validation error" in error["message"]:
                    assert f"at '{path}' failed to satisfy constraint: {lead}: [{wanted}]" in error["message"]


@pytest.mark.parametrize("service,operation", CASES)
def test_every_required_member_is_missed_by_name(tool, service, operation):
    shape = SERVICES[service][0].operation_model(operation).input_shape
    for name in shape.required_members if shape else ():
        if shape.members[name].serialization.get("location") == "uri":
            continue  # without it the path is another one
        for protocol in protocols(service):
            params = Maker(f"{SEED}/{service}/{operation}/r", False).value(shape)
            del params[name]
            got = tool(do="parse", service=service, request=botocore_request(service, operation, protocol, params))
            if got["operation"] != operation:
                continue  # without that query parameter it is another one (S3's ListParts and GetObject)
            assert got["missing"] == [camel(name)], got
            error = tool(do="validate", service=service, operation=operation, input=got["input"], missing=got["missing"])["error"]
            if "validation error" in error["message"]:
                assert f"Value null at '{camel(name)}' failed to satisfy constraint: Member must not be null" in error["message"]
            assert error["code"] == default_code(service)


def test_refused_members_are_refused_by_name(tool):
    for service, (model, config) in SERVICES.items():
        for place, reason in config.get("refused", {}).items():
            operation, path = place.split(".", 1)
            shape = model.operation_model(operation).input_shape
            target = shape
            names = tuple(path.split("."))
            for name in names:
                while target.type_name in ("list", "map"):
                    target = target.member if target.type_name == "list" else target.value
                target = target.members[name]
            maker = Maker(7, False)
            maker.random.random = lambda: 0.99
            maker.make_boolean = lambda *_: True
            maker.make_integer = lambda *_: 5
            value = neutral(target, maker.value(target))
            given, _ = nest(shape, names, value)
            error = tool(do="validate", service=service, operation=operation, input=given, missing=[]).get("error", {})
            if "validation error" in error.get("message", ""):
                continue  # the random value breaks a constraint first
            words = reason if isinstance(reason, str) else reason["reason"]
            assert error.get("message") == f"{path} is not supported by Pileus: {words}", (place, error)


def test_all_listed_operations_were_tried():
    assert len(CASES) == sum(len(set(c["operations"])) for _, c in SERVICES.values())
