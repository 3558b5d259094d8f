"""Writes sigv4_vectors.inc: requests signed by botocore, that sigv4_test.cpp verifies and signs again.

Run with a Python that has the pinned botocore; the result is committed:
    python src/aws/testdata/make_sigv4_vectors.py > src/aws/testdata/sigv4_vectors.inc
"""
import datetime
import hashlib
import json
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.timezone.utc)
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(tzinfo=None) if remove_tzinfo else NOW
else:
    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return NOW.replace(tzinfo=None)
    botocore.auth.datetime.datetime = Frozen

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGd=="

PATHS = ["/", "", "/foo", "/foo/", "/foo/bar", "//", "//foo//bar", "/foo/./bar", "/foo/../bar", "/foo/../../bar/",
         "/./", "/a/b/..", "/a%20b", "/a%2Fb", "/a%2520b", "/-._~0189AZaz", "/%E1%88%B4", "/a:b", "/a%3Ab", "/a+b",
         "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations",
         "/%7Bproxy%7D", "/a%28b%29%21%27%2A", "/a=b&c", "/a;b,c@d$e", "/...", "/..foo/.bar"]
QUERIES = ["", "a=b", "a=b&c=d", "c=d&a=b", "a=2&a=1", "a=&b", "Action=ListUsers&Version=2010-05-08", "A=1&a=2&-=3&~=4&_=5&.=6",
           "a=%20&b=%2B", "%E1%88%B4=bar", "a=b%3Dc", "a-=1&a=2", "ab=1&a=2&a%3D=3", "list-type=2&prefix=x%2Fy&delimiter=%2F",
           "a=%C3%A4%C3%B6", "uploads=", "x=~", "a=1&a=1&a=0"]
HEADERS = [[], [["My-Header1", "value1"]], [["My-Header1", "  a   b   c  "]], [["My-Header1", '"a   b   c"']],
           [["My-Header1", "value2"], ["My-Header1", "value1"], ["My-Header1", "value3"]],
           [["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"]],
           [["X-Amz-Target", "DynamoDB_20120810.GetItem"], ["Content-Type", "application/x-amz-json-1.0"]],
           [["My-Header1", "tab\tseparated \t value"]], [["my_header", ""]], [["X-Amz-Meta-Name", "caf\u00e9"]]]
BODIES = [b"", b"Param1=value1", b'{"TableName":"t"}', bytes(range(256)), b"x" * 1024]


def vector(kind, signer, method, path, query, headers, body, service, region, token, expires=None):
    host = "example.amazonaws.com"
    url = f"https://{host}{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body)
    request.headers["Host"] = host
    for name, value in headers:
        request.headers[name] = value  # HTTPHeaders appends
    credentials = Credentials(KEY, SECRET, token)
    if expires is not None:
        auth = signer(credentials, service, region, expires=expires)
    else:
        auth = signer(credentials, service, region)
    auth.add_auth(request)
    parts = urllib.parse.urlsplit(request.url)
    after = request.url.split(host, 1)[1]
    out_path, _, out_query = after.partition("?")
    return {"kind": kind, "method": method, "path": out_path, "query": out_query, "service": service, "region": region,
            "token": token or "", "body": body.hex(), "expires": expires or 0,
            "given": len(headers) + 1, "base_query": query,
            "headers": [[n, v if isinstance(v, str) else v.decode()] for n, v in request.headers.items()]}


def main():
    out = []
    v4, s3 = botocore.auth.SigV4Auth, botocore.auth.S3SigV4Auth
    query4, query_s3 = botocore.auth.SigV4QueryAuth, botocore.auth.S3SigV4QueryAuth
    for path in PATHS:
        out.append(vector("header", v4, "GET", path, "", [], b"", "service", "us-east-1", None))
    for path in ["/", "/foo", "/foo//bar", "/foo/./bar", "/foo/../bar", "/a%20b", "/a%2Fb", "/a%2520b", "/%E1%88%B4",
                 "/-._~0189AZaz", "/a%3Ab", "/a%2Bb", "/trailing/", "/a%28b%29%21%27%2A"]:
        out.append(vector("header", s3, "GET", path, "", [], b"", "s3", "eu-central-1", None))
        out.append(vector("query", query_s3, "GET", path, "", [], b"", "s3", "eu-central-1", TOKEN, 3600))
    for query in QUERIES:
        out.append(vector("header", v4, "GET", "/", query, [], b"", "service", "us-east-1", None))
        out.append(vector("header", s3, "GET", "/b/k", query, [], b"", "s3", "us-east-1", TOKEN))
    for query in ["", "a=b", "Action=GetCallerIdentity&Version=2011-06-15", "z=1&a=%2F"]:
        out.append(vector("query", query4, "GET", "/", query, [], b"", "sts", "us-gov-west-1", TOKEN, 60))
        out.append(vector("query", query4, "GET", "/x", query, [["X-Extra", "1"]], b"", "sts", "cn-north-1", None, 604800))
    for headers in HEADERS:
        for body in BODIES[:2]:
            out.append(vector("header", v4, "POST", "/", "", headers, body, "service", "us-east-1", None))
        out.append(vector("header", v4, "POST", "/", "", headers, b"", "iam", "us-east-1", TOKEN))
    for body in BODIES:
        for method in ["POST", "PUT", "DELETE"]:
            out.append(vector("header", v4, method, "/2015-03-31/functions", "", [], body, "lambda", "eu-west-1", TOKEN))
            out.append(vector("header", s3, method, "/bucket/key", "", [], body, "s3", "eu-west-1", None))
    lines = ",\n".join(json.dumps(v, ensure_ascii=True) for v in out)
    assert ")json" not in lines
    print("// Made by make_sigv4_vectors.py with botocore; do not edit.")
    # Short pieces: some compilers limit the length of one literal.
    print('R"json([)json"')
    for i, line in enumerate(lines.split("\n")):
        print(f'R"json({line})json"')
    print('R"json(])json"')


main()
