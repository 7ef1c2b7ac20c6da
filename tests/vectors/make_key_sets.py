"""Writes the vectors of the rules about sets of keys, with keys and certificates that OpenSSL makes for the purpose."""

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile

here = pathlib.Path(__file__).parent
work = pathlib.Path(tempfile.mkdtemp())


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], cwd=work, check=True, capture_output=True).stdout


class Key:
    """A key pair; only its public half leaves this script."""

    def __init__(self, name, kind="P-256"):
        self.file, self.kind = f"{name}.key", kind
        options = {"RSA": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]}
        openssl("genpkey", "-out", self.file, "-algorithm", *options.get(kind, ["EC", "-pkeyopt", f"ec_paramgen_curve:{kind}"]))
        self.pem = openssl("pkey", "-in", self.file, "-pubout").decode()
        self.spki = openssl("pkey", "-in", self.file, "-pubout", "-outform", "der")
        self.kid = b64u(hashlib.sha256(self.spki).digest())

    def jwk(self, **members):
        if self.kind == "RSA":
            text = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode()
            numbers = {"kty": "RSA", "n": b64u(bytes.fromhex(text.strip().split("=")[1])), "e": "AQAB"}
            alg = "RS256"
        else:
            size = {"P-256": 32, "P-384": 48}[self.kind]
            numbers = {"kty": "EC", "crv": self.kind, "x": b64u(self.spki[-2 * size : -size]), "y": b64u(self.spki[-size:])}
            alg = {"P-256": "ES256", "P-384": "ES384"}[self.kind]
        jwk = {"kid": self.kid[:8], "use": "sig", "alg": alg, **numbers, **members}
        return {name: value for name, value in jwk.items() if value is not None}

    def certificate(self, *, ca="CA:TRUE", usage="critical,keyCertSign,cRLSign", uri=None, days=3650, issuer=None):
        extensions = [f"basicConstraints=critical,{ca}"] + ([f"keyUsage={usage}"] if usage else [])
        extensions += [f"subjectAltName={','.join('URI:' + one for one in uri)}"] if uri else []
        (work / "x.cnf").write_text("[req]\ndistinguished_name=dn\n[dn]\n[e]\n" + "\n".join(extensions) + "\n")
        openssl("req", "-new", "-key", self.file, "-subj", "/CN=authority", "-config", "x.cnf", "-out", "x.csr")
        signer = ["-signkey", self.file]
        if issuer:
            openssl("req", "-x509", "-key", issuer.file, "-subj", "/CN=above", "-days", "9000", "-out", "above.pem")
            signer = ["-CA", "above.pem", "-CAkey", issuer.file, "-CAcreateserial"]
        openssl("x509", "-req", "-in", "x.csr", *signer, "-days", str(days), "-extfile", "x.cnf", "-extensions", "e", "-out", "x.pem")
        return base64.b64encode(openssl("x509", "-in", "x.pem", "-outform", "der")).decode()


def put(rule, vector, content, ending="json"):
    folder = here / f"{rule.split('.')[0]}-rules" / rule
    folder.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (folder / f"{vector}.{ending}").write_text(text, encoding="utf-8")


def keys(*jwks):
    return {"keys": list(jwks)}


for group in ["jwks", "kubernetes", "spiffe-bundle"]:
    folder = here / f"{group}-rules"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "ORIGIN").write_text(
        "Made by ../make_key_sets.py with throw-away keys of OpenSSL; judged at 2026-11-22T12:00:00Z, for a P-384 line.\n"
    )

# the public key of RFC 8037, appendix A.2
ED25519 = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
a, b, rsa, p384 = Key("a"), Key("b"), Key("rsa", "RSA"), Key("p384", "P-384")

# jwks
rule = "jwks.keys.none"
put(rule, "bad", keys())
put(rule, "good", keys(a.jwk()))
rule = "jwks.keys.many"
put(rule, "bad", keys(a.jwk(), b.jwk()))
put(rule, "good", keys(a.jwk()))
put(rule, "profile", "[jwks]\nkeys_max = 1\n", "toml")
rule = "jwks.key.twice"
put(rule, "bad", keys(a.jwk(), a.jwk(kid="again")))
put(rule, "good", keys(a.jwk(), b.jwk()))
# the key of another line in the vault of the tests, which is not published yet
c = Key("c", "P-384")
shutil.copy(here.parent / "keys/p384-other.pem", work / "c.key")
c.spki = openssl("pkey", "-in", "c.key", "-pubout", "-outform", "der")
for rule in ["jwks.key.taken", "jwks.key.line"]:
    put(rule, "bad", keys(a.jwk(), c.jwk(kid="c")))
    put(rule, "good", keys(a.jwk(), b.jwk()))
