//! The stage machine as a table: which move leads from which stage to which, who may ask for it, and how severe it is.
//!
//! Sources: NIST SP 800-57 part 1, section 7 (key states); SPIRE's authorities (explicit versions, an active one is never
//! retired directly). Stopping a key needs one person; starting it needs what the profile asks for.

use std::fmt;
use std::str::FromStr;

use super::{FINAL, NO_KEY, ORDER, STAGE, SUSPENDED, Stage};
use crate::base::fault::{Code, Fault};

/// A step in the life of a key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Move {
    /// Makes the next key of the line.
    Generate,
    /// Keeps a new key for emergencies.
    Standby,
    /// From now on the artefacts of the line list the key.
    Publish,
    /// The key signs; the one before retires, in the same act.
    Activate,
    /// The key before signs again; the active one retires, in the same act.
    Rollback,
    /// The artefacts list the key no longer, and it signs nothing.
    Retire,
    /// Its private half goes.
    Destroy,
    /// It signs nothing until it is resumed.
    Suspend,
    /// It goes back to the stage it was suspended at.
    Resume,
    /// It signs nothing ever again.
    Revoke,
}

/// Who may ask for a move.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
    /// One person, and the key's passphrase is not asked for: stopping is easy.
    Anyone,
    /// The operator of the vault.
    Operator,
    /// As many as the profile asks for.
    Quorum,
}

/// One row of the table: a move and what it asks for.
pub struct Row {
    /// The move.
    pub act: Move,
    /// Its name on the command line and in the ledger.
    pub name: &'static str,
    /// From which stage to which. No stage before: the key does not exist yet. No stage after: the one before the suspension.
    pub steps: &'static [(Option<Stage>, Option<Stage>)],
    /// Who may ask for it.
    pub who: Who,
    /// Whether it wants a confirmation in words.
    pub severe: bool,
    /// Whether a reason has to go on record.
    pub reason: bool,
}

const fn row(
    act: Move,
    name: &'static str,
    steps: &'static [(Option<Stage>, Option<Stage>)],
    who: Who,
    severe: bool,
    reason: bool,
) -> Row {
    Row { act, name, steps, who, severe, reason }
}

const GENERATED: Option<Stage> = Some(Stage::Generated);
const STANDBY: Option<Stage> = Some(Stage::Standby);
const PUBLISHED: Option<Stage> = Some(Stage::Published);
const ACTIVE: Option<Stage> = Some(Stage::Active);
const RETIRING: Option<Stage> = Some(Stage::Retiring);
const RETIRED: Option<Stage> = Some(Stage::Retired);
const DESTROYED: Option<Stage> = Some(Stage::Destroyed);
const SUSPENSION: Option<Stage> = Some(Stage::Suspended);
const REVOKED: Option<Stage> = Some(Stage::Revoked);

const SUSPENDS: &[(Option<Stage>, Option<Stage>)] = &[
    (GENERATED, SUSPENSION),
    (STANDBY, SUSPENSION),
    (PUBLISHED, SUSPENSION),
    (ACTIVE, SUSPENSION),
    (RETIRING, SUSPENSION),
];

/// A destroyed key stays destroyed; that it was compromised before still goes on record (OpenID Federation, section 8.7).
const REVOKES: &[(Option<Stage>, Option<Stage>)] = &[
    (GENERATED, REVOKED),
    (STANDBY, REVOKED),
    (PUBLISHED, REVOKED),
    (ACTIVE, REVOKED),
    (RETIRING, REVOKED),
    (RETIRED, REVOKED),
    (SUSPENSION, REVOKED),
    (DESTROYED, DESTROYED),
];

/// The table.
const MOVES: [Row; 10] = [
    row(Move::Generate, "generate", &[(None, GENERATED)], Who::Operator, false, false),
    row(Move::Standby, "standby", &[(GENERATED, STANDBY)], Who::Operator, false, false),
    row(Move::Publish, "publish", &[(GENERATED, PUBLISHED), (STANDBY, STANDBY)], Who::Quorum, false, false),
    row(Move::Activate, "activate", &[(PUBLISHED, ACTIVE), (STANDBY, ACTIVE)], Who::Quorum, true, false),
    row(Move::Rollback, "rollback", &[(RETIRING, ACTIVE)], Who::Quorum, true, true),
    row(
        Move::Retire,
        "retire",
        &[(RETIRING, RETIRED), (PUBLISHED, RETIRED), (STANDBY, RETIRED)],
        Who::Quorum,
        false,
        false,
    ),
    row(
        Move::Destroy,
        "destroy",
        &[(GENERATED, DESTROYED), (RETIRED, DESTROYED), (REVOKED, DESTROYED)],
        Who::Quorum,
        true,
        false,
    ),
    row(Move::Suspend, "suspend", SUSPENDS, Who::Anyone, false, true),
    row(Move::Resume, "resume", &[(SUSPENSION, None)], Who::Quorum, true, true),
    row(Move::Revoke, "revoke", REVOKES, Who::Anyone, true, true),
];

