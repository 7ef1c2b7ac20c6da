//! `steps.json`: a rehearsal for programs, step by step (docs/formats/rehearsal.md).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::consumers::Rejection;
use super::incident::Incident;
use super::rehearse::{Held, Rehearsed};
use crate::format::jose::thumbprint;
use crate::lifecycle::When;

impl Rehearsed {
    /// The members of `steps.json`.
    pub fn to_json(&self) -> Value {
        let line = &self.plan.line;
        let keys = (1..).zip(&self.keys).map(|(version, key)| {
            json!({
                "key": line.version(version).to_string(),
                "version": version,
                "algorithm": key.algorithm().name(),
                "thumbprint": thumbprint(key),
            })
        });
        let rejections = self.rejections.iter().map(|it| rejection(it, &self.channels));
        json!({
            "rehearsal": 1,
            "line": line.to_string(),
            "from": self.plan.from.to_string(),
            "to": self.plan.until.to_string(),
            "keys": keys.collect::<Vec<_>>(),
            "ceremonies": self.ceremonies.iter().map(step).collect::<Vec<_>>(),
            "consumers": self.consumers.len(),
            "rejections": rejections.collect::<Vec<_>>(),
            "differences": self.differences(),
            "standby": self.standby,
            "emergency": self.incident.as_ref().map(|incident| cost(incident, &self.channels)),
        })
    }
}

/// What somebody could not accept; the channel by its name.
fn rejection(it: &Rejection, channels: &[String]) -> Value {
    json!({
        "at": it.at.to_string(),
        "until": it.until.to_string(),
        "channel": channels.get(it.channel),
        "key": it.key,
        "who": it.who,
        "file": it.file,
        "why": it.why,
    })
}

/// What an emergency costs.
fn cost(incident: &Incident, channels: &[String]) -> Value {
    let told = |when: When| when.instant().map(|at| at.to_string());
    let exposures = incident.exposures.iter().map(|it| {
        json!({
            "channel": it.channel,
            "trusted_until": it.trusted_until.map(|at| at.to_string()),
            "foretold_until": told(it.foretold),
            "breaks": it.breaks.map(|(who, until)| json!({"who": who, "until": told(until)})),
            "cut_off": it.cut_off.iter().map(|it| rejection(it, channels)).collect::<Vec<_>>(),
        })
    });
    json!({
        "at": incident.at.to_string(),
        "revoked": incident.revoked,
        "successor": incident.successor,
        "exposures": exposures.collect::<Vec<_>>(),
    })
}

fn step(held: &Held) -> Value {
    let moves = held.moves.iter().map(|(act, version, waited)| {
        json!({
            "act": act.name(),
            "key": version,
            "not_before": waited.map(|at| at.to_string()),
        })
    });
    let files = held.artefacts.iter().map(|it| {
        json!({
            "file": it.file,
            "kind": it.kind,
            "signed_by": it.by,
            "digest": it.digest.to_string(),
            "appears": it.appears.to_string(),
            "valid_until": it.verified.valid_until.map(|at| at.to_string()),
            "lists": it.lists.values().flatten().collect::<BTreeSet<_>>(),
        })
    });
    json!({
        "at": held.at.to_string(),
        "moves": moves.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "trusted": held.trusted,
    })
}
