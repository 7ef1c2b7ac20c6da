//! Rehearsing a rotation: the acts of this room, with throw-away keys in a throw-away vault, on a clock that is a number, and
//! with real documents. Nothing of the real vault is here but the text of a profile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::consumers::{Announced, Artefact, Consumer, Rejection, consumers, rejections};
use super::generate::{Making, generate};
use super::rotate::{Moving, advance, observe, stage};
use super::sign::{Signing, Target, sign};
use super::{Approver, verify};
use crate::artefact::Kind;
use crate::base::bytes::Digest;
use crate::base::clock::{FixedClock, Instant, Span};
use crate::base::disk::{self, Document, PendingFolder};
use crate::base::fault::{Class, Code, Fault, INTERNAL};
use crate::base::random;
use crate::base::recipient::{Identities, Recipient};
use crate::base::secret::Secret;
use crate::custody::{Catalogue, NewVault, Operator, Origin, Prompt, Sealing, Vault};
use crate::format::jose::{JwkSet, Jws};
use crate::format::json;
use crate::key::{KeyId, Line, LineAlgorithm, PublicKey};
use crate::ledger::Auditor;
use crate::lifecycle::{
    Agenda, Channel, Kind as ChannelKind, Lists, Method, Move, Plan, Rhythm, Situation, Timeline,
    by_the_answers, picture, plan, receipts,
};
use crate::policy::{Confirmation, Profile, Request, Review};

/// A line that cannot be rehearsed with these documents.
pub const REHEARSAL: Code =
    Code::new("rotate.rehearsal", Class::Usage, "the key line cannot be rehearsed with these documents");

/// A consumer of the rehearsal rejected something.
pub const REJECTED: Code =
    Code::new("rotate.rejected", Class::Refused, "a consumer of the rehearsal would have rejected something");

/// What stands in the ledger of the throw-away vault.
const REASON: &str = "rehearsal";

/// What is to be rehearsed.
pub struct Rehearsing<'a> {
    /// The key line; its keys are not touched.
    pub line: &'a Line,
    /// Its profile.
    pub profile_text: &'a str,
    /// What keys are made of.
    pub algorithm: &'static dyn LineAlgorithm,
    /// The first ceremony.
    pub from: Instant,
    /// The end of the rehearsal.
    pub to: Instant,
    /// What is signed at each ceremony.
    pub documents: &'a [(&'static dyn Kind, PathBuf)],
    /// Who rehearses.
    pub operator: Operator,
    /// The folder for what is thrown away.
    pub scratch: &'a Path,
    /// The folder for what is published, which must not exist; thrown away with the rest, when absent.
    pub output: Option<&'a Path>,
}

/// One ceremony of a rehearsal.
pub struct Held {
    /// When; its folder is called so.
    pub at: Instant,
    /// Which moves of which keys, in order, and the time before which each was too early, where it had to wait.
    pub moves: Vec<(Move, u32, Option<Instant>)>,
    /// What was signed.
    pub artefacts: Vec<Artefact>,
    /// The keys that some consumer trusts when that has appeared.
    pub trusted: BTreeSet<u32>,
}

/// What came of a rehearsal.
pub struct Rehearsed {
    /// The plan that was rehearsed.
    pub plan: Plan,
    /// The ceremonies.
    pub ceremonies: Vec<Held>,
    /// The life of the throw-away line.
    pub timeline: Timeline,
    /// The public keys, by their version less one.
    pub keys: Vec<PublicKey>,
    /// Those who judged.
    pub consumers: Vec<Consumer>,
    /// What they would have rejected.
    pub rejections: Vec<Rejection>,
}

impl Rehearsed {
    /// Where the ceremonies and the plan do not agree.
    pub fn differences(&self) -> Vec<String> {
        let told = |moves: &[(Move, u32, Option<Instant>)]| {
            let names: Vec<_> = moves.iter().map(|(act, version, _)| format!("{act} #{version}")).collect();
            if names.is_empty() { "nothing moves".into() } else { names.join(", ") }
        };
        let both = self.plan.ceremonies.iter().zip(&self.ceremonies);
        let other = both.filter(|(planned, held)| planned.moves != held.moves);
        other
            .map(|(planned, held)| {
                let (planned, held_moves) = (told(&planned.moves), told(&held.moves));
                format!("{}: planned: {planned}; rehearsed: {held_moves}", held.at)
            })
            .collect()
    }
}

