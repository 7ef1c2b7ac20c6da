//! The one door to private keys. Every use is in the ledger before the key is touched.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;

use serde_json::{Value, json};

use super::batch::OfSubject;
use super::entries;
use super::journal::What;
use super::record::NewRecord;
use super::rotation::{certificate_of, close, stop};
use super::seal::{Closer, Opener};
use super::work::{self, Certifier};
use super::{Catalogue, Configuration, Document as SignedDocument, Journal, Record, STALE, Sealing};
use crate::base::bytes::{Digest, hex};
use crate::base::clock::{Clock, Instant};
use crate::base::cores;
use crate::base::disk::{self, Document};
use crate::base::fault::{Fault, INTERNAL};
use crate::base::random::{self, Random};
use crate::base::recipient::{Identities, SECRET};
use crate::base::secret::Secret;
use crate::base::staging::Staging;
use crate::key::{Environment, KeyId, Line, LineAlgorithm, PublicKey, Signature};
use crate::ledger::{AUDITORS, Auditor, EntryKind, Ledger, Newest};
use crate::policy::{Approval, Confirmed, Memory, Profile, Review};

/// Who is acting, as the ledger states it. A claim of the machine, not a proof.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The login name.
    pub user: String,
    /// The numeric user.
    pub uid: u32,
    /// The machine.
    pub host: String,
}

/// Asks people, files or terminals for secrets. Implemented in `cli`.
pub trait Prompt {
    /// The passphrase that opens this key.
    fn passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault>;
    /// A passphrase for a key that is being made; asked for twice at a terminal.
    fn new_passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault>;
    /// The age identities that open this key.
    fn identities(&mut self, key: &KeyId) -> Result<Identities, Fault>;
}

/// A passphrase with fewer characters is short: no key for `prod` is sealed to it. As many are demanded of a password that
/// stands alone (NIST SP 800-63B-4, section 3.1.1.2), and whoever has the file may guess for years.
pub const PASSPHRASE_CHARS_SHORT: usize = 15;

/// What a new vault goes by.
pub struct NewVault {
    /// The name of its ledger; made from the vault's name when `None`.
    pub origin: Option<String>,
    /// The environments whose keys it may hold.
    pub environments: Vec<Environment>,
    /// Those who read the ledger.
    pub auditors: Vec<Auditor>,
}

/// Where a new key comes from.
pub enum Origin {
    /// It is generated here.
    Generate(&'static dyn LineAlgorithm),
    /// It was made elsewhere: PKCS#8 DER.
    Adopt(Secret<Vec<u8>>),
}

/// What a new key is to be.
pub struct NewKey<'a> {
    /// The key: the first one of its line, or the next.
    pub key: KeyId,
    /// Where the key comes from.
    pub origin: Origin,
    /// What it is sealed to.
    pub sealing: Sealing,
    /// Whether it is kept for an emergency.
    pub standby: bool,
    /// The line's profile, as it will stand in the vault, or stands there.
    pub profile_text: String,
    /// Makes the key's certificate.
    pub certify: Certifier<'a>,
    /// The confirmation of exactly this request.
    pub confirmed: Confirmed,
    /// Why.
    pub reason: Option<String>,
}

/// A finished document that waits, unseen by others, for the ledger's outcome.
pub struct Delivered {
    /// The digest of the whole signed document.
    pub digest: Digest,
    /// What stands beside it, such as a detached signature: names and digests.
    pub beside: Vec<(String, Digest)>,
    /// The channel of the line that it belongs to.
    pub channel: String,
    /// As the journal has it.
    pub document: SignedDocument,
    /// The digest of the record that the next review compares with, where that is kept.
    pub record: Option<Digest>,
}

/// What came of a signature.
pub struct Signed {
    /// The place of the intent in the ledger; the outcome names it.
    pub intent: u64,
    /// The digest of the signed document.
    pub artefact: Digest,
    /// What stands beside it: names and digests.
    pub beside: Vec<(String, Digest)>,
}

/// A key that is about to be opened.
pub(super) struct Ready {
    pub(super) record: Record,
    pub(super) sealed: Vec<u8>,
    pub(super) opener: Opener,
}

/// A vault that is open to act: locked, its ledger checked and ready to record.
pub struct Vault<'a> {
    pub(super) catalogue: Catalogue,
    pub(super) ledger: Ledger,
    pub(super) operator: Operator,
    pub(super) clock: &'a dyn Clock,
}

impl Deref for Vault<'_> {
    type Target = Catalogue;

    fn deref(&self) -> &Catalogue {
        &self.catalogue
    }
}

