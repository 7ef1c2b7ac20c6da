//! The situation of a key line: everything that has a say in its next move.

use std::collections::{BTreeMap, BTreeSet};

use super::window::{When, copies_until};
use super::{Channel, History, Inventory, KeyState, Lists, Method, Stage, Visibility};
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;

/// Everything that is known of a key line.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Where consumers find its keys.
    pub channels: Vec<Channel>,
    /// Where else something is outstanding: what its keys signed, or what lists them, and the profile does not name any longer,
    /// or never did. No key is introduced there; the end of one waits for what is there.
    pub beside: Vec<Channel>,
    /// Its moves so far.
    pub history: History,
    /// What is outstanding.
    pub inventory: Inventory,
    /// By key, the names of what it signed and an officer says was never published: nothing waits for it.
    pub withheld: BTreeMap<u32, Vec<String>>,
    /// How many persons a move needs that starts something.
    pub quorum: usize,
    /// How long a key is kept that is retired or revoked.
    pub retention: Span,
    /// When the use of a key ends by itself, as its certificate says.
    pub ends: BTreeMap<u32, Instant>,
}

impl Situation {
    /// The situation of a line with one channel and nothing else to say.
    pub fn new(channels: Vec<Channel>, history: History) -> Self {
        Self {
            channels,
            beside: Vec::new(),
            history,
            inventory: Inventory::default(),
            withheld: BTreeMap::new(),
            quorum: 1,
            retention: Span::of_seconds(0),
            ends: BTreeMap::new(),
        }
    }

    /// The channels of a key: those of the line, and others as long as something of the key is outstanding there.
    pub fn everywhere(&self, version: u32, now: Instant) -> impl Iterator<Item = &Channel> {
        let is_outstanding = move |channel: &&Channel| {
            let end = self.inventory.end(&channel.name, version);
            let margin = |end: When| end.later(channel.timing.skew).later(channel.timing.retire_safety);
            end.is_some_and(|end| !margin(end).has_come(now))
        };
        self.channels.iter().chain(self.beside.iter().filter(is_outstanding))
    }

    /// How far a key is known in a channel.
    pub fn visibility(&self, channel: &Channel, version: u32, now: Instant) -> Result<Visibility, Fault> {
        Ok(Visibility::of(channel, &self.inventory, version, self.history.key(version)?, now))
    }

    /// Whether every consumer has this key, in every channel.
    pub fn is_omnipresent(&self, version: u32, now: Instant) -> bool {
        let seen = |channel| self.visibility(channel, version, now).ok() == Some(Visibility::Omnipresent);
        self.channels.iter().all(seen)
    }

    /// Which keys the next artefact of a channel lists.
    pub fn lists(&self, channel: &Channel) -> Lists {
        let method = channel.kind.method();
        if method.has_own_files() {
            return Lists::Own;
        }
        let listed = |key: &KeyState| match key.standing() {
            Stage::Active => true,
            Stage::Published | Stage::Retiring => method != Method::Replace,
            Stage::Standby => key.published && method != Method::Replace,
            _ => false,
        };
        let keys = self.history.keys().filter(|(_, key)| listed(key)).map(|(version, _)| version);
        Lists::Keys(keys.collect::<BTreeSet<u32>>())
    }

    /// Which keys may sign for a channel now: the active one. A successor that has artefacts of its own signs those: its file
    /// of a double publication, its root certificate. In a double publication its predecessor does too, until its notice is
    /// over.
    pub fn signers(&self, channel: &Channel, now: Instant) -> Vec<u32> {
        let own = channel.kind.method().has_own_files();
        let signs = |key: &KeyState| match key.stage {
            Stage::Active => true,
            Stage::Published => own,
            Stage::Retiring => copies_until(channel, key).is_some_and(|end| When::At(now) < end),
            _ => false,
        };
        self.history.keys().filter(|(_, key)| signs(key)).map(|(version, _)| version).collect()
    }
}
