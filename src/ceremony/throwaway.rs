//! The throw-away vault of a rehearsal: its keys, its clock that is a number, and what was published from it. The acts are those
//! of this room.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use super::batch::{Published, Splitting, sign_batch};
use super::consumers::{Announced, Artefact};
use super::generate::{Making, generate};
use super::rehearse::{Held, Rehearsing};
use super::rotate::{Moving, advance, observe, stage};
use super::sign::{Signing, Target, sign};
use super::{Approver, Terms, verify};
use crate::artefact::Kind;
use crate::base::bytes::Digest;
use crate::base::clock::{FixedClock, Instant};
use crate::base::disk;
use crate::base::fault::{Fault, INTERNAL};
use crate::base::random;
use crate::base::recipient::{Identities, Recipient};
use crate::base::secret::Secret;
use crate::custody::{NewVault, Origin, Prompt, Sealing, Vault};
use crate::format::jose::{JwkSet, Jws};
use crate::format::json;
use crate::key::{KeyId, PublicKey};
use crate::ledger::Auditor;
use crate::lifecycle::{Agenda, Channel, Lists, Method, Move, Rhythm, Situation, by_the_answers, receipts};
use crate::policy::{Confirmation, Request, Review};

/// What stands in the ledger of the throw-away vault.
const REASON: &str = "rehearsal";

/// Where the tree of a federation has the configuration of its anchor.
const CONFIGURATION: &str = ".well-known/openid-federation";
const CONFIGURATION_BYTES_MAX: u64 = 4 << 20;

/// Opens the throw-away keys and confirms what is asked: nobody relies on them, and nobody else can open them. The identity
/// is in no file.
struct Understudy(Secret<Vec<u8>>);

impl Prompt for Understudy {
    fn passphrase(&mut self, _: &KeyId) -> Result<Secret<String>, Fault> {
        Err(INTERNAL.fault("a throw-away key has no passphrase"))
    }

    fn new_passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault> {
        self.passphrase(key)
    }

    fn identities(&mut self, _: &KeyId) -> Result<Identities, Fault> {
        Identities::parse(&self.0)
    }
}

impl Approver for Understudy {
    fn show(&mut self, _: &Review) -> Result<(), Fault> {
        Ok(())
    }

    fn confirm(&mut self, request: &Request) -> Result<Confirmation, Fault> {
        Ok(Confirmation::Digest(request.digest()))
    }
}

/// The throw-away vault of a rehearsal, and what was published from it.
pub(super) struct Throwaway<'a> {
    asked: &'a Rehearsing<'a>,
    pub(super) vault: PathBuf,
    pub(super) files: PathBuf,
    understudy: Understudy,
    recipient: Recipient,
    agenda: Agenda,
    /// What was published and not seen yet: when it appears, and in which channel.
    unseen: Vec<(Instant, Digest, usize)>,
    pub(super) announced: Vec<Announced>,
    /// By their version less one.
    pub(super) keys: Vec<PublicKey>,
    pub(super) channels: Vec<Channel>,
}

impl<'a> Throwaway<'a> {
    pub(super) fn new(asked: &'a Rehearsing<'a>, vault: PathBuf, files: PathBuf) -> Result<Self, Fault> {
        let (file, recipient) = Identities::generate(asked.from);
        let understudy = Understudy(Secret::new(file.expose().as_bytes().to_vec()));
        let auditors = vec![Auditor::parse(&recipient.to_string())?];
        let new = NewVault { origin: None, environments: vec![asked.line.environment()], auditors };
        drop(Vault::create(&vault, &new, asked.operator.clone(), &FixedClock(asked.from))?);
        Ok(Self {
            asked,
            vault,
            files,
            understudy,
            recipient,
            agenda: Agenda::default(),
            unseen: vec![],
            announced: vec![],
            keys: vec![],
            channels: vec![],
        })
    }

