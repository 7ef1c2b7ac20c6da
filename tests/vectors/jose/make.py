#!/usr/bin/env python3
"""Makes a JWS of every algorithm with a key of every kind, by the Python package cryptography: nothing of fedroot's.

Run in this folder: python3 make.py > signed.json. The private keys are thrown away; nothing runs this in the tests.
"""
import base64
import hashlib
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


def url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


HASH = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def jwk_of(public):
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
    if isinstance(public, ec.EllipticCurvePublicKey):
        size = (public.curve.key_size + 7) // 8
        numbers = public.public_numbers()
        crv = {256: "P-256", 384: "P-384", 521: "P-521"}[public.curve.key_size]
        return {"kty": "EC", "crv": crv, "x": number(numbers.x, size), "y": number(numbers.y, size)}
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": url(raw)}


def sign(key, alg, octets):
    if alg == "EdDSA":
        return key.sign(octets)
    digest = HASH[alg[2:]]
    if alg.startswith("RS"):
        return key.sign(octets, padding.PKCS1v15(), digest)
    if alg.startswith("PS"):
        return key.sign(octets, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    size = (key.curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(key.sign(octets, ec.ECDSA(digest)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def vector(key, alg):
    jwk = jwk_of(key.public_key())
    required = {name: value for name, value in sorted(jwk.items())}
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    octets = (url(json.dumps({"alg": alg}).encode()) + "." + url(b'{"fed":"root"}')).encode()
    return {
        "alg": alg,
        "jwk": jwk,
        "thumbprint": url(hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()),
        "kubernetes": url(hashlib.sha256(spki).digest()),
        "jws": octets.decode() + "." + url(sign(key, alg, octets)),
    }


def main():
    small = rsa.generate_private_key(65537, 2048)
    made = [vector(small, alg) for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]]
    made.append(vector(rsa.generate_private_key(65537, 8192), "PS512"))
    made.append(vector(rsa.generate_private_key(65537, 2049), "PS256"))
    for curve, alg in [(ec.SECP256R1(), "ES256"), (ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")]:
        made.append(vector(ec.generate_private_key(curve), alg))
    made.append(vector(ed25519.Ed25519PrivateKey.generate(), "EdDSA"))
    print(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
