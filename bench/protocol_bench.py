"""botocore's cost of the same calls as protocol_bench: serialising the request and parsing the answer."""
import time

import botocore.parsers
import botocore.serialize
from botocore.loaders import Loader
from botocore.model import ServiceModel

CALLS = [
    ("lambda", "Invoke", {"FunctionName": "my-function", "Payload": b"x" * 100}, {}, b"x" * 100),
    ("logs", "PutLogEvents", {"logGroupName": "/aws/lambda/f", "logStreamName": "s",
                              "logEvents": [{"timestamp": 1700000000000, "message": "hello"}]}, {}, b'{"nextSequenceToken":"1"}'),
    ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": '{"Version":"2012-10-17"}',
                           "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]}, {},
     b'<CreateRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateRoleResult><Role><Path>/</Path>'
     b"<RoleName>r</RoleName><RoleId>AROAAAAAAAAAAAAAAAAAA</RoleId><Arn>arn:aws:iam::000000000000:role/r</Arn>"
     b"<CreateDate>2023-11-14T22:13:20Z</CreateDate></Role></CreateRoleResult><ResponseMetadata>"
     b"<RequestId>11111111-2222-3333-4444-555555555555</RequestId></ResponseMetadata></CreateRoleResponse>"),
]


def main():
    for service, operation, params, headers, body in CALLS:
        model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
        op = model.operation_model(operation)
        serializer = botocore.serialize.create_serializer(model.protocol, include_validation=True)
        parser = botocore.parsers.create_parser(model.protocol)
        best = 1e9
        for _ in range(3):
            start = time.perf_counter()
            for _ in range(500):
                serializer.serialize_to_request(params, op)
                parser.parse({"status_code": 200, "headers": headers, "body": body}, op.output_shape)
            best = min(best, (time.perf_counter() - start) / 500 * 1e6)
        print(f"  botocore   {service + ' ' + operation:33} {best:9.2f} us a call")


if __name__ == "__main__":
    main()