    fn making(&self, version: u32) -> Making {
        Making {
            key: self.asked.line.version(version),
            origin: Origin::Generate(self.asked.algorithm),
            sealing: Sealing::Recipients(vec![self.recipient.clone()]),
            profile_text: self.asked.profile_text.to_owned(),
            standby: false,
            reason: Some(REASON.into()),
        }
    }

    /// Makes the first key.
    pub(super) fn begin(&mut self) -> Result<Situation, Fault> {
        let clock = FixedClock(self.asked.from);
        let mut vault = Vault::open(&self.vault, self.asked.operator.clone(), &clock)?;
        generate(&mut vault, self.making(1), &mut self.understudy, &mut random::system())?;
        let situation = vault.situation(self.asked.line)?;
        self.channels.clone_from(&situation.channels);
        self.know(&vault, 1, self.asked.from)?;
        Ok(situation)
    }

    /// Keeps the public half of a new key, and carries its certificate to where it is pinned.
    fn know(&mut self, vault: &Vault<'_>, version: u32, now: Instant) -> Result<(), Fault> {
        let key = self.asked.line.version(version);
        self.keys.push(vault.record(&key)?.public()?);
        let Some(certificate) = vault.certificate(&key)? else { return Ok(()) };
        for (place, channel) in self.channels.iter().enumerate() {
            if channel.kind.method() == Method::OutOfBand {
                let appears = now.after(channel.timing.delay)?;
                self.unseen.push((appears, Digest::of(certificate.as_bytes()), place));
                let active = (version == 1).then_some(appears);
                self.announced.push(Announced { channel: place, version, seen: appears, active });
            }
        }
        Ok(())
    }

    /// Holds one ceremony: receipts, moves, signatures.
    pub(super) fn hold(&mut self, at: Instant, rhythm: &Rhythm) -> Result<Held, Fault> {
        let clock = FixedClock(at);
        let mut vault = Vault::open(&self.vault, self.asked.operator.clone(), &clock)?;
        let line = self.asked.line;
        self.agenda.open(rhythm.is_due(&vault.situation(line)?, at));
        self.receive(&mut vault, at)?;
        let mut moves = Vec::new();
        while let Some((act, version, waited)) =
            self.agenda.next(&vault.situation(line)?, at, &by_the_answers)
        {
            self.make(&mut vault, act, version)?;
            moves.push((act, version, waited));
        }
        let mut artefacts = Vec::new();
        for (place, (kind, _)) in self.asked.documents.iter().enumerate() {
            artefacts.extend(self.sign(&mut vault, *kind, place)?);
        }
        Ok(Held { at, moves, artefacts, trusted: BTreeSet::new() })
    }

