#!/usr/bin/env python3
"""Makes tests/documents/chain.json, a trust chain of three entities that ends in 2100, and anchor.jwks, its anchor's key.

Run in this folder: python3 make_chain.py. The private keys are thrown away; nothing runs this in the tests.
"""
import json

from cryptography.hazmat.primitives.asymmetric import ec

from make import jwk_of, sign, url

ANCHOR, MIDDLE, SUBJECT = "https://anchor.example.org", "https://nren.example.org", "https://wiki.example.org"
KEYS = {entity: ec.generate_private_key(ec.SECP384R1()) for entity in (ANCHOR, MIDDLE, SUBJECT)}


def jwks(entity):
    return {"keys": [{**jwk_of(KEYS[entity].public_key()), "kid": entity, "use": "sig", "alg": "ES384"}]}


def statement(iss, sub, **claims):
    header = {"alg": "ES384", "typ": "entity-statement+jwt", "kid": iss}
    body = {"iss": iss, "sub": sub, "iat": 1767225600, "exp": 4102444800, "jwks": jwks(sub), **claims}
    octets = url(json.dumps(header).encode()) + "." + url(json.dumps(body).encode())
    return octets + "." + url(sign(KEYS[iss], "ES384", octets.encode()))


chain = [
    statement(
        SUBJECT,
        SUBJECT,
        authority_hints=[MIDDLE],
        metadata={"openid_relying_party": {"client_name": "A wiki", "grant_types": ["authorization_code", "implicit"]}},
    ),
    statement(MIDDLE, SUBJECT, metadata_policy={"openid_relying_party": {"contacts": {"default": ["soc@nren.example.org"]}}}),
    statement(
        ANCHOR,
        MIDDLE,
        constraints={"max_path_length": 1, "naming_constraints": {"permitted": [".example.org"]}},
        metadata_policy={"openid_relying_party": {"grant_types": {"subset_of": ["authorization_code"]}}},
    ),
    statement(
        ANCHOR,
        ANCHOR,
        metadata={
            "federation_entity": {
                "federation_fetch_endpoint": ANCHOR + "/fetch",
                "federation_list_endpoint": ANCHOR + "/list",
                "organization_name": "An anchor",
            }
        },
    ),
]
for name, value in (("chain.json", chain), ("anchor.jwks", jwks(ANCHOR)), ("other.jwks", jwks(MIDDLE))):
    with open("../../documents/" + name, "w") as file:
        file.write(json.dumps(value, indent=1) + "\n")
