//! From the lines of the journal to what the life of keys is judged by: history and inventory.

use std::collections::{BTreeMap, BTreeSet};

use super::journal::{self, Carries, Document, Noted, What};
use super::journal_file::Journal;
use super::{Catalogue, JOURNAL, Record};
use crate::base::bytes::Digest;
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;
use crate::key::{KeyId, Line};
use crate::lifecycle::{
    Channel, History, Inventory, Kind, Lists, Method, Move, Receipt, Signature, Situation, Source, Stage,
    Step, When,
};
use crate::policy::Profile;

/// The moves of a key line.
pub(super) fn history(journal: &Journal, line: &Line) -> Result<History, Fault> {
    let steps = journal.of(line).map(steps).collect::<Result<Vec<_>, _>>()?;
    History::replay(steps.into_iter().flatten())
}

/// The digests of the records of a line's keys, as they were made.
pub(super) fn made(journal: &Journal, line: &Line) -> BTreeMap<u32, String> {
    let made = journal.of(line).filter_map(|noted| match &noted.what {
        What::Made { key, record, .. } => Some((key.parse::<KeyId>().ok()?.version, record.clone())),
        _ => None,
    });
    made.collect()
}

/// The moves that a line of the journal tells of.
fn steps(noted: &Noted) -> Result<Vec<Step>, Fault> {
    let version = |key: &str| key.parse::<KeyId>().map(|key| key.version);
    Ok(match &noted.what {
        What::Made { key, standby, .. } => {
            let (at, version) = (noted.time()?, version(key)?);
            let kept = standby.then(|| Step::new(at, version, Move::Standby));
            std::iter::once(Step::new(at, version, Move::Generate)).chain(kept).collect()
        }
        What::Moved { key, act, reason, cause, since, emergency } => vec![Step {
            reason: reason.clone(),
            cause: journal::cause(cause.as_deref()),
            since: since.as_deref().map(Instant::parse).transpose()?,
            emergency: *emergency,
            ..Step::new(noted.time()?, version(key)?, act.parse()?)
        }],
        _ => vec![],
    })
}

impl Catalogue {
    /// Everything that has a say in the next move of a line.
    ///
    /// # Errors
    /// The profile names a kind of channel that there is not, or the journal is not the ledger's.
    pub fn situation(&self, line: &Line) -> Result<Situation, Fault> {
        let outline = self.outline(line)?;
        Ok(Situation { inventory: self.inventory(line, &outline.channels)?, ..outline })
    }

    /// The situation without what is outstanding: who signs and which keys documents list does not depend on that.
    fn outline(&self, line: &Line) -> Result<Situation, Fault> {
        let profile = Profile::parse(&self.profile_text(line)?)
            .map_err(|fault| fault.at(format_args!("the profile of {line}")))?;
        let channels = channels(&profile).map_err(|fault| fault.at(format_args!("the profile of {line}")))?;
        let mut ends = BTreeMap::new();
        for noted in self.journal()?.of(line) {
            if let What::Made { key, certificate, .. } | What::Certified { key, certificate } = &noted.what
                && let Some(end) = &certificate.expires
            {
                ends.insert(key.parse::<KeyId>()?.version, Instant::parse(end)?);
            }
        }
        Ok(Situation {
            inventory: Inventory::default(),
            history: self.history(line)?,
            channels,
            quorum: usize::try_from(profile.rotation.quorum).unwrap_or(usize::MAX),
            retention: profile.rotation.retention,
            ends,
        })
    }

    /// When the use of a key ends as planned: with its certificate, or, while it is active, after the lifetime that the profile
    /// gives each key, whichever is earlier.
    pub fn planned_end(&self, key: &KeyId) -> Result<Option<Instant>, Fault> {
        let situation = self.outline(&key.line)?;
        let lifetime = Profile::parse(&self.profile_text(&key.line)?)?.rotation.lifetime;
        let active = situation.history.key(key.version).ok().filter(|key| key.stage == Stage::Active);
        let planned = active.zip(lifetime).map(|(key, lifetime)| key.since.after(lifetime)).transpose()?;
        Ok(planned.into_iter().chain(situation.ends.get(&key.version).copied()).min())
    }

