//! What an attacker, or a careless registrant, puts into metadata to be taken for somebody else, and the rules that find it.

use std::collections::BTreeSet;
use std::fs;

use fedroot::key::PrivateKey;

use crate::hidden::{aggregate, attributes, authority, extensions, group};
use crate::rules::{PROFILE, entity, examined, read_key, rules_of};
use crate::support::root;

/// An aggregate in which everything is right, with something in the place of something else.
fn with(from: &str, to: &str) -> String {
    let good =
        fs::read_to_string(root().join("tests/vectors/saml-rules/saml.entities.none/good.xml")).unwrap();
    assert!(good.contains(from), "{from}");
    good.replacen(from, to, 1)
}

fn found(signer: &dyn PrivateKey, text: &str) -> BTreeSet<&'static str> {
    rules_of(&examined(text, signer, PROFILE, None))
}

#[test]
fn addresses_and_scopes_that_lead_elsewhere_are_found() {
    let signer = read_key("p384");
    let extension = |what: &str| {
        let role =
            "<md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">";
        with(role, &format!("{role}{what}"))
    };
    let location = |to: &str| with("https://idp.example.org/sso", to);
    let scope = |to: &str| with(">example.org</shibmd:Scope>", &format!(">{to}</shibmd:Scope>"));
    let federation = |address: &str| {
        extension(&format!(
            "<fed:PassiveRequestorEndpoint xmlns:fed='http://docs.oasis-open.org/wsfed/federation/200706'>\
             <w:EndpointReference xmlns:w='http://www.w3.org/2005/08/addressing'><w:Address>{address}</w:Address>\
             </w:EndpointReference></fed:PassiveRequestorEndpoint>"
        ))
    };
    let beside_scope = |what: &str| {
        let scope = ">example.org</shibmd:Scope>";
        with(scope, &format!("{scope}{what}"))
    };
    let initiator = "<i:RequestInitiator xmlns:i='urn:oasis:names:tc:SAML:profiles:SSO:request-init' \
                     Binding='urn:oasis:names:tc:SAML:profiles:SSO:request-init' Location='http://idp.example.org/i'/>";
    for (text, rule) in [
        (location("https://0x7f.1/sso"), "saml.endpoint.private"),
        (location("https://[::ffff:127.0.0.1]/sso"), "saml.endpoint.private"),
        (location("https://idp.example.org@evil.example/sso"), "saml.endpoint.unusual"),
        (location("https://idp.xn--exmple-4nf.org/sso"), "saml.endpoint.unusual"),
        (location("javascript:alert(1)"), "saml.endpoint.script"),
        (
            with("<md:IDPSSODescriptor", "<md:IDPSSODescriptor errorURL=' java&#10;script:x'"),
            "saml.endpoint.script",
        ),
        (with("https://idp.example.org/logo.png", "javascript:x"), "saml.endpoint.script"),
        (with("https://idp.example.org/logo.png", "data:text/html,x"), "saml.endpoint.script"),
        (federation("http://10.0.0.1/"), "saml.endpoint.private"),
        (federation("http://fs.example.org/"), "saml.endpoint.http"),
        (beside_scope(initiator), "saml.endpoint.http"),
        (
            beside_scope(&initiator.replace("request-init' Location", "request' Location")),
            "saml.endpoint.discovery",
        ),
        (scope("*.example.org"), "saml.scope.malformed"),
        (scope(".example.org"), "saml.scope.malformed"),
        (scope("example .org"), "saml.scope.malformed"),
        (scope("\u{435}xample.org"), "saml.scope.malformed"),
        (scope("xn--xample-9of.org"), "saml.scope.malformed"),
    ] {
        let found = found(signer.as_ref(), &text);
        assert!(found.contains(rule), "{rule}: {found:?} in {text}");
    }
    for fine in [
        with("https://idp.example.org/logo.png", "data:image/png;base64,iVBORw0KGgo="),
        with("https://idp.example.org/logo.png", &format!("data:image/png;base64,{}", "A".repeat(40_000))),
        federation("https://fs.example.org/adfs/ls/"),
        beside_scope(&initiator.replace("http://idp", "https://idp")),
    ] {
        assert_eq!(found(signer.as_ref(), &fine), BTreeSet::from(["saml.ecdsa.consumers"]), "{fine}");
    }
}

