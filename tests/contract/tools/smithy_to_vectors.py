"""Turns Smithy's protocol tests (one JSON AST) into what the contract tests read.

  models/<name>.json    a service configuration for models/generate.py with its model inside,
                        in the form of botocore's models
  vectors/<name>.json   the request, response, error and malformed-request tests of that service,
                        inputs and outputs in the codec's neutral JSON form
The originals are Copyright Amazon.com, Inc., licensed under Apache-2.0 (see NOTICE beside).
"""

import base64
import json
import pathlib
import sys

SERVICES = {
    "vectors_json10": "aws.protocoltests.json10#JsonRpc10",
    "vectors_json11": "aws.protocoltests.json#JsonProtocol",
    "vectors_rest_json": "aws.protocoltests.restjson#RestJson",
    "vectors_rest_xml": "aws.protocoltests.restxml#RestXml",
    "vectors_rest_xml_namespace": "aws.protocoltests.restxml.xmlns#RestXmlWithNamespace",
    "vectors_query": "aws.protocoltests.query#AwsQuery",
    "vectors_ec2": "aws.protocoltests.ec2#AwsEc2",
    "vectors_cbor": "smithy.protocoltests.rpcv2Cbor#RpcV2Protocol",
}
PROTOCOLS = {
    "aws.protocols#awsJson1_0": ("json", "1.0"), "aws.protocols#awsJson1_1": ("json", "1.1"),
    "aws.protocols#restJson1": ("rest-json", None), "aws.protocols#restXml": ("rest-xml", None),
    "aws.protocols#awsQuery": ("query", None), "aws.protocols#ec2Query": ("ec2", None),
    "smithy.protocols#rpcv2Cbor": ("smithy-rpc-v2-cbor", None),
}
SIMPLE = {"string": "string", "enum": "string", "intEnum": "integer", "boolean": "boolean", "byte": "byte",
          "short": "short", "integer": "integer", "long": "long", "float": "float", "double": "double",
          "bigInteger": "bigInteger", "bigDecimal": "bigDecimal", "timestamp": "timestamp", "blob": "blob"}
TIMESTAMPS = {"date-time": "iso8601", "http-date": "rfc822", "epoch-seconds": "unixTimestamp"}
PRELUDE = {"PrimitiveBoolean": "boolean", "PrimitiveInteger": "integer", "PrimitiveLong": "long",
           "PrimitiveFloat": "float", "PrimitiveDouble": "double", "PrimitiveByte": "byte", "PrimitiveShort": "short"}


