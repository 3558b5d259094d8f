"""Generates the contract from the pinned service models (botocore's data files).

For each service in models/services/*.json (which lists the operations we speak):
  gen/<service>/shapes/<Shape>.h   plain structs, one header each (shapes of one cycle share one)
  gen/<service>/<Operation>.h      input and output of one operation
  gen/<service>/interface.h        the abstract class a room implements (forward declarations only)
  gen/<service>/client.h           the same interface, carried out by an aws::Caller
  gen/<service>/tables.cpp         the aws::Service: shapes, members, constraints, operations, errors
Only files whose content changed are written, so that a rebuild compiles what changed.
"""

import argparse
import json
import pathlib
import sys

from botocore import xform_name
from botocore.loaders import Loader

ROOT = pathlib.Path(__file__).resolve().parent
KEYWORDS = set(
    """alignas alignof and asm auto bool break case catch char class concept const consteval constexpr constinit
    continue co_await co_return co_yield decltype default delete do double else enum explicit export extern false
    float for friend goto if import inline int long module mutable namespace new noexcept not nullptr operator or
    private protected public register requires return short signed sizeof static struct switch template this throw
    true try typedef typeid typename union unsigned using virtual void volatile while xor final override""".split())
SCALARS = {
    "boolean": ("kBoolean", "bool"), "integer": ("kInteger", "std::int32_t"), "short": ("kInteger", "std::int32_t"),
    "byte": ("kInteger", "std::int32_t"), "long": ("kLong", "std::int64_t"), "bigInteger": ("kLong", "std::int64_t"),
    "float": ("kFloat", "float"), "double": ("kDouble", "double"), "bigDecimal": ("kDouble", "double"),
    "string": ("kString", "std::string"), "character": ("kString", "std::string"),
    "timestamp": ("kTimestamp", "Time"), "blob": ("kBlob", "std::string"),
}
TIMESTAMPS = {"unixTimestamp": "kEpochSeconds", "iso8601": "kIso8601", "rfc822": "kHttpDate"}
PROTOCOLS = {"rest-json": "kRestJson", "rest-xml": "kRestXml", "query": "kQuery", "ec2": "kEc2",
             "smithy-rpc-v2-cbor": "kRpcV2Cbor"}
LOCATIONS = {"header": "kHeader", "headers": "kHeaders", "uri": "kUri", "querystring": "kQuery",
             "statusCode": "kStatusCode"}


# Our own words that generated code uses: a shape of that name gets an underscore in C++.
VOCABULARY = set(
    """Task Result Unit Error Time Json Context Caller Service Operation Shape Member Kind Location Protocol Constraint
    ErrorShape TimestampFormat Box OptionalOps ListOps MapOps""".split())


def escape(name):
    return name + "_" if name in KEYWORDS or name in VOCABULARY else name


def member_name(name):
    return escape(xform_name(name).replace("-", "_").replace(".", "_"))


def quoted(text):
    return "nullptr" if text is None else json.dumps(text)


