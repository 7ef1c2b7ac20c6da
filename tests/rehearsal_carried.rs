//! `fedroot rotate rehearse` for keys that consumers find in documents: in metadata that another line signs, in sets of their own.

use std::fs;

use serde_json::{Value, json};

use crate::peers::xmlsec1;
use crate::rehearsal::{bytes, day, moves, rehearse, said, world};
use crate::support::{Folder, peers};

const IDP: &str = "example.org/prod/idp";

pub(crate) fn profile(kinds: &str, channels: &[&str]) -> String {
    let channels =
        channels.iter().map(|kind| format!("\n[[channels]]\nname = \"{kind}\"\nkind = \"{kind}\"\n"));
    format!("version = 1\nkinds = [\"{kinds}\"]\npolicy_ref = \"test\"\n{}", channels.collect::<String>())
}

/// The certificate of a key, as metadata has it.
pub(crate) fn certificate(folder: &Folder, key: &str) -> String {
    let pem = folder.good(&["key", "export", key, "--format", "certificate", "--vault", "V"]).stdout;
    pem.lines().filter(|line| !line.starts_with('-')).collect()
}

/// `idp.xml`: the metadata of an identity provider with this certificate, for these uses.
pub(crate) fn metadata(folder: &Folder, certificate: &str, uses: &[&str]) {
    let descriptors = uses.iter().map(|purpose| {
        format!(
            "<md:KeyDescriptor {purpose}><ds:KeyInfo><ds:KeyName>idp</ds:KeyName><ds:X509Data><ds:X509Certificate>\n{certificate}\n\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo><md:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\"/>\
             </md:KeyDescriptor>"
        )
    });
    let text = String::from_utf8(folder.read("entity.xml")).unwrap();
    let (start, end) = (text.find("<md:KeyDescriptor").unwrap(), text.find("<md:SingleSignOn").unwrap());
    let text = format!("{}{}{}", &text[..start], descriptors.collect::<String>(), &text[end..]);
    fs::write(folder.path("idp.xml"), text).unwrap();
}

/// What each ceremony lists, and the keys that somebody trusts then.
fn listed(said: &Value) -> Vec<(Value, Value)> {
    let held = said["ceremonies"].as_array().unwrap().iter();
    held.map(|held| (held["files"][0]["lists"].clone(), held["trusted"].clone())).collect()
}

#[test]
fn a_key_in_metadata_is_rehearsed_with_the_metadata_that_carries_it() {
    let folder = world(IDP, &profile("bundle", &["saml-signing"]));
    let own = certificate(&folder, IDP);
    // Two of the line's keys in one role, as in the middle of a rotation: the throw-away ones stand there once.
    metadata(&folder, &own, &["use=\"signing\"", "use=\"signing\""]);
    let before = bytes(&folder);
    let ran = rehearse(&folder, IDP, "2027-03-01T00:00:00Z", "--document saml idp.xml --output out");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(bytes(&folder) == before, "the real vault changed");
    let said = said(&ran);
    assert_eq!((&said["rejections"], &said["differences"]), (&json!([]), &json!([])));
    assert_eq!(
        moves(&said),
        [
            day("2027-01-11", &["generate #2", "publish #2"]),
            // Seen on the 13th, in every cache on the 16th, and a day more.
            day("2027-01-18", &["activate #2"]),
            day("2027-01-25", &["retire #1"]),
            day("2027-02-01", &["destroy #1"]),
        ]
    );
    let lists = listed(&said);
    assert_eq!(lists[0], (json!([1]), json!([1])));
    assert_eq!(lists[1], (json!([1, 2]), json!([1, 2])));
    assert_eq!(lists[2].0, json!([1, 2]));
    assert_eq!(lists[3], (json!([2]), json!([1, 2])), "caches still have the one before");
    assert_eq!(lists[4], (json!([2]), json!([2])));

    // Strangers find what was said: signed by the other line, and no key of the real line.
    let here = peers("a_key_in_metadata_is_rehearsed_with_the_metadata_that_carries_it", &["xmlsec1"]);
    for held in said["ceremonies"].as_array().unwrap() {
        let file = &held["files"][0];
        assert_eq!(file["signed_by"], Value::Null);
        let path = folder.path("out").join(file["file"].as_str().unwrap());
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&own), "the real key in {}", path.display());
        let count = file["lists"].as_array().unwrap().len();
        assert_eq!(
            text.matches("KeyDescriptor use=\"signing\"").count()
                + text.matches("\" use=\"signing\"").count(),
            count
        );
        assert_eq!(text.matches("aes256-gcm").count(), 1, "what is no key stays");
        let name = "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor".to_owned();
        assert!(!here || xmlsec1(&path, &folder.path("out/signer.pem"), &[name]));
    }
}

#[test]
fn one_key_for_both_uses_takes_another_place_for_each() {
    let folder = world(IDP, &profile("bundle", &["saml-signing", "saml-encryption"]));
    metadata(&folder, &certificate(&folder, IDP), &[""]);
    let ran = rehearse(&folder, IDP, "2027-03-01T00:00:00Z", "--document saml idp.xml --output out");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = said(&ran);
    assert_eq!(said["rejections"], json!([]));
    let told = moves(&said);
    assert_eq!(told[1], day("2027-01-18", &["activate #2"]), "{told:?}");
    // What the old one decrypts is listed nowhere, and it goes when the last cache has forgotten that: seen on the 20th.
    assert_eq!(told[2], day("2027-01-25", &["retire #1"]), "{told:?}");
    let uses = |day: &str| {
        let path = format!("out/{day}T09:00:00Z/by-signer/saml");
        let text = String::from_utf8(folder.read(&path)).unwrap();
        let all = text.matches("KeyDescriptor").count() / 2;
        (all, text.matches("use=\"signing\"").count(), text.matches("use=\"encryption\"").count())
    };
    let days = ["2027-01-04", "2027-01-11", "2027-01-18", "2027-01-25"];
    assert_eq!(days.map(uses), [(1, 0, 0), (2, 1, 0), (2, 1, 0), (1, 0, 0)]);
}