class Converter:
    def __init__(self, ast, service_id):
        self.ast = ast["shapes"]
        self.service = self.ast[service_id]
        self.service_name = service_id.split("#")[1]
        self.protocol, self.json_version = next(v for k, v in PROTOCOLS.items() if k in self.service["traits"])
        self.renames = self.service.get("rename", {})
        self.shapes, self.names, self.vectors, self.skipped = {}, {}, [], []

    def get(self, shape_id):
        if shape_id.startswith("smithy.api#"):
            name = shape_id.split("#")[1]
            if name == "Unit":
                return {"type": "structure", "members": {}}
            if name == "Document":
                return {"type": "document"}
            return {"type": PRELUDE.get(name, name[0].lower() + name[1:])}
        return self.ast[shape_id]

    def name_of(self, shape_id):
        if shape_id not in self.names:
            wanted = self.renames.get(shape_id, shape_id.split("#")[1])
            taken = set(self.names.values())
            while wanted in taken:
                wanted += "_"
            self.names[shape_id] = wanted
        return self.names[shape_id]

    def shape(self, shape_id, flattened=False):
        name = self.name_of(shape_id) + ("Flattened" if flattened else "")
        if name in self.shapes:
            return name
        source = self.get(shape_id)
        traits = source.get("traits", {})
        kind = source["type"]
        out = self.shapes[name] = {}
        if kind in ("structure", "union"):
            self.structure(out, source, traits)
            if kind == "union":
                out["union"] = True
        elif kind in ("list", "set"):
            out.update(type="list", member=self.reference(source["member"], flattened))
        elif kind == "map":
            out.update(type="map", key=self.reference(source["key"]), value=self.reference(source["value"]))
        elif kind == "document":
            out.update(type="structure", members={}, document=True)
        else:
            out["type"] = SIMPLE[kind]
            if kind == "enum":
                out["enum"] = [m["traits"]["smithy.api#enumValue"] for m in source["members"].values()]
            if "smithy.api#timestampFormat" in traits:
                out["timestampFormat"] = TIMESTAMPS[traits["smithy.api#timestampFormat"]]
            if "smithy.api#streaming" in traits:
                out["streaming"] = True
        if flattened:
            out["flattened"] = True
        if "smithy.api#sparse" in traits:
            out["sparse"] = True
        return name

    def reference(self, member, flattened=False):
        traits = member.get("traits", {})
        out = {"shape": self.shape(member["target"])}
        if "smithy.api#xmlName" in traits and not flattened and self.protocol not in ("json", "rest-json", "smithy-rpc-v2-cbor"):
            out["locationName"] = traits["smithy.api#xmlName"]
        if "smithy.api#xmlNamespace" in traits:
            out["xmlNamespace"] = traits["smithy.api#xmlNamespace"]
        return out

    def structure(self, out, source, traits):
        out.update(type="structure", members={})
        required = []
        for name, member in source.get("members", {}).items():
            mine = member.get("traits", {})
            flattened = "smithy.api#xmlFlattened" in mine and self.get(member["target"])["type"] in ("list", "map", "set")
            spec = {"shape": self.shape(member["target"], flattened)}
            out["members"][name] = spec
            if "smithy.api#required" in mine:
                required.append(name)
            self.binding(out, name, spec, mine, member)
        if required:
            out["required"] = required
        if "smithy.api#xmlName" in traits:
            out["locationName"] = traits["smithy.api#xmlName"]
        if "smithy.api#xmlNamespace" in traits:
            out["xmlNamespace"] = traits["smithy.api#xmlNamespace"]
        if "smithy.api#error" in traits:
            error = {"httpStatusCode": traits.get("smithy.api#httpError", 400 if traits["smithy.api#error"] == "client" else 500)}
            if traits["smithy.api#error"] != "client":
                out["fault"] = True
            custom = traits.get("aws.protocols#awsQueryError")
            if custom and self.protocol == "query":
                error.update(code=custom["code"], httpStatusCode=custom["httpResponseCode"])
            out.update(exception=True, error=error)

    def binding(self, out, name, spec, traits, member):
        rest = self.protocol.startswith("rest")
        get = lambda trait: traits.get("smithy.api#" + trait)  # noqa: E731
        if rest and get("httpHeader"):
            spec.update(location="header", locationName=get("httpHeader"))
            media = self.get(member["target"]).get("traits", {}).get("smithy.api#mediaType")
            if media == "application/json":
                spec["jsonvalue"] = True
        elif rest and get("httpPrefixHeaders") is not None:
            spec.update(location="headers", locationName=get("httpPrefixHeaders"))
        elif rest and get("httpQuery"):
            spec.update(location="querystring", locationName=get("httpQuery"))
        elif rest and get("httpQueryParams") is not None:
            spec.update(location="querystring", locationName=name)
        elif rest and get("httpLabel") is not None:
            spec.update(location="uri", locationName=name)
        elif rest and get("httpResponseCode") is not None:
            spec["location"] = "statusCode"
        elif rest and get("httpPayload") is not None:
            out["payload"] = name
        if "locationName" not in spec:
            if self.protocol == "rest-json" and get("jsonName"):
                spec["locationName"] = get("jsonName")
            if self.protocol in ("rest-xml", "query", "ec2") and get("xmlName"):
                spec["locationName"] = get("xmlName")
        if get("xmlAttribute") is not None:
            spec["xmlAttribute"] = True
        if get("xmlNamespace"):
            spec["xmlNamespace"] = get("xmlNamespace")
        if self.protocol == "ec2" and "aws.protocols#ec2QueryName" in traits:
            spec["queryName"] = traits["aws.protocols#ec2QueryName"]
        if get("timestampFormat"):
            spec["timestampFormat"] = TIMESTAMPS[get("timestampFormat")]
        if get("idempotencyToken") is not None:
            spec["idempotencyToken"] = True
        if get("hostLabel") is not None:
            spec["hostLabel"] = True

    def streams_events(self, shape_id):
        members = self.get(shape_id).get("members", {}).values()
        return any("smithy.api#streaming" in self.get(m["target"]).get("traits", {}) and self.get(m["target"])["type"] == "union"
                   for m in members)

    def neutral(self, shape_id, value):
        shape = self.get(shape_id)
        kind = shape["type"]
        if value is None:
            return None
        if kind in ("structure", "union"):
            return {k: self.neutral(shape["members"][k]["target"], v) for k, v in value.items()}
        if kind in ("list", "set"):
            return [self.neutral(shape["member"]["target"], v) for v in value]
        if kind == "map":
            return {k: self.neutral(shape["value"]["target"], v) for k, v in value.items()}
        if kind == "timestamp":
            return round(value * 1_000_000)
        if kind == "blob":
            return base64.b64encode(value.encode()).decode()
        return value

    def convert(self):
        operations = {}
        for reference in self.service["operations"]:
            operation_id = reference["target"]
            self.operation(operation_id, operations)
        traits = self.service["traits"]
        metadata = {"apiVersion": self.service["version"] if self.service.get("version") else "2020-07-14",
                    "endpointPrefix": "example", "protocol": self.protocol, "protocols": [self.protocol],
                    "serviceFullName": self.service_name, "serviceId": self.service_name, "targetPrefix": self.service_name,
                    "xmlNamespace": traits.get("smithy.api#xmlNamespace", {}).get("uri", "")}
        if self.json_version:
            metadata["jsonVersion"] = self.json_version
        if traits.get("aws.protocols#restXml", {}).get("noErrorWrapping"):
            metadata["noErrorWrapping"] = True
        model = {"metadata": metadata, "operations": operations, "shapes": self.shapes}
        return {"model": model, "operations": sorted(operations)}, {"tests": self.vectors}

    def operation(self, operation_id, operations):
        source = self.ast[operation_id]
        name = operation_id.split("#")[1]
        sides = {side: source.get(side, {}).get("target", "smithy.api#Unit") for side in ("input", "output")}
        if any(self.streams_events(s) for s in sides.values()):
            return
        http = source["traits"].get("smithy.api#http", {"method": "POST", "uri": "/", "code": 200})
        if not self.protocol.startswith("rest"):
            http = {"method": "POST", "uri": "/", "code": 200}
        out = operations[name] = {"name": name, "http": {"method": http["method"], "requestUri": http["uri"],
                                                         "responseCode": http.get("code", 200)}}
        for side, target in sides.items():
            if target != "smithy.api#Unit":
                out[side] = {"shape": self.shape(target)}
                if side == "output" and self.protocol == "query":
                    out[side]["resultWrapper"] = name + "Result"
        errors = source.get("errors", []) + self.service.get("errors", [])
        if errors:
            out["errors"] = [{"shape": self.shape(e["target"])} for e in errors]
        if "smithy.api#endpoint" in source["traits"]:
            out["endpoint"] = {"hostPrefix": source["traits"]["smithy.api#endpoint"]["hostPrefix"]}
        for test in source["traits"].get("smithy.test#httpRequestTests", []):
            self.add("request", name, test, sides["input"])
        for test in source["traits"].get("smithy.test#httpResponseTests", []):
            self.add("response", name, test, sides["output"])
        for error in errors:
            for test in self.ast[error["target"]].get("traits", {}).get("smithy.test#httpResponseTests", []):
                if not any(v["kind"] == "error" and v["id"] == test["id"] for v in self.vectors):
                    self.add("error", name, test, error["target"])
        for test in source["traits"].get("smithy.test#httpMalformedRequestTests", []):
            self.malformed(name, test)

    def add(self, kind, operation, test, shape_id):
        keep = ("id", "method", "uri", "host", "resolvedHost", "queryParams", "forbidQueryParams", "requireQueryParams",
                "headers", "forbidHeaders", "requireHeaders", "body", "bodyMediaType", "code", "appliesTo")
        out = {k: test[k] for k in keep if k in test}
        out.update(kind=kind, operation=operation, params=self.neutral(shape_id, test.get("params", {})))
        if kind == "error":
            out["error"] = self.name_of(shape_id)
        self.vectors.append(out)

    def malformed(self, operation, test):
        count = max((len(v) for v in test.get("testParameters", {}).values()), default=1)
        for index in range(count):
            def fill(value, index=index):
                if isinstance(value, dict):
                    return {k: fill(v) for k, v in value.items()}
                if isinstance(value, list):
                    return [fill(v) for v in value]
                if isinstance(value, str):
                    for name, values in test.get("testParameters", {}).items():
                        value = value.replace(f"${name}:L", values[index]).replace(f"${name}:S", json.dumps(values[index]))
                return value
            request = fill(test["request"])
            out = {k: request[k] for k in ("method", "uri", "queryParams", "headers", "body") if k in request}
            headers = {k.lower(): v for k, v in test["response"].get("headers", {}).items()}
            suffix = f"_case{index}" if count > 1 else ""
            out.update(kind="malformed", operation=operation, id=test["id"] + suffix, code=test["response"]["code"],
                       error=headers.get("x-amzn-errortype", ""))
            self.vectors.append(out)


def main():
    ast = json.loads(pathlib.Path(sys.argv[1]).read_text())
    out = pathlib.Path(sys.argv[2])
    for name, service_id in SERVICES.items():
        config, vectors = Converter(ast, service_id).convert()
        for folder, content in (("models", config), ("vectors", vectors)):
            (out / folder).mkdir(exist_ok=True)
            (out / folder / f"{name}.json").write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