    /// Which of the line's channels signatures on documents of this kind live in, and which keys these documents list. A
    /// line whose profile names channels of other kinds only has none for it.
    pub fn channel_for(&self, line: &Line, document: &str) -> Result<(String, Lists), Fault> {
        let situation = self.outline(line)?;
        let kind = Kind::of_document(document);
        let Some(channel) = situation.channels.iter().find(|channel| channel.kind == kind) else {
            return Ok((kind.name().to_owned(), Lists::Nothing));
        };
        let lists = match kind.method() {
            Method::Double => Lists::Own,
            Method::Chained if kind.is_listed_in(document) => situation.lists(channel),
            _ => Lists::Nothing,
        };
        Ok((channel.name.clone(), lists))
    }

    /// The kinds of channels in which documents of this or other lines carry the keys of a line, and which keys they list next.
    pub fn carrying(&self, line: &Line) -> Result<Vec<(&'static str, BTreeSet<u32>)>, Fault> {
        let situation = self.outline(line)?;
        let carried = situation.channels.iter().filter(|channel| !channel.kind.method().is_anchor());
        let listed = carried.map(|channel| match situation.lists(channel) {
            Lists::Keys(versions) => (channel.kind.name(), versions),
            Lists::Nothing | Lists::Own => (channel.kind.name(), BTreeSet::new()),
        });
        Ok(listed.collect())
    }

    /// Of which lines the newest documents of a kind that a line signed list keys, and in which kind of channel, by what they
    /// are about.
    pub fn carried(
        &self,
        line: &Line,
        kind: &str,
    ) -> Result<BTreeMap<String, BTreeSet<(Line, String)>>, Fault> {
        let (mut newest, journal) = (BTreeMap::new(), self.journal()?);
        for noted in journal.of(line) {
            let noted = journal.whole(noted)?;
            let What::Signed { key, kind: of, documents, .. } = &noted.what else { continue };
            if of != kind || key.parse::<KeyId>()?.line != *line {
                continue;
            }
            for document in documents {
                let Some(subject) = &document.subject else { continue };
                let listing = document.carries.iter().filter(|carries| !carries.keys.is_empty());
                let lines = listing.map(|carries| Ok((carries.line.parse()?, carries.channel.clone())));
                newest.insert(subject.clone(), lines.collect::<Result<_, Fault>>()?);
            }
        }
        Ok(newest)
    }

    /// Refuses a key that may not sign documents of this kind now: not the active one, nor a key that signs its own copies
    /// of a double publication.
    pub fn check_signer(&self, record: &Record, document: &str, now: Instant) -> Result<(), Fault> {
        let key = record.key()?;
        if self.signers(&key.line, document, now)?.contains(&key.version) {
            return Ok(());
        }
        record.stage().check_may_sign()
    }

    /// Which keys of a line may sign documents of this kind now: the active one, and in a double publication those that sign
    /// copies of their own.
    pub fn signers(&self, line: &Line, document: &str, now: Instant) -> Result<Vec<u32>, Fault> {
        let situation = self.outline(line)?;
        let kind = Kind::of_document(document);
        let channel = situation.channels.iter().find(|channel| channel.kind == kind);
        Ok(match channel.filter(|_| kind.method() == Method::Double) {
            Some(channel) => situation.signers(channel, now),
            None => situation.history.active().into_iter().collect(),
        })
    }

