//! `fedroot init`: a vault and its ledger.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use super::ui::Output;
use super::{Common, operator, parsed};
use crate::base::clock::SystemClock;
use crate::base::fault::Fault;
use crate::custody::{NewVault, Vault};
use crate::key::Environment;
use crate::ledger::{AUDITOR, Auditor};

/// `fedroot init`
#[derive(Args, Debug)]
pub(super) struct Init {
    /// An age recipient who reads the ledger (can be repeated)
    #[arg(long = "auditor", value_name = "age1…", required = true)]
    auditors: Vec<String>,
    /// An environment whose keys the vault may hold: sandbox, staging or prod (can be repeated; all of them by default)
    #[arg(long = "environment", value_name = "ENVIRONMENT", value_parser = parsed::<Environment>)]
    environments: Vec<Environment>,
    /// The name of the ledger, such as fed.example.org/ledger/prod (made from the vault's id by default)
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
}

impl Init {
    pub(super) fn run(self, common: &Common) -> Result<Output, Fault> {
        let folder = common.vault()?;
        let auditors: Vec<_> =
            self.auditors.iter().map(|auditor| Auditor::parse(auditor)).collect::<Result<_, _>>()?;
        let mut named = BTreeSet::new();
        if let Some(twice) = auditors.iter().map(Auditor::to_string).find(|name| !named.insert(name.clone()))
        {
            return Err(AUDITOR.fault(format!("{twice} is named twice")).hint("name each auditor once"));
        }
        let environments =
            if self.environments.is_empty() { Environment::ALL.to_vec() } else { self.environments };
        let new = NewVault { origin: self.origin, environments, auditors };
        let vault = Vault::create(folder, &new, operator(), &SystemClock)?;
        let configuration = vault.configuration();
        let shown = folder.display().to_string();
        let mut output = Output::json(json!({
            "vault": shown,
            "id": configuration.id,
            "origin": configuration.origin,
            "environments": configuration.environments,
            "auditors": configuration.auditors,
        }));
        output.line("a vault stands, and its ledger has begun");
        output.row("vault", &shown);
        output.row("ledger", &configuration.origin);
        for auditor in &configuration.auditors {
            output.row("auditor", auditor);
        }
        output.note("keep ledger/state out of backups: a restored one would look like a rollback");
        output.note(format!(
            "next: fedroot key generate TENANT/sandbox/PURPOSE --algorithm rsa4096 --for saml{}",
            common.vault_flag()
        ));
        Ok(output)
    }
}
