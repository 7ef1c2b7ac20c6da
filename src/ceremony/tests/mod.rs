//! Random histories of the room `lifecycle`, on vaults: each step of its model, whose invariants hold there, is taken by a
//! vault as well, through ceremonies, with crashes and old copies, and the vault comes to the same.
#![expect(clippy::disallowed_methods, reason = "tests harm files, and are told how many histories to try")]

mod clocks;
mod disasters;
mod failures;

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use self::disasters::Kept;
use super::{Approver, Making, Moving, advance, generate, observe, rebuild, stage};
use crate::base::bytes::Digest;
use crate::base::clock::{FixedClock, Instant, Span};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::random;
use crate::base::recipient::{Identities, Recipient};
use crate::base::secret::Secret;
use crate::custody::{
    Carries, Catalogue, Delivered, Document, JOURNAL, NewVault, Operator, Origin, Prompt, Sealing, Vault,
};
use crate::key::{Environment, Hash, KeyId, Line, Scheme, algorithm};
use crate::lifecycle::tests::histories::places::{HOSTS, documents};
use crate::lifecycle::tests::histories::{Event, Mirror, Model, event};
use crate::lifecycle::tests::{at, line};
use crate::lifecycle::{Answers, Kind, Lists, Move, Receipt, Signature, Situation, Stage, Step};
use crate::policy::{Approval, Confirmation, Covers, Examined, Facts, Memory, Request, Review, Subject};

/// The lines, by where consumers find their keys: what they sign or, where their keys are carried, what another line signs
/// that lists them. Certificates are left out: each is outstanding by itself as well, which the model does not know.
const LINES: [(Kind, &str, &str); 6] = [
    (Kind::SamlAnchor, "saml", "distribution = \"P5D\"\nnotice = \"P5D\"\n"),
    (Kind::OpenidAnchor, "entity-configuration", ""),
    (Kind::SamlSigning, "saml", ""),
    (Kind::SamlEncryption, "saml", ""),
    (Kind::Jwks, "jwks", ""),
    (Kind::Spiffe, "spiffe-bundle", ""),
];

const REASON: &str = "a reason";

/// Confirms everything, and opens every key.
struct Answering<'a>(&'a Secret<String>);

impl Prompt for Answering<'_> {
    fn passphrase(&mut self, _: &KeyId) -> Result<Secret<String>, Fault> {
        Err(INTERNAL.fault("there is no passphrase"))
    }

    fn new_passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault> {
        self.passphrase(key)
    }

    fn identities(&mut self, _: &KeyId) -> Result<Identities, Fault> {
        identities(self.0)
    }
}

impl Approver for Answering<'_> {
    fn show(&mut self, _: &Review) -> Result<(), Fault> {
        Ok(())
    }

    fn confirm(&mut self, request: &Request) -> Result<Confirmation, Fault> {
        Ok(Confirmation::Digest(request.digest()))
    }
}

fn identities(secret: &Secret<String>) -> Result<Identities, Fault> {
    Identities::parse(&Secret::new(secret.expose().clone().into_bytes()))
}

/// A vault that goes along with a model.
struct Real {
    _root: TempDir,
    path: PathBuf,
    secret: Secret<String>,
    recipient: Recipient,
    kind: Kind,
    document: &'static str,
    profile: String,
    /// The vault after each move, without its ledger.
    copies: Vec<Kept>,
    disasters: usize,
}