    /// When the line signed so far, and when that ends; of a batch, what ends at the same time counts once.
    pub fn signed(&self, line: &Line) -> Result<Vec<(Instant, When)>, Fault> {
        let mut all = Vec::new();
        self.journal()?.each(Some(line), &mut |noted| {
            let What::Signed { key, documents, ends, .. } = &noted.what else { return Ok(()) };
            if key.parse::<KeyId>()?.line != *line {
                return Ok(());
            }
            let at = noted.time()?;
            let batch = ends.keys().map(|end| Some(end).filter(|end| *end != NEVER));
            for end in documents.iter().map(|it| it.expires.as_ref()).chain(batch) {
                all.push((at, expires(end)?));
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// When the newest document of each kind that the line signed ends; of a batch, the first that does.
    pub fn newest_ends(&self, line: &Line) -> Result<BTreeMap<String, Instant>, Fault> {
        let mut newest = BTreeMap::new();
        self.journal()?.each(Some(line), &mut |noted| {
            let What::Signed { key, kind, documents, ends, .. } = &noted.what else { return Ok(()) };
            if key.parse::<KeyId>()?.line == *line {
                let batch = ends.keys().filter(|end| *end != NEVER);
                let ends = documents.iter().filter_map(|document| document.expires.as_ref()).chain(batch);
                let first =
                    ends.map(|end| Instant::parse(end)).collect::<Result<Vec<_>, _>>()?.into_iter().min();
                newest.insert(kind.clone(), first);
            }
            Ok(())
        })?;
        Ok(newest.into_iter().filter_map(|(kind, first)| Some((kind, first?))).collect())
    }

    /// What is outstanding of a line, in these channels: signatures, artefacts that list keys, receipts.
    ///
    /// # Errors
    /// [`JOURNAL`]: a line of the journal cannot be understood.
    pub fn inventory(&self, line: &Line, channels: &[Channel]) -> Result<Inventory, Fault> {
        let mut inventory = Inventory::default();
        let journal = self.journal()?;
        let replaced = replaced(journal, line)?;
        // What was signed elsewhere was signed before everything here, whenever that became known.
        let is_elsewhere = |noted: &Noted| matches!(noted.what, What::Elsewhere { .. });
        let mut take = |noted: &Noted| {
            add(&mut inventory, noted, (line, channels), replaced.get(&noted.entry))
                .map_err(|fault| fault.at(format_args!("the journal's line for entry {}", noted.entry)))
        };
        journal.of(line).filter(|noted| is_elsewhere(noted)).try_for_each(&mut take)?;
        journal.each(Some(line), &mut |noted| if is_elsewhere(noted) { Ok(()) } else { take(noted) })?;
        Ok(inventory)
    }
}

/// When the next document was signed for the place of one that never ends, by the entry of the one before.
fn replaced(journal: &Journal, line: &Line) -> Result<BTreeMap<u64, Instant>, Fault> {
    let (mut replaced, mut standing) = (BTreeMap::new(), BTreeMap::new());
    for noted in journal.of(line) {
        let noted = journal.whole(noted)?;
        let What::Signed { key, kind, documents, ends, .. } = &noted.what else { continue };
        let is_endless = documents.iter().any(|it| it.expires.is_none()) || ends.contains_key(NEVER);
        if let Some(place) = Kind::place_of(kind.as_str()).filter(|_| is_endless)
            && key.parse::<KeyId>()?.line == *line
            && let Some(before) = standing.insert(place, noted.entry)
        {
            replaced.insert(before, noted.time()?);
        }
    }
    Ok(replaced)
}

/// The channels of a line: those that its profile names, and one for each kind of document that none of these is for.
pub fn channels(profile: &Profile) -> Result<Vec<Channel>, Fault> {
    let mut channels = Vec::new();
    for said in &profile.channels {
        let mut channel = with_limits(said.kind.parse()?, profile);
        channel.name.clone_from(&said.name);
        channel.points.clone_from(&said.points);
        let timing = &mut channel.timing;
        let spans: [(&mut Span, Option<Span>); 9] = [
            (&mut timing.period, said.period),
            (&mut timing.delay, said.delay),
            (&mut timing.refresh, said.refresh),
            (&mut timing.objects, said.objects),
            (&mut timing.skew, said.skew),
            (&mut timing.publish_safety, said.publish_safety),
            (&mut timing.retire_safety, said.retire_safety),
            (&mut timing.distribution, said.distribution),
            (&mut timing.notice, said.notice),
        ];
        for (slot, said) in spans {
            *slot = said.unwrap_or(*slot);
        }
        timing.cache = said.cache.or(timing.cache);
        timing.validity = said.validity.or(timing.validity);
        timing.failures = said.failures.unwrap_or(timing.failures);
        timing.strict = said.strict.unwrap_or(timing.strict);
        timing.check()?;
        channels.push(channel);
    }
    for document in &profile.kinds {
        let kind = Kind::of_document(document);
        let is_carried = channels.iter().any(|channel: &Channel| !channel.kind.method().is_anchor());
        // A key that is carried in the artefacts of others signs what it signs there; one that is nowhere is pinned.
        let is_there = channels.iter().any(|channel| channel.kind == kind);
        if !(is_there || kind == Kind::X509 && is_carried) {
            channels.push(with_limits(kind, profile));
        }
    }
    Ok(channels)
}

/// A channel with the times of its kind and the limits that the profile sets for what the line signs there.
fn with_limits(kind: Kind, profile: &Profile) -> Channel {
    let mut channel = Channel::new(kind);
    match kind {
        Kind::SamlAnchor => {
            channel.timing.validity = Some(profile.saml.valid_for);
            channel.timing.cache = Some(profile.saml.cache_duration);
        }
        Kind::OpenidAnchor => channel.timing.validity = Some(profile.openid.configuration.usual),
        _ => {}
    }
    channel
}

/// `replaced`: when the next document was signed for the same place, where there is one.
fn add(
    inventory: &mut Inventory,
    noted: &Noted,
    (line, channels): (&Line, &[Channel]),
    replaced: Option<&Instant>,
) -> Result<(), Fault> {
    let issued = noted.time()?;
    match &noted.what {
        What::Made { key, certificate, .. } | What::Certified { key, certificate } => {
            let by = key.parse::<KeyId>()?.version;
            for channel in channels.iter().filter(|channel| channel.kind.method() == Method::OutOfBand) {
                inventory.add(&Signature {
                    lists: Lists::Own,
                    ..signature(certificate, &channel.name, by, issued)?
                });
            }
        }
        What::Signed { key, channel, documents, ends, .. } => {
            let by = key.parse::<KeyId>()?;
            let is_own = by.line == *line;
            // What never ends is gone once the next one is out and the last cache has turned over.
            let gone =
                channels.iter().find(|it| it.name == *channel).zip(replaced).map(|(channel, at)| {
                    When::At(*at).later(channel.timing.delay).later(channel.cache_bound())
                });
            let end = |end: When| gone.filter(|_| end == When::Never).unwrap_or(end);
            for document in documents {
                if is_own {
                    let signature = signature(document, channel, by.version, issued)?;
                    inventory.add(&Signature { expires: end(signature.expires), ..signature });
                }
                for carries in &document.carries {
                    carry(inventory, document, carries, (line, channels), issued)?;
                }
            }
            for (said, count) in ends.iter().filter(|_| is_own) {
                let said = expires(Some(said).filter(|said| *said != NEVER))?;
                inventory.add_many(channel, by.version, end(said), *count);
            }
        }
        What::Seen { digest, of, seen, from, said, .. } => {
            inventory.observe(&receipt(
                of.as_ref().unwrap_or(digest),
                seen,
                from.as_ref(),
                said.as_ref(),
            )?)?;
        }
        What::Elsewhere { key, channel, document, seen, from, said, .. } => {
            let receipt = receipt(&document.digest, seen, from.as_ref(), said.as_ref())?;
            inventory.add(&signature(document, channel, key.parse::<KeyId>()?.version, receipt.seen)?);
            if document.lists() != Lists::Nothing {
                inventory.observe(&receipt)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Adds a document to the channel of the line that it carries keys in: whoever signed it, its keys are what consumers find.
fn carry(
    inventory: &mut Inventory,
    document: &Document,
    carries: &Carries,
    (line, channels): (&Line, &[Channel]),
    issued: Instant,
) -> Result<(), Fault> {
    let channel = channels.iter().find(|channel| channel.kind.name() == carries.channel);
    if let Some(channel) = channel.filter(|_| carries.line == line.to_string()) {
        let lists = Lists::Keys(carries.keys.iter().copied().collect());
        inventory.add(&Signature { by: None, lists, ..signature(document, &channel.name, 0, issued)? });
    }
    Ok(())
}

fn receipt(digest: &str, seen: &str, from: Option<&String>, said: Option<&String>) -> Result<Receipt, Fault> {
    let from = match (from, said) {
        (Some(from), _) => Source::Point(from.clone()),
        (None, said) => Source::Said(said.cloned().unwrap_or_default()),
    };
    Ok(Receipt { digest: parsed(digest)?, seen: Instant::parse(seen)?, from })
}

/// Stands for no end among the ends of a batch.
pub const NEVER: &str = "never";

fn signature(document: &Document, channel: &str, by: u32, issued: Instant) -> Result<Signature, Fault> {
    Ok(Signature {
        artefact: document.name.clone(),
        digest: parsed(&document.digest)?,
        channel: channel.to_owned(),
        by: Some(by),
        issued,
        expires: expires(document.expires.as_ref())?,
        lists: document.lists(),
    })
}

fn expires(end: Option<&String>) -> Result<When, Fault> {
    end.map_or(Ok(When::Never), |end| Instant::parse(end).map(When::At))
}

fn parsed(digest: &str) -> Result<Digest, Fault> {
    digest.parse().map_err(|fault: Fault| JOURNAL.fault(fault.to_string()))
}
