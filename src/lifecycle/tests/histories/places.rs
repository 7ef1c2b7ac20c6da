//! What is signed in a history, and where it stands: documents of several lines, kinds and subjects that list keys of the line.
//! Some of them lag behind.

use super::*;

/// Lines that sign documents which carry the keys of others.
pub(crate) const HOSTS: [&str; 2] = ["example.org/prod/host", "example.org/prod/other-host"];

/// The kinds of documents that stand in a channel of this kind.
pub(crate) fn documents(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::SamlSigning | Kind::SamlEncryption => &["saml"],
        Kind::Jwks => &["jwks", "kubernetes"],
        Kind::Spiffe => &["spiffe-bundle"],
        Kind::SamlAnchor | Kind::OpenidAnchor | Kind::X509 => &[],
    }
}

/// One to four places where keys are carried; what an anchor signs stands at one.
pub(super) fn of(kind: Kind, seed: u64) -> Vec<(Option<Place>, Lists)> {
    let mut dice = Dice(seed);
    let mut all = Vec::new();
    for by in HOSTS {
        for kind in documents(kind) {
            for about in ["", "one of many"] {
                let (by, kind, about) = (by.parse().unwrap(), (*kind).to_owned(), about.to_owned());
                all.push((Some(Place { by, kind, about }), Lists::Nothing));
            }
        }
    }
    let more = dice.below(4);
    while all.len() > usize::try_from(1 + more).unwrap() {
        all.remove(usize::try_from(dice.below(i64::try_from(all.len()).unwrap())).unwrap());
    }
    if all.is_empty() { vec![(None, Lists::Nothing)] } else { all }
}

impl Model {
    pub(super) fn ceremony(&mut self) {
        self.sign(false);
        self.next_ceremony = self.now + self.channel().timing.period.seconds();
    }

    /// Signs for the channel; one receipt in three is lost. Unless it is for at once, one in three of those who carry keys still
    /// lists the same as before.
    pub(super) fn sign(&mut self, at_once: bool) {
        let channel = self.channel();
        let wanted = self.situation.lists(&channel);
        if channel.kind.method().is_anchor() {
            for by in self.situation.signers(&channel, at(self.now)) {
                self.put(0, Some(by), &wanted);
            }
            return;
        }
        for place in 0..self.places.len() {
            let before = self.places[place].1.clone();
            let lags = !at_once && self.dice.below(3) == 0 && self.may_stay(&before);
            self.put(place, None, if lags { &before } else { &wanted });
        }
    }

    /// What is revoked stands nowhere any longer.
    fn may_stay(&self, lists: &Lists) -> bool {
        let Lists::Keys(keys) = lists else { return false };
        keys.iter().all(|version| self.situation.history.key(*version).unwrap().revoked.is_none())
    }

    /// Signs one document.
    fn put(&mut self, place: usize, by: Option<u32>, lists: &Lists) {
        let channel = self.channel();
        let name = format!("artefact {}", self.artefacts.len());
        let expires = channel.timing.validity.map_or(When::Never, |span| When::At(at(self.now)).later(span));
        let signed = signature(&name, channel.kind, by, self.now, expires, lists.clone());
        let signed = Signature { place: self.places[place].0.clone(), ..signed };
        self.mirror.signs(&signed);
        self.situation.inventory.add(&signed);
        let appears = self.now + 1 + self.dice.below(channel.timing.delay.seconds());
        let listed = match lists {
            Lists::Keys(keys) => keys.iter().copied().collect(),
            _ => by.into_iter().collect(),
        };
        self.announce(by, appears);
        self.places[place].1 = lists.clone();
        let (signed, expires) = (self.now, second(expires));
        self.artefacts.push(Seen { place, by, lists: listed, signed, appears, expires });
        if self.dice.below(3) > 0 {
            self.receipts.push((name, appears));
        }
    }

    /// People begin to carry an anchor to consumers when an artefact of it appears for the first time.
    fn announce(&mut self, by: Option<u32>, appears: i64) {
        let Some(version) = by.filter(|_| self.channel().kind.method().has_own_files()) else { return };
        let before = self.artefacts.iter().filter(|seen| seen.by == by).map(|seen| seen.appears).min();
        let Some(before) = before else {
            let longest = self.channel().timing.distribution.seconds();
            for consumer in 0..self.consumers.len() {
                self.carried.push((appears + self.dice.below(longest), consumer, version));
            }
            return;
        };
        // A later file overtakes the ones before it.
        for (time, _, _) in self.carried.iter_mut().filter(|(_, _, carried)| *carried == version) {
            *time -= (before - appears).max(0);
        }
    }
}
