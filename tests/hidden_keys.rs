//! Keys in metadata that could be hidden from the review: whatever they are found by, in whatever form they are given.

use std::fs;

use base64ct::{Base64, Encoding as _};

use crate::hidden::{World, aggregate, authority, extensions, group, provider};
use crate::rules::{PROFILE, entity, examined_split, last, rules_of, with_prepared};
use crate::support::root;

/// Two throw-away certificates, in base64.
pub(crate) fn certificates() -> [String; 2] {
    ["saml.entities.none/good.xml", "saml.key.roca/bad.xml"].map(|vector| {
        let text = fs::read_to_string(root().join("tests/vectors/saml-rules").join(vector)).unwrap();
        text.split("X509Certificate>").nth(1).unwrap().trim_end_matches("</ds:").to_owned()
    })
}

pub(crate) fn certificate(body: &str) -> String {
    format!("<ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data>")
}

#[test]
fn keys_that_vouch_for_others_are_keys() {
    let world = World::new();
    let name = |name: &str| authority(&format!("<ds:KeyName>{name}</ds:KeyName>"));
    let two = entity("https://a.example/", "") + &entity("https://b.example/", "");
    let inside = |group_says: &str, root_says: &str| {
        aggregate(
            &(root_says.to_owned()
                + &group("g", &(group_says.to_owned() + &two))
                + &entity("https://c.example/", "")),
        )
    };
    let none = inside("", "");
    assert_eq!(world.parts(&none, &inside("", &extensions(&name("ca")))), [("keys", 3)]);
    assert_eq!(world.parts(&none, &inside(&extensions(&name("ca")), "")), [("keys", 2)]);
    assert_eq!(
        world.parts(&inside(&extensions(&name("ca")), ""), &inside(&extensions(&name("other")), "")),
        [("keys", 2)]
    );
    let own = entity("https://a.example/", &extensions(&name("ca")));
    assert_eq!(world.parts(&aggregate(&entity("https://a.example/", "")), &aggregate(&own)), [("keys", 1)]);
    let weak = authority(
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>t0eX</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
    );
    assert!(rules_of(&world.examined(&inside(&extensions(&weak), ""))).contains("saml.key.weak"));
    let split = examined_split(&inside(&extensions(&weak), ""), world.signer.as_ref(), PROFILE);
    assert!(rules_of(&split).contains("saml.split.group"));
    assert!(!rules_of(&world.examined(&inside(&extensions(&weak), ""))).contains("saml.split.group"));
}

#[test]
fn whatever_a_key_is_found_by_is_part_of_the_keys() {
    let world = World::new();
    let one = |key: &str| aggregate(&provider("https://a.example/", key));
    let named = |name: &str| one(&format!("<ds:KeyName>{name}</ds:KeyName>"));
    assert_eq!(world.parts(&named("one name"), &named("onename")), [("keys", 1)]);
    let [first, second] = certificates();
    let (first, second) = (first.as_str(), second.as_str());
    let unreadable = |body: &str| certificate(&body.replacen("MII", "MIJ", 1));
    let two = |a: &str, b: &str| {
        certificate(a).replacen(
            "</ds:X509Data>",
            &format!("<ds:X509Certificate>{b}</ds:X509Certificate></ds:X509Data>"),
            1,
        )
    };
    let rsa = |modulus: &str, exponent: &str| {
        format!(
            "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>{exponent}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
        )
    };
    let ec = |curve: &str, point: &str| {
        format!(
            "<ds:KeyValue><dsig11:ECKeyValue><dsig11:NamedCurve URI='urn:oid:{curve}'/><dsig11:PublicKey>{point}</dsig11:PublicKey></dsig11:ECKeyValue></ds:KeyValue>"
        )
    };
    let element = |name: &str, text: &str| format!("<{name}>{text}</{name}>");
    for (name, before, after) in [
        ("a certificate", certificate(first), certificate(second)),
        ("one more", certificate(first), two(first, second)),
        ("their order", two(first, second), two(second, first)),
        ("one that cannot be read", unreadable(first), unreadable(second)),
        ("a name", element("ds:KeyName", "idp"), element("ds:KeyName", "evil")),
        ("a DER", certificate(first), certificate(first) + &element("dsig11:DEREncodedKeyValue", "AAAA")),
        (
            "another DER",
            element("dsig11:DEREncodedKeyValue", "AAAA"),
            element("dsig11:DEREncodedKeyValue", "AAAB"),
        ),
        ("a modulus", rsa("t0eX", "AQAB"), rsa("t0eY", "AQAB")),
        ("an exponent", rsa("t0eX", "AQAB"), rsa("t0eX", "AQ==")),
        ("a curve", ec("1.2.840.10045.3.1.7", "AAAA"), ec("1.3.132.0.34", "AAAA")),
        ("a point", ec("1.2.840.10045.3.1.7", "AAAA"), ec("1.2.840.10045.3.1.7", "AAAB")),
        (
            "a subject",
            element("ds:X509Data", &element("ds:X509SubjectName", "CN=a")),
            element("ds:X509Data", &element("ds:X509SubjectName", "CN=b")),
        ),
        (
            "a place to fetch it",
            "<ds:RetrievalMethod URI='https://a'/>".into(),
            "<ds:RetrievalMethod URI='https://b'/>".into(),
        ),
        ("something foreign", "<x:key>1</x:key>".into(), "<x:key>2</x:key>".into()),
    ] {
        assert_eq!(world.parts(&one(&before), &one(&after)), [("keys", 1)], "{name}");
        assert_eq!(world.parts(&one(&before), &one(&before)), [], "{name}");
    }
    let folded =
        first.as_bytes().chunks(20).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n ");
    assert_eq!(world.parts(&one(&certificate(first)), &one(&certificate(&folded))), [], "line breaks");
    let methods = one(&certificate(first)).replacen(
        "</ds:KeyInfo>",
        "</ds:KeyInfo><EncryptionMethod Algorithm='urn:x'/>",
        1,
    );
    assert_eq!(world.parts(&one(&certificate(first)), &methods), [("other", 1)], "what is no key");
}