impl<'a> Vault<'a> {
    /// Makes a new vault with the genesis of its ledger. The folder may exist, if it is empty.
    pub fn create(
        folder: &Path,
        new: &NewVault,
        operator: Operator,
        clock: &'a dyn Clock,
    ) -> Result<Self, Fault> {
        let parent = disk::parent(folder);
        if !disk::exists(parent) {
            return Err(disk::MISSING
                .fault(format!("cannot make {}: there is no folder {}", folder.display(), parent.display()))
                .hint("check the path, or make that folder first"));
        }
        if disk::exists(&folder.join("vault.toml")) {
            return Err(disk::EXISTS
                .fault(format!("there is a vault at {} already", folder.display()))
                .hint("name a new folder for another one"));
        }
        let is_vault =
            |place: &Path| disk::exists(&place.join("vault.toml")) && disk::exists(&place.join("ledger"));
        if let Some(around) = disk::around(folder, is_vault) {
            return Err(disk::EXISTS
                .fault(format!("{} lies in the vault {}; no vault was made", folder.display(), around.display()))
                .hint("name a folder outside it; a further key line of that vault is made with `fedroot key generate`"));
        }
        if disk::exists(folder) && !disk::names(folder)?.is_empty() {
            return Err(disk::EXISTS
                .fault(format!("{} is not empty", folder.display()))
                .hint("name a new folder for the vault"));
        }
        if disk::exists(folder) {
            disk::check_private(folder)?;
        }
        let id = hex(&random::system().array::<16>());
        let configuration = Configuration {
            version: 1,
            origin: new.origin.clone().unwrap_or_else(|| format!("fedroot/{id}")),
            id,
            created: clock.now().to_string(),
            environments: new.environments.iter().map(ToString::to_string).collect(),
            auditors: new.auditors.iter().map(ToString::to_string).collect(),
            auditors_next: None,
        };
        let text = configuration.to_toml()?;
        let body = entries::with_operator(entries::genesis(&configuration), None, &operator);
        let ledger = Ledger::create(
            &folder.join("ledger"),
            &configuration.origin,
            &new.auditors,
            &body,
            clock.now(),
            Box::new(random::system()),
        )?;
        for part in ["keys", "signed"] {
            disk::create_folder(&folder.join(part))?;
        }
        Journal::create(folder)?;
        // Last: a folder with a vault.toml is a whole vault.
        disk::create(&folder.join("vault.toml"), text.as_bytes())?;
        Ok(Self { catalogue: Catalogue::open(folder)?, ledger, operator, clock })
    }

    /// Opens a vault to act: takes its lock and checks the ledger's end.
    pub fn open(folder: &Path, operator: Operator, clock: &'a dyn Clock) -> Result<Self, Fault> {
        let catalogue = Catalogue::open(folder)?;
        let open = |auditors: &[Auditor]| {
            Ledger::open(&catalogue.ledger_folder(), auditors, Box::new(random::system()))
        };
        let next = catalogue.auditors_next()?;
        let (ledger, is_changed) = match (open(&catalogue.auditors()?), &next) {
            (Err(fault), Some(next)) if fault.code() == &AUDITORS => (open(next)?, true),
            (opened, _) => (opened?, false),
        };
        let mut vault = Self { catalogue, ledger, operator, clock };
        // The ledger may just have taken up an entry that the journal waited for.
        let (marked, bound) = (vault.ledger.marked(), vault.ledger.bound());
        vault.catalogue.reread(Newest { marked, bound })?;
        vault.ledger.bind(vault.catalogue.journal()?.digest())?;
        if next.is_some() {
            vault.settle_auditors(is_changed)?;
        }
        vault.forget_destroyed()?;
        Ok(vault)
    }

    /// Records an attempt that was refused before any key was touched, and gives the fault back.
    pub fn deny(&mut self, act: &str, about: &Value, fault: Fault) -> Fault {
        let body = entries::with_operator(entries::denied(act, about, &fault), None, &self.operator);
        match self.ledger.append(EntryKind::Denied, None, &body, self.clock.now()) {
            Ok(_) => fault,
            // Both matter: the refusal is why nothing happened, the ledger why nobody will read of it.
            Err(unrecorded) => unrecorded.at(format_args!("{fault}; and the refusal could not be recorded")),
        }
    }

