"""Writes the vectors of the rules about grants and about an anchor's keys, with keys that OpenSSL makes for the purpose."""

import pathlib
import shutil
import subprocess

here = pathlib.Path(__file__).parent


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True).stdout.decode()


def public(*kind):
    key = openssl("genpkey", "-algorithm", *kind).encode()
    return openssl("pkey", "-pubout", given=key)


def curve(name):
    return public("EC", "-pkeyopt", f"ec_paramgen_curve:{name}")


OWN = openssl("pkey", "-pubout", "-in", str(here.parent / "keys/p384.pem"))
FIRST, SECOND = curve("P-256"), curve("P-256")
RSA = public("RSA", "-pkeyopt", "rsa_keygen_bits:2048")
STRONG = public("RSA", "-pkeyopt", "rsa_keygen_bits:3072")


def keys(*pems):
    return "".join(f'\n[[keys]]\npem = """\n{pem}"""\n' for pem in pems)


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(text(one) for one in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {text(one)}" for name, one in value.items()) + " }"
    return str(value) if isinstance(value, int) else '"' + value.replace('"', '\\"') + '"'


def toml(members):
    return "".join(f"{name} = {text(value)}\n" for name, value in members.items() if value is not None)


def put(rule, vector, content):
    folder = here / f"{rule.split('.')[0]}-rules" / rule
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{vector}.toml").write_text(content)


def start(group, profile):
    folder = here / f"{group}-rules"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "ORIGIN").write_text(
        "Made by ../make_grants.py with throw-away keys of OpenSSL; judged at 2026-11-22T12:00:00Z, for the P-384 line "
        "example.org/prod/metadata.\n"
    )
    (folder / "profile.toml").write_text(profile)


SCIM = "https://scim.example.com/v2"

start("provisioning", f'[provisioning]\nissuer = "https://root.example.org"\naudiences = ["{SCIM}"]\nscopes = ["scim", "read"]\n')
AUTHORISATION = {
    "tenant": "example.org",
    "environment": "prod",
    "client": "https://idp.example.org",
    "audience": SCIM,
    "scopes": ["scim"],
    "networks": ["192.0.2.0/24", "2001:db8::/32"],
    "rate": {"requests": 25, "per": "PT1S"},
    "require_dpop": True,
}


def authorisation(*pems, **members):
    return toml({**AUTHORISATION, **members}) + keys(*(pems or (FIRST,)))


GOOD = authorisation()
for rule, bad in {
    "provisioning.line": authorisation(environment="sandbox"),
    "provisioning.client.malformed": authorisation(client="http://idp.example.org"),
    "provisioning.aud.not-single": authorisation(audience=[SCIM, "https://other.example.com"]),
    "provisioning.aud.unlisted": authorisation(audience="https://scim.example.com/v3"),
    "provisioning.scope.malformed": authorisation(scopes=["scim:*"]),
    "provisioning.scope.none": authorisation(scopes=[]),
    "provisioning.scope.unlisted": authorisation(scopes=["scim", "admin"]),
    "provisioning.method.unknown": authorisation(methods=["GET", "get"]),
    "provisioning.exp.too-far": authorisation(valid_for="P399D"),
    "provisioning.token-lifetime.too-long": authorisation(token_lifetime="PT61M"),
    "provisioning.keys.none": toml(AUTHORISATION),
    "provisioning.keys.changed": authorisation(SECOND),
    "provisioning.network.malformed": authorisation(networks=["192.0.2.1/24"]),
    "provisioning.network.none": authorisation(networks=[]),
    "provisioning.network.wide": authorisation(networks=["10.0.0.0/8"]),
    "provisioning.rate.none": authorisation(rate=None),
    "provisioning.rate.too-high": authorisation(rate={"requests": 26, "per": "PT1S"}),
    "provisioning.proof.none": authorisation(require_dpop=False),
}.items():
    put(rule, "bad", bad)
    put(rule, "good", GOOD)
put("provisioning.keys.changed", "last", GOOD)
put("provisioning.exp.too-far", "good", authorisation(valid_for="P398D"))
put("provisioning.token-lifetime.too-long", "good", authorisation(token_lifetime="PT60M"))
put("provisioning.scope.malformed", "good", authorisation(scopes=["scim", "read"]))
put("provisioning.method.unknown", "good", authorisation(methods=["GET", "PATCH"]))
put("provisioning.network.wide", "good", authorisation(networks=["10.0.0.0/16"]))
put("provisioning.proof.none", "good", authorisation(require_dpop=None, require_mtls=True))