class ServiceModel:
    """One service's model, cut to the operations that are spoken."""

    def __init__(self, name, model, config):
        spoken = config["operations"]
        self.name = name
        self.config = config
        self.model = model
        self.meta = model["metadata"]
        self.shapes = model["shapes"]
        self.operations = model["operations"]
        unknown = sorted(set(spoken) - set(self.operations))
        if unknown:
            raise SystemExit(f"models/services/{name}.json lists operations the model does not have: {unknown}")
        self.spoken = [op for op in sorted(self.operations) if op in spoken]
        self.used = {}  # shape name -> None, in order of discovery
        sides = {side: {self.operations[op][side]["shape"] for op in self.spoken if side in self.operations[op]}
                 for side in ("input", "output")}
        self.answers = sides["output"] - sides["input"]
        for op in self.spoken:
            for side in ("input", "output"):
                if side in self.operations[op]:
                    self.root(self.operations[op][side])
                    self.visit(self.operations[op][side]["shape"])
        for op in self.spoken:
            shape = self.operations[op].get("input", {}).get("shape")
            if shape and any(self.is_stream(m) for m in self.shapes[shape].get("members", {}).values()):
                raise SystemExit(f"models/services/{name}.json: {op} takes a stream of events, which is not spoken yet")
        self.errors = [n for n, s in sorted(self.shapes.items()) if s.get("exception") or "error" in s]
        spoken_errors = {e["shape"] for op in self.spoken for e in self.operations[op].get("errors", [])}
        self.error_structs = {n for n in self.errors if n in spoken_errors and self.extra_members(n)}
        for name in sorted(self.error_structs):
            self.visit(name)
        self.groups()

    def check_place(self, where):
        """Stops on a misspelt "Operation.Member.Member" or shape name in the service's configuration."""
        if where in self.shapes:
            return
        operation, *path = where.split(".")
        current = self.operations.get(operation, {}).get("input", {}).get("shape")
        for name in path:
            while current and self.shapes[current]["type"] in ("list", "map"):
                shape = self.shapes[current]
                current = (shape.get("member") or shape["value"])["shape"]
            current = self.shapes[current].get("members", {}).get(name, {}).get("shape") if current else None
        if not path or not current:
            raise SystemExit(f"models/services/{self.name}.json names {where}, which the model does not have")

    def root(self, reference):
        """The root element's name and namespace are on the operation's reference to its input."""
        shape = self.shapes[reference["shape"]]
        for key in ("locationName", "xmlNamespace"):
            if key in reference:
                shape.setdefault(key, reference[key])

    def extra_members(self, error):
        return [m for m in self.shapes[error].get("members", {}) if m.lower() != "message"]

    def visit(self, shape_name):
        stack = [shape_name]
        while stack:
            current = stack.pop()
            if current in self.used:
                continue
            self.used[current] = None
            stack.extend(reversed(self.references(current)))

    def references(self, shape_name):
        shape = self.shapes[shape_name]
        kind = shape["type"]
        if kind == "structure":
            return [m["shape"] for m in shape.get("members", {}).values()]
        if kind == "list":
            return [shape["member"]["shape"]]
        if kind == "map":
            return [shape["key"]["shape"], shape["value"]["shape"]]
        return []

    def is_struct(self, shape_name):
        shape = self.shapes[shape_name]
        return shape["type"] == "structure" and not shape.get("document")

    def is_stream(self, member):
        """A member that is a stream of events: aws/event_stream.h."""
        return bool(self.shapes[member["shape"]].get("eventstream"))

    def struct_references(self, shape_name, seen=None):
        """Structures a structure holds, through lists and maps."""
        seen = set() if seen is None else seen
        for reference in self.references(shape_name):
            if self.is_struct(reference):
                yield reference
            elif reference not in seen:
                seen.add(reference)
                yield from self.struct_references(reference, seen)

    def groups(self):
        """Strongly connected structures (Tarjan, iterative): each group shares a header."""
        structs = [s for s in self.used if self.is_struct(s)]
        edges = {s: list(dict.fromkeys(self.struct_references(s))) for s in structs}
        index, low, on_stack, stack, counter = {}, {}, set(), [], 0
        self.group_of, self.group_members = {}, {}
        for root in structs:
            if root in index:
                continue
            work = [(root, iter(edges[root]))]
            index[root] = low[root] = counter = counter + 1
            stack.append(root)
            on_stack.add(root)
            while work:
                node, successors = work[-1]
                for nxt in successors:
                    if nxt not in index:
                        index[nxt] = low[nxt] = counter = counter + 1
                        stack.append(nxt)
                        on_stack.add(nxt)
                        work.append((nxt, iter(edges[nxt])))
                        break
                    if nxt in on_stack:
                        low[node] = min(low[node], index[nxt])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        members = []
                        while True:
                            member = stack.pop()
                            on_stack.discard(member)
                            members.append(member)
                            if member == node:
                                break
                        leader = min(members)
                        self.group_members[leader] = sorted(members)
                        for member in members:
                            self.group_of[member] = leader
        self.edges = edges

    def direct_in_group(self, owner, shape_name):
        return (self.is_struct(shape_name) and self.group_of.get(shape_name) == self.group_of[owner]
                and (shape_name == owner or len(self.group_members[self.group_of[owner]]) > 1))

    # C++ names

    def cpp_type(self, shape_name):
        shape = self.shapes[shape_name]
        kind = shape["type"]
        if kind == "structure":
            return "Json" if shape.get("document") else escape(shape_name)
        if kind == "list":
            element = self.element_type(shape["member"]["shape"], shape)
            return f"std::deque<{element}>" if element == "bool" else f"std::vector<{element}>"
        if kind == "map":
            return f"std::map<std::string, {self.element_type(shape['value']['shape'], shape)}>"
        return SCALARS[kind][1]

    def element_type(self, shape_name, container):
        inner = self.cpp_type(shape_name)
        return f"std::optional<{inner}>" if container.get("sparse") else inner

    def holder_type(self, owner, member, required):
        inner = self.cpp_type(member["shape"])
        if self.is_stream(member):
            return f"aws::EventStream<{inner}>"
        if self.direct_in_group(owner, member["shape"]):
            return f"aws::Box<{inner}>"
        return inner if required else f"std::optional<{inner}>"

    def io(self, op, side):
        """(C++ name, shape name or None) of an operation's input or output."""
        alias = op + side.capitalize()
        if side in self.operations[op]:
            return alias, self.operations[op][side]["shape"]
        return alias, None


