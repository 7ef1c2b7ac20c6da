//! The throw-away vault of a rehearsal: its keys, its clock that is a number, and what was published from it. The acts are those
//! of this room.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use super::batch::{Splitting, sign_batch};
use super::consumers::{Announced, Artefact};
use super::generate::{Making, generate};
use super::incident::{Foreseen, Moves};
use super::rehearse::{Held, REHEARSAL, Rehearsing, Standby};
use super::rotate::{Moving, advance, ask, observe, stage};
use super::sign::{Signing, Target, sign};
use super::{Approver, Terms};
use crate::artefact::{Cast, Kind};
use crate::base::bytes::Digest;
use crate::base::clock::{FixedClock, Instant, Span};
use crate::base::disk::{self, Document, Pending};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::random;
use crate::base::recipient::{Identities, Recipient};
use crate::base::secret::Secret;
use crate::custody::{NewVault, Origin, Prompt, Sealing, Vault};
use crate::key::{KeyId, Line, PublicKey};
use crate::ledger::Auditor;
use crate::lifecycle::{
    Agenda, Channel, Lists, Method, Move, Rhythm, Situation, Stage, by_the_answers, receipts,
};
use crate::policy::{Confirmation, Profile, Request, Review};

/// What stands in the ledger of the throw-away vault.
pub(super) const REASON: &str = "rehearsal";

/// Where the tree of a federation has the configuration of its anchor.
pub(super) const CONFIGURATION: &str = ".well-known/openid-federation";

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

/// A document with throw-away keys in the place of the line's.
fn recast(kind: &dyn Kind, document: Document, cast: &Cast, scratch: &Path) -> Result<Document, Fault> {
    if cast.taking.is_empty() {
        return Ok(document);
    }
    let mut waiting = Pending::beside(&scratch.join("document"))?;
    kind.recast(&document, cast, &mut waiting)?;
    waiting.document(document.name())
}

/// So many persons agree, the operator among them.
pub(super) fn agreed(quorum: usize) -> Vec<String> {
    vec![REASON.to_owned(); quorum.saturating_sub(1)]
}

/// The throw-away vault of a rehearsal, and what was published from it.
pub(super) struct Throwaway<'a> {
    pub(super) asked: &'a Rehearsing<'a>,
    pub(super) vault: PathBuf,
    pub(super) files: PathBuf,
    understudy: Understudy,
    recipient: Recipient,
    agenda: Agenda,
    /// What was published and not seen yet: when it appears, and in which channel.
    pub(super) unseen: Vec<(Instant, Digest, usize)>,
    pub(super) announced: Vec<Announced>,
    /// By their version less one.
    pub(super) keys: Vec<PublicKey>,
    pub(super) channels: Vec<Channel>,
    /// What the line signs.
    kinds: Vec<String>,
    /// The key of the line that signs the rest.
    pub(super) signer: Option<PublicKey>,
    /// Which documents listed keys of the line in which channels.
    pub(super) listing: BTreeSet<(usize, usize)>,
    /// The key that is kept for an emergency.
    pub(super) standby: Option<u32>,
    /// The key that took the place of a stolen one, and when.
    pub(super) took_over: Option<(u32, Instant)>,
    /// The moves before the first ceremony.
    prepared: Moves,
}

