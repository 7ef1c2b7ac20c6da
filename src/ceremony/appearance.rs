//! What was published from the throw-away vault of a rehearsal, as strangers see it: who signed it, and which keys it introduces.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::consumers::{Announced, Artefact};
use super::throwaway::{CONFIGURATION, Throwaway};
use super::verify;
use crate::artefact::Kind;
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::disk::{self, Document};
use crate::base::fault::{Fault, INTERNAL};
use crate::format::jose::{JwkSet, Jws};
use crate::format::json;
use crate::key::PublicKey;
use crate::lifecycle::Method;

const CONFIGURATION_BYTES_MAX: u64 = 4 << 20;

impl Throwaway<'_> {
    /// Notes when the own file of a key is first seen.
    pub(super) fn announce(&mut self, artefact: &Artefact) {
        let Artefact { channel: Some(channel), by: Some(version), appears: seen, .. } = *artefact else {
            return;
        };
        let is_known = self.announced.iter().any(|it| (it.channel, it.version) == (channel, version));
        if !is_known {
            let took_over = self.took_over.filter(|(successor, _)| *successor == version).map(|(_, at)| at);
            let active = if version == 1 { Some(seen) } else { took_over };
            self.announced.push(Announced { channel, version, seen, active, revoked: None });
        }
    }

    /// Tries every key of the line on a file.
    pub(super) fn look(
        &mut self,
        kind: &'static dyn Kind,
        file: String,
        (document, channel, by): (usize, Option<usize>, Option<u32>),
        digest: Digest,
        now: Instant,
    ) -> Result<Artefact, Fault> {
        let path = self.files.join(&file);
        let signed = kind.open_signed(&path)?;
        let try_key = |key: &PublicKey| verify::verify(kind, &signed, std::slice::from_ref(key), now);
        let own = match by {
            Some(by) => usize::try_from(by).ok().and_then(|by| self.keys.get(by.checked_sub(1)?)),
            None => self.signer.as_ref(),
        };
        let found = try_key(own.ok_or_else(|| INTERNAL.fault(format!("{file}: its key was not made")))?)?;
        let verifies =
            (1..).zip(&self.keys).filter(|(_, key)| try_key(key).is_ok()).map(|(by, _)| by).collect();
        let mut lists = self.carried(kind, &signed, document)?;
        for (place, _) in self
            .channels
            .iter()
            .enumerate()
            .filter(|(place, it)| channel == Some(*place) && it.kind.method() == Method::Chained)
        {
            let listed = self.listed(&path, kind)?;
            lists.extend((!listed.is_empty()).then_some((place, listed)));
        }
        let is_there = |place: &usize| channel == Some(*place) || lists.contains_key(place);
        let there: Vec<_> = (0..self.channels.len()).filter(is_there).collect();
        let delays =
            self.channels.iter().enumerate().filter(|(place, _)| there.is_empty() || there.contains(place));
        let delay = delays.map(|(_, channel)| channel.timing.delay).max();
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
            verified: found,
        })
    }

    /// The keys of the line that a document carries, by channel; none where it never did.
    fn carried(
        &mut self,
        kind: &dyn Kind,
        signed: &Document,
        document: usize,
    ) -> Result<BTreeMap<usize, BTreeSet<u32>>, Fault> {
        let found = kind.carries(signed)?;
        let mut lists = BTreeMap::new();
        for (place, channel) in self.channels.iter().enumerate() {
            let is_there = |key: &PublicKey| found.contains(&(channel.kind.name(), key.fingerprint()));
            let own: BTreeSet<u32> =
                (1..).zip(&self.keys).filter(|(_, key)| is_there(key)).map(|(version, _)| version).collect();
            if !own.is_empty() {
                self.listing.insert((document, place));
            }
            if self.listing.contains(&(document, place)) {
                lists.insert(place, own);
            }
        }
        Ok(lists)
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