#[test]
fn the_line_that_signs_the_metadata_brings_its_profile() {
    let folder = world(IDP, &profile("bundle", &["saml-signing"]));
    metadata(&folder, &certificate(&folder, IDP), &["use=\"signing\""]);
    let hub = "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"test\"\n[saml]\nvalid_for = \"P8D\"\n";
    fs::write(folder.path("hub.toml"), hub).unwrap();
    let made = folder.shell(
        "fedroot key generate example.org/sandbox/hub --algorithm p384 --profile hub.toml --recipient $AUDITOR --vault V",
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    let documents = "--document saml idp.xml --signer example.org/sandbox/hub --output out";
    let ran = rehearse(&folder, IDP, "2027-02-01T00:00:00Z", documents);
    // Signed on the 4th for eight days, seen on the 6th, and the next one on the 13th.
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let first = &said(&ran)["rejections"][0];
    assert_eq!(
        (&first["at"], &first["until"]),
        (&json!("2027-01-12T09:00:00Z"), &json!("2027-01-13T09:00:00Z"))
    );
}

#[test]
fn sets_that_a_line_signs_itself_are_rehearsed() {
    for (kind, channel, head, purpose) in [
        ("jwks", "jwks", "", ""),
        ("kubernetes", "jwks", "issuer = \"https://k8s.example.org\"\n", ""),
        ("spiffe-bundle", "spiffe", "trust_domain = \"example.org\"\n", "use = \"jwt-svid\"\n"),
    ] {
        let line = "example.org/sandbox/set";
        let domain = if kind == "spiffe-bundle" { "[spiffe]\ntrust_domain = \"example.org\"\n" } else { "" };
        let (start, end) = (profile(kind, &[]), profile(kind, &[channel]));
        let folder = world(line, &format!("{start}{domain}{}", &end[start.len()..]));
        fs::write(folder.path("set.toml"), format!("{head}[[keys]]\nline = true\n{purpose}")).unwrap();
        let documents = format!("--document {kind} set.toml --output out");
        let ran = rehearse(&folder, line, "2027-03-01T00:00:00Z", &documents);
        assert_eq!(ran.code, 0, "{kind}: {}{}", ran.stdout, ran.stderr);
        let told = said(&ran);
        assert_eq!((&told["rejections"], &told["differences"]), (&json!([]), &json!([])), "{kind}");
        assert_eq!(
            moves(&told),
            [
                day("2027-01-11", &["generate #2", "publish #2"]),
                day("2027-01-18", &["activate #2"]),
                day("2027-01-25", &["retire #1"]),
                day("2027-02-01", &["destroy #1"]),
            ],
            "{kind}"
        );
        let lists: Vec<_> = listed(&told).into_iter().map(|(lists, _)| lists).collect();
        assert_eq!(lists[..4], [json!([1]), json!([1, 2]), json!([1, 2]), json!([2])], "{kind}");
        let set: Value =
            serde_json::from_slice(&folder.read(&format!("out/2027-01-11T09:00:00Z/by-1/{kind}"))).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), 2, "{kind}");

        // A set that names the real key would never introduce the next one.
        let pem = folder.good(&["key", "export", line, "--vault", "V"]).stdout;
        fs::write(folder.path("own.pem"), pem).unwrap();
        fs::write(folder.path("set.toml"), format!("{head}[[keys]]\nfile = \"own.pem\"\n{purpose}")).unwrap();
        let ran = rehearse(&folder, line, "2027-03-01T00:00:00Z", &documents.replace(" out", " none"));
        assert_eq!(ran.code, 2, "{kind}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(said(&ran)["code"], "rotate.rehearsal");
        assert!(
            ran.stdout.contains("line = true") && !folder.path("none").exists(),
            "{kind}: {}",
            ran.stdout
        );
    }
}

#[test]
fn documents_that_neither_carry_the_key_nor_are_signed_by_the_line_are_refused() {
    let folder = world(IDP, &profile("bundle", &["saml-signing"]));
    metadata(&folder, &certificate(&folder, IDP), &["use=\"encryption\""]);
    for (documents, words) in [
        ("", "none of the documents introduces"),
        ("--document jwks keys.toml --document saml idp.xml", "is neither signed by"),
        // Its key is there for another use, and then there is no key of the line at all.
        ("--document saml idp.xml", "none of the documents lists a key"),
        ("--document saml aggregate.xml", "none of the documents lists a key"),
    ] {
        let ran = rehearse(&folder, IDP, "2027-03-01T00:00:00Z", &format!("{documents} --output out"));
        assert_eq!(ran.code, 2, "{documents}: {}{}", ran.stdout, ran.stderr);
        assert!(
            ran.stdout.contains(words) && ran.stdout.contains("rotate.rehearsal"),
            "{documents}: {}",
            ran.stdout
        );
        assert!(!folder.path("out").exists());
    }
    for signer in [IDP, "example.org/prod/nobody"] {
        let documents = format!("--document saml idp.xml --signer {signer}");
        let ran = rehearse(&folder, IDP, "2027-03-01T00:00:00Z", &documents);
        let code = if signer == IDP { "usage" } else { "key.missing" };
        assert_eq!(said(&ran)["code"], code, "{}", ran.stdout);
    }
}