for member in ["kid", "alg", "use"]:
    rule = f"jwks.{member}.missing"
    put(rule, "bad", keys(a.jwk(**{member: None})))
    put(rule, "good", keys(a.jwk()))
rule = "jwks.alg.use"
put(rule, "bad", keys(a.jwk(alg="ECDH-ES"), b.jwk()))
put(rule, "good", keys(a.jwk(), b.jwk(use="enc", alg="ECDH-ES")))
rule = "jwks.member.unknown"
put(rule, "bad", keys(a.jwk(owner="nobody")))
put(rule, "good", keys(a.jwk(key_ops=["verify"])))
consumer = lambda rule, name: put(rule, "profile", f'[jwks]\nconsumers = ["{name}"]\nkeys_max = 1000\n', "toml")
rule = "jwks.aws.alg"
put(rule, "bad", keys(rsa.jwk(alg="PS256")))
put(rule, "good", keys(rsa.jwk(), p384.jwk()))
consumer(rule, "aws")
rule = "jwks.aws.key-ops"
put(rule, "bad", keys(a.jwk(key_ops=["verify"])))
put(rule, "good", keys(a.jwk()))
consumer(rule, "aws")
rule = "jwks.aws.keys"
many = [Key(f"many{number}") for number in range(101)]
put(rule, "bad", keys(*[one.jwk() for one in many]))
put(rule, "good", keys(rsa.jwk(), *[one.jwk() for one in many[:100]]))
consumer(rule, "aws")
rule = "jwks.azure.alg"
put(rule, "bad", keys(p384.jwk()))
put(rule, "good", keys(rsa.jwk()))
consumer(rule, "azure")
rule = "jwks.gcp.alg"
put(rule, "bad", keys(p384.jwk()))
put(rule, "good", keys(rsa.jwk(), a.jwk()))
consumer(rule, "gcp")
rule = "jwks.gcp.members"
put(rule, "bad", keys(a.jwk(x5c=[a.certificate()])))
put(rule, "good", keys(a.jwk()))
consumer(rule, "gcp")
rule = "jwks.oracle.keys"
put(rule, "bad", keys(*[one.jwk() for one in many[:11]]))
put(rule, "good", keys(*[one.jwk() for one in many[:10]]))
consumer(rule, "oracle")
rule = "jwks.kubernetes.alg"
put(rule, "bad", keys(rsa.jwk(alg="RS512")))
put(rule, "good", keys(rsa.jwk(), p384.jwk()))
consumer(rule, "kubernetes")
rule = "jwks.kubernetes.kid"
put(rule, "bad", keys(a.jwk(kid="k" * 1025)))
put(rule, "good", keys(a.jwk(kid="k" * 1024)))
consumer(rule, "kubernetes")


# kubernetes
def issuer(*inputs, issuer="https://k8s.example.org", **members):
    lines = [f'issuer = "{issuer}"\n'] + [f'{name} = "{value}"\n' for name, value in members.items()]
    for key, own in inputs:
        lines += ["[[keys]]\n", f"pem = '''\n{key.pem}'''\n"] + [f'{name} = "{value}"\n' for name, value in own.items()]
    return "".join(lines)


