//! From the lines of the journal and the profile to what the life of keys is judged by.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::journal::{self, Noted, What};
use super::journal_file::Journal;
use super::outstanding::{self, Found, NEVER};
use super::{Catalogue, Record, withheld};
use crate::base::bytes::Digest;
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;
use crate::key::{KeyId, Line};
use crate::lifecycle::{Channel, History, Kind, Lists, Method, Move, Situation, Step, When};
use crate::policy::{Memory, Profile};

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
        let Found { inventory, beside, withheld } =
            outstanding::of(self.journal()?, line, &outline.channels)?;
        let profile = self.profile(line)?;
        let beside = beside.into_iter().map(|(name, kind)| Channel { name, ..with_limits(kind, &profile) });
        Ok(Situation { inventory, withheld, beside: beside.collect(), ..outline })
    }

    fn profile(&self, line: &Line) -> Result<Profile, Fault> {
        Profile::parse(&self.profile_text(line)?)
            .map_err(|fault| fault.at(format_args!("the profile of {line}")))
    }

    /// The situation without what is outstanding: who signs and which keys documents list does not depend on that.
    fn outline(&self, line: &Line) -> Result<Situation, Fault> {
        let profile = self.profile(line)?;
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
            quorum: usize::try_from(profile.rotation.quorum).unwrap_or(usize::MAX),
            retention: profile.rotation.retention,
            ends,
            ..Situation::new(channels, self.history(line)?)
        })
    }

    /// When the use of a key ends as planned: with its certificate, or, while it is active, after the lifetime that the profile
    /// gives each key from its first activation, whichever is earlier.
    pub fn planned_end(&self, key: &KeyId) -> Result<Option<Instant>, Fault> {
        let situation = self.outline(&key.line)?;
        let lifetime = self.profile(&key.line)?.rotation.lifetime;
        let history = &situation.history;
        let since = history.activated(key.version).filter(|_| history.active() == Some(key.version));
        let planned = since.zip(lifetime).map(|(since, lifetime)| since.after(lifetime)).transpose()?;
        Ok(planned.into_iter().chain(situation.ends.get(&key.version).copied()).min())
    }

    /// Which of the line's channels signatures on documents of this kind live in, and which keys these documents list. A
    /// line whose profile names channels of other kinds only has none for it.
    pub fn channel_for(&self, line: &Line, document: &str) -> Result<(String, Lists), Fault> {
        let situation = self.outline(line)?;
        let kind = Kind::of_document(document);
        let Some(channel) = Channel::of(&situation.channels, document) else {
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
        let withheld = withheld::of(journal, line)?;
        for noted in journal.of(line) {
            let noted = journal.whole(noted)?;
            let What::Signed { key, kind: of, documents, .. } = &noted.what else { continue };
            if of != kind || key.parse::<KeyId>()?.line != *line {
                continue;
            }
            for document in withheld::published(documents, &withheld) {
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

    /// The documents of a line that never end, whose receipt is the end of those before, and that nobody has seen yet: when each
    /// was signed.
    pub fn unseen(&self, line: &Line) -> Result<Vec<(Digest, Instant)>, Fault> {
        Ok(outstanding::Endless::of(self.journal()?, line)?.unseen)
    }

    /// When the line signed so far, and when that ends; of a batch, what ends at the same time counts once.
    pub fn signed(&self, line: &Line) -> Result<Vec<(Instant, When)>, Fault> {
        let mut all = Vec::new();
        let withheld = withheld::of(self.journal()?, line)?;
        self.journal()?.each(Some(line), &mut |noted| {
            let What::Signed { key, documents, ends, .. } = &noted.what else { return Ok(()) };
            if key.parse::<KeyId>()?.line != *line {
                return Ok(());
            }
            let at = noted.time()?;
            let batch = ends.keys().map(|end| Some(end).filter(|end| *end != NEVER));
            let documents = withheld::published(documents, &withheld);
            for end in documents.into_iter().map(|it| it.expires.as_ref()).chain(batch) {
                all.push((at, outstanding::expires(end)?));
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// What the journal says of a record of the document of this kind that the line signed last, or of none. Of a batch, and of
    /// what was signed before records were noted, it does not know which one it left.
    pub fn memory(&self, line: &Line, wanted: &str, record: Option<Digest>) -> Result<Memory, Fault> {
        let (mut memory, mut was_last) = (Memory::Whole, false);
        let record = record.map(|record| record.to_string());
        self.journal()?.each_line(Some(line), &mut |noted| {
            if let What::Signed { key, kind, record: left, .. } = &noted.what
                && kind == wanted
                && key.parse::<KeyId>()?.line == *line
            {
                memory = match (left, &record) {
                    (_, None) => Memory::Gone,
                    (None, Some(_)) => Memory::Whole,
                    (left, record) if left == record => Memory::Whole,
                    _ if was_last => Memory::Earlier,
                    _ => Memory::Gone,
                };
                was_last |= left.is_some() && *left == record;
            }
            Ok(())
        })?;
        Ok(memory)
    }

    /// The digests of all that the line signed documents of this kind about, one by one: batches do not say.
    pub fn subjects(&self, line: &Line, wanted: &str) -> Result<HashSet<String>, Fault> {
        let mut subjects = HashSet::new();
        self.journal()?.each(Some(line), &mut |noted| {
            if let What::Signed { key, kind, documents, .. } = &noted.what
                && kind == wanted
                && key.parse::<KeyId>()?.line == *line
            {
                subjects.extend(documents.iter().filter_map(|document| document.about.clone()));
            }
            Ok(())
        })?;
        Ok(subjects)
    }

    /// When the newest document of each kind that the line signed ends, of a batch the first that does; and the newest one of
    /// each key.
    pub fn newest_ends(&self, line: &Line) -> Result<BTreeMap<(String, Option<u32>), Instant>, Fault> {
        let mut newest = BTreeMap::new();
        let withheld = withheld::of(self.journal()?, line)?;
        self.journal()?.each(Some(line), &mut |noted| {
            let What::Signed { key, kind, documents, ends, .. } = &noted.what else { return Ok(()) };
            let key: KeyId = key.parse()?;
            let documents = withheld::published(documents, &withheld);
            if key.line == *line && !(documents.is_empty() && ends.is_empty()) {
                let batch = ends.keys().filter(|end| *end != NEVER);
                let ends = documents.iter().filter_map(|document| document.expires.as_ref()).chain(batch);
                let first =
                    ends.map(|end| Instant::parse(end)).collect::<Result<Vec<_>, _>>()?.into_iter().min();
                newest.insert((kind.clone(), Some(key.version)), first);
                newest.insert((kind.clone(), None), first);
            }
            Ok(())
        })?;
        Ok(newest.into_iter().filter_map(|(kind, first)| Some((kind, first?))).collect())
    }
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
            let channel = with_limits(kind, profile);
            channels.push(Channel { name: free_name(&channels, kind), ..channel });
        }
    }
    Ok(channels)
}

/// The name of a channel that the profile does not name: that of its kind, unless the profile means another by it.
pub(super) fn free_name(channels: &[Channel], kind: Kind) -> String {
    let is_taken = channels.iter().any(|channel| channel.name == kind.name());
    if is_taken { format!("{kind}, not in the profile") } else { kind.name().to_owned() }
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
