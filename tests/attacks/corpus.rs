//! The attacks of the corpus.

use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use fedroot::format::x509;
use fedroot::key::PublicKey;
use serde_json::json;

use super::{verdict, verify};
use crate::support::{corpus, files};

/// What was made from one signed aggregate, each with the code that must refuse it. Those that are `good` change nothing that
/// is signed.
const METADATA: &[(&str, &str)] = &[
    ("m00-original", "good"),
    ("m01-sig-on-evil-root-ref-nested-ext", "dsig.reference"),
    ("m02-nested-signed-in-ext-root-unsigned", "dsig.missing"),
    ("m03-duplicate-id-orig-last", "dsig.id"),
    ("m03b-duplicate-id-orig-is-root", "dsig.id"),
    ("m04-original-in-object", "dsig.reference"),
    ("m05-nested-group-schema-valid", "dsig.reference"),
    ("m06-nested-signed-child-root-unsigned", "dsig.missing"),
    // nothing signed changed; the report counts it, and such a document is not signed by us
    ("m07-comment-in-text", "good"),
    ("m07b-pi-in-text", "verify.altered"),
    ("m08-doctype-unused-entity", "xml.doctype"),
    ("m09-unsigned", "dsig.missing"),
    ("m10-tampered", "verify.altered"),
    ("m11-signature-last", "dsig.position"),
    ("m12-xxe-unused", "xml.doctype"),
    ("m13-attacker-signature-first", "dsig.several"),
    ("m14-attacker-signature-after", "dsig.several"),
    ("m15-leading-comment-and-pi", "good"),
    ("m16-entity-in-doctype-text", "xml.doctype"),
    ("m17-crlf", "good"),
    ("m18-utf8-bom", "good"),
    ("m19-default-attr-doctype", "xml.doctype"),
    ("m20-charref-attr", "good"),
    ("m21-whitespace-in-digestvalue", "verify.untrusted"),
    ("m22-comment-in-digestvalue", "dsig.grammar"),
    ("m23-cdata-text", "good"),
    ("m24-xslt-transform-added", "dsig.transform"),
    ("n01-newline-in-attribute-valid", "dsig.position"),
];

#[test]
fn attacks_on_metadata_are_refused_for_their_reason() {
    let Some(corpus) = corpus("attacks_on_metadata_are_refused_for_their_reason") else { return };
    let folder = corpus.join("saml/derived-metadata-xsw");
    assert_eq!(files(&folder, ".xml").len(), METADATA.len(), "an attack is not in the table");
    let trust = [certificate(&folder.join("cert.pem"))];
    for (name, expected) in METADATA {
        let document = fs::read(folder.join(format!("{name}.xml"))).unwrap();
        assert_eq!(verdict(document, &trust), *expected, "{name}");
    }
    let document = fs::read(folder.join("m07-comment-in-text.xml")).unwrap();
    let coverage = verify(document, &trust).unwrap().coverage;
    assert!(coverage.contains(&("comments_in_values", json!(1))), "{coverage:?}");
}