#[test]
fn the_order_of_keys_is_part_of_them() {
    let world = World::new();
    let [one, other] = certificates().map(|body| certificate(&body));
    let keys = |keys: [(&str, &str); 2]| {
        let key = |(purpose, key): (&str, &str)| {
            format!("<KeyDescriptor{purpose}><ds:KeyInfo>{key}</ds:KeyInfo></KeyDescriptor>")
        };
        let role = format!(
            "<SPSSODescriptor protocolSupportEnumeration='urn:oasis:names:tc:SAML:2.0:protocol'>{}</SPSSODescriptor>",
            keys.map(key).concat()
        );
        aggregate(&entity("https://a.example/", &role))
    };
    for (first, second) in [("", ""), (" use='encryption'", " use='encryption'"), (" use='encryption'", "")] {
        let before = keys([(first, &one), (second, &other)]);
        let after = keys([(second, &other), (first, &one)]);
        let difference = world.difference(&before, &after);
        assert_eq!(difference.parts.iter().collect::<Vec<_>>(), [(&"keys", &1)], "{first}, {second}");
        let now = &difference.entities[0].now;
        assert!(now.len() == 2 && now.iter().all(|said| said.is_new.is_none()), "none is new: {now:?}");
    }
}

const ROCA: &str = "+Ew3KLpSS+GOy4hKo5E5Wc4TT3LfI+IM+9QwoEJ2G+lJIDuYseFECpNA7q7mQpanR2iRZWVz9VO1m8Judf4zk3MkWnXuaZSvRF+7N7UDK1CuxkrfrcP1u7iBNMLk22B1qrw96Ft4PdepEqFyVekMsT6S1oCnpY6OWaMmgF1qVD7uysqoltbNFY0lPq/C+48PBC+lgs5ZTDddcg8ME8hH2dQTw9KpNpkcqIqpFjGCmKMP7E2lKRxEzLaFan5lDv6M65xhNKsfHKtsRbOEXd1fkpzxbpUB/Sw9yK7fPUuiEACTWJZAQjuspyU94JYo9bW+B+Wuf/8UrllSdgHR624WKQ==";

