//! The life of a key from making to destruction, on a clock that is a number: every ceremony opens the vault at its own time.

use std::fs;
use std::path::PathBuf;

use fedroot::artefact;
use fedroot::base::bytes::Digest;
use fedroot::base::clock::{FixedClock, Instant, Span};
use fedroot::base::disk::Document;
use fedroot::base::fault::{Code, Fault};
use fedroot::base::random;
use fedroot::base::recipient::Recipient;
use fedroot::ceremony::{self, Making, Moved, Moving, Signing, Target};
use fedroot::custody::{Catalogue, JOURNAL, NewVault, Operator, Origin, Sealing, TAMPERED, Vault};
use fedroot::key::{Environment, Line, algorithm};
use fedroot::ledger::{Auditor, EntryKind};
use fedroot::lifecycle::{
    FINAL, Move, ORDER, POLICY, RECEIPT, Receipt, SAFETY, STAGE, Source, Stage, TOO_EARLY, UNSEEN,
};

use crate::support::answers::Answers;
use crate::support::{Folder, identities, patiently, peers};

const LINE: &str = "example.org/prod/rotated";
const START: &str = "2027-01-04T09:00:00Z";
const POINT: &str = "https://md.example.org/metadata.xml";
const PROFILE: &str = "version = 1\nkinds = [\"saml\"]\npolicy_ref = \"test\"\n\n[rules]\n\"saml.ecdsa.consumers\" = \"note\"\n\n\
    [[channels]]\nname = \"metadata\"\nkind = \"saml-anchor\"\npoints = [\"https://md.example.org/metadata.xml\"]\n";

pub(crate) struct World {
    pub(crate) folder: Folder,
    pub(crate) now: Instant,
}

fn operator() -> Operator {
    Operator { user: "test".into(), uid: 0, host: "test".into() }
}

pub(crate) fn line() -> Line {
    LINE.parse().unwrap()
}

