//! The kinds of entries.

/// What an entry records.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EntryKind {
    /// The ledger begins.
    Genesis,
    /// Auditors, policy or witnesses change.
    Config,
    /// A private key is about to be used.
    Intent,
    /// What became of an intent.
    Outcome,
    /// A key use was refused, before or after its intent.
    Denied,
    /// A key moved to another stage of its life.
    Stage,
    /// Something was handed over and acknowledged.
    Receipt,
    /// A remark.
    Note,
    /// A checkpoint left the machine.
    Checkpoint,
    /// A torn line was found and kept.
    Recovery,
    /// Custodians acknowledged a break and began anew.
    Reseal,
    /// An auditor's challenge.
    Audit,
}

impl EntryKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Genesis,
        Self::Config,
        Self::Intent,
        Self::Outcome,
        Self::Denied,
        Self::Stage,
        Self::Receipt,
        Self::Note,
        Self::Checkpoint,
        Self::Recovery,
        Self::Reseal,
        Self::Audit,
    ];

    /// The name in the line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Config => "config",
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Denied => "denied",
            Self::Stage => "stage",
            Self::Receipt => "receipt",
            Self::Note => "note",
            Self::Checkpoint => "checkpoint",
            Self::Recovery => "recovery",
            Self::Reseal => "reseal",
            Self::Audit => "audit",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether an entry of this kind may close an intent.
    pub(super) const fn may_close(self) -> bool {
        matches!(self, Self::Outcome | Self::Denied)
    }

    /// Whether it must.
    pub(super) const fn must_close(self) -> bool {
        matches!(self, Self::Outcome)
    }

    /// Whether it changes what is known of keys: made, moved, used, seen, or where that broke. The writer remembers the newest
    /// of these.
    pub(super) const fn is_marked(self) -> bool {
        matches!(self, Self::Outcome | Self::Stage | Self::Receipt | Self::Reseal)
    }

    /// Whether only [`recover`](super::recover) writes it.
    pub(super) const fn is_repair(self) -> bool {
        matches!(self, Self::Recovery | Self::Reseal)
    }
}