impl Real {
    fn new(kind: Kind) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let root = tempfile::Builder::new().prefix("fedroot-").tempdir_in(place).unwrap();
        let (secret, recipient) = Identities::generate(at(0));
        let (_, document, more) = LINES.into_iter().find(|(one, ..)| *one == kind).unwrap();
        let signs = if kind.method().is_anchor() { document } else { "bundle" };
        let profile = format!(
            "version = 1\nkinds = [\"{signs}\"]\npolicy_ref = \"tests\"\n\n[[channels]]\nname = \"{kind}\"\nkind = \"{kind}\"\n{more}"
        );
        let (path, copies) = (root.path().join("V"), Vec::new());
        let mut real =
            Self { _root: root, path, secret, recipient, kind, document, profile, copies, disasters: 0 };
        let new = NewVault {
            origin: None,
            environments: vec![Environment::Prod],
            auditors: vec![real.recipient.clone()],
        };
        drop(Vault::create(&real.path, &new, operator(), &FixedClock(at(0))).unwrap());
        let hosts = HOSTS.into_iter().filter(|_| !kind.method().is_anchor()).map(|host| Making {
            key: host.parse::<Line>().unwrap().version(1),
            profile_text: format!("version = 1\nkinds = {:?}\npolicy_ref = \"tests\"\n", documents(kind)),
            ..real.making(1)
        });
        let hosts: Vec<_> = hosts.collect();
        for making in std::iter::once(real.making(1)).chain(hosts) {
            real.act(at(0), |vault, answering| generate(vault, making, answering, &mut random::system()))
                .unwrap();
        }
        real.copies.push(Kept::of(&real.path));
        real
    }

    fn making(&self, version: u32) -> Making {
        Making {
            key: line().version(version),
            origin: Origin::Generate(algorithm("p384").unwrap()),
            sealing: Sealing::Recipients(vec![self.recipient.clone()]),
            profile_text: self.profile.clone(),
            standby: false,
            reason: Some(REASON.into()),
        }
    }

    fn act<T>(
        &self,
        now: Instant,
        act: impl FnOnce(&mut Vault<'_>, &mut Answering<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let clock = FixedClock(now);
        let mut vault = Vault::open(&self.path, operator(), &clock)?;
        act(&mut vault, &mut Answering(&self.secret))
    }

    fn catalogue(&self) -> Catalogue {
        Catalogue::open(&self.path).unwrap()
    }

    fn entries(&self) -> usize {
        std::fs::read_to_string(self.path.join("ledger/ledger.jsonl")).unwrap().lines().count()
    }

    fn stages(&self) -> Vec<(u32, Stage)> {
        let records = self.catalogue().records(&line()).unwrap();
        records.iter().map(|record| (record.key().unwrap().version, record.stage())).collect()
    }

    /// What a document of a host says of the keys of the line.
    fn carries(&self, signature: &Signature) -> Vec<Carries> {
        let (Lists::Keys(keys), true) = (&signature.lists, signature.place.is_some()) else { return vec![] };
        let (line, channel) = (line().to_string(), self.kind.name().to_owned());
        vec![Carries { line, channel, keys: keys.iter().copied().collect() }]
    }

    /// Takes the step, and yields why it was refused.
    fn take(&self, step: &Step, answers: &Answers) -> Option<Fault> {
        let key = line().version(step.version);
        if step.act == Move::Generate {
            let making = self.making(step.version);
            let made =
                self.act(step.at, |vault, approver| stage(vault, making, approver, &mut random::system()));
            return made.err();
        }
        let with: Vec<String> = (1..9).map(|number| format!("person {number}")).collect();
        let plain = Moving::new(key, step.act, Some(REASON), &with);
        let moving = Moving { emergency: step.emergency, ..plain };
        let moved = self.act(step.at, |vault, approver| advance(vault, &moving, approver)).unwrap();
        assert_eq!(moved.answers, *answers, "{} #{}", step.act, step.version);
        moved.refused
    }
}

/// Leave to sign these octets as a document of this kind.
fn approved(vault: &Vault<'_>, by: &KeyId, kind: &'static str, octets: &[u8]) -> Result<Approval, Fault> {
    let scheme = vault.record(by)?.public()?.algorithm().scheme(Hash::Sha384);
    approved_with(vault, by, kind, octets, scheme)
}

/// The same, to be signed so.
fn approved_with(
    vault: &Vault<'_>,
    by: &KeyId,
    kind: &'static str,
    octets: &[u8],
    scheme: &'static Scheme,
) -> Result<Approval, Fault> {
    let public = vault.record(by)?.public()?;
    let review = Review::of(Subject {
        kind,
        key: by.clone(),
        public: &public,
        profile_text: &vault.profile_text(&by.line)?,
        facts: Facts::default(),
        items: None,
        document: Digest::of(octets),
        covers: Covers::octets([octets]),
        examined: Examined::default(),
        released: None,
        memory: Memory::Whole,
    })?;
    let confirmation = Confirmation::Digest(review.request.digest());
    review.approve(vec![octets.to_vec()], scheme, &confirmation, Some(REASON))
}

fn operator() -> Operator {
    Operator { user: "test".into(), uid: 0, host: "test".into() }
}

impl Mirror for Real {
    fn asks(&mut self, step: &Step, answers: &Answers, crash: bool) {
        let name = format!("{} #{} at {}", step.act, step.version, step.at);
        let (before, entries) = (self.stages(), self.entries());
        let Err(refused) = answers.check() else {
            if crash {
                self.crash(step, answers, &before);
            } else {
                let refused = self.take(step, answers);
                assert!(refused.is_none(), "{name}: {}", refused.unwrap());
            }
            self.copies.push(Kept::of(&self.path));
            return;
        };
        let fault = self.take(step, answers).unwrap_or_else(|| panic!("{name} went ahead"));
        assert_eq!(fault.code(), refused.code(), "{name}: {fault}");
        assert_eq!(self.stages(), before, "{name} was refused");
        assert_eq!(self.entries(), entries + 1, "{name}: its refusal is on record");
    }

