"""What the tests of IAM share: expected errors, users with keys, one-time codes, certificates."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import struct
import subprocess
import time

import botocore.exceptions
import pytest


def fails(code, call, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value.response
    return error.value.response["Error"]["Message"]


def new_name(prefix="user"):
    return f"{prefix}-{os.urandom(4).hex()}"


def new_user(cloud):
    """A user and its name, with a client maker of its own key."""
    iam = cloud.client("iam")
    name = new_name()
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return name, lambda service: cloud.client(service, key["AccessKeyId"], key["SecretAccessKey"])


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(action, resource="*", effect="Allow", **more):
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def totp(seed, step):
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def steps():
    """The step of now; waits a moment where the next one is about to begin."""
    now = time.time()
    return int(now) // 30


def certificate(folder, name, issuer=None, key_bits=2048):
    """Paths of a new key and certificate; self-signed, or signed by `issuer`'s."""
    key, cert = pathlib.Path(folder, f"{name}.key"), pathlib.Path(folder, f"{name}.pem")
    subprocess.run(["openssl", "genrsa", "-out", key, str(key_bits)], check=True, capture_output=True)
    signer = ["-CA", issuer[1], "-CAkey", issuer[0]] if issuer else []
    subprocess.run(["openssl", "req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}.example.com", "-days", "30",
                    "-out", cert, *signer], check=True, capture_output=True)
    return key, cert