good = issuer((rsa, {}), (p384, {}))
for rule, vectors in {
    "kubernetes.issuer.changed": {"last": good, "bad": issuer((rsa, {}), issuer="https://k8s.example.org/"), "good": good},
    "kubernetes.issuer.bound": {"bad": issuer((rsa, {}), issuer="https://other.example.org"), "good": good, "profile": '[kubernetes]\nissuer = "https://k8s.example.org"\n'},
    "kubernetes.issuer.url": {"bad": issuer((rsa, {}), issuer="https://k8s.example.org?tenant=a"), "good": good},
    "kubernetes.jwks-uri.url": {"bad": issuer((rsa, {}), jwks_uri="http://k8s.example.org/jwks"), "good": good},
    "kubernetes.kid": {"bad": issuer((rsa, {"kid": "our-key"})), "good": issuer((rsa, {"kid": rsa.kid}))},
    "kubernetes.key.use": {"bad": issuer((rsa, {"use": "enc"})), "good": good},
    "kubernetes.key.alg": {"bad": issuer((rsa, {"alg": "RS384"})), "good": good},
    "kubernetes.key.removed": {"last": good, "bad": issuer((rsa, {})), "good": issuer((a, {}), (p384, {}), (rsa, {}))},
}.items():
    for vector, content in vectors.items():
        put(rule, vector, content, "toml")

# spiffe-bundle
DOMAIN = "example.org"
PROFILE = f'[spiffe]\ntrust_domain = "{DOMAIN}"\n'
root = a.certificate(uri=[f"spiffe://{DOMAIN}"])


def x509(key=a, certificate=root, **members):
    return key.jwk(kid=None, alg=None, use="x509-svid", x5c=[certificate], **members)


def jwt(key=b, **members):
    return key.jwk(use="jwt-svid", **members)


def bundle(*jwks, sequence=7, hint=300, **members):
    value = {"spiffe_sequence": sequence, "spiffe_refresh_hint": hint, **members, "keys": list(jwks)}
    return {name: one for name, one in value.items() if one is not None}


composed = f'trust_domain = "{DOMAIN}"\n[[keys]]\npem = \'\'\'\n{b.pem}\'\'\'\n'
good = bundle(x509(), jwt())
for rule, vectors in {
    "spiffe-bundle.trust-domain.name": {"bad.toml": composed.replace(DOMAIN, "Example.org"), "good.toml": composed},
    "spiffe-bundle.trust-domain.bound": {"bad.toml": composed.replace(DOMAIN, "example.com"), "good.toml": composed},
    "spiffe-bundle.sequence.missing": {"bad": bundle(x509(), sequence=None), "good": good},
    "spiffe-bundle.sequence.rises": {"last": good, "bad": bundle(x509()), "good": bundle(x509(), sequence=8)},
    "spiffe-bundle.refresh-hint.range": {"bad": bundle(x509(), hint=5), "good": good},
    "spiffe-bundle.member.unknown": {"bad": bundle(x509(), spiffe_owner="x"), "good": good},
    "spiffe-bundle.key.use": {"bad": bundle(x509(), b.jwk()), "good": good},
    "spiffe-bundle.key.removed": {"last": good, "bad": bundle(x509(), sequence=8), "good": bundle(jwt(), jwt(p384), x509(), sequence=8)},
    "spiffe-bundle.key.mixed": {"bad": good, "good": bundle(jwt(), jwt(p384))},
    "spiffe-bundle.x509.kid": {"bad": bundle({**x509(), "kid": "k"}), "good": good},
    "spiffe-bundle.x509.x5c": {"bad": bundle({**x509(), "x5c": [root, root]}), "good": good},
    "spiffe-bundle.x509.authority": {"bad": bundle(x509(certificate=a.certificate(ca="CA:FALSE", usage="critical,digitalSignature"))), "good": good},
    "spiffe-bundle.x509.uri": {"bad": bundle(x509(certificate=a.certificate(uri=[f"spiffe://{DOMAIN}/path"]))), "good": bundle(x509(), x509(b, b.certificate()))},
    "spiffe-bundle.x509.valid": {"bad": bundle(x509(certificate=a.certificate(days=-1))), "good": good},
    "spiffe-bundle.x509.self-signed": {"bad": bundle(x509(certificate=a.certificate(issuer=p384))), "good": good},
    "spiffe-bundle.jwt.alg": {"bad": bundle(x509(), jwt(b, kty="OKP", crv="Ed25519", alg="EdDSA", y=None, x=ED25519)), "good": good},
    "spiffe-bundle.jwt.x5c": {"bad": bundle(jwt(b, x5c=[b.certificate()])), "good": good},
}.items():
    for vector, content in vectors.items():
        name, _, ending = vector.partition(".")
        put(rule, name, content, ending or "json")
    put(rule, "profile", PROFILE, "toml")
shutil.rmtree(work)
