//! Rules about what lets a client in: authorisations for provisioning, access tokens, and the client's keys in them. The kinds
//! look themselves, while they put the claims together.

use crate::policy::finding::Check;
use crate::policy::{Rule, Severity};

use Severity::{Block, Warn};

type Text = (&'static str, &'static str, &'static str);

const fn provisioning(id: &'static str, severity: Severity, text: Text) -> Rule {
    Rule::of("provisioning", id, severity, text, Check::Reader)
}

const fn token(id: &'static str, severity: Severity, text: Text) -> Rule {
    Rule::of("access-token", id, severity, text, Check::Reader)
}

const fn key(id: &'static str, severity: Severity, text: Text) -> Rule {
    Rule::of("client-key", id, severity, text, Check::Reader)
}

pub(super) static ROWS: &[Rule] = &[
    provisioning(
        "provisioning.line",
        Block,
        (
            "tenant and environment are those of the key line",
            "take the line of this tenant and environment, or correct the document",
            "a safeguard of this program: what was written for a sandbox never opens production",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.client.malformed",
        Block,
        (
            "the client is an https URL without query and fragment, and not the issuer",
            "name the client by its issuer identifier",
            "RFC 7523, section 3: sub identifies the client; OpenID Federation 1.0, section 1.2",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.aud.not-single",
        Block,
        (
            "the audience is one https URL without fragment, user and wildcard",
            "sign one authorisation for each service",
            "RFC 8725, section 3.9: a token for two services lets each of them pass it on to the other",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.aud.unlisted",
        Block,
        (
            "the profile lists the audience",
            "check the URL, or add it to provisioning.audiences in the profile",
            "a safeguard of this program: a line opens the services that it is for",
        ),
    ),
    provisioning(
        "provisioning.scope.malformed",
        Block,
        (
            "each scope is a token of its own, there once, and no wildcard",
            "name the scopes one by one",
            "RFC 6749, section 3.3",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.scope.none",
        Block,
        (
            "an authorisation names the scopes it grants",
            "name the scopes, such as \"scim\"",
            "RFC 6749, section 3.3: without a scope, the service decides how much it means",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.scope.unlisted",
        Block,
        (
            "the profile lists every scope",
            "take the scope out, or add it to provisioning.scopes in the profile",
            "a safeguard of this program: least privilege",
        ),
    ),
    provisioning(
        "provisioning.method.unknown",
        Block,
        (
            "methods are those of SCIM, each once: GET, POST, PUT, PATCH, DELETE",
            "write them in capitals, or leave methods out where all are meant",
            "RFC 7644, section 3.2",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.exp.too-far",
        Block,
        (
            "the authorisation counts no longer than the profile allows",
            "choose a shorter valid_for, or set provisioning.valid_for_max in the profile",
            "RFC 8725, section 3.10; a safeguard of this program: what is forgotten ends",
        ),
    ),
    provisioning(
        "provisioning.token-lifetime.too-long",
        Block,
        (
            "the client's tokens live no longer than the profile and the environment allow: an hour in prod, a day elsewhere",
            "choose a shorter token_lifetime",
            "a safeguard of this program: a stolen bearer token is of use until it ends (RFC 6750, section 5.3)",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.keys.none",
        Block,
        (
            "an authorisation holds a public key of the client",
            "name the file of the client's public key in [[keys]]",
            "a safeguard of this program: an authorisation without a key is a password",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.keys.changed",
        Warn,
        (
            "the client's keys are those of its last authorisation",
            "ask the client over another channel whether the new key is its own",
            "a safeguard of this program: who takes over a client exchanges its keys",
        ),
    ),
    provisioning(
        "provisioning.network.malformed",
        Block,
        (
            "a network is written as CIDR, and its host bits are zero",
            "write it as 192.0.2.0/24 or 2001:db8::/32",
            "RFC 4632, section 3.1; RFC 4291, section 2.3",
        ),
    )
    .firm(),
    provisioning(
        "provisioning.network.none",
        Warn,
        (
            "an authorisation names the networks that its client comes from",
            "name them in networks, where they are known",
            "NIST SP 800-207, section 3.3: where a request comes from is part of the decision",
        ),
    ),
    provisioning(
        "provisioning.network.wide",
        Warn,
        (
            "a network is no wider than /16 in IPv4 and /32 in IPv6",
            "ask the client for the addresses that it really uses",
            "a safeguard of this program: an allocation to a whole provider keeps nobody out",
        ),
    ),
    provisioning(
        "provisioning.rate.none",
        Warn,
        (
            "an authorisation says how many requests are expected",
            "set rate, such as { requests = 1500, per = \"PT1M\" }",
            "RFC 6585, section 4; a runaway client deletes as fast as it can",
        ),
    ),
    provisioning(
        "provisioning.rate.too-high",
        Block,
        (
            "the rate is above zero and no higher than the profile allows",
            "choose a lower rate, or set provisioning.requests_per_minute_max in the profile",
            "a safeguard of this program",
        ),
    ),
    provisioning(
        "provisioning.proof.none",
        Warn,
        (
            "the client proves with each request that it holds its key: DPoP or mutual TLS",
            "set require_dpop or require_mtls, where both sides can",
            "RFC 9700, section 2.2.1: sender-constrained access tokens",
        ),
    ),
    token(
        "access-token.aud.not-single",
        Block,
        (
            "the audience is one https URL without fragment, user and wildcard",
            "sign one token for each service",
            "RFC 9068, section 3, and RFC 8725, section 3.9",
        ),
    )
    .firm(),
    token(
        "access-token.aud.unlisted",
        Block,
        (
            "the profile lists the audience",
            "check the URL, or add it to access_token.audiences in the profile",
            "a safeguard of this program: a line opens the services that it is for",
        ),
    ),
    token(
        "access-token.exp.too-far",
        Block,
        (
            "a token lives no longer than the profile and the environment allow: an hour in prod, a day elsewhere",
            "choose a shorter valid_for; for lasting access, sign the client's key: provisioning-authorisation",
            "a safeguard of this program: a stolen bearer token is of use until it ends (RFC 6750, section 5.3)",
        ),
    )
    .firm(),
    token(
        "access-token.scope.malformed",
        Block,
        (
            "each scope is a token of its own, there once, and no wildcard",
            "name the scopes one by one",
            "RFC 6749, section 3.3",
        ),
    )
    .firm(),
    token(
        "access-token.scope.none",
        Warn,
        (
            "a token names the scopes it grants",
            "name the scopes: without one, the service decides how much it means",
            "RFC 9068, section 2.2.3",
        ),
    ),
    token(
        "access-token.scope.unlisted",
        Block,
        (
            "the profile lists every scope",
            "take the scope out, or add it to access_token.scopes in the profile",
            "a safeguard of this program: least privilege",
        ),
    ),
    token(
        "access-token.cnf.none",
        Block,
        (
            "a token is of use only to who holds the client's key (cnf.jkt)",
            "name the client's public key in [[keys]]; where the service takes bearer tokens only, waive it",
            "RFC 9449, section 6.1; RFC 9700, section 2.2.1",
        ),
    )
    .lenient(),
    key(
        "client-key.kept",
        Block,
        (
            "no key of a client is a key of this vault",
            "ask the client for a key of its own: the keys here are for nothing else",
            "NIST SP 800-57 part 1, section 5.2: one key, one use",
        ),
    )
    .firm(),
    key(
        "client-key.other",
        Block,
        (
            "no other client, tenant or environment was authorised with the key, and no subordinate signs for a federation with it",
            "ask both whose key it is: who holds it would be both of them",
            "a safeguard of this program: what a sandbox holds never opens production",
        ),
    ),
    key(
        "client-key.twice",
        Block,
        ("each key of a client stands there once", "take one of the two out", "RFC 7517, section 4.5"),
    )
    .firm(),
    key(
        "client-key.weak",
        Warn,
        (
            "an RSA key of a client has at least 3072 bits",
            "ask the client for a stronger one, or for P-256",
            "NIST SP 800-57 part 1, table 2: 128 bits of strength",
        ),
    ),
];
