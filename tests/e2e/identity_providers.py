"""Identity providers of a test's own: an OpenID Connect issuer on loopback, and one that signs SAML assertions.

Keys and signatures are made by the openssl command.
"""

import base64
import datetime
import hashlib
import http.server
import json
import pathlib
import re
import ssl
import subprocess
import tempfile
import threading
import time


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True).stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A key pair in a file: "RSA" or a curve as JSON Web Keys call it."""

    CURVES = {"P-256": ("prime256v1", 32), "P-384": ("secp384r1", 48), "P-521": ("secp521r1", 66)}

    def __init__(self, kind="RSA", kid="key-1", bits=2048):
        self.folder = tempfile.TemporaryDirectory(prefix="pileus-key-")
        self.file = str(pathlib.Path(self.folder.name) / "key.pem")
        self.kind, self.kid = kind, kid
        option = ("RSA", f"rsa_keygen_bits:{bits}") if kind == "RSA" else ("EC", f"ec_paramgen_curve:{self.CURVES[kind][0]}")
        openssl("genpkey", "-algorithm", option[0], "-pkeyopt", option[1], "-out", self.file)

    def jwk(self):
        der = openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")
        if self.kind == "RSA":
            modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().split("=")[1]
            return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}
        size = self.CURVES[self.kind][1]
        x, y = der[-2 * size:-size], der[-size:]
        return {"kty": "EC", "kid": self.kid, "use": "sig", "crv": self.kind, "x": base64url(x), "y": base64url(y)}

    def sign(self, data, digest="sha256"):
        return openssl("dgst", f"-{digest}", "-sign", self.file, stdin=data)

    def sign_jose(self, data, digest):
        signature = self.sign(data, digest)
        if self.kind == "RSA":
            return signature
        size = self.CURVES[self.kind][1]
        r, s = re.findall(r"INTEGER\s+:([0-9A-F]+)", openssl("asn1parse", "-inform", "DER", stdin=signature).decode())
        return int(r, 16).to_bytes(size, "big") + int(s, 16).to_bytes(size, "big")

    def certificate(self, *options):
        return openssl("req", "-new", "-x509", "-key", self.file, "-subj", "/CN=idp", "-days", "30", *options).decode()


class Issuer:
    """An issuer that publishes its keys; with `tls` under a certificate of its own that nobody trusts."""

    def __init__(self, tls=False):
        self.keys = [Key()]
        self.requests = []
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                issuer.requests.append(self.path)
                body = issuer.answer(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_port}"
        if tls:
            certificate = self.keys[0].certificate("-addext", "subjectAltName=IP:127.0.0.1")
            file = pathlib.Path(self.keys[0].folder.name) / "certificate.pem"
            file.write_text(certificate)
            self.thumbprint = hashlib.sha1(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(file, self.keys[0].file)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def name(self):
        return self.url.split("://")[1]

    def answer(self, path):
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        if path == "/keys":
            return json.dumps({"keys": [key.jwk() for key in self.keys]}).encode()
        return None

    def token(self, key=None, algorithm="RS256", header=(), **claims):
        """A signed token; a claim of None is left out."""
        key = key or self.keys[0]
        now = int(time.time())
        body = {"iss": self.url, "sub": "repo:team/app", "aud": "sts.amazonaws.com", "iat": now, "exp": now + 600, **claims}
        head = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **dict(header)}
        parts = [head, {name: value for name, value in body.items() if value is not None}]
        text = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        return f"{text}.{base64url(key.sign_jose(text.encode(), 'sha' + algorithm[2:]))}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class SamlIdp:
    """Signs SAML responses. What it writes is canonical already, so that a digest can be taken of the text."""

    ENTITY = "https://idp.example.com/saml"
    SIGN_IN = "https://signin.aws.amazon.com/saml"
    ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"

    def __init__(self):
        self.key = Key()

    def metadata(self, key=None):
        certificate = "".join((key or self.key).certificate().strip().split("\n")[1:-1])
        return (f'<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.ENTITY}">'
                '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing">'
                '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
                f'{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>')

    @staticmethod
    def when(seconds):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def assertion(self, attributes, identifier="_a1", issued=0, until=300, audience=SIGN_IN, recipient=SIGN_IN,
                  subject="alice", issuer=ENTITY, session_until=None):
        written = "".join(
            f'<saml:Attribute Name="{name}">' + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values) +
            "</saml:Attribute>" for name, values in attributes.items())
        session = f' SessionNotOnOrAfter="{self.when(session_until)}"' if session_until is not None else ""
        return (f'<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{identifier}" IssueInstant="{self.when(issued)}" '
                f'Version="2.0"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>'
                f'<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID>'
                '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
                f'<saml:SubjectConfirmationData NotOnOrAfter="{self.when(until)}" Recipient="{recipient}">'
                '</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>'
                f'<saml:Conditions NotBefore="{self.when(issued)}" NotOnOrAfter="{self.when(until)}"><saml:AudienceRestriction>'
                f'<saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>'
                f'<saml:AuthnStatement AuthnInstant="{self.when(issued)}"{session}></saml:AuthnStatement>'
                f'<saml:AttributeStatement>{written}</saml:AttributeStatement></saml:Assertion>')

    def signature(self, canonical, identifier, key=None, digest="sha256"):
        value = base64.b64encode(hashlib.new(digest, canonical.encode()).digest()).decode()
        schemes = {"sha1": ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#sha1"),
                   "sha256": ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmlenc#sha256")}
        info = ('<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>'
                f'<ds:SignatureMethod Algorithm="{schemes[digest][0]}"></ds:SignatureMethod><ds:Reference URI="#{identifier}">'
                '<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
                '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>'
                f'<ds:DigestMethod Algorithm="{schemes[digest][1]}"></ds:DigestMethod><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>')
        space = ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
        signed = (key or self.key).sign(f"<ds:SignedInfo{space}>{info}</ds:SignedInfo>".encode(), digest)
        return (f"<ds:Signature{space}><ds:SignedInfo>{info}</ds:SignedInfo><ds:SignatureValue>{base64.b64encode(signed).decode()}"
                "</ds:SignatureValue></ds:Signature>")

    @staticmethod
    def response(content, identifier="_r1", signature=""):
        return (f'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="{identifier}" Version="2.0">{signature}'
                f"{content}</samlp:Response>")

    def signed(self, attributes, key=None, digest="sha256", **settings):
        """A Response around a signed assertion, as text."""
        plain = self.assertion(attributes, **settings)
        return self.response(self.put(plain, self.signature(plain, settings.get("identifier", "_a1"), key, digest)))

    @staticmethod
    def put(assertion, signature):
        """The assertion with a signature in its place."""
        return assertion.replace("</saml:Issuer>", "</saml:Issuer>" + signature, 1)


def encoded(text):
    return base64.b64encode(text.encode()).decode()