#[test]
fn keys_without_certificates_are_judged_like_those_in_one() {
    let world = World::new();
    let found = |key: &str| rules_of(&world.examined(&aggregate(&provider("https://a.example/", key))));
    let rsa = |modulus: &str, exponent: &str| {
        format!(
            "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus><ds:Exponent>{exponent}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
        )
    };
    assert!(found(&rsa("t0eX", "AQAB")).contains("saml.key.weak"), "short");
    assert!(found(&rsa(ROCA, "AQ==")).contains("saml.key.weak"), "an exponent of one");
    assert!(!found(&rsa(ROCA, "AQAB")).contains("saml.key.weak"));
    assert!(found(&rsa(ROCA, "AQAB")).contains("saml.key.roca"));
    assert!(found(&rsa(ROCA, "")).contains("saml.certificate.unreadable"), "no exponent");
    let own = world.signer.public().unwrap();
    let der = Base64::encode_string(own.spki());
    let point = Base64::encode_string(&own.spki()[own.spki().len() - 97..]);
    let ec = |curve: &str| {
        format!(
            "<ds:KeyValue><dsig11:ECKeyValue><dsig11:NamedCurve URI='urn:oid:{curve}'/><dsig11:PublicKey>{point}</dsig11:PublicKey></dsig11:ECKeyValue></ds:KeyValue>"
        )
    };
    let encoded = format!("<dsig11:DEREncodedKeyValue>{der}</dsig11:DEREncodedKeyValue>");
    assert!(found(&encoded).contains("saml.key.federation"));
    assert!(found(&ec("1.3.132.0.34")).contains("saml.key.federation"));
    assert!(!found(&ec("1.3.132.0.35")).contains("saml.key.federation"));
    assert!(found(&ec("1.3.132.0.10")).contains("saml.key.curve"));
    assert!(
        found("<ds:KeyValue><ds:DSAKeyValue><ds:Y>AAAA</ds:Y></ds:DSAKeyValue></ds:KeyValue>")
            .contains("saml.key.weak")
    );
}

