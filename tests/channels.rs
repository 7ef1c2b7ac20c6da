//! Each kind of channel on a real vault: keys that consumers find in documents which other keys sign, in SAML metadata and in
//! sets, and certificates that people carry. What documents list of the vault's keys goes on record, and windows count from
//! when that was seen. The other kinds, anchors, are in `rotation`.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, LINE, Ran};

pub(crate) const IDP: &str = "example.org/sandbox/idp";
/// Consumers of these tests refresh every second, and nothing else takes time.
const TIMES: &str = "refresh = \"PT1S\"\nfailures = 0\nskew = \"PT0S\"\nobjects = \"PT0S\"\n\
    publish_safety = \"PT0S\"\nretire_safety = \"PT0S\"\ndelay = \"PT0S\"\ndistribution = \"PT1S\"\n";

/// A vault with lines whose keys are carried in one kind of channel.
pub(crate) struct World(pub(crate) Folder);

impl World {
    pub(crate) fn new(channel: &str, lines: &[(&str, &str)]) -> Self {
        let world = Self(Folder::with_vault());
        for (line, profile) in lines {
            let profile = format!("{profile}\n[[channels]]\nname = \"it\"\nkind = \"{channel}\"\n{TIMES}");
            fs::write(world.0.path("profile.toml"), profile).unwrap();
            world.good(&format!(
                "key generate {line} --algorithm p384 --profile profile.toml --recipient {}",
                world.0.auditor
            ));
        }
        world
    }

    pub(crate) fn run(&self, command: &str) -> Ran {
        let words: Vec<&str> = command.split(' ').chain(["--vault", "V"]).collect();
        self.0.fedroot(&words)
    }

