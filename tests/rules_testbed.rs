//! The testbed of the UK federation: more than 300 documents, each with what the federation's own checks say of it.

use std::collections::BTreeSet;
use std::fs;

use crate::rules::{PROFILE, examined, read_key, rules_of};
use crate::support::corpus;

/// What the UK federation's own checks say of a document of its testbed, and the rule of ours that is about the same.
const TESTBED: [(&str, &str); 73] = [
    ("check_hasreginfo|", "saml.registrar.missing"),
    ("check_idp_tls|", "saml.endpoint.http"),
    (
        "check_mdattr_ec_anonymous|SP asserts anonymous entity category but has no ContactPerson",
        "saml.contact.missing",
    ),
    (
        "check_mdattr_ec_personalized|SP asserts personalized entity category but has no Con",
        "saml.contact.missing",
    ),
    (
        "check_mdattr_ec_pseudonymous|SP asserts pseudonymous entity category but has no Con",
        "saml.contact.missing",
    ),
    ("check_mdiop|KeyDescriptor does not contain a key representation", "saml.idp.signing-key.missing"),
    ("check_mdrpi_xslt|registrationInstant does not end with 'Z'", "saml.registrar.incomplete"),
    ("check_mdui_logo_url/url/https|", "saml.ui.logo"),
    ("check_mdui_xslt|more than one UIInfo", "saml.ui.language"),
    ("check_mdui_xslt|non-unique lang values on mdui:Des", "saml.ui.language"),
    ("check_mdui_xslt|non-unique lang values on mdui:Dis", "saml.ui.language"),
    ("check_mdui_xslt|non-unique lang values on mdui:Inf", "saml.ui.language"),
    ("check_mdui_xslt|non-unique lang values on mdui:Pri", "saml.ui.language"),
    ("check_misc|SingleSignOnService Location contains space", "saml.endpoint.not-url"),
    ("check_misc|SingleSignOnService ResponseLocation contains space", "saml.endpoint.not-url"),
    ("check_misc|SingleSignOnService Binding contains space", "saml.endpoint.binding"),
    ("check_misc|bare 'ac.uk' scope", "saml.scope.broad"),
    ("check_misc|entity ID contains space", "saml.entity-id.white-space"),
    ("check_misc|empty xml:lang", "saml.ui.language"),
    ("checkScopes/domainName/publicSuffix|", "saml.scope.broad"),
    ("check_saml2int|SAML 2.0 IdP has no embedded signing key", "saml.idp.signing-key.missing"),
    ("check_saml2meta|ArtifactResolutionService index values", "saml.endpoint.duplicate-index"),
    ("check_saml2meta|AssertionConsumerService index values", "saml.endpoint.duplicate-index"),
    ("check_shibboleth|X509Certificate contains XML comment", "saml.text.comment"),
    ("check_sp_tls|", "saml.endpoint.http"),
    ("check_uk_mdrps|exported entity lacks a registrationInstant", "saml.registrar.incomplete"),
    ("check_uk_trust|IdP SSO Descriptor lacking KeyDescriptor", "saml.idp.signing-key.missing"),
    ("saml2meta/url|", "saml.endpoint.not-url"),
    ("saml2meta/url/host|'https:///idp", "saml.endpoint.not-url"),
    ("saml2meta/url/host|'http:///'", "saml.ui.url"),
    ("saml2meta/url/port|'https", "saml.endpoint.unusual"),
    ("saml2meta/url/port|'http:", "saml.ui.url"),
    ("check_algsupport|alg:", "saml.extension.misplaced"),
    ("check_bindings|invalid binding 'urn:oasis:names:tc:SAML:2.0:bindings:", "saml.endpoint.binding"),
    ("check_bindings|invalid binding 'urn:oasis:names:tc:SAML:1.0:bindings:wrong", "saml.endpoint.binding"),
    ("check_bindings|invalid binding 'urn:oasis:names:tc:SAML:1.0:profiles:wrong", "saml.endpoint.binding"),
    (
        "check_bindings|invalid binding 'urn:oasis:names:tc:SAML:2.0:profiles:holder-of-key:SSO:browser:wrong",
        "saml.endpoint.binding",
    ),
    ("check_coco_v2_ec|", "saml.category.unmet"),
    ("check_coco_v2_support|", "saml.category.unmet"),
    ("check_idpdisc|incorrect Binding", "saml.endpoint.discovery"),
    ("check_idpdisc|missing Binding", "saml.endpoint.discovery"),
    ("check_idpdisc|missing index", "saml.endpoint.discovery"),
    ("check_idpdisc|DiscoveryResponse index values", "saml.endpoint.duplicate-index"),
    ("check_init|", "saml.endpoint.discovery"),
    ("check_mdattr|", "saml.extension.misplaced"),
    ("check_mdattr_ec_", "saml.category.unmet"),
    ("check_mdiop|KeyDescriptor contains more than one", "saml.key.several"),
    ("check_mdrpi_xslt|misspelled", "saml.extension.misplaced"),
    ("check_mdrpi_xslt|PublicationInfo must only", "saml.extension.misplaced"),
    ("check_mdrpi_xslt|RegistrationInfo must only", "saml.extension.misplaced"),
    ("check_mdrpi_xslt|more than one", "saml.extension.misplaced"),
    ("check_mdui_xslt|DiscoHints appearing", "saml.extension.misplaced"),
    ("check_mdui_xslt|UIInfo appearing", "saml.extension.misplaced"),
    ("check_mdui_xslt|misspelled", "saml.extension.misplaced"),
    ("check_mdui_xslt|more than one", "saml.extension.misplaced"),
    ("check_mdui_logo_url/", "saml.ui.logo"),
    ("check_mdui_urls/", "saml.ui.url"),
    ("check_rands_member|", "saml.category.unmet"),
    ("check_rands_support|", "saml.category.unmet"),
    ("check_saml2_sp_signedrequests|", "saml.key.requests"),
    ("check_saml2int|no HTTP-POST support", "saml.endpoint.interoperable"),
    (
        "check_saml2int|SAML 2.0 IDPSSODescriptor does not support HTTP-Redirect",
        "saml.endpoint.interoperable",
    ),
    ("check_saml2int|Attribute http://macedir.org/entity-category-support", "saml.attributes.name-format"),
    ("check_shibboleth|OrganizationURL", "saml.ui.url"),
    ("check_shibboleth|Scope value contains", "saml.scope.malformed"),
    ("checkScopes/whiteSpace|", "saml.scope.malformed"),
    ("check_sirtfi|", "saml.sirtfi.contact"),
    ("check_sirtfi2|", "saml.sirtfi.contact"),
    ("check_standard_certificates/", "saml.key.compromised"),
    ("check_uk_algorithms|insecure algorithm", "saml.algorithm.broken"),
    (
        "check_uk_mdattr|entity attribute http://macedir.org/entity-category-support",
        "saml.attributes.name-format",
    ),
    ("check_uk_trust|IdP AA Descriptor lacking", "saml.key.missing"),
    ("check_uk_trust|SP SSO Descriptor lacking KeyDescriptor", "saml.key.missing"),
];

