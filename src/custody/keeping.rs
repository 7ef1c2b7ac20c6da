//! Keeping the ledger: what is done to it rather than recorded in it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::vault::{PROGRAM, operator_json};
use super::{Catalogue, Operator, Vault};
use crate::base::clock::Clock;
use crate::base::fault::Fault;
use crate::base::random;
use crate::ledger::{self, Recovered, Recovery};

impl Vault<'_> {
    /// Recovers the ledger of a vault that cannot be opened. Entries that are lost or changed want to be acknowledged.
    pub fn recover(
        folder: &Path,
        operator: &Operator,
        clock: &dyn Clock,
        acknowledge: bool,
        reason: Option<&str>,
    ) -> Result<Recovered, Fault> {
        let catalogue = Catalogue::open(folder)?;
        let about = about("recover", operator, &json!({ "reason": reason }));
        let recovery = Recovery {
            folder: &catalogue.ledger_folder(),
            origin: &catalogue.configuration().origin,
            auditors: &catalogue.auditors()?,
            about: &about,
            acknowledge,
            now: clock.now(),
        };
        ledger::recover(&recovery, Box::new(random::system())).map_err(|fault| fault.but("nothing was changed"))
    }
}

/// What an entry about the ledger says: the act, more, and who did it.
fn about(act: &str, operator: &Operator, more: &Value) -> Map<String, Value> {
    let mut body = Map::from_iter([("act".into(), act.into())]);
    body.extend(more.as_object().cloned().unwrap_or_default());
    body.extend([("operator".into(), operator_json(operator)), ("program".into(), PROGRAM.into())]);
    body
}
