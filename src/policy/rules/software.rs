//! Rules about software statements (RFC 7591), and about the keys that an anchor hands out over another channel. The kinds
//! look themselves, while they put the document together.

use crate::policy::finding::Check;
use crate::policy::{Rule, Severity};

use Severity::{Block, Note, Warn};

type Text = (&'static str, &'static str, &'static str);

const fn software(id: &'static str, severity: Severity, text: Text) -> Rule {
    Rule::of("software-statement", id, severity, text, Check::Reader)
}

const fn oob(id: &'static str, severity: Severity, text: Text) -> Rule {
    Rule::of("oob-keys", id, severity, text, Check::Reader)
}

pub(super) static ROWS: &[Rule] = &[
    software(
        "software-statement.id.none",
        Warn,
        (
            "a statement has a software_id, the same for every instance and version",
            "give the software an identifier, such as a UUID",
            "RFC 7591, section 2: software_id",
        ),
    ),
    software(
        "software-statement.aud.not-single",
        Block,
        (
            "the audience, where there is one, is one https URL without fragment, user and wildcard",
            "sign one statement for each authorization server, or leave the audience out",
            "RFC 8725, section 3.9",
        ),
    )
    .firm(),
    software(
        "software-statement.exp.too-far",
        Block,
        (
            "a statement counts no longer than the profile allows",
            "choose a shorter valid_for, or set software_statement.valid_for_max in the profile",
            "a safeguard of this program: what is forgotten ends",
        ),
    ),
    software(
        "software-statement.redirect.malformed",
        Block,
        (
            "a redirect URI, after a logout too, is https without fragment and wildcard; native software may name a loopback address or a scheme of its own domain",
            "name each redirect URI in full",
            "RFC 9700, section 4.1.3; RFC 8252, sections 7.1 and 7.3; RFC 6749, section 3.1.2",
        ),
    ),
    software(
        "software-statement.grant.weak",
        Block,
        (
            "the software uses neither the implicit grant nor the password grant",
            "take authorization_code with PKCE, or client_credentials",
            "RFC 9700, sections 2.1.2 and 2.4",
        ),
    ),
    software(
        "software-statement.response.mismatch",
        Block,
        (
            "response_types fit grant_types, and a redirect URI is there when they need one",
            "name authorization_code and code together, with redirect_uris",
            "RFC 7591, section 2.1",
        ),
    ),
    software(
        "software-statement.auth.shared-secret",
        Block,
        (
            "the software authenticates with a key of its own, not with a secret that others know; no algorithm takes such a secret for its key, or none",
            "take private_key_jwt or tls_client_auth, or none for public clients",
            "RFC 9700, section 2.5: asymmetric client authentication",
        ),
    )
    .lenient(),
    software(
        "software-statement.auth.no-keys",
        Block,
        (
            "software that authenticates with a key says where the key is: jwks or jwks_uri",
            "name the public keys in [[keys]], or a jwks_uri",
            "RFC 7591, section 2: jwks_uri, jwks",
        ),
    ),
    software(
        "software-statement.jwks.both",
        Block,
        ("jwks and jwks_uri do not stand together", "take one of them out", "RFC 7591, section 2: jwks"),
    )
    .firm(),
    software(
        "software-statement.uri.malformed",
        Block,
        (
            "pages, logo, jwks_uri and request_uris are https URLs",
            "serve them over https and name them so",
            "RFC 7591, section 2, and section 5: a page in plain http can be exchanged on its way",
        ),
    ),
    software(
        "software-statement.member.unknown",
        Warn,
        (
            "the metadata has members that are registered",
            "check the spelling; a server ignores what it does not know",
            "RFC 7591, section 2; IANA OAuth Dynamic Client Registration Metadata",
        ),
    ),
    software(
        "software-statement.member.assigned",
        Block,
        (
            "nothing stands in the metadata that a server assigns or this program sets",
            "take it out: secrets and identifiers come with the answer to a registration",
            "RFC 7591, sections 2.3 and 3.2.1",
        ),
    )
    .firm(),
    oob(
        "oob-keys.key.twice",
        Block,
        ("each key stands there once", "take one of the two out", "OpenID Federation 1.0, section 3.1.1"),
    )
    .firm(),
    oob(
        "oob-keys.key.weak",
        Block,
        (
            "an RSA key has at least 3072 bits",
            "make a stronger key before it is pinned for years",
            "NIST SP 800-57 part 1, table 2: 128 bits of strength",
        ),
    ),
    oob(
        "oob-keys.key.other-line",
        Block,
        (
            "no key belongs to a line of another tenant or environment",
            "take it out: its holder could sign in the anchor's name",
            "OpenID Federation 1.0, section 4: every key of an anchor is all-powerful",
        ),
    )
    .firm(),
    oob(
        "oob-keys.key.unknown",
        Warn,
        (
            "each key is one of the vault, or stood in the last document",
            "compare its thumbprint with who keeps the key, over another channel",
            "a safeguard of this program: a key that slipped in speaks for the anchor",
        ),
    ),
    oob(
        "oob-keys.key.gone",
        Warn,
        (
            "every key of the last document is still there",
            "hand the old key out for as long as somebody may still pin it",
            "OpenID Federation 1.0, section 11.2",
        ),
    ),
    oob(
        "oob-keys.iat.future",
        Block,
        (
            "the document was not made in the future",
            "set the clocks of the two machines, and make it anew",
            "RFC 7519, section 4.1.6",
        ),
    ),
    oob(
        "oob-keys.exp.past",
        Block,
        (
            "the document ends after it was made, and has not ended",
            "make it anew: what is pinned from a document that ended is no longer vouched for",
            "RFC 7519, section 4.1.4",
        ),
    ),
    oob(
        "oob-keys.exp.too-far",
        Block,
        (
            "the document ends within the profile's oob_keys.valid_for, from when it was made and from now",
            "make it anew with this line, or set oob_keys.valid_for in the profile",
            "OpenID Federation 1.0, section 11.2: whoever pins keys has to look for new ones",
        ),
    ),
    oob(
        "oob-keys.signature.missing",
        Note,
        (
            "every key of the document has signed it",
            "sign the finished document with the line of the other key, too: fedroot sign oob-keys SIGNED.json",
            "OpenID Federation 1.0, section 11.3: compare what comes over independent channels",
        ),
    ),
];