#[test]
fn the_testbed_of_the_uk_federation_is_judged_as_it_expects() {
    let Some(corpus) = corpus("the_testbed_of_the_uk_federation_is_judged_as_it_expects") else { return };
    let folder = corpus.join("saml/ukf-testbed");
    let table = fs::read_to_string(folder.join("EXPECTED.tsv")).unwrap();
    let signer = read_key("p384");
    let (mut surprises, mut used, mut passed) = (Vec::new(), BTreeSet::new(), 0);
    for row in table.lines().filter(|row| row.contains(".xml\t")) {
        let (file, expected) = row.split_once('\t').unwrap();
        let expected = expected.split('\t').next().unwrap();
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let found = rules_of(&examined(&text, signer.as_ref(), PROFILE, None));
        if expected == "PASS" {
            passed += 1;
            let flagged = TESTBED.iter().filter(|(_, rule)| found.contains(rule));
            surprises.extend(
                flagged.map(|(_, rule)| format!("{file}: it passes there, and {rule} finds something")),
            );
            continue;
        }
        for (of, rule) in TESTBED.iter().filter(|(of, _)| expected.contains(&format!("|{of}"))) {
            used.insert(of);
            if !found.contains(rule) {
                surprises.push(format!("{file}: {rule} does not find what {of} does, but {found:?}"));
            }
        }
    }
    assert!(surprises.is_empty(), "\n{}", surprises.join("\n"));
    assert_eq!(
        (passed, used.len()),
        (86, TESTBED.len()),
        "rows that nothing is expected for: are they spelt right?"
    );
}