impl Move {
    /// Every move.
    pub fn all() -> impl Iterator<Item = Self> {
        MOVES.iter().map(|row| row.act)
    }

    /// Its row in the table.
    pub fn row(self) -> &'static Row {
        let [first, ..] = &MOVES;
        MOVES.iter().find(|row| row.act == self).unwrap_or(first)
    }

    /// Its name on the command line and in the ledger.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The stage after this move. `from`: the stage now, none for a key that does not exist; `before`: the stage that a
    /// suspended key goes back to.
    ///
    /// # Errors
    /// [`FINAL`], [`SUSPENDED`], [`NO_KEY`] or [`ORDER`]: the table has no such step.
    pub fn step(self, from: Option<Stage>, before: Option<Stage>) -> Result<Stage, &'static Code> {
        let found = self.row().steps.iter().find(|(start, _)| *start == from);
        match (found.and_then(|(_, end)| end.or(before)), from) {
            (Some(end), _) => Ok(end),
            (None, Some(Stage::Revoked | Stage::Destroyed)) => Err(&FINAL),
            (None, Some(Stage::Suspended)) => Err(&SUSPENDED),
            (None, None) => Err(&NO_KEY),
            (None, Some(_)) => Err(&ORDER),
        }
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Move {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::all()
            .find(|act| act.name() == text)
            .ok_or_else(|| STAGE.fault(format!("there is no move '{text}' in the life of a key")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each stage, none first: what each move of the table leads to, in its order. `=` is the stage before a suspension.
    const MATRIX: &[(&str, [&str; 10])] = &[
        (
            "-",
            [
                "generated",
                "no-key",
                "no-key",
                "no-key",
                "no-key",
                "no-key",
                "no-key",
                "no-key",
                "no-key",
                "no-key",
            ],
        ),
        (
            "generated",
            [
                "order",
                "standby",
                "published",
                "order",
                "order",
                "order",
                "destroyed",
                "suspended",
                "order",
                "revoked",
            ],
        ),
        (
            "standby",
            [
                "order",
                "order",
                "standby",
                "active",
                "order",
                "retired",
                "order",
                "suspended",
                "order",
                "revoked",
            ],
        ),
        (
            "published",
            [
                "order",
                "order",
                "order",
                "active",
                "order",
                "retired",
                "order",
                "suspended",
                "order",
                "revoked",
            ],
        ),
        (
            "active",
            ["order", "order", "order", "order", "order", "order", "order", "suspended", "order", "revoked"],
        ),
        (
            "retiring",
            [
                "order",
                "order",
                "order",
                "order",
                "active",
                "retired",
                "order",
                "suspended",
                "order",
                "revoked",
            ],
        ),
        (
            "retired",
            ["order", "order", "order", "order", "order", "order", "destroyed", "order", "order", "revoked"],
        ),
        (
            "destroyed",
            ["final", "final", "final", "final", "final", "final", "final", "final", "final", "destroyed"],
        ),
        (
            "suspended",
            [
                "suspended!",
                "suspended!",
                "suspended!",
                "suspended!",
                "suspended!",
                "suspended!",
                "suspended!",
                "suspended!",
                "=",
                "revoked",
            ],
        ),
        (
            "revoked",
            ["final", "final", "final", "final", "final", "final", "destroyed", "final", "final", "final"],
        ),
    ];

    #[test]
    fn every_stage_and_move_is_allowed_or_refused_with_a_code() {
        let stages: Vec<Option<Stage>> = std::iter::once(None).chain(Stage::ALL.map(Some)).collect();
        assert_eq!(MATRIX.len(), stages.len());
        for stage in stages {
            let name = stage.map_or("-", Stage::name);
            let (_, row) = MATRIX.iter().find(|(from, _)| *from == name).unwrap();
            for (act, expected) in Move::all().zip(row) {
                let shown = match act.step(stage, Some(Stage::Retiring)) {
                    Ok(Stage::Retiring) => "=".to_owned(),
                    Ok(to) => to.name().to_owned(),
                    Err(code) if code == &SUSPENDED => "suspended!".to_owned(),
                    Err(code) => code.name.trim_start_matches("rotate.").to_owned(),
                };
                assert_eq!(shown, *expected, "{name} {act}");
            }
        }
    }

    #[test]
    fn stopping_is_easy_and_starting_is_not() {
        for act in Move::all() {
            let row = act.row();
            assert_eq!(row.act, act);
            assert_eq!(act.name().parse::<Move>().unwrap(), act);
            let stops = matches!(act, Move::Suspend | Move::Revoke);
            assert_eq!(row.who == Who::Anyone, stops, "{act}");
            assert!(!stops || row.reason, "{act}");
            let starts = row.steps.iter().any(|(_, to)| to.is_none() || *to == Some(Stage::Active));
            assert!(!starts || (row.who == Who::Quorum && row.severe), "{act}");
        }
        assert_eq!("rotate".parse::<Move>().unwrap_err().code(), &STAGE);
    }
}