class Writer:
    def __init__(self, out):
        self.out = out
        self.written = set()

    def write(self, path, text):
        target = self.out / path
        self.written.add(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text() != text:
            target.write_text(text)

    def sweep(self):
        for path in (self.out / "gen").rglob("*"):
            if path.is_file() and path not in self.written:
                path.unlink()


HEADER = "// Generated from the service model by models/generate.py; not edited.\n#pragma once\n\n"


def write_shapes(svc, writer):
    for leader, members in svc.group_members.items():
        includes = sorted({svc.group_of[e] for m in members for e in svc.edges[m]} - {leader})
        lines = [HEADER, '#include "aws/holders.h"\n']
        if any(svc.is_stream(m) for s in members for m in svc.shapes[s].get("members", {}).values()):
            lines.append('#include "aws/event_stream.h"\n')
        lines += [f'#include "gen/{svc.name}/shapes/{other}.h"\n' for other in includes]
        lines.append(f"\nnamespace pileus::gen::{svc.name} {{\n\n")
        if len(members) > 1:
            lines += [f"struct {escape(m)};\n" for m in members] + ["\n"]
        for struct in order_by_value(svc, members):
            shape = svc.shapes[struct]
            required = set(shape.get("required", []))
            lines.append(f"struct {escape(struct)} {{\n")
            for name, member in shape.get("members", {}).items():
                holder = svc.holder_type(struct, member, name in required)
                field = member_name(name)
                if field == escape(struct):
                    field += "_"
                init = "{}" if holder in ("bool", "std::int32_t", "std::int64_t", "float", "double", "Time") else ""
                lines.append(f"  {holder} {field}{init};\n")
            lines.append("};\n\n")
        lines.append(f"}}  // namespace pileus::gen::{svc.name}\n")
        writer.write(f"gen/{svc.name}/shapes/{leader}.h", "".join(lines))


def order_by_value(svc, members):
    """Structures of one cycle; any order compiles, because direct members are boxed."""
    return members


def write_operations(svc, writer):
    for op in svc.spoken:
        lines = [HEADER]
        bodies = []
        for side in ("input", "output"):
            alias, shape = svc.io(op, side)
            if shape:
                lines.append(f'#include "gen/{svc.name}/shapes/{svc.group_of[shape]}.h"\n')
                if shape != alias:
                    bodies.append(f"using {alias} = {escape(shape)};\n")
            else:
                bodies.append(f"struct {alias} {{}};\n")
        lines.append(f"\nnamespace pileus::gen::{svc.name} {{\n\n")
        lines += bodies
        lines.append(f"\n}}  // namespace pileus::gen::{svc.name}\n")
        writer.write(f"gen/{svc.name}/{op}.h", "".join(lines))


def interface_name(svc):
    return "".join(part[:1].upper() + part[1:] for part in svc.name.replace("-", "_").split("_"))


def write_interface(svc, writer):
    cls = interface_name(svc)
    declared, aliases = set(), []
    for op in svc.spoken:
        for side in ("input", "output"):
            alias, shape = svc.io(op, side)
            declared.add(escape(shape) if shape else alias)
            if shape and shape != alias:
                aliases.append(f"using {alias} = {escape(shape)};\n")
    out = [HEADER, '#include "base/task.h"\n\n', "namespace pileus::aws {\nclass Context;\nclass Caller;\n",
           "struct Service;\n}\n\n", f"namespace pileus::gen::{svc.name} {{\n\n"]
    out += [f"struct {name};\n" for name in sorted(declared)]
    out.append("\n")
    out += sorted(set(aliases))
    out.append(f"\n// {svc.meta['serviceFullName']} {svc.meta['apiVersion']}.\nclass {cls} {{\n public:\n"
               f"  virtual ~{cls}() = default;\n")
    for op in svc.spoken:
        out.append(f"  virtual Task<Result<{op}Output>> {member_name(op)}(aws::Context& context, {op}Input input) = 0;\n")
    out.append(f"}};\n\nextern const aws::Service kService;\n\n}}  // namespace pileus::gen::{svc.name}\n")
    writer.write(f"gen/{svc.name}/interface.h", "".join(out))

    out = [HEADER, f'#include "gen/{svc.name}/interface.h"\n\n', f"namespace pileus::gen::{svc.name} {{\n\n",
           f"// {cls} as its callers see it: each call goes through `caller` (the Door).\n",
           f"class {cls}Client final : public {cls} {{\n public:\n"
           f"  explicit {cls}Client(aws::Caller& caller) : caller_(caller) {{}}\n"]
    for op in svc.spoken:
        out.append(f"  [[clang::coro_wrapper]] Task<Result<{op}Output>> {member_name(op)}(aws::Context& context, {op}Input input) override;\n")
    out.append(f"\n private:\n  aws::Caller& caller_;\n}};\n\n}}  // namespace pileus::gen::{svc.name}\n")
    writer.write(f"gen/{svc.name}/client.h", "".join(out))


def constraint(shape):
    parts = []
    for bound in ("min", "max"):
        if bound in shape and shape[bound] != int(shape[bound]):
            raise SystemExit(f"{shape['_name']}: a bound of {shape[bound]} needs Constraint to hold fractions")
    if "min" in shape:
        parts.append(f".min = {int(shape['min'])}")
    if "max" in shape:
        parts.append(f".max = {int(shape['max'])}")
    if "pattern" in shape:
        parts.append(f".pattern = {quoted(shape['pattern'])}")
    if "enum" in shape:
        parts.append(".values = values_" + shape["_name"])
    return "{" + ", ".join(parts) + "}"


def write_tables(svc, writer):
    cls = interface_name(svc)
    protocols = svc.meta.get("protocols") or [svc.meta["protocol"]]
    tables = Tables(svc)
    out = ["// Generated from the service model by models/generate.py; not edited.\n"]
    out += [f'#include "gen/{svc.name}/{op}.h"\n' for op in svc.spoken]
    out += [f'#include "gen/{svc.name}/shapes/{leader}.h"\n'
            for leader in sorted({svc.group_of[e] for e in svc.error_structs})]
    out.append(f'#include "gen/{svc.name}/client.h"\n#include "aws/service.h"\n\n'
               '#pragma clang diagnostic ignored "-Winvalid-offsetof"\n\n'
               f"namespace pileus::gen::{svc.name} {{\n\nnamespace {{\n\nusing namespace aws;\n\n")
    out += tables.shapes()
    out += tables.errors()
    out += calls(svc, cls)
    out.append("}  // namespace\n\n")
    for op in svc.spoken:
        out.append(f"[[clang::coro_wrapper]] Task<Result<{op}Output>> {cls}Client::{member_name(op)}(aws::Context& context, {op}Input input) {{\n"
                   f"  return aws::call_as<{op}Input, {op}Output>(caller_, context, kService, "
                   f"kOperations[{sorted(svc.operations).index(op)}], std::move(input));\n}}\n")
    out += validation_tables(svc)

    def protocol(p):
        if p == "json":
            return "kJson10" if svc.meta.get("jsonVersion", "1.0") == "1.0" else "kJson11"
        return PROTOCOLS[p]
    out.append("\nnamespace {\nconstexpr Protocol kProtocols[] = {" +
               ", ".join("Protocol::" + protocol(p) for p in protocols) + "};\n}  // namespace\n\n")
    signing = svc.meta.get("signingName", svc.meta["endpointPrefix"])
    out.append("const aws::Service kService = {\n"
               f"  .name = {quoted(svc.name)}, .id = {quoted(svc.meta['serviceId'])}, .signing_name = {quoted(signing)},\n"
               f"  .endpoint_prefix = {quoted(svc.meta['endpointPrefix'])}, .target_prefix = {quoted(svc.meta.get('targetPrefix', ''))},\n"
               f"  .api_version = {quoted(svc.meta['apiVersion'])}, .xml_namespace = {quoted(namespace_uri(svc.meta.get('xmlNamespace', '')))},\n"
               f"  .rpc_name = {quoted(svc.meta.get('targetPrefix', ''))}, .protocols = kProtocols,\n"
               f"  .query_compatible = {'true' if 'awsQueryCompatible' in svc.meta else 'false'}, .operations = kOperations,\n"
               f"  .errors = kErrors, .bare_xml_errors = {'true' if bare_xml_errors(svc) else 'false'},\n"
               + validation_fields(svc) + "};\n\n")
    out.append(f"}}  // namespace pileus::gen::{svc.name}\n")
    writer.write(f"gen/{svc.name}/tables.cpp", "".join(out))


def bare_xml_errors(svc):
    return svc.meta.get("noErrorWrapping", svc.meta["serviceId"] == "S3")


def validation_tables(svc):
    """The service's own wording: exceptions and refused members of models/services/<service>.json."""
    out = ["\nnamespace {\n"]
    exceptions = svc.config.get("validation", {}).get("exceptions", {})
    rows = []
    for key, message in exceptions.items():
        where, check = key.rsplit(".", 1)
        if check not in ("required", "length", "range", "pattern", "enum"):
            raise SystemExit(f"models/services/{svc.name}.json: {key}: no such check")
        svc.check_place(where)
        rows.append(f"  {{{quoted(where)}, {quoted(check)}, {quoted(message)}}},\n")
    svc.has_exceptions = bool(rows)
    if rows:
        out.append("constexpr aws::ValidationException kExceptions[] = {\n" + "".join(rows) + "};\n")
    rows = []
    for index, (key, reason) in enumerate(svc.config.get("refused", {}).items()):
        svc.check_place(key)
        operation, path = key.split(".", 1)
        accepts = "{}"
        if isinstance(reason, dict):
            out.append(f"constexpr const char* accepts_{index}[] = {{{', '.join(quoted(a) for a in reason['accepts'])}}};\n")
            reason, accepts = reason["reason"], f"accepts_{index}"
        if operation in svc.spoken:
            rows.append(f"  {{{quoted(operation)}, {quoted(path)}, {quoted(reason)}, {accepts}}},\n")
    svc.has_refused = bool(rows)
    if rows:
        out.append("constexpr aws::RefusedMember kRefused[] = {\n" + "".join(rows) + "};\n")
    return out + ["}  // namespace\n"]


def validation_fields(svc):
    style = svc.config.get("validation", {})
    default = "ValidationError" if svc.meta["protocol"] in ("query", "ec2") else "ValidationException"
    code = style.get("code", default)
    malformed = style.get("malformed", {})
    return (f"  .validation = {{{quoted(code)}, {quoted(style.get('refused_code', code))}, {quoted(malformed.get('code'))}, "
            f"{quoted(malformed.get('prefix', ''))}}},\n"
            f"  .exceptions = {'kExceptions' if svc.has_exceptions else '{}'}, "
            f".refused = {'kRefused' if svc.has_refused else '{}'},\n")


def namespace_uri(value):
    return value.get("uri", "") if isinstance(value, dict) else value


def element_namespace(prefix, reference):
    namespace = reference.get("xmlNamespace")
    if not isinstance(namespace, dict):
        return []
    fields = [f".{prefix}_namespace = {quoted(namespace.get('uri'))}"]
    if prefix == "element" and "prefix" in namespace:
        fields.append(f".element_prefix = {quoted(namespace['prefix'])}")
    return fields


class Tables:
    def __init__(self, svc):
        self.svc = svc

    def shapes(self):
        svc = self.svc
        for name, shape in svc.shapes.items():
            shape["_name"] = name
        out = [f"extern const Shape shape_{name};\n" for name in svc.used] + ["\n"]
        for name in svc.used:
            shape = svc.shapes[name]
            if "enum" in shape:
                out.append(f"constexpr const char* values_{name}[] = {{{', '.join(quoted(v) for v in shape['enum'])}}};\n")
        for name in svc.used:
            shape = svc.shapes[name]
            if svc.is_struct(name):
                out += self.structure(name, shape)
            else:
                out.append(self.simple(name, shape))
        for op in svc.spoken:
            for side in ("input", "output"):
                alias, shape = svc.io(op, side)
                if not shape:
                    out.append(f"constexpr Shape shape_{alias} = {{.name = {quoted(alias)}, .kind = Kind::kStructure}};\n")
        return out

    def simple(self, name, shape):
        svc, kind = self.svc, shape["type"]
        fields = [f".name = {quoted(name)}"]
        if kind == "structure":
            fields.append(".kind = Kind::kDocument")
        elif kind == "list":
            member = shape["member"]
            fields += [".kind = Kind::kList", f".constraint = {constraint(shape)}",
                       f".element = &shape_{member['shape']}", f".list = &list_ops<{svc.cpp_type(name)}>"]
            if "locationName" in member:
                fields.append(f".element_name = {quoted(member['locationName'])}")
            fields += element_namespace("element", member)
        elif kind == "map":
            fields += [".kind = Kind::kMap", f".constraint = {constraint(shape)}",
                       f".element = &shape_{shape['value']['shape']}", f".key = &shape_{shape['key']['shape']}",
                       f".map = &map_ops<{svc.cpp_type(name)}>",
                       f".element_name = {quoted(shape['value'].get('locationName', 'value'))}",
                       f".key_name = {quoted(shape['key'].get('locationName', 'key'))}"]
            fields += element_namespace("element", shape["value"]) + element_namespace("key", shape["key"])
        else:
            fields += [f".kind = Kind::{SCALARS[kind][0]}", f".constraint = {constraint(shape)}"]
            if kind in ("byte", "short"):
                fields.append(f".bits = {8 if kind == 'byte' else 16}")
            if kind == "timestamp" and "timestampFormat" in shape:
                fields.append(f".timestamp = TimestampFormat::{TIMESTAMPS[shape['timestampFormat']]}")
        if shape.get("sensitive"):
            fields.append(".sensitive = true")
        if shape.get("flattened"):
            fields.append(".flattened = true")
        if shape.get("sparse"):
            inner = svc.cpp_type((shape.get("member") or shape["value"])["shape"])
            fields.append(f".element_optional = &optional_ops<std::optional<{inner}>>")
        order = ["name", "kind", "constraint", "timestamp", "sensitive", "bits", "element", "key", "list", "map",
                 "element_optional", "element_name", "key_name", "element_namespace", "key_namespace",
                 "element_prefix", "flattened"]
        fields.sort(key=lambda f: order.index(f[1:].split(" ")[0]))
        return f"const Shape shape_{name} = {{{', '.join(fields)}}};\n"

    def structure(self, name, shape):
        svc, out = self.svc, []
        required = set(shape.get("required", []))
        members = shape.get("members", {})
        payload = events = None
        if members:
            out.append(f"constexpr Member members_{name}[] = {{\n")
            for position, (member, spec) in enumerate(members.items()):
                if svc.is_stream(spec):
                    events = position
                elif shape.get("payload") == member:
                    payload = position
                out.append("  {" + ", ".join(self.member(name, shape, member, spec, member in required)) + "},\n")
            out.append("};\n")
        fields = [f".name = {quoted(name)}", ".kind = Kind::kStructure"]
        if shape.get("sensitive"):
            fields.append(".sensitive = true")
        if members:
            fields.append(f".members = members_{name}")
        if payload is not None:
            fields.append(f".payload = &members_{name}[{payload}]")
        if events is not None:
            fields.append(f".events = &members_{name}[{events}]")
        if shape.get("union"):
            fields.append(".is_union = true")
        if "locationName" in shape:
            fields.append(f".xml_name = {quoted(shape['locationName'])}")
        if isinstance(shape.get("xmlNamespace"), dict):
            fields.append(f".xml_prefix = {quoted(shape['xmlNamespace'].get('prefix'))}")
            fields.append(f".xml_namespace = {quoted(shape['xmlNamespace'].get('uri'))}")
        out.append(f"const Shape shape_{name} = {{{', '.join(fields)}}};\n")
        return out

    def member(self, owner, shape, name, spec, required):
        svc = self.svc
        holder = svc.holder_type(owner, spec, required)
        target = svc.shapes[spec["shape"]]
        field = member_name(name)
        if field == escape(owner):
            field += "_"
        plain = not holder.startswith(("std::optional<", "aws::Box<"))
        location = LOCATIONS.get(spec.get("location"), "kBody")
        if owner in svc.answers and location in ("kUri", "kQuery"):
            location = "kBody"  # a request's binding means nothing in an answer
        if location == "kQuery" and target["type"] == "map":
            location = "kQueryMap"
        if svc.is_stream(spec):
            location = "kEvents"
        elif shape.get("payload") == name:
            location = "kPayload"
        fields = [f".name = {quoted(name)}", f".wire_name = {quoted(spec.get('locationName', name))}",
                  f".query_name = {quoted(spec.get('queryName'))}", f".shape = &shape_{spec['shape']}",
                  f".offset = offsetof({escape(owner)}, {field})",
                  f".optional = {'nullptr' if plain else f'&optional_ops<{holder}>'}"]
        if location != "kBody":
            fields.append(f".location = Location::{location}")
        if "timestampFormat" in spec:
            fields.append(f".timestamp = TimestampFormat::{TIMESTAMPS[spec['timestampFormat']]}")
        for flag, on in (("required", required), ("flattened", spec.get("flattened") or target.get("flattened")),
                         ("xml_attribute", spec.get("xmlAttribute")), ("idempotency_token", spec.get("idempotencyToken")),
                         ("streaming", spec.get("streaming") or target.get("streaming")),
                         ("json_header", spec.get("jsonvalue")), ("host_label", spec.get("hostLabel")),
                         ("event_payload", spec.get("eventpayload")), ("event_header", spec.get("eventheader"))):
            if on:
                fields.append(f".{flag} = true")
        namespace = spec.get("xmlNamespace")
        if isinstance(namespace, dict):
            fields.append(f".xml_prefix = {quoted(namespace.get('prefix'))}")
            fields.append(f".xml_namespace = {quoted(namespace.get('uri'))}")
        if svc.is_stream(spec):
            fields.append(f".stream = &stream_ops<{svc.cpp_type(spec['shape'])}>")
        return fields

    def errors(self):
        svc, out = self.svc, []
        compatible = "awsQueryCompatible" in svc.meta
        for name in svc.errors:
            shape = svc.shapes[name]
            error = shape.get("error", {})
            fault = bool(shape.get("fault")) or error.get("senderFault") is False
            status = error.get("httpStatusCode", 500 if fault else 400)
            code = error.get("code", name)
            message = next((s.get("locationName", m) for m, s in shape.get("members", {}).items()
                            if m.lower() == "message"), "message")
            memory = ("nullptr, nullptr, nullptr" if name not in svc.error_structs else
                      f"&shape_{name}, []() -> void* {{ return new {escape(name)}(); }}, "
                      f"[](void* p) {{ delete static_cast<{escape(name)}*>(p); }}")
            out.append(f"constexpr ErrorShape error_{name} = {{{quoted(name)}, {quoted(name if compatible else code)}, {status}, "
                       f"{'true' if fault else 'false'}, {quoted(code if compatible and code != name else None)}, "
                       f"{quoted(message)}, {memory}}};\n")
        listed = ", ".join(f"&error_{n}" for n in svc.errors)
        if not listed:
            out.append("constexpr ErrorShape error_none = {\"InternalFailure\", \"InternalFailure\", 500, true, nullptr, "
                       "\"message\", nullptr, nullptr, nullptr};\n")
        out.append(f"constexpr const ErrorShape* kErrors[] = {{{listed or '&error_none'}}};\n\n")
        return out


def calls(svc, cls):
    out = []
    rows = []
    for op in sorted(svc.operations):
        model = svc.operations[op]
        http = model.get("http", {})
        uri = http.get("requestUri", "/")
        wrapper = model.get("output", {}).get("resultWrapper")
        prefix = model.get("endpoint", {}).get("hostPrefix")
        common = (f"{quoted(op)}, {quoted(http.get('method', 'POST'))}, {quoted(uri)}, {http.get('responseCode', 200)}")
        unsigned = "true" if model.get("authtype") == "none" or model.get("auth") == ["smithy.api#noAuth"] else "false"
        if op not in svc.spoken:
            rows.append(f"  {{{common}, nullptr, nullptr, {{}}, {unsigned}, nullptr, nullptr, false, false, nullptr, nullptr, nullptr, nullptr, nullptr}},\n")
            continue
        errors = [e["shape"] for e in model.get("errors", [])]
        if errors:
            out.append(f"constexpr const ErrorShape* errors_{op}[] = {{{', '.join('&error_' + e for e in errors)}}};\n")
        out.append(f"Task<Result<Unit>> call_{op}(void* service, Context& context, void* input, void* output) {{\n"
                   f"  auto result = co_await static_cast<{cls}*>(service)->{member_name(op)}(context, "
                   f"std::move(*static_cast<{op}Input*>(input)));\n"
                   f"  if (!result) co_return fail(std::move(result.error()));\n"
                   f"  *static_cast<{op}Output*>(output) = std::move(*result);\n  co_return Unit{{}};\n}}\n")
        shapes = []

        def given(side, model=model):
            return "true" if side in model else "false"
        for side in ("input", "output"):
            alias, shape = svc.io(op, side)
            shapes.append(f"&shape_{shape or alias}")
        rows.append(f"  {{{common}, {shapes[0]}, {shapes[1]}, {'errors_' + op if errors else '{}'}, {unsigned}, {quoted(wrapper)}, {quoted(prefix)}, {given('input')}, {given('output')},\n"
                    f"   []() -> void* {{ return new {op}Input(); }}, [](void* p) {{ delete static_cast<{op}Input*>(p); }},\n"
                    f"   []() -> void* {{ return new {op}Output(); }}, [](void* p) {{ delete static_cast<{op}Output*>(p); }},\n"
                    f"   &call_{op}}},\n")
    out.append("constexpr Operation kOperations[] = {\n" + "".join(rows) + "};\n\n")
    return out


def write_service(name, model, config, writer):
    svc = ServiceModel(name, model, config)
    write_shapes(svc, writer)
    write_operations(svc, writer)
    write_interface(svc, writer)
    write_tables(svc, writer)
    return svc


def write_aws_policies(writer):
    """AWS's managed policies as the rows of an array of services::iam::AwsPolicy, by name."""
    rows = []
    for line in (ROOT / "aws_policies.jsonl").read_text().splitlines():
        policy = json.loads(line)
        texts = [quoted(policy[key]) for key in ("path", "name", "description", "version", "created", "updated")]
        rows.append(f"  {{{', '.join(texts)}, R\"json({policy['document']})json\"}},\n")
    writer.write("gen/iam/aws_policies.inc", "".join(rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the folder that gets gen/ and services.cmake")
    parser.add_argument("--services", type=pathlib.Path, default=ROOT / "services",
                        help="the folder of service configurations")
    arguments = parser.parse_args()
    loader = Loader()
    writer = Writer(arguments.out)
    names = []
    for config_path in sorted(arguments.services.glob("*.json")):
        config = json.loads(config_path.read_text())
        if isinstance(config["model"], dict):  # a model of our own, for tests
            model = config["model"]
        else:
            model = loader.load_service_model(config["model"], "service-2", config.get("api_version"))
        write_service(config_path.stem, model, config, writer)
        names.append(config_path.stem)
    if "iam" in names:
        write_aws_policies(writer)
    writer.write("services.cmake", f"set(PILEUS_MODELS {' '.join(names)})\n")
    writer.sweep()


if __name__ == "__main__":
    sys.exit(main())