pub(crate) fn days(count: i64) -> Span {
    Span::of_days(count)
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = Folder::empty();
        let world = Self { folder, now: Instant::parse(START).unwrap() };
        let clock = FixedClock(world.now);
        let auditors = vec![Auditor::parse(&world.folder.auditor).unwrap()];
        let new = NewVault { origin: None, environments: vec![Environment::Prod], auditors };
        drop(Vault::create(&world.path(), &new, operator(), &clock).unwrap());
        world
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path("R")
    }

    pub(crate) fn later(&mut self, span: Span) {
        self.now = self.now.after(span).unwrap();
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Vault<'_>, &mut Answers<'_>) -> T) -> T {
        let clock = FixedClock(self.now);
        let mut vault = patiently(|| Vault::open(&self.path(), operator(), &clock)).unwrap();
        act(&mut vault, &mut Answers(&self.folder, &|_| ()))
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        Catalogue::open(&self.path()).unwrap()
    }

    pub(crate) fn making(&self, version: u32, standby: bool) -> Making {
        Making {
            key: line().version(version),
            origin: Origin::Generate(algorithm("p384").unwrap()),
            sealing: Sealing::Recipients(vec![Recipient::parse(&self.folder.auditor).unwrap()]),
            profile_text: PROFILE.into(),
            standby,
            reason: Some("test".into()),
        }
    }

    pub(crate) fn first(&self) {
        let making = self.making(1, false);
        self.with(|vault, answers| ceremony::generate(vault, making, answers, &mut random::system()))
            .unwrap();
    }

    pub(crate) fn next(&self, version: u32, standby: bool) {
        let making = self.making(version, standby);
        self.with(|vault, answers| ceremony::stage(vault, making, answers, &mut random::system())).unwrap();
    }

    pub(crate) fn ask(&self, act: Move, version: u32) -> Moved {
        let key = line().version(version);
        let moving = Moving::new(key, act, Some("test"), &[]);
        self.with(|vault, answers| ceremony::advance(vault, &moving, answers)).unwrap()
    }

    pub(crate) fn good(&self, act: Move, version: u32) {
        let moved = self.ask(act, version);
        assert!(moved.refused.is_none(), "{act} #{version}: {}", moved.refused.unwrap());
    }

    pub(crate) fn refused(&self, act: Move, version: u32, code: &'static Code) -> Moved {
        let moved = self.ask(act, version);
        let fault = moved.refused.as_ref().unwrap_or_else(|| panic!("{act} #{version} went ahead"));
        assert_eq!(fault.code(), code, "{act} #{version}: {fault}");
        moved
    }

    pub(crate) fn sign(&self, output: &str, copy: Option<&str>) -> Result<Vec<Digest>, Fault> {
        let (document, output) = (self.folder.path("aggregate.xml"), self.folder.path(output));
        let (line, copy) = (line(), copy.map(|name| self.folder.path(name)));
        let kind = artefact::kind("saml").unwrap();
        let signing = Signing {
            kind,
            document: &document,
            open: &|path| kind.open(path),
            line: &line,
            version: None,
            environment: None,
            output: Target::File(&output),
            copy: copy.as_deref(),
            reason: Some("test"),
            released: None,
            dry_run: false,
        };
        let done =
            self.with(|vault, answers| ceremony::sign(vault, &signing, answers, &mut random::system()))?;
        let copied = done.copy.and_then(|copy| copy.signed);
        Ok(done.signed.into_iter().chain(copied).map(|signed| signed.artefact).collect())
    }

    pub(crate) fn observe(&self, digest: Digest, seen: Instant) -> Result<(), Fault> {
        let receipt = Receipt { digest, seen, from: Source::Point(POINT.into()) };
        self.with(|vault, _| ceremony::observe(vault, None, &receipt, None)).map(|_| ())
    }

    pub(crate) fn export(&self, version: u32, name: &str) {
        let public = self.catalogue().record(&line().version(version)).unwrap().public().unwrap();
        fs::write(self.folder.path(name), public.to_pem().unwrap()).unwrap();
    }

    /// Whether the program and a stranger verify a file with a key.
    pub(crate) fn is_signed_by(&self, file: &str, key: &str) -> bool {
        let trust = ceremony::trust(&self.folder.path(key)).unwrap();
        let document = Document::open(&self.folder.path(file)).unwrap();
        let ours = ceremony::verify(artefact::kind("saml").unwrap(), &document, &trust, self.now).is_ok();
        if peers("rotation", &["xmlsec1"]) {
            let stranger = self
                .folder
                .command("xmlsec1")
                .args([
                    "--verify",
                    "--enabled-key-data",
                    "raw-x509-cert",
                    "--enabled-reference-uris",
                    "same-doc",
                ])
                .args(["--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor"])
                .args(["--pubkey-pem", key, file])
                .output()
                .unwrap();
            assert_eq!(stranger.status.success(), ours, "{file} {key}");
        }
        ours
    }

    pub(crate) fn count(&self, kind: EntryKind) -> usize {
        let mut count = 0;
        let identities = identities(&self.folder);
        ceremony::read_ledger(&self.catalogue(), &identities, &mut |entry| {
            count += usize::from(entry.kind == kind);
        })
        .unwrap();
        count
    }

    pub(crate) fn stage(&self, version: u32) -> Stage {
        self.catalogue().record(&line().version(version)).unwrap().stage()
    }
}

/// The document without its signature: what both copies have to share.
fn content(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (start, end) = (text.find("<ds:Signature").unwrap(), text.find("</ds:Signature>").unwrap());
    format!("{}{}", &text[..start], &text[end..])
}