    pub(crate) fn good(&self, command: &str) -> String {
        let ran = self.run(command);
        assert_eq!(ran.code, 0, "{command}: {}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Signs, and yields the findings of this rule when it is refused.
    pub(crate) fn sign(&self, kind: &str, file: &str, line: &str, output: &str) -> Result<(), Vec<String>> {
        let ran = self
            .run(&format!("sign {kind} {file} --key {line} --identity auditor.key --output {output} --json"));
        if ran.code == 0 {
            return Ok(());
        }
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        let review = self.run(&format!("review {kind} {file} --key {line} --json")).stdout;
        let review: Value = serde_json::from_str(&review).unwrap();
        let findings = review["findings"].as_array().unwrap();
        let found =
            findings.iter().filter(|finding| finding["rule"].as_str().unwrap().ends_with(".key.line"));
        let details = found.flat_map(|finding| finding["breaches"].as_array().unwrap());
        Err(details.map(|breach| breach["detail"].as_str().unwrap().to_owned()).collect())
    }

    pub(crate) fn observe(&self, kind: &str, file: &str) -> Ran {
        self.0.shell(&format!(
            "fedroot observe {kind} {file} --seen-at $(date -u +%FT%TZ) --from https://x.example/ --json --vault V"
        ))
    }

    /// The metadata of an identity provider with the certificates of these keys.
    pub(crate) fn metadata(&self, name: &str, purpose: &str, keys: &[&str]) {
        let certificates = keys.iter().map(|key| {
            let pem = self.good(&format!("key export {key} --format certificate"));
            let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            format!("<md:KeyDescriptor use=\"{purpose}\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>")
        });
        let text = String::from_utf8(self.0.read("entity.xml")).unwrap();
        let (start, end) = (text.find("<md:KeyDescriptor").unwrap(), text.find("<md:SingleSignOn").unwrap());
        let text = format!("{}{}{}", &text[..start], certificates.collect::<String>(), &text[end..]);
        fs::write(self.0.path(name), text).unwrap();
    }
}

#[test]
fn a_key_in_metadata_rotates_with_the_windows_of_those_who_read_it() {
    let world =
        World::new("saml-signing", &[(IDP, "version = 1\nkinds = [\"bundle\"]\npolicy_ref = \"test\"")]);
    let (first, second) = (format!("{IDP}#1"), format!("{IDP}#2"));
    world.metadata("one.xml", "signing", &[&first]);
    world.sign("saml", "one.xml", LINE, "one.signed").unwrap();
    world.good(&format!("rotate stage {IDP} --recipient {}", world.0.auditor));
    world.metadata("both.xml", "signing", &[&first, &second]);
    let early = world.sign("saml", "both.xml", LINE, "x").unwrap_err();
    assert!(early[0].contains("#2, which is not published yet"), "{early:?}");
    world.good(&format!("rotate publish {IDP}"));
    let late = world.sign("saml", "one.xml", LINE, "x").unwrap_err();
    assert!(late[0].contains("and not example.org/sandbox/idp#2"), "{late:?}");
    world.sign("saml", "both.xml", LINE, "both.signed").unwrap();
    let journal = String::from_utf8(world.0.read("V/journal.jsonl")).unwrap();
    assert!(journal.contains(r#""channel":"saml-signing","keys":[1,2]"#), "{journal}");

    // What lists the old key only says nothing of the new one.
    let unseen = world.observe("saml", "one.signed");
    assert!(unseen.stdout.contains(IDP) && unseen.stdout.contains(LINE), "{}", unseen.stdout);
    assert_eq!(world.run(&format!("rotate activate {IDP}")).code, 3, "not seen with the new key");
    let seen = world.observe("saml", "both.signed");
    assert!(seen.stdout.contains(IDP), "{}{}", seen.stdout, seen.stderr);
    let early = world.run(&format!("rotate activate {IDP}"));
    assert_eq!(early.code, 4, "{}{}", early.stdout, early.stderr);
    sleep(Duration::from_secs(2));
    world.good(&format!("rotate activate {IDP}"));

    // Both stay until what the old one signed has ended; then it goes, and never all of them.
    let gone = world.sign("saml", "one.xml", LINE, "x").unwrap_err();
    assert!(gone[0].contains("and not example.org/sandbox/idp#2"), "{gone:?}");
    sleep(Duration::from_secs(2));
    world.good(&format!("rotate retire {IDP}"));
    let kept = world.sign("saml", "both.xml", LINE, "x").unwrap_err();
    assert!(kept[0].contains("#1, which is retired"), "{kept:?}");
    let dropped = world.sign("saml", "entity.xml", LINE, "x").unwrap_err();
    assert!(dropped[0].contains("now lists none"), "{dropped:?}");
    world.metadata("two.xml", "signing", &[&second]);
    world.sign("saml", "two.xml", LINE, "two.signed").unwrap();
    // Whoever has the metadata before keeps it for two weeks, unless it is seen that there is a newer one.
    let destroy = format!("key destroy {first} --dry-run");
    assert_eq!(world.run(&destroy).code, 4);
    assert_eq!(world.observe("saml", "two.signed").code, 0);
    sleep(Duration::from_secs(2));
    world.good(&destroy);
}

#[test]
fn of_a_batch_the_document_that_carries_a_key_goes_on_record() {
    let world =
        World::new("saml-signing", &[(IDP, "version = 1\nkinds = [\"bundle\"]\npolicy_ref = \"test\"")]);
    world.metadata("one.xml", "signing", &[&format!("{IDP}#1")]);
    let entity = String::from_utf8(world.0.read("one.xml")).unwrap();
    let entity = &entity[entity.find("<md:EntityDescriptor").unwrap()..];
    let other = entity.replace("idp.north.example", "idp.south.example");
    let (start, end) = (other.find("<md:KeyDescriptor").unwrap(), other.find("<md:SingleSignOn").unwrap());
    let aggregate = |entities: &[&str]| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}</md:EntitiesDescriptor>",
            entities.concat()
        )
    };
    let other = format!("{}{}", &other[..start], &other[end..]);
    fs::write(world.0.path("two.xml"), aggregate(&[entity, &other])).unwrap();
    fs::write(world.0.path("gone.xml"), aggregate(&[&other])).unwrap();
    let split =
        |file: &str| world.run(&format!("sign saml {file} --split out --key {LINE} --identity auditor.key"));
    let ran = split("two.xml");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let journal = String::from_utf8(world.0.read("V/journal.jsonl")).unwrap();
    let line: Value = serde_json::from_str(journal.lines().last().unwrap()).unwrap();
    let documents = line["what"]["signed"]["documents"].as_array().unwrap();
    let carrying: Vec<_> = documents.iter().filter(|document| document.get("carries").is_some()).collect();
    assert_eq!(carrying.len(), 1, "{line}");
    assert_eq!(carrying[0]["subject"], "https://idp.north.example/idp/shibboleth");
    let file = format!("out/{}", carrying[0]["name"].as_str().unwrap());
    let seen = world.observe("saml", &file);
    assert!(seen.stdout.contains(IDP), "{}{}", seen.stdout, seen.stderr);
    let gone = split("gone.xml");
    assert_eq!(gone.code, 3);
    assert!(gone.stderr.contains("now lists none"), "{}", gone.stderr);
}

#[test]
fn the_keys_of_a_line_stand_in_its_own_sets_as_its_rotation_wants_them() {
    let sets = [
        ("jwks", "jwks", "", "jwks"),
        ("kubernetes", "jwks", "issuer = \"https://k8s.example.org\"\n", "kubernetes"),
        ("spiffe-bundle", "spiffe", "trust_domain = \"example.org\"\n", "spiffe"),
    ];
    for (kind, channel, head, name) in sets {
        let line = format!("example.org/sandbox/{name}");
        let mut profile = format!("version = 1\nkinds = [\"{kind}\"]\npolicy_ref = \"test\"\n");
        if kind == "spiffe-bundle" {
            profile.push_str("[spiffe]\ntrust_domain = \"example.org\"\n");
        }
        let world = World::new(channel, &[(&line, &profile)]);
        let purpose = if kind == "spiffe-bundle" { "use = \"jwt-svid\"\n" } else { "" };
        fs::write(world.0.path("set.toml"), format!("{head}[[keys]]\nline = true\n{purpose}")).unwrap();
        fs::write(world.0.path("named.toml"), format!("{head}[[keys]]\nline = true\nkid = \"a\"\n{purpose}"))
            .unwrap();
        let count = |file: &str| {
            let set: Value = serde_json::from_slice(&world.0.read(file)).unwrap();
            set["keys"].as_array().unwrap().len()
        };
        world.sign(kind, "set.toml", &line, "1.json").unwrap();
        world.good(&format!("rotate stage {line} --recipient {}", world.0.auditor));
        world.sign(kind, "set.toml", &line, "2.json").unwrap();
        world.good(&format!("rotate publish {line}"));
        world.sign(kind, "set.toml", &line, "3.json").unwrap();
        assert_eq!(["1.json", "2.json", "3.json"].map(count), [1, 1, 2], "{kind}");
        let named = world.run(&format!("review {kind} named.toml --key {line}"));
        assert_eq!(named.code, 2, "{kind}: one name for two keys");

        // A set by hand that leaves one out would break who has only that one.
        let pem = world.good(&format!("key export {line}#1"));
        fs::write(world.0.path("first.pem"), pem).unwrap();
        fs::write(world.0.path("first.toml"), format!("{head}[[keys]]\nfile = \"first.pem\"\n{purpose}"))
            .unwrap();
        let short = world.sign(kind, "first.toml", &line, "x").unwrap_err();
        assert!(short[0].contains(&format!("and not {line}#2")), "{kind}: {short:?}");

        assert_eq!(world.run(&format!("rotate activate {line}")).code, 3, "{kind}: unseen");
        let seen = world.observe(kind, "3.json");
        assert_eq!(seen.code, 0, "{kind}: {}{}", seen.stdout, seen.stderr);
        sleep(Duration::from_millis(1_500));
        world.good(&format!("rotate activate {line}"));
        sleep(Duration::from_millis(1_500));
        // The set that the old one signed never ends by itself: the next one has to be seen in its place.
        assert_eq!(world.run(&format!("rotate retire {line}")).code, 3, "{kind}");
        world.sign(kind, "set.toml", &line, "4.json").unwrap();
        assert_eq!(world.observe(kind, "4.json").code, 0, "{kind}");
        sleep(Duration::from_millis(1_500));
        world.good(&format!("rotate retire {line}"));
        world.sign(kind, "set.toml", &line, "5.json").unwrap();
        assert_eq!(["4.json", "5.json"].map(count), [2, 1], "{kind}: the old one is gone");

        // A stolen key goes at once, whatever is outstanding.
        let revoke =
            |extra: &str| world.run(&format!("rotate revoke {line}#2 --reason stolen --json {extra}"));
        let asked: Value = serde_json::from_str(&revoke("--dry-run").stdout).unwrap();
        assert_eq!(revoke(&format!("--confirm {}", asked["request"].as_str().unwrap())).code, 0);
    }
}

#[test]
fn a_key_to_encrypt_with_takes_the_place_of_the_old_one_at_once() {
    let profile = "version = 1\nkinds = [\"bundle\"]\npolicy_ref = \"test\"";
    let world = World::new("saml-encryption", &[(IDP, profile)]);
    let [first, second] = [1, 2].map(|version| format!("{IDP}#{version}"));
    world.metadata("one.xml", "encryption", &[&first]);
    world.sign("saml", "one.xml", LINE, "one.signed").unwrap();
    world.good(&format!("rotate stage {IDP} --recipient {}", world.0.auditor));
    world.good(&format!("rotate publish {IDP}"));
    world.metadata("both.xml", "encryption", &[&first, &second]);
    world.metadata("two.xml", "encryption", &[&second]);
    let early = world.sign("saml", "both.xml", LINE, "x").unwrap_err();
    assert!(early[0].contains("#2, which is not the active one"), "nobody encrypts to it yet: {early:?}");
    world.good(&format!("rotate activate {IDP}"));
    assert!(world.sign("saml", "both.xml", LINE, "x").is_err(), "nobody shall encrypt to the old one");
    world.sign("saml", "two.xml", LINE, "two.signed").unwrap();
    // The old one decrypts as long as somebody has the metadata that lists it.
    let retire = format!("rotate retire {IDP}");
    assert_eq!(world.run(&retire).code, 3, "not seen without it");
    assert_eq!(world.observe("saml", "two.signed").code, 0);
    sleep(Duration::from_secs(2));
    world.good(&retire);
}

#[test]
fn people_carry_a_root_certificate_and_a_renewed_one_is_another() {
    let line = "example.org/sandbox/root";
    let profile = "version = 1\nkinds = [\"bundle\"]\npolicy_ref = \"test\"";
    let world = World::new("x509", &[(line, &format!("{profile}\n"))]);
    let certificate = |version: u32, name: &str| {
        let pem = world.good(&format!("key export {line}#{version} --format certificate"));
        fs::write(world.0.path(name), &pem).unwrap();
        pem
    };
    let first = certificate(1, "1.pem");
    world.good(&format!("rotate renew-certificate {line} --identity auditor.key"));
    let renewed = certificate(1, "1-renewed.pem");
    assert_ne!(first, renewed);
    let same = world.0.shell(
        "for f in 1.pem 1-renewed.pem; do openssl x509 -in $f -noout -pubkey; done | sort | uniq -c | awk '{print $1}' | sort -u",
    );
    assert_eq!(same.stdout.trim(), "2", "{}", same.stderr);
    let stranger = world.0.shell("openssl verify -CAfile 1-renewed.pem 1-renewed.pem");
    assert_eq!(stranger.code, 0, "{}", stranger.stderr);

    world.good(&format!("rotate stage {line} --recipient {}", world.0.auditor));
    world.good(&format!("rotate publish {line}"));
    certificate(2, "2.pem");
    assert_eq!(world.observe("certificate", "1-renewed.pem").code, 0);
    assert_eq!(world.run(&format!("rotate activate {line}")).code, 3, "the next one is in no trust store");
    assert_eq!(world.observe("certificate", "2.pem").code, 0);
    let early = world.run(&format!("rotate activate {line}"));
    assert_eq!(early.code, 4, "people take their time: {}{}", early.stdout, early.stderr);
    sleep(Duration::from_secs(2));
    world.good(&format!("rotate activate {line}"));
}
