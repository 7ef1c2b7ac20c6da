//! Who answers the questions of an act, where a test calls it as a program would.

use fedroot::base::fault::{Fault, INTERNAL};
use fedroot::base::recipient::Identities;
use fedroot::base::secret::Secret;
use fedroot::ceremony::Approver;
use fedroot::custody::Prompt;
use fedroot::key::KeyId;
use fedroot::policy::{Confirmation, Request, Review};

use super::{Folder, identities};

/// Confirms everything by its digest, as a script does; opens keys with the auditor's identity, and does something first: after
/// the review, before the intent.
pub(crate) struct Answers<'a>(pub(crate) &'a Folder, pub(crate) &'a dyn Fn(&KeyId));

impl Prompt for Answers<'_> {
    fn passphrase(&mut self, _: &KeyId) -> Result<Secret<String>, Fault> {
        Err(INTERNAL.fault("there is no passphrase"))
    }

    fn new_passphrase(&mut self, key: &KeyId) -> Result<Secret<String>, Fault> {
        self.passphrase(key)
    }

    fn identities(&mut self, key: &KeyId) -> Result<Identities, Fault> {
        (self.1)(key);
        Ok(identities(self.0))
    }
}

impl Approver for Answers<'_> {
    fn show(&mut self, _: &Review) -> Result<(), Fault> {
        Ok(())
    }

    fn confirm(&mut self, request: &Request) -> Result<Confirmation, Fault> {
        Ok(Confirmation::Digest(request.digest()))
    }
}