    fn signs(&mut self, signature: &Signature) {
        let place = signature.place.as_ref();
        let by = signature.by.map(|version| line().version(version));
        let by = by.unwrap_or_else(|| place.unwrap().by.version(1));
        let (kind, about) =
            place.map_or((self.document, ""), |place| (place.kind.as_str(), place.about.as_str()));
        let done = self.act(signature.issued, |vault, approver| {
            let (channel, lists) = vault.channel_for(&by.line, kind)?;
            let carries = self.carries(signature);
            if carries.is_empty() {
                assert_eq!((&channel, &lists), (&signature.channel, &signature.lists));
            }
            let kind = documents(self.kind).iter().copied().find(|own| *own == kind).unwrap_or(self.document);
            let approval = approved(vault, &by, kind, signature.artefact.as_bytes())?;
            vault.sign(approval, approver, &mut |_| {
                Ok(Delivered {
                    digest: signature.digest,
                    beside: vec![],
                    channel: channel.clone(),
                    document: Document::new(
                        &signature.artefact,
                        signature.digest,
                        signature.expires.instant(),
                        &lists,
                    )
                    .carrying(about, carries.clone()),
                    record: None,
                })
            })
        });
        done.map(|_| ()).unwrap();
    }

    fn sees(&mut self, now: Instant, receipt: &Receipt) {
        self.act(now, |vault, _| observe(vault, None, receipt, None)).map(|_| ()).unwrap();
    }

    fn restores(&mut self, now: Instant, moves: u32) {
        self.put_back(now, usize::try_from(moves).unwrap());
    }

    fn compare(&mut self, model: &Situation, now: Instant) {
        let catalogue = self.catalogue();
        let situation = catalogue.situation(&line()).unwrap();
        let of = |situation: &Situation| -> Vec<_> {
            let steps = situation.history.steps().iter();
            // that a key was made in an emergency, no record says
            let is_emergency = |step: &Step| step.emergency && step.act != Move::Generate;
            steps.map(|step| (step.at, step.version, step.act, is_emergency(step))).collect()
        };
        assert_eq!(of(&situation), of(model));
        let channel = &situation.channels[0];
        assert_eq!((channel, situation.beside.len()), (&model.channels[0], 0));
        for (_, keys) in catalogue.carrying(&line()).unwrap() {
            assert_eq!(Lists::Keys(keys), model.lists(channel), "what documents are to list");
        }
        let signers = catalogue.signers(&line(), self.document, now).unwrap();
        assert_eq!(signers, model.signers(channel, now));
        for (version, key) in model.history.keys() {
            assert_eq!(situation.history.key(version).unwrap(), key);
            let name = self.kind.name();
            let sums = |situation: &Situation| {
                let of =
                    [situation.inventory.signed(name, version), situation.inventory.listing(name, version)];
                of.map(|sum| sum.map(|sum| (sum.count(now), sum.end())))
            };
            assert_eq!(sums(&situation), sums(model), "#{version}");
            let seen = |situation: &Situation| situation.visibility(channel, version, now).unwrap();
            assert_eq!(seen(&situation), seen(model), "#{version}");
            let sealed = self.path.join("keys").join(line().to_string()).join(format!("{version}.key.age"));
            assert_eq!(sealed.exists(), key.stage != Stage::Destroyed, "the sealed file of #{version}");
        }
    }
}

/// How many histories: FEDROOT_HISTORIES, or few.
fn count(few: u32) -> u32 {
    std::env::var("FEDROOT_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(few)
}

fn lives(kind: Kind, seed: u64, events: &[Event]) {
    let real = Real::new(kind);
    let channel = real.catalogue().situation(&line()).unwrap().channels[0].clone();
    let mut model = Model::with(channel, seed, Box::new(real));
    for event in events {
        model.happens(*event);
    }
}

#[test]
fn vaults_come_to_what_the_model_says_whatever_happens() {
    let config = ProptestConfig { cases: count(16), failure_persistence: None, ..ProptestConfig::default() };
    let events = (0..LINES.len(), any::<u64>(), proptest::collection::vec(event(), 1..25));
    TestRunner::new(config)
        .run(&events, |(kind, seed, events)| {
            lives(LINES[kind].0, seed, &events);
            Ok(())
        })
        .unwrap();
}