#[test]
fn a_pinned_key_rotates_by_two_copies_and_strangers_accept_each_step() {
    let mut world = World::new();
    world.first();
    world.export(1, "1.pem");
    let first = world.sign("a.xml", None).unwrap()[0];
    assert_eq!(world.sign("b.xml", Some("c.xml")).unwrap_err().code(), &STAGE, "no successor is there");
    assert!(!world.folder.path("b.xml").exists() && !world.folder.path("c.xml").exists());
    world.later(days(7));
    world.next(2, false);
    world.export(2, "2.pem");
    world.good(Move::Publish, 2);
    world.refused(Move::Activate, 2, &SAFETY);

    // Two outputs in one act: old-signed and new-signed, of equal content.
    let both = world.sign("old.xml", Some("new.xml")).unwrap();
    assert_eq!(content(&world.folder.read("old.xml")), content(&world.folder.read("new.xml")));
    assert!(world.is_signed_by("old.xml", "1.pem") && !world.is_signed_by("old.xml", "2.pem"));
    assert!(world.is_signed_by("new.xml", "2.pem") && !world.is_signed_by("new.xml", "1.pem"));
    world.refused(Move::Activate, 2, &SAFETY);
    world.later(days(2));
    assert_eq!(world.observe(Digest::of(b"something else"), world.now).unwrap_err().code(), &RECEIPT);
    assert_eq!(world.observe(both[1], Instant::parse(START).unwrap()).unwrap_err().code(), &UNSEEN);
    assert_eq!(world.observe(both[1], world.now.after(days(1)).unwrap()).unwrap_err().code(), &RECEIPT);
    world.observe(both[1], world.now).unwrap();

    // People need 30 days from the day on which it was seen.
    let opens = world.now.after(days(30)).unwrap();
    let early = world.refused(Move::Activate, 2, &TOO_EARLY);
    assert_eq!(early.answers.time.not_before, Some(opens));
    // Whoever has pinned the next key only wants a copy that is valid, all the time.
    world.now = opens.after(Span::of_seconds(-1)).unwrap();
    world.refused(Move::Activate, 2, &SAFETY);
    world.sign("week.xml", Some("week-next.xml")).unwrap();
    world.refused(Move::Activate, 2, &TOO_EARLY);
    world.now = opens;
    world.good(Move::Activate, 2);
    assert_eq!((world.stage(1), world.stage(2)), (Stage::Retiring, Stage::Active));

    // The predecessor signs its copy until its notice is over, and is retired once that has ended.
    let both = world.sign("old-2.xml", Some("new-2.xml")).unwrap();
    assert!(world.is_signed_by("old-2.xml", "2.pem") && world.is_signed_by("new-2.xml", "1.pem"));
    world.observe(both[0], world.now).unwrap();
    let early = world.refused(Move::Retire, 1, &TOO_EARLY);
    world.now = early.answers.time.not_before.unwrap();
    assert_eq!(world.sign("x.xml", Some("y.xml")).unwrap_err().code(), &STAGE, "the notice is over");
    world.good(Move::Retire, 1);
    world.refused(Move::Rollback, 1, &ORDER);

    // Destroyed means that the file is gone and the ledger says so.
    let sealed = world.path().join("keys").join(LINE).join("1.key.age");
    assert!(sealed.exists());
    world.later(days(1));
    world.good(Move::Destroy, 1);
    assert!(!sealed.exists());
    world.refused(Move::Activate, 1, &FINAL);
    let inventory = world.catalogue().situation(&line()).unwrap().inventory;
    assert!(inventory.listing("metadata", 1).unwrap().end() > None, "{first}");
}

#[test]
fn stopping_needs_no_secret_and_a_stopped_key_signs_nothing() {
    let world = World::new();
    world.first();
    world.sign("a.xml", None).unwrap();
    world.good(Move::Suspend, 1);
    assert_eq!(world.sign("b.xml", None).unwrap_err().code(), &STAGE);
    world.good(Move::Resume, 1);
    world.sign("b.xml", None).unwrap();
    let risk = ceremony::emergency(&world.catalogue(), &line().version(1), None, world.now).unwrap();
    assert_eq!(risk.at_risk[0].listing, 2);
    world.good(Move::Revoke, 1);
    assert_eq!(world.sign("c.xml", None).unwrap_err().code(), &STAGE);
    world.refused(Move::Resume, 1, &FINAL);
}

