"""Finished documents of the kind oob-keys, made and signed by p384-other.pem, for the rules about their dates.

Run by hand; the vectors are committed.
"""

import base64
import hashlib
import json
import pathlib
import re

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

here = pathlib.Path(__file__).parent
SOURCE = (here.parent.parent / "src/base/words.rs").read_text()
NOW = 1795348800  # 2026-11-22T12:00:00Z


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def load(name):
    return serialization.load_pem_private_key((here.parent / f"keys/{name}.pem").read_bytes(), None)


def jwk(key):
    numbers = key.public_key().public_numbers()
    plain = {"crv": "P-384", "kty": "EC", "x": b64(numbers.x.to_bytes(48, "big")), "y": b64(numbers.y.to_bytes(48, "big"))}
    kid = b64(hashlib.sha256(json.dumps(plain, separators=(",", ":")).encode()).digest())
    return {**plain, "kid": kid, "use": "sig", "alg": "ES384"}


def words(octets):
    lists = [re.search(rf'const {name}: &str = "(.*?)";', SOURCE, re.S)[1] for name in ("EVEN", "ODD")]
    lists = [re.sub(r"\\\n\s*", "", text).split() for text in lists]
    return " ".join(lists[place % 2][octet] for place, octet in enumerate(octets))


def thumbprint(key):
    digest = base64.urlsafe_b64decode(jwk(key)["kid"] + "=")
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        "kid": jwk(key)["kid"],
        "jwk_sha256": digest.hex(),
        "jwk_sha256_words": words(digest),
        "spki_sha256": hashlib.sha256(spki).hexdigest(),
    }


def put(rule, name, **dates):
    pair = [load("p384-other"), load("p384")]
    document = {
        "entity_id": "https://anchor.example.org",
        "iat": NOW - 3600,
        "exp": NOW + 100 * 86400,
        **dates,
        "thumbprints": [thumbprint(key) for key in pair],
        "keys": [jwk(key) for key in pair],
    }
    text = (json.dumps(document, indent=1) + "\n").encode()
    header = {"alg": "ES384", "typ": "oob-keys+jws", "kid": jwk(pair[0])["kid"]}
    protected, payload = b64(json.dumps(header).encode()), b64(text)
    der = pair[0].sign(f"{protected}.{payload}".encode(), ec.ECDSA(hashes.SHA384()))
    signature = b64(b"".join(part.to_bytes(48, "big") for part in utils.decode_dss_signature(der)))
    beside = {"payload": payload, "signatures": [{"protected": protected, "signature": signature}]}
    folder = here / "oob-keys-rules" / rule
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_bytes(text)
    (folder / f"{name}.json.jws").write_text(json.dumps(beside) + "\n")


for rule, bad in {
    "oob-keys.iat.future": {"iat": NOW + 3600},
    "oob-keys.exp.past": {"exp": NOW - 60},
    "oob-keys.exp.too-far": {"exp": NOW + 366 * 86400},
}.items():
    put(rule, "bad", **bad)
    put(rule, "good")