fn certificate(path: &Path) -> PublicKey {
    x509::public_key(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The attacks on others, and what stands beside them. They are no metadata, and most fail at that before anything else:
/// what they try is tried on metadata in `own.rs`. Those that are `good` are good.
const OTHERS: &[(&str, &[&str])] = &[
    (
        "xml.doctype",
        &[
            "signxml/defusedxml-test-data/cyclic.xml",
            "signxml/defusedxml-test-data/dtd.xml",
            "signxml/defusedxml-test-data/external.xml",
            "signxml/defusedxml-test-data/external_file.xml",
            "signxml/defusedxml-test-data/quadratic.xml",
            "signxml/defusedxml-test-data/xmlbomb.xml",
            "signxml/defusedxml-test-data/xmlbomb2.xml",
        ],
    ),
    (
        "dsig.missing",
        &[
            "pysaml2-xmlsec1-keydata/signed-assertion-random-embedded-cert.xml",
            "pysaml2-xmlsec1-keydata/signed-assertion-with-hmac.xml",
            "pysaml2-xsw/signed-xsw-assertion-assertion.xml",
            "pysaml2-xsw/signed-xsw-assertion-extensions.xml",
            "pysaml2-xsw/signed-xsw-assertion-in-assertion-first-sig.xml",
            "pysaml2-xsw/signed-xsw-assertion-wrapper.xml",
            "signxml/defusedxml-test-data/simple.xml",
            "signxml/example-125.xml",
            "signxml/example.xml",
            "signxml/example2.xml",
            "signxml/wsse_keyinfo.xml",
            "xml-crypto-static/id_with_quotes.xml",
            "xml-crypto-static/saml_external_ns.xml",
            "xml-crypto-static/saml_multiple_signed_info_nodes.xml",
            "xml-crypto-static/saml_wrapped_signed_info_node.xml",
            "xml-crypto-static/unsigned_saml_response.xml",
            "xml-crypto-static/valid_saml_signature_wrapping.xml",
            "xml-crypto-static/valid_saml_with_digest_comment.xml",
            "xml-crypto-static/valid_signature_with_unused_prefixes.xml",
        ],
    ),
    (
        "dsig.position",
        &[
            "pysaml2-xmlsec1-keydata/signed-response-with-hmac.xml",
            "pysaml2-xsw/signed-xsw-response-in-response-first-sig.xml",
            "simplesamlphp-saml2/signedAssertionReferencedEmbeddedAssertion.xml",
            "simplesamlphp-saml2/signedAssertionWithInvalidReferencedId.xml",
            "xml-crypto-static/integration/expectedVerifyComplex.xml",
            "xml-crypto-static/invalid_saml_no_signed_info.xml",
            "xml-crypto-static/invalid_signature_without_transforms_element.xml",
            "xml-crypto-static/keyinfo - pretty-printed.xml",
            "xml-crypto-static/signature_with_inclusivenamespaces.xml",
            "xml-crypto-static/signature_with_inclusivenamespaces_lines.xml",
            "xml-crypto-static/signature_with_inclusivenamespaces_lines_windows.xml",
            "xml-crypto-static/valid_saml.xml",
            "xml-crypto-static/valid_saml_withcomments.xml",
            "xml-crypto-static/valid_signature_utf8.xml",
            "xml-crypto-static/valid_signature_without_transforms_element.xml",
            "xml-crypto-static/windows_store_signature.xml",
        ],
    ),
    (
        "saml.root",
        &[
            "xml-crypto-static/hmac_signature.xml",
            "xml-crypto-static/invalid_saml_sha256_rsa_mgf1.xml",
            "xml-crypto-static/valid_saml_sha256_rsa_mgf1.xml",
        ],
    ),
    ("verify.untrusted", &["xml-crypto-static/wsfederation_metadata.xml"]),
    (
        "xml.namespace",
        &[
            "signxml/defusedxml-test-data/simple-ns.xml",
            "simplesamlphp-saml2/CVE-2025-66475.xml",
            "xml-crypto-static/integration/expectedVerify.xml",
            "xml-crypto-static/invalid_signature - changed content.xml",
            "xml-crypto-static/invalid_signature - hash.xml",
            "xml-crypto-static/invalid_signature - non existing reference.xml",
            "xml-crypto-static/invalid_signature - signature value.xml",
            "xml-crypto-static/invalid_signature - wsu - changed content.xml",
            "xml-crypto-static/invalid_signature - wsu - hash.xml",
            "xml-crypto-static/invalid_signature - wsu - invalid signature value.xml",
            "xml-crypto-static/invalid_signature - wsu - non existing reference.xml",
            "xml-crypto-static/valid_signature wsu.xml",
            "xml-crypto-static/valid_signature.xml",
            "xml-crypto-static/valid_signature_with_lowercase_id_attribute.xml",
            "xml-crypto-static/valid_signature_with_reference_keyInfo.xml",
            "xml-crypto-static/valid_signature_with_root_level_sig_namespace.xml",
            "xml-crypto-static/valid_signature_with_whitespace_in_digestvalue.xml",
        ],
    ),
    ("good", &["xml-crypto-static/wsfederation_metadata.xml"]),
];

/// The key of the first certificate in the document, which an attacker would like to be trusted.
fn own_key(document: &[u8]) -> Option<PublicKey> {
    let text = str::from_utf8(document).ok()?;
    let base64 = text.split_once("X509Certificate>")?.1.split('<').next()?;
    let der = Base64::decode_vec(&base64.split_whitespace().collect::<String>()).ok()?;
    let body = Base64::encode_string(&der);
    x509::public_key(&format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")).ok()
}

#[test]
fn attacks_on_others_are_refused_too() {
    let Some(corpus) = corpus("attacks_on_others_are_refused_too") else { return };
    let folder = corpus.join("saml/attacks");
    let stock = certificate(&corpus.join("saml/derived-metadata-xsw/cert.pem"));
    let mut wrong = Vec::new();
    for path in files(&folder, ".xml") {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        if name.contains("/interop/") {
            continue;
        }
        let document = fs::read(&path).unwrap();
        let trust = [own_key(&document).unwrap_or_else(|| stock.clone())];
        let found = verdict(document, &trust);
        let expected = OTHERS.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(code, _)| *code);
        if expected != Some(found) {
            wrong.push(format!("(\"{found}\", \"{name}\")"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bombs_and_external_entities_are_refused_as_doctypes() {
    let Some(corpus) = corpus("bombs_and_external_entities_are_refused_as_doctypes") else { return };
    for path in files(&corpus.join("bad/xml-defusedxml"), ".xml") {
        if !path.to_string_lossy().contains("simple") {
            assert_eq!(verdict(fs::read(&path).unwrap(), &[]), "xml.doctype", "{}", path.display());
        }
    }
}

/// A line end in an attribute is a space in what was signed. The signature stands in another place than we want it, so the
/// digest is held against the octets that xmlsec1, the JDK and samlsign accept: those of the document without it.
#[test]
fn a_line_end_in_an_attribute_is_a_space_in_what_was_signed() {
    let Some(corpus) = corpus("a_line_end_in_an_attribute_is_a_space_in_what_was_signed") else { return };
    let path = corpus.join("saml/derived-metadata-xsw/n01-newline-in-attribute-valid.xml");
    let text = fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once("<ds:Signature ").unwrap();
    let (signature, after) = rest.split_once("</ds:Signature>").unwrap();
    let bare = format!("{before}{after}");
    let claimed = signature.split("DigestValue>").nth(1).unwrap().split('<').next().unwrap();
    let form = fedroot::format::xml::Form::default();
    let ours = crate::fuzz::canonical_form(bare.as_bytes(), &form).unwrap();
    assert!(bare.contains("\n  http") || bare.lines().any(|line| line.trim_start().starts_with("urn:")));
    assert_eq!(Base64::encode_string(&fedroot::key::Hash::Sha384.digest(&ours)), claimed.trim());
}