#[test]
fn private_keys_are_found_wherever_they_are_pasted() {
    let world = World::new();
    let pem = fs::read_to_string(root().join("tests/keys/p384.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let a = |inner: &str| aggregate(&entity("https://a.example/", inner));
    let found = |text: &str| rules_of(&world.examined(text)).contains("saml.private-key");
    let words = "-----BEGIN PRIVATE KEY-----";
    for (name, text) in [
        ("in text", a(&extensions(&format!("<x:k>{words}</x:k>")))),
        ("in an attribute", a(&extensions(&format!("<x:k y='{words}'/>")))),
        ("in an attribute, by references", a(&extensions("<x:k y='-----BEGIN PRIVATE&#32;&#x4b;EY-----'/>"))),
        ("in an attribute of the root", a("").replacen(" ID=", &format!(" x:k='{words}' ID="), 1)),
        ("in an instruction", a(&format!("<?x {words}?>"))),
        ("in a comment, where no dashes can be", a("<!-- - - BEGIN EC PRIVATE KEY - - -->")),
        ("around an element", a(&extensions("<x:k>-----BEGIN PRIVATE<x:y/> KEY-----</x:k>"))),
        (
            "as .NET writes it",
            a(&extensions("<RSAKeyValue xmlns=''><Modulus>AA</Modulus><P>AA</P></RSAKeyValue>")),
        ),
        ("as .NET writes it, as text", a(&extensions("<x:k>&lt;InverseQ&gt;AA</x:k>"))),
        (
            "in place of a key's numbers",
            aggregate(&provider(
                "https://a.example/",
                "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>t0eX</ds:Modulus><ds:Exponent>AQAB</ds:Exponent><ds:D>AA</ds:D></ds:RSAKeyValue></ds:KeyValue>",
            )),
        ),
        (
            "beside a key's numbers",
            aggregate(&provider("https://a.example/", "<ds:KeyValue><x:DP>AA</x:DP></ds:KeyValue>")),
        ),
        ("of PGP", a(&extensions("<x:k>-----BEGIN PGP PRIVATE KEY BLOCK-----</x:k>"))),
        ("around a comment", a(&extensions("<x:k>-----BEGIN PRIVATE<!--x--> KEY-----</x:k>"))),
        ("around an instruction", a(&extensions("<x:k>-----BEGIN PRIVATE<?x?> KEY-----</x:k>"))),
        ("in place of a certificate", aggregate(&provider("https://a.example/", &certificate(&body)))),
        (
            "in place of a public key",
            aggregate(&provider(
                "https://a.example/",
                &format!("<dsig11:DEREncodedKeyValue>{body}</dsig11:DEREncodedKeyValue>"),
            )),
        ),
        (
            "in place of an authority's certificate",
            aggregate(&(extensions(&authority(&certificate(&body))) + &entity("https://a.example/", ""))),
        ),
    ] {
        assert!(found(&text), "{name}");
    }
    for (name, text) in [
        ("a public key", aggregate(&provider("https://a.example/", &certificate(&certificates()[0])))),
        ("prose", a(&extensions("<x:k y='no PRIVATE KEY here'>nor a PRIVATE KEY BLOCK, please</x:k>"))),
        (
            "a public key of DSA",
            aggregate(&provider(
                "https://a.example/",
                "<ds:KeyValue><ds:DSAKeyValue><ds:P>AA</ds:P><ds:Q>AA</ds:Q><ds:G>AA</ds:G><ds:Y>AA</ds:Y></ds:DSAKeyValue></ds:KeyValue>",
            )),
        ),
        ("such elements elsewhere", a(&extensions("<x:P/><x:D/><x:RSAKeyValue/><x:Q/>"))),
        (
            "a certificate that cannot be read",
            aggregate(&provider("https://a.example/", &certificate("AAAA"))),
        ),
    ] {
        assert!(!found(&text), "{name}");
    }
}

#[test]
fn private_keys_are_found_as_people_paste_and_writers_of_xml_escape_them() {
    let world = World::new();
    let found = |text: &str| rules_of(&world.examined(text)).contains("saml.private-key");
    let pem = fs::read_to_string(root().join("tests/keys/p384.pem")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let public = r#"{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}"#;
    let private = public.replace('}', r#","d":"AA"}"#);
    for text in pasted(&private, &body) {
        assert!(found(&text), "{text}");
    }
    let spki = Base64::encode_string(world.signer.public().unwrap().spki());
    for text in pasted(public, &spki).into_iter().chain(pasted("{}", &certificates()[0])) {
        assert!(!found(&text), "{text}");
    }
}

/// A JSON Web Key, or what else is one text, and something in base64, each wherever it can stand.
fn pasted(jwk: &str, base64: &str) -> [String; 20] {
    let a = |inner: &str| aggregate(&entity("https://a.example/", inner));
    let value = |text: &str| a(&extensions(&format!("<x:k>{text}</x:k>")));
    let attribute = |text: &str| a(&extensions(&format!("<x:k y=\"{text}\"/>")));
    let folded: Vec<_> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    [
        value(jwk),
        value(&format!("<![CDATA[{jwk}]]>")),
        value(&jwk.replace('"', "&#34;")),
        value(&jwk.replace('"', "&quot;")),
        value(&jwk.replace('{', "&#123;").replace('"', "&#x22;")),
        value(&jwk.replace(',', "&#10;  &#10;  ,")),
        value(&jwk.replace(',', ",<!--x-->")),
        attribute(&jwk.replace('"', "&quot;")),
        attribute(jwk).replace(&format!("\"{jwk}\""), &format!("'{jwk}'")),
        value(base64),
        value(&format!("key: {base64}")),
        value(&format!("data:application/pkcs8;base64,{base64}")),
        value(&format!("&#{};{}", base64.as_bytes()[0], &base64[1..])),
        value(&folded.join("&#13;\n  ")),
        attribute(base64),
        attribute(&folded.join("&#10;")),
        a(&format!("<!-- {base64} -->")),
        a(&format!("<!--{jwk}-->")),
        a(&format!("<?x {base64}?>")),
        a(&format!("<?x {jwk}?>")),
    ]
}

#[test]
fn a_record_of_an_earlier_version_compares_with_nothing() {
    let world = World::new();
    let text = aggregate(&provider("https://a.example/", "<ds:KeyName>a</ds:KeyName>"));
    let mut record = Vec::new();
    with_prepared(&text, (world.signer.as_ref(), PROFILE, None), Some(&mut record), |_| ());
    assert!(last(&record).unwrap().compares());
    let digests = format!("{}{}", "0".repeat(32), " 0000000000000000".repeat(6));
    for earlier in ["v1", "v2", "v3"] {
        let record = |kind: &str| {
            format!("fedroot last signed {earlier} {kind}\nentity {digests} \"a\"\nfacts []\nend 1\n")
        };
        assert!(!last(record("saml").as_bytes()).unwrap().compares(), "{earlier}");
        let other = record("bundle");
        assert!(last(other.as_bytes()).unwrap().compares(), "of other kinds the versions say the same");
    }
}
