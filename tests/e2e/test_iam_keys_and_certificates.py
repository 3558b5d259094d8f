"""Server and signing certificates, SSH public keys, service-specific credentials."""

import base64
import hashlib
import subprocess

import pytest

from cloud import ACCOUNT
from iam_tools import certificate, fails, new_name, new_user


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    root = certificate(folder, "root")
    middle = certificate(folder, "middle", root)
    return {"root": root, "middle": middle, "leaf": certificate(folder, "leaf", middle)}


def text(path):
    return path.read_text()


def test_a_server_certificate_lives(cloud, chain):
    iam = cloud.client("iam")
    name = new_name("cert")
    key, cert = chain["leaf"]
    links = text(chain["middle"][1]) + text(chain["root"][1])
    made = iam.upload_server_certificate(ServerCertificateName=name, Path="/cdn/", CertificateBody=text(cert),
                                         PrivateKey=text(key), CertificateChain=links, Tags=[{"Key": "a", "Value": "b"}])
    data = made["ServerCertificateMetadata"]
    assert data["Arn"] == f"arn:aws:iam::{ACCOUNT}:server-certificate/cdn/{name}"
    assert data["ServerCertificateId"].startswith("ASCA") and data["Expiration"] > data["UploadDate"]
    got = iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]
    assert got["CertificateBody"] == text(cert).strip() and got["CertificateChain"] == links.strip()
    assert got["Tags"] == [{"Key": "a", "Value": "b"}]
    fails("EntityAlreadyExists", iam.upload_server_certificate, ServerCertificateName=name, CertificateBody=text(cert), PrivateKey=text(key))
    assert [it["ServerCertificateName"] for it in iam.list_server_certificates(PathPrefix="/cdn/")["ServerCertificateMetadataList"]] == [name]
    assert iam.list_server_certificates(PathPrefix="/other/")["ServerCertificateMetadataList"] == []
    renamed = new_name("cert")
    iam.update_server_certificate(ServerCertificateName=name, NewServerCertificateName=renamed, NewPath="/")
    iam.tag_server_certificate(ServerCertificateName=renamed, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_server_certificate(ServerCertificateName=renamed, TagKeys=["a"])
    assert iam.list_server_certificate_tags(ServerCertificateName=renamed)["Tags"] == [{"Key": "c", "Value": "d"}]
    fails("NoSuchEntity", iam.get_server_certificate, ServerCertificateName=name)
    iam.delete_server_certificate(ServerCertificateName=renamed)


def test_what_does_not_fit_together_is_refused(cloud, chain):
    iam = cloud.client("iam")
    key, cert = chain["leaf"]
    arguments = dict(ServerCertificateName=new_name("cert"), CertificateBody=text(cert), PrivateKey=text(key))
    upload = iam.upload_server_certificate
    fails("MalformedCertificate", upload, **{**arguments, "CertificateBody": "nonsense"})
    fails("MalformedCertificate", upload, **{**arguments, "PrivateKey": "nonsense"})
    fails("KeyPairMismatch", upload, **{**arguments, "PrivateKey": text(chain["root"][0])})
    wrong_order = text(chain["root"][1]) + text(chain["middle"][1])
    assert fails("MalformedCertificate", upload, **arguments, CertificateChain=wrong_order).endswith("invalid certificate is: 0")
    half_right = text(chain["middle"][1]) + text(cert)
    assert fails("MalformedCertificate", upload, **arguments, CertificateChain=half_right).endswith("invalid certificate is: 1")


def test_a_signing_certificate_lives(cloud, chain):
    iam = cloud.client("iam")
    user, client = new_user(cloud)
    body = text(chain["root"][1])
    made = iam.upload_signing_certificate(UserName=user, CertificateBody=body)["Certificate"]
    assert (made["UserName"], made["Status"], made["CertificateBody"]) == (user, "Active", body.strip())
    other, _ = new_user(cloud)
    fails("DuplicateCertificate", iam.upload_signing_certificate, UserName=other, CertificateBody=body)
    iam.upload_signing_certificate(UserName=user, CertificateBody=text(chain["middle"][1]))
    assert fails("LimitExceeded", iam.upload_signing_certificate, UserName=user, CertificateBody=text(chain["leaf"][1])) == (
        "Cannot exceed quota for CertificatesPerUser: 2")
    iam.update_signing_certificate(UserName=user, CertificateId=made["CertificateId"], Status="Inactive")
    first = iam.list_signing_certificates(UserName=user, MaxItems=1)
    rest = iam.list_signing_certificates(UserName=user, Marker=first["Marker"])
    listed = first["Certificates"] + rest["Certificates"]
    assert {it["CertificateId"]: it["Status"] for it in listed}[made["CertificateId"]] == "Inactive" and len(listed) == 2
    for it in listed:
        iam.delete_signing_certificate(UserName=user, CertificateId=it["CertificateId"])
    fails("NoSuchEntity", iam.delete_signing_certificate, UserName=user, CertificateId=made["CertificateId"])
    iam.upload_signing_certificate(UserName=other, CertificateBody=body)
    iam.delete_signing_certificate(UserName=other, CertificateId=iam.list_signing_certificates(UserName=other)["Certificates"][0]["CertificateId"])
    fails("MalformedCertificate", iam.upload_signing_certificate, UserName=user, CertificateBody="nonsense")


def ssh_form(pem_key):
    public = subprocess.run(["openssl", "rsa", "-in", pem_key, "-pubout"], check=True, capture_output=True, text=True).stdout
    shown = subprocess.run(["openssl", "rsa", "-in", pem_key, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
    modulus = bytes.fromhex(shown.strip().split("=")[1])
    field = lambda data: len(data).to_bytes(4, "big") + data
    blob = field(b"ssh-rsa") + field(b"\x01\x00\x01") + field(b"\x00" + modulus)
    return public, "ssh-rsa " + base64.b64encode(blob).decode(), blob


def test_ssh_keys_come_and_go_in_both_forms(cloud, chain):
    iam = cloud.client("iam")
    user, _ = new_user(cloud)
    pem, ssh, blob = ssh_form(chain["leaf"][0])
    made = iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=ssh + " ann@home")["SSHPublicKey"]
    digest = hashlib.md5(blob).hexdigest()
    assert made["Fingerprint"] == ":".join(digest[i:i + 2] for i in range(0, 32, 2))
    assert made["SSHPublicKeyId"].startswith("APKA") and made["Status"] == "Active"
    identity = dict(UserName=user, SSHPublicKeyId=made["SSHPublicKeyId"])
    assert iam.get_ssh_public_key(**identity, Encoding="PEM")["SSHPublicKey"]["SSHPublicKeyBody"] == pem.strip()
    assert iam.get_ssh_public_key(**identity, Encoding="SSH")["SSHPublicKey"]["SSHPublicKeyBody"] == ssh + " ann@home"
    fails("DuplicateSSHPublicKey", iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody=pem)
    other_pem, other_ssh, _ = ssh_form(chain["root"][0])
    second = iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=other_pem)["SSHPublicKey"]["SSHPublicKeyId"]
    assert iam.get_ssh_public_key(UserName=user, SSHPublicKeyId=second, Encoding="SSH")["SSHPublicKey"]["SSHPublicKeyBody"] == other_ssh
    iam.update_ssh_public_key(**identity, Status="Inactive")
    assert {it["SSHPublicKeyId"]: it["Status"] for it in iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"]} == {
        made["SSHPublicKeyId"]: "Inactive", second: "Active"}
    fails("UnrecognizedPublicKeyEncoding", iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody="ssh-ed25519 AAAA")
    fails("InvalidPublicKey", iam.upload_ssh_public_key, UserName=user, SSHPublicKeyBody="ssh-rsa AAAA")
    iam.delete_access_key(UserName=user, AccessKeyId=iam.list_access_keys(UserName=user)["AccessKeyMetadata"][0]["AccessKeyId"])
    fails("DeleteConflict", iam.delete_user, UserName=user)
    for key in (made["SSHPublicKeyId"], second):
        iam.delete_ssh_public_key(UserName=user, SSHPublicKeyId=key)
    fails("NoSuchEntity", iam.delete_ssh_public_key, **identity)
    iam.delete_user(UserName=user)


def test_service_specific_credentials(cloud):
    iam = cloud.client("iam")
    user, _ = new_user(cloud)
    git = dict(UserName=user, ServiceName="codecommit.amazonaws.com")
    first = iam.create_service_specific_credential(**git)["ServiceSpecificCredential"]
    second = iam.create_service_specific_credential(**git)["ServiceSpecificCredential"]
    assert (first["ServiceUserName"], second["ServiceUserName"]) == (f"{user}-at-{ACCOUNT}", f"{user}+1-at-{ACCOUNT}")
    fails("LimitExceeded", iam.create_service_specific_credential, **git)
    assert "No such service" in fails("NotSupportedService", iam.create_service_specific_credential, UserName=user, ServiceName="s3.amazonaws.com")
    one = dict(UserName=user, ServiceSpecificCredentialId=first["ServiceSpecificCredentialId"])
    reset = iam.reset_service_specific_credential(**one)["ServiceSpecificCredential"]
    assert reset["ServicePassword"] != first["ServicePassword"]
    iam.update_service_specific_credential(**one, Status="Inactive")
    listed = iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    assert [it["Status"] for it in listed] == ["Inactive", "Active"] and "ServicePassword" not in listed[0]
    key = iam.create_service_specific_credential(UserName=user, ServiceName="bedrock.amazonaws.com", CredentialAgeDays=30)["ServiceSpecificCredential"]
    assert key["ServiceCredentialSecret"].startswith("ABSK") and (key["ExpirationDate"] - key["CreateDate"]).days == 30
    assert len(iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]) >= 3
    for it in (first, second, key):
        iam.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=it["ServiceSpecificCredentialId"])
    fails("NoSuchEntity", iam.delete_service_specific_credential, **one)
