//! What the ledger is told of each act: who, what, why, which digests. Only auditors read it.

use serde_json::{Map, Value, json};

use super::Configuration;
use super::vault::{Delivered, Operator, Origin};
use crate::base::bytes::{Digest, base64, digest_of_list};
use crate::base::fault::Fault;
use crate::key::{KeyId, PublicKey, Scheme, Signature};
use crate::ledger::root_of;
use crate::policy::{Approval, BatchApproval, Confirmed, Finding, Profile, Review};

const FACTS_MAX: usize = 40;
const VALUE_CHARS_MAX: usize = 300;
const WITHDRAWN_NAMED_MAX: usize = 20;

/// The name and version of this program.
const PROGRAM: &str = concat!("fedroot ", env!("CARGO_PKG_VERSION"));

/// Adds why, who, and with which program.
pub(super) fn with_operator(mut body: Value, reason: Option<&str>, operator: &Operator) -> Value {
    if let Some(members) = body.as_object_mut() {
        if let Some(reason) = reason {
            // Whole: the digest of the request covers all of it.
            members.insert("reason".into(), reason.into());
        }
        sign_off(members, operator);
    }
    body
}

/// Adds who, and with which program.
pub(super) fn sign_off(body: &mut Map<String, Value>, operator: &Operator) {
    let who = json!({"user": operator.user, "uid": operator.uid, "host": operator.host});
    body.insert("operator".into(), who);
    body.insert("program".into(), PROGRAM.into());
}

pub(super) fn genesis(configuration: &Configuration) -> Value {
    json!({
        "act": "init",
        "vault": configuration.id,
        "auditors": configuration.auditors,
        "environments": configuration.environments,
    })
}

pub(super) fn denied(act: &str, about: &Value, fault: &Fault) -> Value {
    let mut about = about.clone();
    for value in about.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Value::String(text) = value {
            *text = short(text);
        }
    }
    json!({"act": act, "about": about, "refused": fault_json(fault)})
}

pub(super) fn refused(fault: &Fault) -> Value {
    json!({"refused": fault_json(fault)})
}

pub(super) fn failed(fault: &Fault) -> Value {
    json!({"result": "failed", "fault": fault_json(fault)})
}

pub(super) fn make_intent(
    key: &KeyId,
    origin: &Origin,
    sealed_to: &[String],
    profile_text: &str,
    confirmed: &Confirmed,
) -> Value {
    let (act, algorithm) = match origin {
        Origin::Generate(algorithm) => ("generate", Some(algorithm.name())),
        Origin::Adopt(_) => ("adopt", None),
    };
    json!({
        "act": act,
        "key": key.to_string(),
        "algorithm": algorithm,
        "sealed_to": sealed_to,
        "profile": Profile::digest(profile_text).to_string(),
        "request": confirmed.request().to_string(),
        "confirmed": confirmed.how(),
    })
}

pub(super) fn made(public: &PublicKey, record: Digest, sealed: &[u8]) -> Value {
    json!({
        "result": "made",
        "public": public.fingerprint().to_string(),
        "algorithm": public.algorithm().name(),
        "record": record.to_string(),
        "sealed": Digest::of(sealed).to_string(),
    })
}

pub(super) fn sign_intent(approval: &Approval) -> Value {
    intent_of(approval.review(), approval.public(), approval.scheme(), approval.confirmed())
}

pub(super) fn batch_intent(approval: &BatchApproval) -> Value {
    intent_of(approval.review(), approval.public(), approval.scheme(), approval.confirmed())
}