    /// Makes or adopts a key, the first or the next of its line. It counts once the ledger has its outcome; what a crash
    /// leaves before that is written over by the next attempt.
    pub fn generate(&mut self, new: NewKey<'_>, prompt: &mut dyn Prompt) -> Result<Record, Fault> {
        let key = new.key.clone();
        let sealed_to = new.sealing.names();
        let ready = self
            .catalogue
            .allow_new_key(&key)
            .and_then(|()| Profile::parse(&new.profile_text).map_err(|fault| fault.at("the profile")))
            .and_then(|_| closer(new.sealing, &key, prompt))
            .and_then(|closer| self.may_intend().map(|()| closer));
        let closer = match ready {
            Ok(closer) => closer,
            Err(fault) => {
                let about = json!({"key": key.to_string(), "reason": new.reason});
                return Err(self.deny("generate", &about, fault.but("no key was made")));
            }
        };
        let now = self.clock.now();
        let intent = entries::make_intent(&key, &new.origin, &sealed_to, &new.profile_text, &new.confirmed);
        let intent = entries::with_operator(intent, new.reason.as_deref(), &self.operator);
        let adopted = matches!(new.origin, Origin::Adopt(_));
        let permit = self.ledger.intend(&key.to_string(), &new.confirmed.request(), &intent, now)?;
        let made = work::make(new.origin, &key, &closer, new.certify).and_then(|made| {
            let (public, sealed) = (&made.public, made.sealed.as_slice());
            let record =
                Record::new(NewRecord { key: &key, public, created: now, adopted, sealed_to, sealed })?;
            let text = record.to_toml()?;
            self.catalogue.place_key(&key, &new.profile_text, sealed, &made.certificate, &text)?;
            let digest = Digest::of(text.as_bytes());
            let what = What::Made {
                key: key.to_string(),
                record: digest.to_string(),
                standby: new.standby,
                certificate: certificate_of(&made.certificate, made.until),
            };
            Ok((what, entries::made(public, digest, sealed)))
        });
        let now = self.clock.now();
        match made {
            Ok((what, outcome)) => {
                close(&mut self.catalogue, permit, what, outcome, now)?;
                self.catalogue.record(&key)
            }
            Err(fault) => {
                close(&mut self.catalogue, permit, What::Nothing {}, entries::failed(&fault), now)?;
                Err(fault.but("no key was made"))
            }
        }
    }

    /// Signs what was approved: the intent goes to the ledger, then the key is opened, used and checked, then `deliver`
    /// finishes the document where nobody sees it yet, then the outcome goes to the ledger.
    pub fn sign(
        &mut self,
        approval: Approval,
        prompt: &mut dyn Prompt,
        deliver: &mut dyn FnMut(&[Signature]) -> Result<Delivered, Fault>,
    ) -> Result<(Signed, Review), Fault> {
        let review = approval.review();
        let about = json!({"kind": review.kind, "key": review.key.to_string(), "reason": approval.reason()});
        // Asked before the intent: whoever interrupts the question leaves nothing open. The key is opened after it.
        let ready = self.ready(review, approval.public(), prompt);
        let Ready { record, sealed, opener } = match ready {
            Ok(ready) => ready,
            Err(fault) => return Err(self.deny("sign", &about, fault.but("nothing was signed"))),
        };
        let intent = entries::sign_intent(&approval);
        let intent = entries::with_operator(intent, approval.reason(), &self.operator);
        let key = review.key.to_string();
        let digests: Vec<_> = approval.octets().iter().map(|octets| Digest::of(octets)).collect();
        let (octets, also) = digests.split_first().ok_or_else(|| INTERNAL.fault("nothing was approved"))?;
        let permit = self.ledger.intend_with(&key, octets, also, &intent, self.clock.now())?;
        let index = permit.index();
        let signatures = match work::sign(&permit, &record, &sealed, opener, &approval) {
            Ok(signatures) => signatures,
            Err(stopped) => {
                let fault = stop(&mut self.catalogue, permit, stopped, self.clock.now())?;
                return Err(fault.but("nothing was signed"));
            }
        };
        match deliver(&signatures) {
            Ok(delivered) => {
                let outcome = entries::signed(&signatures, &delivered);
                let Delivered { digest: artefact, beside, channel, document, record } = delivered;
                let documents = vec![document];
                let (kind, ends) = (review.kind.to_owned(), BTreeMap::new());
                let (artefacts, record, kept) = (None, record.map(|record| record.to_string()), None);
                let what = What::Signed { key, kind, channel, documents, ends, artefacts, record, kept };
                close(&mut self.catalogue, permit, what, outcome, self.clock.now())?;
                Ok((Signed { intent: index, artefact, beside }, approval.into_review()))
            }
            Err(fault) => {
                let outcome = entries::not_delivered(&signatures, &fault);
                close(&mut self.catalogue, permit, What::Nothing {}, outcome, self.clock.now())?;
                Err(fault.but("the signature was thrown away"))
            }
        }
    }