#[test]
fn a_move_wants_as_many_persons_as_the_profile_says() {
    let world = World::new();
    let making =
        Making { profile_text: format!("{PROFILE}\n[rotation]\nquorum = 2\n"), ..world.making(1, false) };
    world.with(|vault, answers| ceremony::generate(vault, making, answers, &mut random::system())).unwrap();
    world.good(Move::Suspend, 1);
    world.refused(Move::Resume, 1, &POLICY);
    let with = ["a second person".to_owned()];
    let moving = Moving::new(line().version(1), Move::Resume, Some("test"), &with);
    let moved = world.with(|vault, answers| ceremony::advance(vault, &moving, answers)).unwrap();
    assert!(moved.refused.is_none());
}

#[test]
fn a_suspension_makes_no_key_younger() {
    let mut world = World::new();
    let profile_text = format!("{PROFILE}\n[rotation]\nlifetime = \"P10D\"\n");
    let making = Making { profile_text, ..world.making(1, false) };
    world.with(|vault, answers| ceremony::generate(vault, making, answers, &mut random::system())).unwrap();
    let end = |world: &World| world.catalogue().planned_end(&line().version(1)).unwrap();
    let planned = end(&world);
    assert_eq!(planned, Some(world.now.after(days(10)).unwrap()));
    world.later(days(9));
    world.good(Move::Suspend, 1);
    world.good(Move::Resume, 1);
    assert_eq!(end(&world), planned);
}

#[test]
fn an_old_copy_of_the_journal_brings_no_key_back_and_an_auditor_makes_it_anew() {
    let world = World::new();
    world.first();
    let journal = world.path().join("journal.jsonl");
    let old = fs::read(&journal).unwrap();
    world.sign("a.xml", None).unwrap();
    world.good(Move::Revoke, 1);
    let new = fs::read(&journal).unwrap();
    let last = new.iter().rev().skip(1).position(|byte| *byte == b'\n').unwrap();
    for wrong in [old.as_slice(), b"", &new[..new.len() - last - 1], &new[..new.len() - 5]] {
        fs::write(&journal, wrong).unwrap();
        let clock = FixedClock(world.now);
        let fault = patiently(|| Vault::open(&world.path(), operator(), &clock)).err().unwrap();
        assert_eq!(fault.code(), &JOURNAL, "{fault}");
        assert_eq!(world.catalogue().record(&line().version(1)).unwrap_err().code(), &JOURNAL);
        let identities = identities(&world.folder);
        let compared = patiently(|| ceremony::rebuild(&mut world.catalogue(), &identities, true));
        assert_eq!(compared.unwrap_err().code(), &JOURNAL);
        let rebuilt = patiently(|| ceremony::rebuild(&mut world.catalogue(), &identities, false)).unwrap();
        assert!(rebuilt.changed && fs::read(&journal).unwrap() == new);
        let compared = patiently(|| ceremony::rebuild(&mut world.catalogue(), &identities, true)).unwrap();
        assert!(!compared.changed);
    }
    assert_eq!(world.stage(1), Stage::Revoked);
}

#[test]
fn a_crash_between_journal_and_ledger_leaves_the_old_stage() {
    for torn in [false, true] {
        let world = World::new();
        world.first();
        let journal = world.path().join("journal.jsonl");
        let whole = fs::read_to_string(&journal).unwrap();
        let entry = fs::read_to_string(world.path().join("ledger/ledger.jsonl")).unwrap().lines().count();
        let line = format!(
            "{{\"entry\":{entry},\"time\":\"{START}\",\"what\":{{\"moved\":{{\"key\":\"{LINE}#1\",\"act\":\"revoke\"}}}}}}\n"
        );
        let left = if torn { &line[..line.len() / 2] } else { &line };
        fs::write(&journal, format!("{whole}{left}")).unwrap();
        assert_eq!(world.stage(1), Stage::Active, "the entry never came");
        world.good(Move::Suspend, 1);
        world.good(Move::Resume, 1);
        assert_eq!(world.stage(1), Stage::Active, "and now it never can");
        let grown = fs::read_to_string(&journal).unwrap();
        assert!(grown.starts_with(&format!("{whole}{left}")) && grown.contains("\"void\""), "{grown}");
        let identities = identities(&world.folder);
        let compared = patiently(|| ceremony::rebuild(&mut world.catalogue(), &identities, true)).unwrap();
        assert!(!compared.changed);
    }
}

