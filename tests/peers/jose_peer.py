"""jwcrypto, cryptojwt and spiffe as peers of the tests: many documents in one start. `jose_peer.py LIBRARY ACT`.

`verify`: lines TOKEN <tab> JWK. `detached` (jwcrypto): lines JWS <tab> JWK <tab> PAYLOAD, unencoded (RFC 7797). `sign`
(jwcrypto): lines ALG <tab> CLAIMS <tab> TYP <tab> TOKEN <tab> JWK, with a new key, which the claims get as `jwks`. `x509`
and `jwt` (spiffe): lines BUNDLE <tab> TRUST-DOMAIN <tab> how many keys. All are names of files but ALG, TYP, TRUST-DOMAIN
and the number. Answers `ok`, or `no REASON`.
"""

import base64
import json
import sys


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


class Jwcrypto:
    ALGS = ["ES256", "ES384", "ES512", "EdDSA"] + [f"{kind}{size}" for kind in ("RS", "PS") for size in (256, 384, 512)]
    NEW = {
        "ES256": {"kty": "EC", "crv": "P-256"},
        "ES384": {"kty": "EC", "crv": "P-384"},
        "ES512": {"kty": "EC", "crv": "P-521"},
        "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
    }

    def __init__(self):
        from jwcrypto import jwk, jws

        self.jwk, self.jws = jwk, jws

    def verify(self, token, key):
        jws = self.jws.JWS()
        jws.deserialize(read(token).decode().strip())
        jws.allowed_algs = self.ALGS
        jws.verify(self.jwk.JWK.from_json(read(key).decode()))

    def detached(self, token, key, payload):
        jws = self.jws.JWS()
        jws.deserialize(read(token).decode().strip())
        jws.allowed_algs = self.ALGS
        jws.verify(self.jwk.JWK.from_json(read(key).decode()), detached_payload=read(payload))

    def sign(self, alg, claims, typ, token, key):
        new = self.jwk.JWK.generate(**self.NEW.get(alg, {"kty": "RSA", "size": 2048}))
        own = new.export_public(as_dict=True) | {"alg": alg, "kid": new.thumbprint(), "use": "sig"}
        payload = json.loads(read(claims)) | {"jwks": {"keys": [own]}}
        jws = self.jws.JWS(json.dumps(payload).encode())
        jws.allowed_algs = self.ALGS
        jws.add_signature(new, alg, protected=json.dumps({"alg": alg, "typ": typ, "kid": own["kid"]}))
        write(token, jws.serialize(compact=True))
        write(key, json.dumps(own))


class Cryptojwt:
    def __init__(self):
        from cryptojwt.jwk.jwk import key_from_jwk_dict
        from cryptojwt.jws.jws import factory

        self.key_from_jwk_dict, self.factory = key_from_jwk_dict, factory

    def verify(self, token, key):
        text = read(token).decode().strip()
        self.factory(text).verify_compact(text, [self.key_from_jwk_dict(json.loads(read(key)))])


class Spiffe:
    def x509(self, bundle, domain, count):
        from spiffe import TrustDomain, X509Bundle

        # spiffe reads certificates as the workload API hands them out, one after the other
        keys = json.loads(read(bundle))["keys"]
        certificates = b"".join(base64.b64decode(one) for key in keys for one in key["x5c"])
        self.count(X509Bundle.parse_raw(TrustDomain(domain), certificates).x509_authorities, count)

    def jwt(self, bundle, domain, count):
        from spiffe import JwtBundle, TrustDomain

        self.count(JwtBundle.parse(TrustDomain(domain), read(bundle)).jwt_authorities, count)

    def count(self, keys, count):
        if len(keys) != int(count):
            raise ValueError(f"{len(keys)} keys")


library = {"jwcrypto": Jwcrypto, "cryptojwt": Cryptojwt, "spiffe": Spiffe}[sys.argv[1]]()
act = getattr(library, sys.argv[2])
for line in sys.stdin:
    try:
        act(*line.rstrip("\n").split("\t"))
        print("ok")
    except Exception as problem:
        print("no", " ".join(f"{type(problem).__name__}: {problem}".split()))