start("client-key", (here / "provisioning-rules/profile.toml").read_text())
for rule, bad in {
    "client-key.kept": authorisation(OWN),
    "client-key.other": authorisation(SECOND),
    "client-key.twice": authorisation(FIRST, FIRST),
    "client-key.weak": authorisation(RSA),
}.items():
    put(rule, "bad", bad)
    put(rule, "good", authorisation(STRONG) if rule.endswith("weak") else GOOD)
put("client-key.other", "other", authorisation(SECOND, client="https://another.example.org"))

start("access-token", f'[access_token]\nissuer = "https://root.example.org"\naudiences = ["{SCIM}"]\nscopes = ["scim", "read"]\n')
TOKEN = {"subject": "break-glass", "client_id": "console", "audience": SCIM, "scopes": ["scim"], "valid_for": "PT1H"}


def token(*pems, **members):
    return toml({**TOKEN, **members}) + keys(*pems)


for rule, bad in {
    "access-token.aud.not-single": token(FIRST, audience="https://*.example.com"),
    "access-token.aud.unlisted": token(FIRST, audience="https://scim.example.com"),
    "access-token.exp.too-far": token(FIRST, valid_for="PT1H1S"),
    "access-token.scope.malformed": token(FIRST, scopes=["scim read"]),
    "access-token.scope.none": token(FIRST, scopes=[]),
    "access-token.scope.unlisted": token(FIRST, scopes=["write"]),
    "access-token.cnf.none": token(),
}.items():
    put(rule, "bad", bad)
    put(rule, "good", token(FIRST))

start("software-statement", '[software_statement]\nissuer = "https://root.example.org"\n')
METADATA = {
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "client_name": "Enrolment",
    "client_uri": "https://enrol.example.org/",
    "redirect_uris": ["https://enrol.example.org/callback"],
    "grant_types": ["authorization_code"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "private_key_jwt",
}


def statement(*pems, valid_for=None, audience=None, **members):
    head = toml({"valid_for": valid_for, "audience": audience})
    return head + keys(*(pems or (FIRST,))) + "\n[metadata]\n" + toml({**METADATA, **members})


def without_keys(**members):
    return "[metadata]\n" + toml({**METADATA, **members})


for rule, bad in {
    "software-statement.id.none": statement(software_id=None),
    "software-statement.aud.not-single": statement(audience=["https://as.example.org"]),
    "software-statement.exp.too-far": statement(valid_for="P399D"),
    "software-statement.redirect.malformed": statement(redirect_uris=["https://enrol.example.org/*"]),
    "software-statement.grant.weak": statement(grant_types=["authorization_code", "password"]),
    "software-statement.response.mismatch": statement(response_types=["token"]),
    "software-statement.auth.shared-secret": statement(token_endpoint_auth_method="client_secret_basic"),
    "software-statement.auth.no-keys": without_keys(),
    "software-statement.jwks.both": statement(jwks_uri="https://enrol.example.org/jwks"),
    "software-statement.uri.malformed": statement(logo_uri="http://enrol.example.org/logo.png"),
    "software-statement.member.unknown": statement(redirect_uri="https://enrol.example.org/callback"),
    "software-statement.member.assigned": statement(client_secret="x"),
}.items():
    put(rule, "bad", bad)
    put(rule, "good", statement())
put("software-statement.aud.not-single", "good", statement(audience="https://as.example.org"))
put("software-statement.jwks.both", "good", without_keys(jwks_uri="https://enrol.example.org/jwks"))
native = {"application_type": "native", "redirect_uris": ["http://127.0.0.1/back", "org.example.enrol:/back"]}
put("software-statement.redirect.malformed", "good", statement(**native))

start("oob-keys", '[oob_keys]\nentity_id = "https://anchor.example.org"\n')
for rule, bad in {
    "oob-keys.key.twice": keys(FIRST, FIRST).replace("[[keys]]", '[[keys]]\nkid = "a"', 1),
    "oob-keys.key.weak": keys(RSA),
    "oob-keys.key.other-line": keys(SECOND),
    "oob-keys.key.unknown": keys(FIRST),
    "oob-keys.key.gone": keys(SECOND),
    "oob-keys.signature.missing": keys(FIRST),
}.items():
    put(rule, "bad", bad)
    put(rule, "good", "")
put("oob-keys.key.unknown", "last", keys(SECOND))
put("oob-keys.key.unknown", "good", keys(SECOND))
put("oob-keys.key.gone", "last", keys(FIRST))
put("oob-keys.key.gone", "good", keys(FIRST))
(here / "oob-keys-rules/oob-keys.key.other-line/other.pem").write_text(SECOND)