    /// Everything that comes before an intent: the key is the one reviewed, what opens it is at hand, the ledger is ready.
    pub(super) fn ready(
        &self,
        review: &Review,
        public: &PublicKey,
        prompt: &mut dyn Prompt,
    ) -> Result<Ready, Fault> {
        let record = self.still_as_reviewed(review, public)?;
        let sealed = self.catalogue.sealed(&record)?;
        let opener = work::opener(&record, &review.key, prompt)?;
        self.may_intend()?;
        Ok(Ready { record, sealed, opener })
    }

    /// Refuses when the key, its stage or its profile is no longer what the review saw.
    fn still_as_reviewed(&self, review: &Review, public: &PublicKey) -> Result<Record, Fault> {
        let record = self.catalogue.record(&review.key)?;
        self.catalogue.check_signer(&record, review.kind, self.clock.now())?;
        let profile = self.catalogue.profile_text(&review.key.line)?;
        if Profile::digest(&profile) == review.profile && *public == record.public()? {
            return Ok(record);
        }
        Err(STALE
            .fault(format!("the key or the profile of {} changed since the review", review.key.line))
            .hint("review the document again"))
    }

    /// Keeps the record of what a line signed last about a subject; the one before stands until this one is complete. It stays,
    /// too, where the journal knows it for that of the last signature: nothing was signed since.
    pub fn keep_last_signed(
        &self,
        line: &Line,
        kind: &str,
        subject: &str,
        record: &Document,
    ) -> Result<(), Fault> {
        if subject.is_empty() && self.memory(line, kind, Some(record.digest()?))? != Memory::Whole {
            return Ok(());
        }
        let path = self.catalogue.last_signed_path(line, kind, subject);
        if let Some(folder) = path.parent() {
            disk::create_folder(folder)?;
        }
        let mut pending = disk::Pending::in_place_of(&path)?;
        std::io::copy(&mut record.reader(), &mut pending).map_err(|e| disk::fault("write", &path, &e))?;
        pending.replace()
    }

    /// Keeps such records of a batch, each under its kind and subject: made durable together, then each in one step. `news`
    /// tells which place has something to keep, and about what; `record` is it. Both are asked on every core, `news` twice:
    /// thousands of names need not stand in memory.
    pub fn keep_each_last_signed(
        &self,
        line: &Line,
        count: usize,
        news: &(dyn Fn(usize) -> Result<Option<OfSubject>, Fault> + Sync),
        record: &(dyn Fn(usize) -> Result<Vec<u8>, Fault> + Sync),
    ) -> Result<(), Fault> {
        let catalogue = &self.catalogue;
        let path = |kind: &str, subject: &str| catalogue.last_signed_path(line, kind, subject);
        let Some(folder) = path("", "").parent().map(Path::to_owned) else { return Ok(()) };
        let staging = Staging::open(&folder)?;
        let name = |at| {
            let of = news(at)?.map(|(kind, subject)| path(kind, &subject));
            Ok(of.map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned()))
        };
        let write = |at| {
            let Some(name) = name(at)? else { return Ok(false) };
            staging.discard(&name)?;
            staging.write(&name, &record(at)?).map(|()| true)
        };
        let mut is_any = false;
        let mut note = |is_news| {
            is_any |= is_news;
            Ok(())
        };
        cores::stream((0..count).map(Ok), &write, &mut note)?;
        if !is_any {
            return Ok(());
        }
        staging.settle()?;
        let publish = |at| name(at)?.map_or(Ok(()), |name| staging.publish(&[name]));
        cores::stream((0..count).map(Ok), &publish, &mut Ok)?;
        staging.close()
    }

    /// The time that acts go by.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }
}

fn closer(sealing: Sealing, key: &KeyId, prompt: &mut dyn Prompt) -> Result<Closer, Fault> {
    match sealing {
        Sealing::Passphrase => {
            let passphrase = prompt.new_passphrase(key)?;
            let is_short = passphrase.expose().chars().count() < PASSPHRASE_CHARS_SHORT;
            if is_short && key.line.environment().is_severe() {
                return Err(SECRET
                    .fault(format!("the passphrase has fewer than {PASSPHRASE_CHARS_SHORT} characters, and {key} is a key for {}: whoever gets the file could guess it", key.line.environment()))
                    .hint("take five or more random words, or seal the key to age recipients with --recipient"));
            }
            Ok(Closer::Passphrase(passphrase))
        }
        Sealing::Recipients(recipients) if recipients.is_empty() => {
            Err(SECRET.fault("no recipient was given: nobody could open the key"))
        }
        Sealing::Recipients(recipients) => Ok(Closer::Recipients(recipients)),
    }
}