#[test]
fn names_that_show_something_else_are_found() {
    let signer = read_key("p384");
    for (name, rule) in [
        ("Exam\u{fe0f}ple", "saml.text.invisible"),
        ("Exam\u{180b}ple", "saml.text.invisible"),
        ("Exam\u{1d173}ple", "saml.text.invisible"),
        ("Exam\u{1bca0}ple", "saml.text.invisible"),
        ("Exam\u{e000}ple", "saml.text.invisible"),
        ("Exam\u{10fffd}ple", "saml.text.invisible"),
        ("Exam\u{a0}ple", "saml.text.unusual"),
        ("Exam&#13;ple", "saml.text.unusual"),
        ("\u{ff25}\u{ff38}", "saml.text.unusual"),
        ("\u{1d404}\u{1d431}", "saml.text.unusual"),
        ("Ex\u{251}mple", "saml.text.mixed-scripts"),
        ("Ex\u{13aa}mple", "saml.text.mixed-scripts"),
        ("\u{420}\u{430}\u{443}\u{420}\u{430}\u{4cf}", "saml.text.homograph"),
    ] {
        let text = with("Example University</mdui", &format!("{name}</mdui"));
        let found = found(signer.as_ref(), &text);
        assert!(found.contains(rule), "{name:?}: {rule} not in {found:?}");
    }
}

#[test]
fn dates_that_the_schema_does_not_have_are_not_kept() {
    let signer = read_key("p384");
    let until = |value: &str| with("validUntil=\"2026-12-06T12:00:00Z\"", &format!("validUntil=\"{value}\""));
    let cached = |value: &str| with("cacheDuration=\"PT6H\"", &format!("cacheDuration=\"{value}\""));
    for (text, rule) in [
        (until("2026-12-06T12:00:60Z"), "saml.valid-until.unreadable"),
        (until("2026-12-06t12:00:00z"), "saml.valid-until.unreadable"),
        (until("2026-12-06T12:00:00+02:00"), "saml.valid-until.unreadable"),
        (until("2026-12-06T12:00:00+00:00"), "saml.valid-until.unreadable"),
        (cached("PT6.5H"), "saml.cache-duration.too-long"),
        (cached("P1W"), "saml.cache-duration.too-long"),
        (cached("P0D"), "saml.cache-duration.too-long"),
    ] {
        let found = found(signer.as_ref(), &text);
        assert!(found.contains(rule), "{rule}: {found:?}");
    }
    for fine in [until("2026-12-05T24:00:00Z"), until(" 2026-12-06T12:00:00.5Z "), cached(" PT6H ")] {
        assert_eq!(found(signer.as_ref(), &fine), BTreeSet::from(["saml.ecdsa.consumers"]));
    }
    let zero = examined(&cached("P0D"), signer.as_ref(), PROFILE, None);
    let told =
        zero.findings.iter().find(|finding| finding.rule.id == "saml.cache-duration.too-long").unwrap();
    assert!(told.breaches[0].detail.contains("above zero"), "{:?}", told.breaches);
}

#[test]
fn an_entity_that_is_not_looked_at_as_a_whole_is_not_signed() {
    let signer = read_key("p384");
    let many =
        "<md:NameIDFormat/><md:SingleSignOnService Binding=\"x\" Location=\"https://idp.example.org/x\"/>";
    let text = with("<md:SingleSignOnService", &format!("{}<md:SingleSignOnService", many.repeat(2_000)));
    let examined = examined(&text, signer.as_ref(), PROFILE, None);
    let cut = examined.findings.iter().find(|finding| finding.rule.id == "saml.entity.too-large").unwrap();
    assert!(cut.blocks());
}