fn intent_of(review: &Review, public: &PublicKey, scheme: &Scheme, confirmed: &Confirmed) -> Value {
    let facts = review.facts.iter().filter(|fact| fact.path != "entity").take(FACTS_MAX);
    json!({
        "act": "sign",
        "kind": review.kind,
        "key": review.key.to_string(),
        "public": public.fingerprint().to_string(),
        "scheme": scheme.name,
        "document": review.document.to_string(),
        "request": confirmed.request().to_string(),
        "confirmed": confirmed.how(),
        "profile": review.profile.to_string(),
        "facts": facts.map(|fact| json!([fact.path, short(&fact.value)])).collect::<Vec<_>>(),
        "findings": review.findings.iter().map(finding).collect::<Vec<_>>(),
        "first": review.changes.is_none(),
        "changes": review.changes.as_ref().map(|changes| json!({
            "added": changes.added,
            "removed": changes.removed,
            "changed": changes.changed,
            "keys": changes.keys_changed(),
        })),
        "brake_released": review.released.as_deref().map(short),
    })
}

fn finding(finding: &Finding) -> Value {
    let mut value =
        json!({"rule": finding.rule.id, "severity": finding.severity.name(), "count": finding.count});
    if let (Some(waiver), Some(members)) = (&finding.waived, value.as_object_mut()) {
        let waived = json!({
            "subject": short(&waiver.subject),
            "reason": short(&waiver.reason),
            "approver": short(&waiver.approver),
            "expires": waiver.expires.to_string(),
        });
        members.insert("waived".into(), waived);
    }
    value
}

pub(super) fn signed(signatures: &[Signature], delivered: &Delivered) -> Value {
    let mut value = json!({
        "result": "signed",
        "signature": digests(signatures),
        "artefact": delivered.digest.to_string(),
        "name": short(&delivered.document.name),
    });
    if let (false, Some(members)) = (delivered.beside.is_empty(), value.as_object_mut()) {
        let beside = delivered.beside.iter();
        let beside = beside.map(|(name, digest)| json!({"name": short(name), "digest": digest.to_string()}));
        members.insert("beside".into(), beside.collect());
    }
    value
}

/// What became of a batch: how many documents, the digest of the list of their digests, and the Merkle root over them.
pub(super) fn batch_signed(artefacts: &[Digest], of: usize, name: &str, fault: Option<&Fault>) -> Value {
    json!({
        "result": if fault.is_some() { "incomplete" } else { "signed" },
        "count": artefacts.len(),
        "of": of,
        "artefacts": digest_of_list(artefacts).to_string(),
        "root": base64(&root_of(artefacts)),
        "name": short(name),
        "fault": fault.map(fault_json),
    })
}

/// What an interrupted batch had signed, and is published now.
pub(super) fn resumed(key: &KeyId, kind: &str, artefacts: &[Digest], list: &Digest, folder: &str) -> Value {
    json!({
        "act": "resume",
        "key": key.to_string(),
        "kind": kind,
        "count": artefacts.len(),
        "artefacts": list.to_string(),
        "root": base64(&root_of(artefacts)),
        "name": short(folder),
    })
}

/// What is no longer listed: the first of them by name, and all by number.
pub(super) fn withdrawn((key, kind, folder): (&KeyId, &str, &str), ids: &[&str], removes: bool) -> Value {
    json!({
        "act": "withdraw",
        "key": key.to_string(),
        "kind": kind,
        "count": ids.len(),
        "ids": ids.iter().take(WITHDRAWN_NAMED_MAX).map(|id| short(id)).collect::<Vec<_>>(),
        "removed": removes,
        "name": short(folder),
    })
}

pub(super) fn not_delivered(signatures: &[Signature], fault: &Fault) -> Value {
    json!({
        "result": "not delivered",
        "signature": digests(signatures),
        "fault": fault_json(fault),
    })
}

/// The digest of a signature; of several, one for each of the intent's octets.
fn digests(signatures: &[Signature]) -> Value {
    let digests = signatures.iter().map(|signature| Digest::of(signature.as_bytes()).to_string());
    match signatures {
        [_] => digests.collect::<String>().into(),
        _ => digests.collect(),
    }
}

fn fault_json(fault: &Fault) -> Value {
    json!({"code": fault.code().name, "message": short(fault.message())})
}

/// The beginning of a long text, which says that it goes on.
fn short(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