/// Rehearses the line's rotation.
///
/// # Errors
/// [`REHEARSAL`]: what introduces the next key is not among the documents. [`CADENCE`](crate::lifecycle::CADENCE). What hinders
/// an act at one of the ceremonies: the rehearsal ends there, and no file is left.
pub fn rehearse(asked: &Rehearsing<'_>) -> Result<Rehearsed, Fault> {
    let scratch = PendingFolder::beside(&asked.scratch.join("rehearsal"))?;
    let output = asked.output.map(output).transpose()?;
    let files = output.as_ref().map_or_else(|| scratch.path().join("files"), |it| it.path().to_owned());
    let mut world = World::new(asked, scratch.path().join("vault"), files)?;
    let situation = world.begin()?;
    check(asked, &situation.channels)?;
    let profile = Profile::parse(asked.profile_text)?;
    let plan = plan(asked.line, &situation, asked.from, asked.to, profile.rotation.lifetime)?;
    if plan.ceremonies.is_empty() {
        return Err(REHEARSAL.fault(format!("no ceremony lies between {} and {}", asked.from, asked.to)));
    }
    let rhythm = Rhythm::of(&situation, profile.rotation.lifetime);
    let mut ceremonies = Vec::new();
    for planned in &plan.ceremonies {
        let held = world.hold(planned.at, &rhythm);
        ceremonies.push(held.map_err(|fault| fault.at(format_args!("the ceremony of {}", planned.at)))?);
    }
    let rehearsed = world.judge(plan, ceremonies)?;
    if let Some(output) = output {
        output.save("timeline.svg", picture(&rehearsed.timeline).as_bytes())?;
        output.save("steps.json", format!("{:#}\n", rehearsed.to_json()).as_bytes())?;
        output.publish()?;
    }
    Ok(rehearsed)
}

fn output(path: &Path) -> Result<PendingFolder, Fault> {
    if disk::exists(path) {
        return Err(disk::EXISTS
            .fault(format!("{} is there already", path.display()))
            .hint("name a new folder for the files of the rehearsal"));
    }
    PendingFolder::beside(path)
}

/// Refuses a line whose next key none of the documents introduces.
fn check(asked: &Rehearsing<'_>, channels: &[Channel]) -> Result<(), Fault> {
    for channel in channels {
        let (name, kind) = (&channel.name, channel.kind);
        let introduces = |document: &&dyn Kind| match kind.method() {
            Method::Double => ChannelKind::of_document(document.name()) == kind,
            _ => kind.is_listed_in(document.name()),
        };
        match kind.method() {
            Method::PrePublish | Method::Replace => {
                return Err(REHEARSAL
                    .fault(format!("{name}: other lines sign the documents that carry the key"))
                    .hint("`fedroot rotate plan` computes the schedule of such a line"));
            }
            Method::OutOfBand => {}
            _ if asked.documents.iter().any(|(document, _)| introduces(document)) => {}
            _ => {
                return Err(REHEARSAL
                    .fault(format!("{name}: none of the documents introduces the next key"))
                    .hint("give it with --document KIND FILE, such as --document saml metadata.xml"));
            }
        }
    }
    match asked.documents.iter().find(|(kind, _)| kind.is_secret()) {
        Some((kind, _)) => {
            Err(REHEARSAL.fault(format!("{} is a secret, and nobody publishes it", kind.name())))
        }
        None => Ok(()),
    }
}

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

/// The throw-away vault and what was published from it.
struct World<'a> {
    asked: &'a Rehearsing<'a>,
    vault: PathBuf,
    files: PathBuf,
    understudy: Understudy,
    recipient: Recipient,
    agenda: Agenda,
    /// What was published and not seen yet: when it appears, and in which channel.
    unseen: Vec<(Instant, Digest, usize)>,
    announced: Vec<Announced>,
    keys: Vec<PublicKey>,
    channels: Vec<Channel>,
}