impl<'a> Throwaway<'a> {
    pub(super) fn new(asked: &'a Rehearsing<'a>, vault: PathBuf, files: PathBuf) -> Result<Self, Fault> {
        let (file, recipient) = Identities::generate(asked.from);
        let understudy = Understudy(Secret::new(file.expose().as_bytes().to_vec()));
        let auditors = vec![Auditor::parse(&recipient.to_string())?];
        let lines = [Some(asked.line), asked.signer.map(|(line, _)| line)];
        let environments: BTreeSet<_> = lines.into_iter().flatten().map(Line::environment).collect();
        let environments = environments.into_iter().collect();
        let new = NewVault { origin: None, environments, auditors };
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
            kinds: Profile::parse(asked.profile_text)?.kinds,
            signer: None,
            listing: BTreeSet::new(),
            standby: None,
            took_over: None,
            prepared: vec![],
        })
    }

    fn making(&self, version: u32) -> Making {
        self.making_for(self.asked.line.version(version), self.asked.profile_text)
    }

    fn making_for(&self, key: KeyId, profile_text: &str) -> Making {
        Making {
            key,
            origin: Origin::Generate(self.asked.algorithm),
            sealing: Sealing::Recipients(vec![self.recipient.clone()]),
            profile_text: profile_text.to_owned(),
            standby: false,
            reason: Some(REASON.into()),
        }
    }

    /// Makes the first key, the one that is kept for an emergency, and that of the line which signs the documents of others.
    pub(super) fn begin(&mut self) -> Result<Situation, Fault> {
        let clock = FixedClock(self.asked.from);
        let mut vault = Vault::open(&self.vault, self.asked.operator.clone(), &clock)?;
        generate(&mut vault, self.making(1), &mut self.understudy, &mut random::system())?;
        if let Some((line, profile)) = self.asked.signer {
            let making = self.making_for(line.version(1), profile);
            self.signer =
                Some(generate(&mut vault, making, &mut self.understudy, &mut random::system())?.0.public()?);
        }
        let situation = vault.situation(self.asked.line)?;
        self.channels.clone_from(&situation.channels);
        self.know(&vault, 1)?;
        self.carry(&vault, 1)?;
        if self.asked.standby.is_some() {
            self.standby = Some(2);
            self.prepared = self.stand_by(&mut vault, 2)?;
        }
        vault.situation(self.asked.line)
    }

    /// Makes a key that is kept for an emergency.
    pub(super) fn stand_by(&mut self, vault: &mut Vault<'_>, version: u32) -> Result<Moves, Fault> {
        let making = Making { standby: true, ..self.making(version) };
        stage(vault, making, &mut self.understudy, &mut random::system())?;
        self.know(vault, version)?;
        Ok(vec![(Move::Generate, version, None), (Move::Standby, version, None)])
    }

    /// Keeps the public half of a new key.
    fn know(&mut self, vault: &Vault<'_>, version: u32) -> Result<(), Fault> {
        self.keys.push(vault.record(&self.asked.line.version(version))?.public()?);
        Ok(())
    }

    /// The channels to which people carry certificates.
    pub(super) fn pins(&self) -> Vec<(usize, Span)> {
        let pins = self.channels.iter().enumerate().filter(|(_, it)| it.kind.method() == Method::OutOfBand);
        pins.map(|(place, channel)| (place, channel.timing.delay)).collect()
    }

    /// Carries the certificate of a key to where it is pinned.
    fn carry(&mut self, vault: &Vault<'_>, version: u32) -> Result<(), Fault> {
        let certificate = vault.certificate(&self.asked.line.version(version))?;
        for (channel, delay) in self.pins() {
            let seen = vault.now().after(delay)?;
            self.unseen.push((seen, Digest::of(certificate.as_bytes()), channel));
            let active = (version == 1).then_some(seen);
            self.announced.push(Announced { channel, version, seen, active, revoked: None });
        }
        Ok(())
    }

    /// Holds one ceremony: receipts, moves, signatures. Without a rhythm it is that of an emergency.
    pub(super) fn hold(
        &mut self,
        at: Instant,
        rhythm: Option<&Rhythm>,
    ) -> Result<(Held, Option<Foreseen>), Fault> {
        let clock = FixedClock(at);
        let mut vault = Vault::open(&self.vault, self.asked.operator.clone(), &clock)?;
        self.receive(&mut vault, at)?;
        let mut moves = std::mem::take(&mut self.prepared);
        let foreseen = if let Some(rhythm) = rhythm {
            moves.extend(self.go_on(&mut vault, rhythm)?);
            None
        } else {
            let (foreseen, made) = self.strike(&mut vault)?;
            moves.extend(made);
            Some(foreseen)
        };
        let mut artefacts = Vec::new();
        for (place, (kind, _)) in self.asked.documents.iter().enumerate() {
            artefacts.extend(self.sign(&mut vault, *kind, place)?);
        }
        self.check_listed()?;
        Ok((Held { at, moves, artefacts, trusted: BTreeSet::new() }, foreseen))
    }

    /// Makes the moves that the answers allow. A standby key that is to be published is, as soon as that is allowed.
    fn go_on(&mut self, vault: &mut Vault<'_>, rhythm: &Rhythm) -> Result<Moves, Fault> {
        let (line, now, mut moves) = (self.asked.line, vault.now(), Vec::new());
        self.agenda.open(rhythm.is_due(&vault.situation(line)?, now));
        if let Some(version) = self.standby.filter(|_| self.asked.standby == Some(Standby::Published)) {
            let is_waiting =
                vault.history(line)?.key(version).is_ok_and(|it| it.stage == Stage::Standby && !it.published);
            let with = agreed(vault.situation(line)?.quorum);
            let publish = Moving::new(line.version(version), Move::Publish, Some(REASON), &with);
            if is_waiting && ask(vault, &publish, now)?.1.are_yes() {
                self.make(vault, Move::Publish, version)?;
                self.carry(vault, version)?;
                moves.push((Move::Publish, version, None));
            }
        }
        while let Some((act, version, waited)) =
            self.agenda.next(&vault.situation(line)?, now, &by_the_answers)
        {
            self.make(vault, act, version)?;
            moves.push((act, version, waited));
        }
        Ok(moves)
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
            self.know(vault, version)?;
            return self.carry(vault, version);
        }
        let with = agreed(vault.situation(self.asked.line)?.quorum);
        self.advance(vault, &Moving::new(self.asked.line.version(version), act, Some(REASON), &with))?;
        if act == Move::Activate {
            let now = Some(vault.now());
            self.announced.iter_mut().filter(|it| it.version == version).for_each(|it| it.active = now);
        }
        Ok(())
    }

    pub(super) fn advance(&mut self, vault: &mut Vault<'_>, moving: &Moving<'_>) -> Result<(), Fault> {
        advance(vault, moving, &mut self.understudy)?.refused.map_or(Ok(()), Err)
    }

    /// Refuses to go on where consumers of a channel would find no key of the line in any document.
    fn check_listed(&self) -> Result<(), Fault> {
        for (place, channel) in self.channels.iter().enumerate() {
            if !channel.kind.method().is_anchor() && self.listing.iter().all(|(_, listed)| *listed != place) {
                let line = self.asked.line;
                return Err(REHEARSAL
                    .fault(format!("{}: none of the documents lists a key of {line} for it", channel.name))
                    .hint(
                        "a set lists them by `line = true`; metadata is rehearsed with a KeyDescriptor of that use, which holds the \
                         certificate of one of the line's keys",
                    ));
            }
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
        let is_own = self.kinds.iter().any(|own| own == kind.name());
        let signers = if is_own {
            let active = vault.signing_record(line)?.key()?.version;
            let other = vault.signers(line, kind.name(), now)?.into_iter().find(|version| *version != active);
            [Some(active), other].into_iter().flatten().map(Some).collect()
        } else {
            vec![None]
        };
        let files: Vec<(Option<u32>, String)> =
            signers.into_iter().map(|by| (by, self.file(now, by, place))).collect();
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
        let channel = self.channels.iter().position(|channel| channel.name == name).filter(|_| is_own);
        let mut artefacts = Vec::new();
        for ((by, file), digest) in files.into_iter().zip(digests) {
            let artefact = self.look(kind, file, (place, channel, by), digest, now)?;
            let introduces = channel.filter(|_| lists != Lists::Nothing);
            let places: BTreeSet<usize> =
                introduces.into_iter().chain(artefact.lists.keys().copied()).collect();
            self.unseen.extend(places.into_iter().map(|place| (artefact.appears, digest, place)));
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
        let (asked, cast) = (self.asked, self.cast(vault)?);
        let is_own = self.kinds.iter().any(|own| own == kind.name());
        let signer = self.asked.signer.map(|(line, _)| line).filter(|_| !is_own);
        let signing = Signing {
            kind,
            document,
            open: &|path| recast(kind, kind.open_in(path, asked.scratch)?, &cast, asked.scratch),
            line: signer.unwrap_or(self.asked.line),
            version: None,
            environment: None,
            output: Target::File(first),
            copy: paths.get(1).map(PathBuf::as_path),
            reason: Some(REASON),
            released: None,
            dry_run: false,
        };
        let done = sign(vault, &signing, &mut self.understudy, &mut random::system())?;
        let both = done.signed.into_iter().chain(done.copy.and_then(|copy| copy.signed));
        Ok(both.map(|signed| signed.artefact).collect())
    }

    /// The throw-away keys that stand for those of the line, wherever its rotation wants one now.
    fn cast(&self, vault: &Vault<'_>) -> Result<Cast, Fault> {
        let mut taking = BTreeMap::new();
        for (channel, versions) in vault.carrying(self.asked.line)? {
            let certificates =
                versions.iter().map(|version| vault.certificate(&self.asked.line.version(*version)));
            taking.insert(channel, certificates.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Cast { leaving: self.asked.own.iter().map(PublicKey::fingerprint).collect(), taking })
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
            open: &|path| kind.open_in(path, self.asked.scratch),
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
        for document in batched.documents.iter() {
            let document = document?;
            let is_configuration = document.names.iter().any(|name| name == CONFIGURATION);
            if let Some((digest, _)) = document.file.filter(|_| is_configuration) {
                return Ok(vec![digest]);
            }
        }
        Err(INTERNAL.fault("a federation was signed without configuration"))
    }

    /// The name of what a key signs of a document: its kind, numbered where there are several of it.
    fn file(&self, at: Instant, by: Option<u32>, place: usize) -> String {
        let kinds: Vec<&str> = self.asked.documents.iter().map(|(kind, _)| kind.name()).collect();
        let kind = kinds.get(place).copied().unwrap_or_default();
        let number = kinds.iter().take(place + 1).filter(|name| **name == kind).count();
        let number = if number > 1 { format!("-{number}") } else { String::new() };
        let by = by.map_or_else(|| "signer".to_owned(), |by| by.to_string());
        format!("{at}/by-{by}/{kind}{number}")
    }
}