#[test]
fn whatever_an_entity_has_many_of_counts() {
    let signer = read_key("p384");
    let certificates = |count: usize| {
        format!(
            "<ds:KeyInfo><ds:X509Data>{}</ds:X509Data></ds:KeyInfo>",
            "<ds:X509Certificate/>".repeat(count)
        )
    };
    let descriptor = |inner: &str| format!("<md:KeyDescriptor>{inner}</md:KeyDescriptor>");
    let before_services =
        |what: &str| with("<md:SingleSignOnService", &format!("{what}<md:SingleSignOnService"));
    let contact = |addresses: usize| {
        let addresses = "<md:EmailAddress/>".repeat(addresses);
        with(
            "</md:EntityDescriptor>",
            &format!(
                "<md:ContactPerson contactType=\"other\">{addresses}</md:ContactPerson></md:EntityDescriptor>"
            ),
        )
    };
    let named = |name: &str, values: usize| {
        let values = "<saml:AttributeValue/>".repeat(values);
        let attribute = format!(
            "<a:EntityAttributes xmlns:a='urn:oasis:names:tc:SAML:metadata:attribute' xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion'><saml:Attribute Name='{name}'>{values}</saml:Attribute></a:EntityAttributes>"
        );
        with("<md:Extensions><mdrpi:Reg", &format!("<md:Extensions>{attribute}<mdrpi:Reg"))
    };
    let is_cut = |text: &str| found(signer.as_ref(), text).contains("saml.entity.too-large");
    for (name, few, many) in [
        (
            "keys",
            before_services(&descriptor("").repeat(500)),
            before_services(&descriptor("").repeat(2_000)),
        ),
        (
            "certificates of all keys together",
            before_services(&descriptor(&certificates(50)).repeat(20)),
            before_services(&descriptor(&certificates(200)).repeat(20)),
        ),
        (
            "keys without certificates",
            before_services(&descriptor("<ds:KeyInfo><ds:KeyValue/></ds:KeyInfo>").repeat(300)),
            before_services(&descriptor("<ds:KeyInfo><ds:KeyValue/></ds:KeyInfo>").repeat(700)),
        ),
        (
            "what tells a key",
            before_services(&descriptor(&"<ds:KeyInfo/>".repeat(1_000))),
            before_services(&descriptor(&"<ds:KeyInfo/>".repeat(2_000))),
        ),
        ("addresses", contact(1_000), contact(2_000)),
        (
            "attributes of roles",
            before_services(""),
            with(
                "</md:IDPSSODescriptor>",
                &format!("</md:IDPSSODescriptor>{}", "<md:RoleDescriptor a='' b='' c=''/>".repeat(600)),
            ),
        ),
        ("bytes of texts", named(&"x".repeat(60_000), 20), named(&"x".repeat(60_000), 40)),
    ] {
        assert!(!is_cut(&few), "{name}");
        assert!(is_cut(&many), "{name}");
    }
}

#[test]
fn a_group_that_says_more_than_each_of_its_entities_can_be_given_is_not_signed() {
    let signer = read_key("p384");
    let cut = |text: &str| {
        let examined = examined(text, signer.as_ref(), PROFILE, None);
        let found = examined.findings.into_iter().find(|finding| finding.rule.id == "saml.entity.too-large");
        found.map_or(0, |finding| if finding.blocks() { finding.count } else { 0 })
    };
    let two = entity("https://a.example/", "") + &entity("https://b.example/", "");
    let values = |count: usize| {
        extensions(&attributes(&"</saml:AttributeValue><saml:AttributeValue>".repeat(count - 1)))
    };
    let keys = |count: usize| extensions(&authority(&"</ds:KeyInfo><ds:KeyInfo>".repeat(count - 1)));
    let long = |bytes: usize| extensions(&attributes(&"x".repeat(bytes)));
    for (name, few, many) in [
        ("attributes", values(100), values(201)),
        ("keys that vouch", keys(100), keys(201)),
        ("text", long(10_000), long(20_000)),
    ] {
        assert_eq!(cut(&aggregate(&(few.clone() + &two))), 0, "{name}");
        assert_eq!(cut(&aggregate(&(many.clone() + &two))), 2, "{name}");
        // groups around an entity have their room together
        assert_eq!(cut(&aggregate(&group("g", &(many + &two)))), 2, "{name}");
        assert_eq!(cut(&aggregate(&(few.clone() + &group("g", &(few.clone() + &two)) + &two))), 2, "{name}");
        // and groups beside each other do not share it
        let beside = group("g", &(few.clone() + &entity("https://a.example/", "")));
        assert_eq!(cut(&aggregate(&(beside.clone() + &beside))), 0, "{name}");
    }
    assert_eq!(cut(&aggregate(&group(&"g".repeat(20_000), &two))), 2, "a name");
}
