//! An emergency in a rehearsal: the key that signs is stolen, and another takes its place in one ceremony. What consumers reject
//! because of that is no failure, as long as the emergency foretold it; it is told apart, with who still trusts the stolen key.

use super::consumers::{Announced, Consumer, Rejection};
use super::rotate::{self, Moving};
use super::throwaway::{REASON, Throwaway, agreed};
use crate::base::bytes::Digest;
use crate::base::clock::Instant;
use crate::base::fault::Fault;
use crate::custody::Vault;
use crate::lifecycle::{Cause, Channel, Emergency, Move, ORDER, When};

/// What an emergency costs in one channel.
pub struct Exposure {
    /// The channel.
    pub channel: String,
    /// Until when a consumer trusts the stolen key, or encrypts to it; none where nobody does.
    pub trusted_until: Option<Instant>,
    /// Until when the emergency says that somebody may.
    pub foretold: When,
    /// Who the emergency says cannot go on, and until when.
    pub breaks: Option<(&'static str, When)>,
    /// What consumers could not accept meanwhile.
    pub cut_off: Vec<Rejection>,
}

/// An emergency that was rehearsed.
pub struct Incident {
    /// When.
    pub at: Instant,
    /// The stolen key.
    pub revoked: u32,
    /// The key that took its place.
    pub successor: u32,
    /// What it costs, by channel.
    pub exposures: Vec<Exposure>,
}

/// An emergency as it was foreseen when it came.
pub(super) struct Foreseen {
    pub at: Instant,
    pub revoked: u32,
    pub successor: u32,
    pub emergency: Emergency,
}

/// Which moves of which keys, and the time before which each was too early.
pub(super) type Moves = Vec<(Move, u32, Option<Instant>)>;

impl Throwaway<'_> {
    /// Revokes the active key and lets another one sign: a standby key, or one that is made only now.
    pub(super) fn strike(&mut self, vault: &mut Vault<'_>) -> Result<(Foreseen, Moves), Fault> {
        let (line, now) = (self.asked.line, vault.now());
        let mut moves = Vec::new();
        let history = vault.history(line)?;
        let revoked = history.active().ok_or_else(|| ORDER.fault(format!("no key of {line} is active")))?;
        if rotate::emergency(vault, &line.version(revoked), None, now)?.successor.is_none() {
            moves.extend(self.stand_by(vault, history.next_version())?);
        }
        let emergency = rotate::emergency(vault, &line.version(revoked), None, now)?;
        let successor =
            emergency.successor.ok_or_else(|| ORDER.fault(format!("no key of {line} can take over")))?;
        let quorum = vault.situation(line)?.quorum;
        let with = agreed(quorum);
        for (act, version) in [(Move::Revoke, revoked), (Move::Activate, successor)] {
            let plain = Moving::new(line.version(version), act, Some(REASON), &with);
            let cause = if act == Move::Revoke { Cause::Compromised } else { plain.cause };
            self.advance(vault, &Moving { cause, emergency: true, follows: act == Move::Activate, ..plain })?;
            moves.push((act, version, None));
        }
        self.tell(vault, revoked, successor)?;
        Ok((Foreseen { at: now, revoked, successor, emergency }, moves))
    }

    /// People learn of it at once: the stolen key is to go, and the other one to come.
    fn tell(&mut self, vault: &Vault<'_>, revoked: u32, successor: u32) -> Result<(), Fault> {
        let now = vault.now();
        self.took_over = Some((successor, now));
        for known in &mut self.announced {
            match known.version {
                version if version == revoked => known.revoked = Some(now),
                version if version == successor => known.active = Some(now),
                _ => {}
            }
        }
        let certificate = vault.certificate(&self.asked.line.version(successor))?;
        for (place, _) in self.pins() {
            if !self.announced.iter().any(|it| (it.channel, it.version) == (place, successor)) {
                self.unseen.push((now, Digest::of(certificate.as_bytes()), place));
                let told = Announced {
                    channel: place,
                    version: successor,
                    seen: now,
                    active: Some(now),
                    revoked: None,
                };
                self.announced.push(told);
            }
        }
        Ok(())
    }
}

impl Foreseen {
    /// Tells what the emergency costs from what is a failure. Longer than it says is one, too.
    pub(super) fn weigh(
        self,
        channels: &[Channel],
        consumers: &[Consumer],
        rejections: &mut Vec<Rejection>,
    ) -> Incident {
        let mut exposures = Vec::new();
        for (place, channel) in channels.iter().enumerate() {
            let risk = self.emergency.at_risk.iter().find(|it| it.channel == channel.name);
            let foretold = risk.map_or(When::At(self.at), |risk| risk.until);
            let breaks = self.emergency.breaks.iter().find(|it| it.channel == channel.name);
            let breaks = breaks.map(|it| (it.who, it.until));
            let of_it = |it: &mut Rejection| {
                let is_foretold = breaks.is_some_and(|(_, until)| When::At(it.until) <= until);
                it.channel == place && it.at >= self.at && (it.key == Some(self.revoked) || is_foretold)
            };
            let cut_off = rejections.extract_if(.., of_it).collect();
            let trusts =
                |it: &&Consumer| it.channel == place && it.to > self.at && it.trusts.contains(&self.revoked);
            let trusted_until = consumers.iter().filter(trusts).map(|it| it.to).max();
            if let Some(until) = trusted_until.filter(|until| When::At(*until) > foretold) {
                rejections.push(Rejection {
                    at: foretold.instant().unwrap_or(self.at),
                    until,
                    channel: place,
                    key: Some(self.revoked),
                    who: "somebody".into(),
                    file: None,
                    why: format!("#{} is trusted longer than the emergency says", self.revoked),
                });
            }
            let channel = channel.name.clone();
            exposures.push(Exposure { channel, trusted_until, foretold, breaks, cut_off });
        }
        let Self { at, revoked, successor, .. } = self;
        Incident { at, revoked, successor, exposures }
    }
}