#[test]
fn an_exchanged_record_is_refused() {
    let world = World::new();
    world.first();
    world.next(2, false);
    let folder = world.path().join("keys").join(LINE);
    let record = fs::read_to_string(folder.join("1.toml")).unwrap();
    fs::write(folder.join("1.toml"), record.replace("adopted = false", "adopted = true")).unwrap();
    assert_eq!(world.catalogue().record(&line().version(1)).unwrap_err().code(), &TAMPERED);
    assert_eq!(world.sign("a.xml", None).unwrap_err().code(), &TAMPERED);
}

#[test]
fn an_anchor_introduces_its_next_key_in_its_own_configuration() {
    let folder = Folder::with_one_line();
    let line = "example.org/sandbox/anchor";
    fs::write(
        folder.path("profile.toml"),
        "version = 1\nkinds = [\"entity-configuration\"]\npolicy_ref = \"x\"\n[openid]\nentity_id = \"https://anchor.example.org\"\n",
    )
    .unwrap();
    fs::write(
        folder.path("anchor.json"),
        r#"{"metadata":{"federation_entity":{"organization_name":"x","contacts":["ops@example.org"],
        "federation_fetch_endpoint":"https://anchor.example.org/fetch","federation_list_endpoint":"https://anchor.example.org/list"}}}"#,
    )
    .unwrap();
    let auditor = folder.auditor.clone();
    let run = |command: &str| {
        let words = command.replace("AUDITOR", &auditor);
        folder.good(&words.split(' ').chain(["--vault", "V"]).collect::<Vec<_>>())
    };
    run(&format!("key generate {line} --algorithm p384 --profile profile.toml --recipient AUDITOR"));
    let kids = |output: &str| {
        // two configurations of one second are out of order
        std::thread::sleep(std::time::Duration::from_millis(1100));
        run(&format!(
            "sign entity-configuration anchor.json --key {line} --identity auditor.key --output {output}"
        ));
        let jwt = String::from_utf8(folder.read(output)).unwrap();
        let claims = fedroot::base::bytes::from_base64url(jwt.split('.').nth(1).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        claims["jwks"]["keys"].as_array().unwrap().len()
    };
    assert_eq!(kids("1.jwt"), 1);
    run(&format!("rotate stage {line} --recipient AUDITOR"));
    assert_eq!(kids("2.jwt"), 1, "nothing is published yet");
    run(&format!("rotate publish {line}"));
    assert_eq!(kids("3.jwt"), 2, "the old key signs the set that lists the new one");
    let journal = fs::read_to_string(folder.path("V/journal.jsonl")).unwrap();
    assert!(journal.lines().last().unwrap().contains("\"lists\":[1,2]"), "{journal}");
    // The window counts from the time when the set with both was seen, and not from another one.
    let observe = |file: &str| {
        folder.shell(&format!(
            "fedroot observe entity-configuration {file} --seen-at $(date -u +%FT%TZ) --from https://anchor.example.org/ --vault V"
        ))
    };
    assert_eq!(observe("2.jwt").code, 0);
    assert_eq!(
        folder.fedroot(&["rotate", "activate", line, "--vault", "V"]).code,
        3,
        "not seen with the new key"
    );
    assert_eq!(observe("3.jwt").code, 0);
    let early = folder.fedroot(&["rotate", "activate", line, "--json", "--vault", "V"]);
    assert_eq!(early.code, 4, "{}", early.stdout);
    assert!(early.stdout.contains("\"not_before\":\"2"), "{}", early.stdout);
    // Revoked, it stands in no set any more.
    let ran = folder.shell(&format!(
        "d=$(fedroot rotate emergency {line} --reason stolen --dry-run --json --vault V | sed 's/.*\"request\":\"\\([^\"]*\\)\".*/\\1/'); \
         fedroot rotate emergency {line} --reason stolen --confirm $d --vault V"
    ));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(kids("4.jwt"), 1);
}