impl<'a> World<'a> {
    fn new(asked: &'a Rehearsing<'a>, vault: PathBuf, files: PathBuf) -> Result<Self, Fault> {
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
    fn begin(&mut self) -> Result<Situation, Fault> {
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
    fn hold(&mut self, at: Instant, rhythm: &Rhythm) -> Result<Held, Fault> {
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
        let (Some((_, document)), Some(first)) = (self.asked.documents.get(place), paths.first()) else {
            return Ok(vec![]);
        };
        let signing = Signing {
            kind,
            document,
            open: &|path| kind.open(path),
            line,
            version: None,
            environment: None,
            output: Target::File(first),
            copy: paths.get(1).map(PathBuf::as_path),
            reason: Some(REASON),
            released: None,
            dry_run: false,
        };
        let done = sign(vault, &signing, &mut self.understudy, &mut random::system())?;
        let digests = done.signed.into_iter().chain(done.copy.and_then(|copy| copy.signed));
        let digests: Vec<Digest> = digests.map(|signed| signed.artefact).collect();
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
            Some(Method::Chained) => self.listed(&signed, kind)?,
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
    fn listed(&self, signed: &Document, kind: &dyn Kind) -> Result<BTreeSet<u32>, Fault> {
        if kind.name() != "entity-configuration" {
            return Ok(BTreeSet::new());
        }
        let text = String::from_utf8(read(signed)?).unwrap_or_default();
        let jws = Jws::read(text.trim_ascii(), &[])?;
        let claims = json::read(jws.payload(), json::Numbers::Any, &json::Limits::default())?;
        let set = JwkSet::read(claims.get("jwks").unwrap_or(&json::Value::Null))?;
        let holds = |key: &PublicKey| set.keys.iter().any(|jwk| jwk.key() == key);
        Ok((1..).zip(&self.keys).filter(|(_, key)| holds(key)).map(|(version, _)| version).collect())
    }

    /// Lets the consumers judge, and leaves the keys that they trust beside what they saw.
    fn judge(self, plan: Plan, mut ceremonies: Vec<Held>) -> Result<Rehearsed, Fault> {
        let mut artefacts: Vec<Artefact> = Vec::new();
        let counts: Vec<usize> = ceremonies.iter().map(|held| held.artefacts.len()).collect();
        for held in &mut ceremonies {
            artefacts.append(&mut held.artefacts);
        }
        let end = self.asked.to;
        let consumers = consumers(&self.channels, &artefacts, &self.announced, end);
        let rejections = rejections(&self.channels, &artefacts, &consumers, end);
        let mut rest = artefacts.into_iter();
        for (held, count) in ceremonies.iter_mut().zip(counts) {
            held.artefacts = rest.by_ref().take(count).collect();
            let last = end.after(Span::of_seconds(-1))?;
            let appears = held.artefacts.iter().map(|it| it.appears).max().unwrap_or(held.at).min(last);
            let then = consumers.iter().filter(|it| it.from <= appears && appears < it.to);
            held.trusted = then.flat_map(|it| it.trusts.iter().copied()).collect();
            let folder = self.files.join(held.at.to_string()).join("trust");
            disk::create_folder(&folder)?;
            for (version, key) in (1..).zip(&self.keys).filter(|(version, _)| held.trusted.contains(version))
            {
                disk::create(&folder.join(format!("{version}.pem")), key.to_pem()?.as_bytes())?;
            }
        }
        let (line, catalogue) = (self.asked.line, Catalogue::open(&self.vault)?);
        let now = ceremonies.last().map_or(self.asked.from, |held| held.at);
        let timeline = Timeline::lived(line, &catalogue.history(line)?, &catalogue.signed(line)?, now);
        Ok(Rehearsed { plan, ceremonies, timeline, keys: self.keys, consumers, rejections })
    }
}

fn read(document: &Document) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let read = std::io::Read::read_to_end(&mut document.reader(), &mut bytes);
    read.map(|_| bytes).map_err(|e| disk::fault("read", document.name().as_ref(), &e))
}