#[cfg(test)]
mod tests {
    use super::super::consumers::tests::{artefact, day};
    use super::super::consumers::{Artefact, consumers, rejections};
    use super::super::readers::{Life, Stint};
    use super::*;
    use crate::lifecycle::{AtRisk, Breaks, Kind};

    /// A key is stolen on day 16, and another signs at once. Yields what is cut off from when until when, by whom, until when the
    /// stolen key is trusted, and what is left as failures.
    fn weighed(
        kind: Kind,
        artefacts: &[Artefact],
        announced: &[Announced],
        foretold: i64,
    ) -> (Vec<String>, i64, Vec<String>) {
        let mut channel = Channel::new(kind);
        channel.timing.distribution = crate::base::clock::Span::of_days(10);
        let stint = |version, from, to| Stint { version, from: day(from), to: day(to) };
        let life = Life {
            active: vec![stint(1, 0, 16), stint(2, 16, 50)],
            held: vec![stint(1, 0, 16), stint(2, 0, 50)],
        };
        let name = channel.name.clone();
        let until = When::At(day(foretold)).later(channel.timing.skew);
        let channels = [channel];
        let consumers = consumers(&channels, artefacts, announced, day(50));
        let mut found = rejections(&channels, artefacts, &consumers, &life, day(50));
        let emergency = Emergency {
            key: "example.org/sandbox/x#1".parse().unwrap(),
            now: day(16),
            since: day(16),
            at_risk: vec![AtRisk { channel: name.clone(), signed: 0, listing: 0, never: vec![], until }],
            successor: Some(2),
            breaks: vec![Breaks { channel: name, who: "some", until }],
        };
        let foreseen = Foreseen { at: day(16), revoked: 1, successor: 2, emergency };
        let mut incident = foreseen.weigh(&channels, &consumers, &mut found);
        let told =
            |it: &Rejection| format!("{}-{} {}", it.at.unix() / 86_400, it.until.unix() / 86_400, it.why);
        let [Exposure { trusted_until, cut_off, .. }] = &mut incident.exposures[..] else {
            panic!("one channel")
        };
        let trusted = trusted_until.map_or(0, |at| at.unix() / 86_400);
        (cut_off.iter().map(told).collect(), trusted, found.iter().map(told).collect())
    }

    fn weekly(carries: bool) -> Vec<Artefact> {
        let signed = [0, 7, 14, 16, 21, 28, 35, 42];
        let made = |signed: i64| {
            let by = if signed < 16 { 1 } else { 2 };
            let lists = [(0, [by].into())].into();
            let plain = artefact(by, &[], signed);
            if carries { Artefact { channel: None, by: None, lists, ..plain } } else { plain }
        };
        signed.map(made).into()
    }

    #[test]
    fn who_has_an_old_document_is_cut_off_until_it_turned_over_and_no_longer() {
        // The one without the stolen key is seen on day 18, and three days later in every cache.
        let (cut_off, trusted, failures) = weighed(Kind::SamlSigning, &weekly(true), &[], 21);
        assert_eq!(
            cut_off,
            [
                "16-19 #2 signs, and it lists #1",
                "16-21 #2 signs, and it lists #1",
                "16-16 #1 signed something just before, and it lists #2"
            ]
        );
        assert_eq!((trusted, failures), (21, vec![]));
        // An emergency that foretells too little is found out.
        let (cut_off, _, failures) = weighed(Kind::SamlSigning, &weekly(true), &[], 20);
        assert_eq!(cut_off.len(), 2);
        assert_eq!(
            failures,
            ["16-21 #2 signs, and it lists #1", "20-21 #1 is trusted longer than the emergency says"]
        );
    }

    #[test]
    fn who_encrypts_to_a_stolen_key_is_cut_off_as_long() {
        let (cut_off, trusted, failures) = weighed(Kind::SamlEncryption, &weekly(true), &[], 21);
        let why = "nobody decrypts what is encrypted to #1";
        assert_eq!(cut_off, [format!("16-19 {why}"), format!("16-21 {why}")]);
        assert_eq!((trusted, failures), (21, vec![]));
    }

    #[test]
    fn people_who_bring_another_anchor_take_as_long_as_they_may() {
        let told = |version, seen, active, revoked: Option<i64>| Announced {
            channel: 0,
            version,
            seen: day(seen),
            active: Some(day(active)),
            revoked: revoked.map(day),
        };
        let keys = [told(1, 2, 2, Some(16)), told(2, 16, 16, None)];
        let (cut_off, trusted, failures) = weighed(Kind::X509, &weekly(false), &keys, 26);
        assert_eq!(trusted, 26);
        assert!(
            cut_off.iter().any(|it| it == "23-26 #2 signed it") && failures.is_empty(),
            "{cut_off:?} {failures:?}"
        );
        let (.., failures) = weighed(Kind::X509, &weekly(false), &keys, 25);
        assert!(failures.iter().any(|it| it.contains("trusted longer")), "{failures:?}");
        // Of a pinned key's file, what was signed last ends on day 28.
        let keys = [told(1, 2, 2, Some(16)), told(2, 18, 16, None)];
        let (cut_off, trusted, failures) = weighed(Kind::SamlAnchor, &weekly(false), &keys, 26);
        assert_eq!((cut_off, trusted, failures), (vec![], 26, vec![]));
    }
}