    /// Takes the receipts for everything that has appeared by now.
    fn receive(&mut self, vault: &mut Vault<'_>, now: Instant) -> Result<(), Fault> {
        let (seen, unseen): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.unseen).into_iter().partition(|(appears, ..)| *appears <= now);
        self.unseen = unseen;
        for (appears, digest, place) in seen {
            let Some(channel) = self.channels.get(place) else { continue };
            for receipt in receipts(channel, digest, appears) {
                observe(vault, Some(self.asked.line), &receipt, None)?;
            }
        }
        self.receive_endless(vault, now)
    }

    /// Takes the receipts for what takes the place of something that never ends.
    fn receive_endless(&self, vault: &mut Vault<'_>, now: Instant) -> Result<(), Fault> {
        let Some(channel) = self.channels.iter().max_by_key(|channel| channel.timing.delay) else {
            return Ok(());
        };
        for (digest, signed) in vault.unseen(self.asked.line)? {
            let appears = signed.after(channel.timing.delay)?;
            for receipt in receipts(channel, digest, appears).iter().filter(|_| appears <= now) {
                observe(vault, Some(self.asked.line), receipt, None)?;
            }
        }
        Ok(())
    }

    fn make(&mut self, vault: &mut Vault<'_>, act: Move, version: u32) -> Result<(), Fault> {
        if act == Move::Generate {
            stage(vault, self.making(version), &mut self.understudy, &mut random::system())?;
            return self.know(vault, version, vault.now());
        }
        let quorum = vault.situation(self.asked.line)?.quorum;
        let with = vec![REASON.to_owned(); quorum.saturating_sub(1)];
        let moving = Moving::new(self.asked.line.version(version), act, Some(REASON), &with);
        if let Some(fault) = advance(vault, &moving, &mut self.understudy)?.refused {
            return Err(fault);
        }
        if act == Move::Activate {
            let now = Some(vault.now());
            self.announced.iter_mut().filter(|it| it.version == version).for_each(|it| it.active = now);
        }
        Ok(())
    }

    /// Signs a document, twice where two keys sign, and looks at what came of it as a stranger does.
    fn sign(
        &mut self,
        vault: &mut Vault<'_>,
        kind: &'static dyn Kind,
        place: usize,
    ) -> Result<Vec<Artefact>, Fault> {
        let (line, now) = (self.asked.line, vault.now());
        let active = vault.signing_record(line)?.key()?.version;
        let other = vault.signers(line, kind.name(), now)?.into_iter().find(|version| *version != active);
        let files: Vec<(u32, String)> =
            [Some(active), other].into_iter().flatten().map(|by| (by, self.file(now, by, place))).collect();
        let paths: Vec<PathBuf> = files.iter().map(|(_, file)| self.files.join(file)).collect();
        for folder in paths.iter().filter_map(|path| path.parent()) {
            disk::create_folder(folder)?;
        }
        let Some((_, document)) = self.asked.documents.get(place) else { return Ok(vec![]) };
        let digests = if kind.is_tree() {
            self.sign_tree(vault, kind, document, &paths)?
        } else {
            self.sign_files(vault, kind, document, &paths)?
        };
        let (name, lists) = vault.channel_for(line, kind.name())?;
        let channel = self.channels.iter().position(|channel| channel.name == name).unwrap_or(0);
        let mut artefacts = Vec::new();
        for ((by, file), digest) in files.into_iter().zip(digests) {
            let artefact = self.look(kind, file, (place, channel, by), digest, now)?;
            if lists != Lists::Nothing {
                self.unseen.push((artefact.appears, digest, channel));
            }
            self.announce(&artefact);
            artefacts.push(artefact);
        }
        Ok(artefacts)
    }

    /// Signs one document; into two files, where two keys sign.
    fn sign_files(
        &mut self,
        vault: &mut Vault<'_>,
        kind: &dyn Kind,
        document: &Path,
        paths: &[PathBuf],
    ) -> Result<Vec<Digest>, Fault> {
        let Some(first) = paths.first() else { return Ok(vec![]) };
        let signing = Signing {
            kind,
            document,
            open: &|path| kind.open(path),
            line: self.asked.line,
            version: None,
            environment: None,
            output: Target::File(first),
            copy: paths.get(1).map(PathBuf::as_path),
            reason: Some(REASON),
            released: None,
            dry_run: false,
        };
        let done = sign(vault, &signing, &mut self.understudy, &mut random::system())?;
        let signed = done.signed.into_iter().chain(done.copy.and_then(|copy| copy.signed));
        Ok(signed.map(|signed| signed.artefact).collect())
    }

    /// Signs all that a federation publishes; its configuration is what introduces keys.
    fn sign_tree(
        &mut self,
        vault: &mut Vault<'_>,
        kind: &dyn Kind,
        document: &Path,
        paths: &[PathBuf],
    ) -> Result<Vec<Digest>, Fault> {
        let Some(folder) = paths.first() else { return Ok(vec![]) };
        let (line, now) = (self.asked.line, vault.now());
        let splitting = Splitting {
            kind,
            document,
            open: &|path| kind.open(path),
            terms: Terms { line, version: None, environment: None, released: None, now },
            folder,
            copy: None,
            reason: Some(REASON),
            prune: false,
            dry_run: false,
            signed: &AtomicU64::new(0),
            scratch: self.asked.scratch,
        };
        let batched = sign_batch(vault, &splitting, &mut self.understudy)?;
        let is_configuration = |it: &&Published| it.names.iter().any(|name| name == CONFIGURATION);
        let found = batched.documents.iter().find(is_configuration).and_then(|it| it.file);
        let (digest, _) =
            found.ok_or_else(|| INTERNAL.fault("a federation was signed without configuration"))?;
        Ok(vec![digest])
    }

    /// The name of what a key signs of a document: its kind, numbered where there are several of it.
    fn file(&self, at: Instant, by: u32, place: usize) -> String {
        let kinds: Vec<&str> = self.asked.documents.iter().map(|(kind, _)| kind.name()).collect();
        let kind = kinds.get(place).copied().unwrap_or_default();
        let number = kinds.iter().take(place + 1).filter(|name| **name == kind).count();
        let number = if number > 1 { format!("-{number}") } else { String::new() };
        format!("{at}/by-{by}/{kind}{number}")
    }

    /// Notes when the own file of a key is first seen.
    fn announce(&mut self, artefact: &Artefact) {
        let is_known =
            self.announced.iter().any(|it| (it.channel, it.version) == (artefact.channel, artefact.by));
        if !is_known {
            let Artefact { channel, by, appears, .. } = *artefact;
            let active = (by == 1).then_some(appears);
            self.announced.push(Announced { channel, version: by, seen: appears, active });
        }
    }

    /// Tries every key of the line on a file.
    fn look(
        &self,
        kind: &'static dyn Kind,
        file: String,
        (document, channel, by): (usize, usize, u32),
        digest: Digest,
        now: Instant,
    ) -> Result<Artefact, Fault> {
        let path = self.files.join(&file);
        let signed = kind.open_signed(&path)?;
        let try_key = |key: &PublicKey| verify::verify(kind, &signed, std::slice::from_ref(key), now);
        let index = usize::try_from(by).unwrap_or_default().saturating_sub(1);
        let own = self.keys.get(index).ok_or_else(|| INTERNAL.fault(format!("#{by} was not made")))?;
        let own = try_key(own)?;
        let verifies =
            (1..).zip(&self.keys).filter(|(_, key)| try_key(key).is_ok()).map(|(by, _)| by).collect();
        let method = self.channels.get(channel).map(|channel| channel.kind.method());
        let lists = match method {
            Some(Method::Chained) => self.listed(&path, kind)?,
            _ => BTreeSet::new(),
        };
        let delay = self.channels.get(channel).map(|channel| channel.timing.delay);
        let appears = delay.map_or(Ok(now), |delay| now.after(delay))?;
        let kind = kind.name();
        Ok(Artefact {
            file,
            document,
            kind,
            channel,
            by,
            verifies,
            lists,
            digest,
            signed: now,
            appears,
            verified: own,
        })
    }

    /// The keys of the line that a configuration lists, read from its bytes.
    fn listed(&self, path: &Path, kind: &dyn Kind) -> Result<BTreeSet<u32>, Fault> {
        let path = match kind.name() {
            "entity-configuration" => path.to_owned(),
            "federation" => path.join(CONFIGURATION),
            _ => return Ok(BTreeSet::new()),
        };
        let text = String::from_utf8(disk::read(&path, CONFIGURATION_BYTES_MAX)?).unwrap_or_default();
        let jws = Jws::read(text.trim_ascii(), &[])?;
        let claims = json::read(jws.payload(), json::Numbers::Any, &json::Limits::default())?;
        let set = JwkSet::read(claims.get("jwks").unwrap_or(&json::Value::Null))?;
        let holds = |key: &PublicKey| set.keys.iter().any(|jwk| jwk.key() == key);
        Ok((1..).zip(&self.keys).filter(|(_, key)| holds(key)).map(|(version, _)| version).collect())
    }
}
