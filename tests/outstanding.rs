//! What a line signed stays outstanding until it ends, whatever becomes of the line's profile, and wherever else the keys of the
//! line are listed. And whatever is outstanding: a key can be stopped.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::channels::{IDP, World};
use crate::support::LINE;
use crate::support::federation::{id, key};
use crate::support::world::{ANCHOR, signs, world};

const BUNDLES: &str = "version = 1\nkinds = [\"bundle\"]\npolicy_ref = \"test\"";

/// A vault with a line of which metadata carries the keys.
fn provider() -> World {
    World::new("saml-signing", &[(IDP, BUNDLES)])
}

impl World {
    fn profile(&self, line: &str, change: impl Fn(String) -> String) {
        let path = self.0.path(&format!("V/keys/{line}/profile.toml"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(text)).unwrap();
    }

    fn said(&self, command: &str) -> Value {
        let ran = self.run(&format!("{command} --json"));
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{command}: {}", ran.stderr))
    }

    /// The channels of a key, as `status` tells of them: name, visibility, how much is outstanding.
    fn channels(&self, line: &str, key: usize) -> Vec<(String, String, u64)> {
        let said = self.said(&format!("status {line}"));
        let channels = said["lines"][0]["keys"][key]["channels"].as_array().unwrap().clone();
        let text = |channel: &Value, name: &str| channel[name].as_str().unwrap().to_owned();
        let row = |channel: &Value| {
            (text(channel, "channel"), text(channel, "visibility"), channel["outstanding"].as_u64().unwrap())
        };
        channels.iter().map(row).collect()
    }

    /// The answers to a move.
    fn refused(&self, command: &str, code: i32) -> String {
        let ran = self.run(command);
        assert_eq!(ran.code, code, "{command}: {}{}", ran.stdout, ran.stderr);
        format!("{}{}", ran.stdout, ran.stderr)
    }

    /// The next key of the provider takes over: both are in the metadata of every signer, which is seen.
    fn takes_over(&self, signers: &[&str]) {
        self.good(&format!("rotate stage {IDP} --recipient {}", self.0.auditor));
        self.good(&format!("rotate publish {IDP}"));
        self.metadata("both.xml", "signing", &[&format!("{IDP}#1"), &format!("{IDP}#2")]);
        for (number, signer) in signers.iter().enumerate() {
            let signed = format!("both-{number}");
            self.sign("saml", "both.xml", signer, &signed).unwrap();
            assert_eq!(self.observe("saml", &signed).code, 0);
        }
        sleep(Duration::from_secs(2));
        self.good(&format!("rotate activate {IDP}"));
    }
}

#[test]
fn what_is_signed_stays_outstanding_when_the_profile_names_another_channel() {
    let world = provider();
    world.sign("saml", "entity.xml", LINE, "a.xml").unwrap();
    let before = world.channels(LINE, 0);
    assert_eq!(before[0].2, 1, "{before:?}");
    world.profile(LINE, |text| text + "\n[[channels]]\nname = \"edugain\"\nkind = \"saml-anchor\"\n");
    let after = world.channels(LINE, 0);
    assert_eq!(after, [("edugain".to_owned(), before[0].1.clone(), before[0].2)]);
    // The line signs other documents from now on, and the metadata is as valid as it was.
    world.profile(LINE, |text| {
        let text = text.split("\n[[channels]]").next().unwrap().to_owned();
        text.replace("kinds = [\"saml\"]", "kinds = [\"bundle\"]")
    });
    let other = world.channels(LINE, 0);
    assert!(other.contains(&("saml-anchor".to_owned(), before[0].1.clone(), before[0].2)), "{other:?}");
}

/// A provider whose key stands in metadata, and signed a release.
fn released() -> World {
    let world = provider();
    world.metadata("one.xml", "signing", &[&format!("{IDP}#1")]);
    world.sign("saml", "one.xml", LINE, "one.signed").unwrap();
    fs::create_dir(world.0.path("rel")).unwrap();
    fs::write(world.0.path("rel/x"), "x").unwrap();
    world.sign("bundle", "rel", IDP, "rel/MANIFEST.sha384").unwrap();
    world
}

#[test]
fn what_a_carried_key_signed_itself_is_waited_for() {
    let world = released();
    let theft = world.said(&format!("rotate emergency {IDP} --reason stolen --dry-run"));
    let signed: u64 =
        theft["at_risk"].as_array().unwrap().iter().map(|risk| risk["signed"].as_u64().unwrap()).sum();
    assert_eq!(signed, 1, "{theft}");
    world.takes_over(&[LINE]);
    sleep(Duration::from_secs(2));
    let said = world.refused(&format!("rotate retire {IDP}"), 3);
    assert!(said.contains("what it signed never expires: rel/MANIFEST.sha384"), "{said}");
    // What it signed is no reason to keep the next one waiting.
    assert_eq!(world.channels(IDP, 1).len(), 1);
}

/// A release that was signed by mistake and thrown away would keep its key for ever: somebody says by name that nobody has it.
#[test]
fn what_was_never_published_is_waited_for_until_somebody_answers_for_that() {
    let world = released();
    let digest = fedroot::base::bytes::Digest::of(&world.0.read("rel/MANIFEST.sha384")).to_string();
    world.takes_over(&[LINE]);
    sleep(Duration::from_secs(2));
    let retire = format!("rotate retire {IDP} --dry-run");
    let said = world.refused(&retire, 3);
    assert!(said.contains("what it signed never expires: rel/MANIFEST.sha384"), "{said}");
    // Not without a reason, not for what nobody signed here, and not for what somebody saw.
    let say = |what: &str, reason: &str| format!("observe bundle {what} --never-published {reason}");
    for (command, code, why) in [
        (say("rel/x", "mistaken"), 3, "was signed here"),
        (say("sha256:00", "mistaken"), 7, "sha256:00"),
        (say("both-0", "mistaken").replace("bundle", "saml"), 3, "it is published"),
        (format!("{} --said x", say(&digest, "mistaken")), 2, "cannot be used with"),
        (format!("observe bundle {digest}"), 2, "--seen-at"),
    ] {
        let said = world.refused(&command, code);
        assert!(said.contains(why), "{command}: {said}");
    }
    let blank = world.0.fedroot(&["observe", "bundle", &digest, "--never-published", " ", "--vault", "V"]);
    assert!(blank.code == 2 && blank.stderr.contains("wants a reason"), "{}", blank.stderr);
    // The file is gone: its digest will do. The record of it names who said so, and nothing is deleted.
    let signed = world.0.read("V/journal.jsonl");
    fs::rename(world.0.path("rel/MANIFEST.sha384"), world.0.path("aside")).unwrap();
    let noted = world.said(&say(&digest, "mistaken"));
    assert_eq!((&noted["changed"], &noted["never_published"][0]["line"]), (&true.into(), &IDP.into()));
    assert!(noted["warnings"][0].as_str().unwrap().contains("destroy every copy"), "{noted}");
    assert_eq!(world.said(&say(&digest, "again"))["changed"], false);
    assert!(world.0.read("V/journal.jsonl").starts_with(&signed));
    let shown = world.refused("ledger show --identity auditor.key --json", 0);
    for said in
        ["\"act\":\"withhold\"", "\"said\":\"mistaken\"", "\"reason\":\"mistaken\"", "\"operator\":", &digest]
    {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    // Nothing waits for it now, and whoever retires the key reads what is said.
    let said = world.refused(&retire, 0);
    assert!(said.contains("an officer says that this was never published: rel/MANIFEST.sha384"), "{said}");
    let theft = world.said(&format!("rotate emergency {IDP}#1 --reason stolen --dry-run"));
    assert!(theft["at_risk"].as_array().unwrap().iter().all(|risk| risk["signed"] == 0), "{theft}");
    // Somebody sees it all the same: it counts again, and nobody can say otherwise any more.
    fs::rename(world.0.path("aside"), world.0.path("rel/MANIFEST.sha384")).unwrap();
    let early = "observe bundle rel/MANIFEST.sha384 --seen-at 2020-01-01T00:00:00Z --from https://x.example/";
    assert!(world.refused(early, 3).contains("signed only at"));
    assert_eq!(world.observe("bundle", "rel/MANIFEST.sha384").code, 0);
    let said = world.refused(&retire, 3);
    assert!(said.contains("what it signed never expires: rel/MANIFEST.sha384"), "{said}");
    assert!(world.refused(&say(&digest, "not"), 3).contains("was seen"));
    // An auditor makes the journal anew, with all of that.
    let compared =
        world.0.good(&["ledger", "rebuild", "--compare", "--identity", "auditor.key", "--vault", "V"]);
    assert!(!compared.stdout.is_empty() || !compared.stderr.is_empty());
    let anew = world.refused(&retire, 3);
    assert!(anew.contains("never expires"), "{anew}");
}

#[test]
fn a_key_is_stopped_whatever_became_of_its_channels() {
    let world = provider();
    world.metadata("one.xml", "signing", &[&format!("{IDP}#1")]);
    world.sign("saml", "one.xml", LINE, "one.signed").unwrap();
    assert_eq!(world.observe("saml", "one.signed").code, 0);
    world.profile(IDP, |text| text.replace("saml-signing", "saml-encryption"));
    let channels = world.channels(IDP, 0);
    assert!(channels.iter().any(|(name, _, outstanding)| name == "saml-signing" && *outstanding == 1));
    let theft = world.said(&format!("rotate emergency {IDP} --reason stolen --dry-run"));
    let listing: u64 =
        theft["at_risk"].as_array().unwrap().iter().map(|risk| risk["listing"].as_u64().unwrap()).sum();
    assert_eq!(listing, 1, "{theft}");
    world.good(&format!("key suspend {IDP} --reason lost"));
    world.good(&format!(
        "rotate emergency {IDP} --reason stolen --confirm {}",
        theft["request"].as_str().unwrap()
    ));
    // Whoever has the metadata accepts the key for as long as that is valid.
    assert!(world.refused(&format!("key destroy {IDP}#1 --dry-run"), 3).contains("saml-signing"));
}

#[test]
fn a_key_is_stopped_even_where_its_profile_is_damaged() {
    let world = provider();
    world.profile(IDP, |text| text.replace("saml-signing", "pigeons"));
    world.good(&format!("key suspend {IDP} --reason lost"));
    let revoke = format!("rotate revoke {IDP} --reason stolen");
    let asked = world.said(&format!("{revoke} --dry-run"));
    let ran = world.run(&format!("{revoke} --confirm {}", asked["request"].as_str().unwrap()));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("what is at risk is not known"), "{}", ran.stderr);
}

#[test]
fn a_key_is_where_every_document_lists_it_and_is_gone_when_none_does() {
    const OTHER: &str = "example.org/sandbox/legacy";
    let world = provider();
    let [first, second] = [1, 2].map(|version| format!("{IDP}#{version}"));
    world.metadata("one.xml", "signing", &[&first]);
    for (signer, signed) in [(LINE, "one-0"), (OTHER, "one-1")] {
        world.sign("saml", "one.xml", signer, signed).unwrap();
        assert_eq!(world.observe("saml", signed).code, 0);
    }
    world.good(&format!("rotate stage {IDP} --recipient {}", world.0.auditor));
    world.good(&format!("rotate publish {IDP}"));
    world.metadata("both.xml", "signing", &[&first, &second]);
    world.sign("saml", "both.xml", LINE, "both-0").unwrap();
    assert_eq!(world.observe("saml", "both-0").code, 0);
    sleep(Duration::from_secs(2));
    let said = world.refused(&format!("rotate activate {IDP}"), 3);
    assert!(said.contains(OTHER), "whoever reads the other metadata knows nothing of it: {said}");
    world.sign("saml", "both.xml", OTHER, "both-1").unwrap();
    world.refused(&format!("rotate activate {IDP}"), 3);
    assert_eq!(world.observe("saml", "both-1").code, 0);
    sleep(Duration::from_secs(2));
    world.good(&format!("rotate activate {IDP}"));
    sleep(Duration::from_secs(2));
    world.good(&format!("rotate retire {IDP}"));

    world.metadata("two.xml", "signing", &[&second]);
    world.sign("saml", "two.xml", LINE, "two-0").unwrap();
    assert_eq!(world.observe("saml", "two-0").code, 0);
    sleep(Duration::from_secs(2));
    let destroy = format!("key destroy {first} --dry-run");
    assert!(world.refused(&destroy, 3).contains(OTHER));
    world.sign("saml", "two.xml", OTHER, "two-1").unwrap();
    assert_eq!(world.observe("saml", "two-1").code, 0);
    sleep(Duration::from_secs(2));
    world.good(&destroy);
}

#[test]
fn a_set_that_nobody_has_seen_ends_nothing() {
    let line = "example.org/sandbox/set";
    let world = World::new("jwks", &[(line, "version = 1\nkinds = [\"jwks\"]\npolicy_ref = \"test\"")]);
    fs::write(world.0.path("set.toml"), "[[keys]]\nline = true\n").unwrap();
    world.sign("jwks", "set.toml", line, "1.json").unwrap();
    world.good(&format!("rotate stage {line} --recipient {}", world.0.auditor));
    world.good(&format!("rotate publish {line}"));
    world.sign("jwks", "set.toml", line, "2.json").unwrap();
    assert_eq!(world.observe("jwks", "2.json").code, 0);
    sleep(Duration::from_secs(2));
    world.good(&format!("rotate activate {line}"));
    world.sign("jwks", "set.toml", line, "3.json").unwrap();
    sleep(Duration::from_secs(2));
    let said = world.refused(&format!("rotate retire {line}"), 3);
    assert!(said.contains("what it signed never expires: 2.json"), "{said}");
    assert_eq!(world.observe("jwks", "3.json").code, 0);
    sleep(Duration::from_secs(2));
    world.good(&format!("rotate retire {line}"));
}

#[test]
fn a_trust_mark_that_never_ends_is_outstanding_after_the_next_batch_too() {
    let folder = world(1);
    let profile = folder.path(&format!("V/keys/{ANCHOR}/profile.toml"));
    let allowed = "trust_mark = { usual = \"P365D\", min = \"P1D\", max = \"forever\" }\n";
    fs::write(&profile, fs::read_to_string(&profile).unwrap() + allowed).unwrap();
    let mark = format!(
        "trust_mark_type = \"https://anchor.example.org/good\"\nsub = \"{}\"\nvalid_for = \"forever\"\n",
        id(1)
    );
    let anchor = String::from_utf8(folder.read("in/anchor.toml")).unwrap();
    let issuers =
        "[trust_mark_issuers]\n\"https://anchor.example.org/good\" = [\"https://anchor.example.org\"]\n\n";
    fs::write(folder.path("in/anchor.toml"), format!("{issuers}{anchor}")).unwrap();
    fs::create_dir(folder.path("in/trust-marks")).unwrap();
    fs::write(folder.path("in/trust-marks/1.toml"), mark).unwrap();
    let never = || {
        let theft = ["rotate", "emergency", ANCHOR, "--reason", "x", "--dry-run", "--json", "--vault", "V"];
        let said: Value = serde_json::from_str(&folder.good(&theft).stdout).unwrap();
        let never = said["at_risk"][0]["never"].as_array().unwrap().clone();
        let mut names: Vec<_> = never.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    for number in [7, 8] {
        let jwk = fedroot::format::jose::jwk(&key(number).public().unwrap()).to_string();
        fs::write(folder.path("in/old.jwk"), jwk).unwrap();
        let history = "[[keys]]\nfile = \"old.jwk\"\nexp = \"2026-01-01T00:00:00Z\"\n";
        fs::write(folder.path("in/historical-keys.toml"), history).unwrap();
        signs(&folder, &[]);
    }
    let history = "historical";
    assert_eq!(never(), ["1 documents of a batch", history, history], "nobody has seen the second one");
    let seen = folder.shell(
        "fedroot observe historical-keys tree/historical --seen-at $(date -u +%FT%TZ) --from https://x.example/ --vault V",
    );
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert_eq!(never(), ["1 documents of a batch", history], "the mark is as good as ever");
}
