//! Documents of OpenID Federation: every rule has a vector that triggers it and one that does not; what others made is taken
//! or refused for its reason.

use std::collections::BTreeSet;
use std::fs;

use fedroot::artefact::openid::{Form, MetadataPolicy, Statement};
use fedroot::base::bytes::base64url;
use fedroot::base::clock::Instant;
use fedroot::format::jose::{JwkSet, Jws};
use fedroot::format::json::{Map, Value};
use fedroot::policy::{RULES, Severity};

use crate::support::{corpus, files, root};

const NOW: &str = "2026-11-22T12:00:00Z";

fn now() -> Instant {
    Instant::parse(NOW).unwrap()
}

fn load(path: &std::path::Path) -> Option<Value> {
    Some(serde_json::from_slice(&fs::read(path).ok()?).unwrap())
}

/// A compact JWS with a signature that nobody looks at.
pub(crate) fn compact(document: &Value) -> String {
    let part = |name: &str| base64url(document[name].to_string().as_bytes());
    format!("{}.{}.AAAA", part("header"), part("claims"))
}

/// Puts compact JWS in the place of `{"$jws": …}`.
fn expand(value: &mut Value) {
    if let Some(inner) = value.get_mut("$jws") {
        expand(inner);
        *value = compact(inner).into();
        return;
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(expand),
        Value::Object(members) => members.values_mut().for_each(expand),
        _ => {}
    }
}

fn patched(mut document: Value, vector: &Value) -> Value {
    for (pointer, value) in vector["set"].as_object().into_iter().flatten() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let place = document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
        let name = name.replace("~1", "/");
        match place {
            Value::Array(all) => all[name.parse::<usize>().unwrap()] = value.clone(),
            place => place[name] = value.clone(),
        }
    }
    for pointer in vector["remove"].as_array().into_iter().flatten() {
        let (parent, name) = pointer.as_str().unwrap().rsplit_once('/').unwrap();
        let removed =
            document.pointer_mut(parent).and_then(|place| place.as_object_mut()?.shift_remove(name));
        assert!(removed.is_some(), "{pointer}");
    }
    expand(&mut document);
    document
}

/// The rules that a document breaks. Where its form is given, a configuration is not taken for a statement.
fn broken(form: &str, document: &Value) -> BTreeSet<String> {
    let form = Form::ALL.into_iter().find(|own| own.name() == form).unwrap();
    let statement = match Statement::read(&compact(document)) {
        Ok(statement) if statement.form() == form => statement,
        Ok(_) => Statement::new(form, document["claims"].as_object().unwrap().clone()),
        Err(fault) => {
            let (_, rule) = fault.message().rsplit_once('[').unwrap_or_else(|| panic!("{fault:?}"));
            return BTreeSet::from([rule.trim_end_matches(']').to_owned()]);
        }
    };
    statement.check(now()).into_iter().map(|found| found.rule.to_owned()).collect()
}

#[test]
fn every_rule_of_openid_has_a_vector_that_triggers_it_and_one_that_does_not() {
    let folder = root().join("tests/vectors/openid-rules");
    let base = load(&folder.join("base.json")).unwrap();
    for form in Form::ALL {
        let found = broken(form.name(), &patched(base[form.name()].clone(), &Value::Null));
        assert!(found.is_empty(), "{}: {found:?}", form.name());
    }
    let mut faults = Vec::new();
    // Those that need a key line and its past have vectors of another shape.
    let others = crate::openid_signing::vectors();
    for rule in RULES.iter().filter(|rule| rule.kind == "openid" && !others.contains_key(rule.id)) {
        for (name, triggers) in [("bad", true), ("good", false)] {
            let Some(vector) = load(&folder.join(rule.id).join(format!("{name}.json"))) else {
                faults.push(format!("{}: there is no {name}.json", rule.id));
                continue;
            };
            let form = vector["form"].as_str().unwrap();
            let found = match form {
                "chain" => crate::openid_anchors::noted(&vector),
                form => broken(form, &patched(base[form].clone(), &vector)),
            };
            if found.contains(rule.id) != triggers {
                faults.push(format!("{}: {name}.json triggers {found:?}", rule.id));
            }
        }
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "ORIGIN" && name != "base.json" && !RULES.iter().any(|rule| rule.id == name) {
            faults.push(format!("{name}: there is no such rule"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Every rule a check names is in the table.
#[test]
fn every_rule_that_a_check_names_is_in_the_table() {
    for path in files(&root().join("src/artefact/openid"), ".rs") {
        let text = fs::read_to_string(&path).unwrap();
        for name in
            text.split('"').filter(|part| part.starts_with("openid.") && part.matches('.').count() >= 1)
        {
            let is_rule = RULES.iter().any(|rule| rule.id == name);
            let is_code = [
                "openid.policy",
                "openid.metadata",
                "openid.statement",
                "openid.chain",
                "openid.history",
                "openid.trust-mark",
            ];
            assert!(is_rule || is_code.contains(&name), "{}: {name}", path.display());
        }
    }
}

/// What each broken document of the corpus breaks: a rule, or the code of a reader below.
const REASONS: &[(&str, &str)] = &[
    ("typ-jwt", "openid.header.typ"),
    ("no-kid", "openid.header.kid"),
    ("empty-kid", "openid.header.kid"),
    ("bad-sig", "jws.signature"),
    ("alg-none", "jws.algorithm"),
    ("no-iss", "openid.claim.missing"),
    ("no-sub", "openid.claim.missing"),
    ("no-iat", "openid.claim.missing"),
    ("no-exp", "openid.claim.missing"),
    ("no-jwks", "openid.claim.missing"),
    ("expired", "openid.exp.past"),
    ("iat-future", "openid.iat.future"),
    ("exp-string", "openid.claim.type"),
    ("jwk-no-kid", "openid.jwks.kid"),
    ("jwks-private", "openid.key.private"),
    ("crit-standard-claim", "openid.crit.malformed"),
    ("crit-unknown", "openid.crit.unknown"),
    ("crit-empty", "openid.crit.malformed"),
    ("ec-with-metadata-policy", "openid.claim.forbidden"),
    ("ec-with-constraints", "openid.claim.forbidden"),
    ("authority-hints-empty", "openid.hints.empty"),
    ("ta-with-authority-hints", "openid.hints.empty"),
    ("fed-entity-jwks", "openid.metadata.jwks"),
    ("ta-no-fetch-endpoint", "openid.endpoint.missing"),
    ("sub-http", "openid.id.syntax"),
    ("aud-present", "openid.claim.forbidden"),
    ("duplicate-member", "json.duplicate"),
    ("ss-with-authority-hints", "openid.claim.forbidden"),
    ("ss-with-trust-marks", "openid.claim.forbidden"),
    ("ss-policy-crit-empty", "openid.policy-crit.malformed"),
    ("ss-policy-crit-unknown", "openid.policy-crit.unknown"),
    ("ss-policy-bad-combination", "openid.policy.malformed"),
    ("ss-policy-value-not-subset", "openid.policy.malformed"),
    ("ss-policy-null-essential", "openid.policy.malformed"),
    ("ss-max-path-negative", "openid.constraints.path"),
    ("ss-allowed-types-federation-entity", "openid.constraints.types"),
    ("tm-no-typ", "openid.header.typ"),
    ("tm-legacy-id", "openid.trust-mark.legacy"),
    ("hist-no-exp", "openid.history.exp"),
    ("hist-revoked-no-at", "openid.history.revoked"),
    ("hist-jwks-claim", "openid.history.claim"),
];

/// Everything that blocks a document: what its readers refuse, its rules, and its signature by the keys of its issuer.
fn refusals(text: &str, issuers: &JwkSet) -> Vec<String> {
    let statement = match Statement::read(text) {
        Ok(statement) => statement,
        Err(fault) => {
            let rule =
                fault.message().rsplit_once('[').map(|(_, rule)| rule.trim_end_matches(']').to_owned());
            return vec![rule.unwrap_or_else(|| fault.code().name.to_owned())];
        }
    };
    let blocks = |id: &str| RULES.iter().any(|rule| rule.id == id && rule.severity == Severity::Block);
    let mut found: Vec<String> =
        statement.check(now()).into_iter().map(|found| found.rule.to_owned()).collect();
    found.retain(|rule| blocks(rule));
    let jws: &Jws = statement.jws().unwrap();
    if let Some(jwk) = jws.header().kid().and_then(|kid| issuers.find(kid))
        && let Err(fault) = jws.verify(jwk)
    {
        found.push(fault.code().name.to_owned());
    }
    found
}

#[test]
fn each_broken_document_is_refused_for_the_reason_it_was_made_for() {
    let Some(corpus) = corpus("documents that break one rule each") else { return };
    let made = corpus.join("jose/made");
    let configuration = fs::read_to_string(made.join("valid/ta-ec.jwt")).unwrap();
    let issuers = Statement::read(&configuration).unwrap().keys().unwrap();
    let expected = load(&made.join("invalid/EXPECT.json")).unwrap();
    let mut faults = Vec::new();
    for path in files(&made.join("invalid"), ".jwt") {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (_, reason) =
            REASONS.iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("{name} has no reason"));
        let found = refusals(&fs::read_to_string(&path).unwrap(), &issuers);
        if !found.iter().any(|rule| rule == reason) {
            faults.push(format!("{name} ({}): {found:?}, not {reason}", expected[name]));
        }
        // One thing is wrong with each: nothing else is said to be.
        let alone = found.iter().all(|rule| rule == reason);
        if !alone && !["ta-with-authority-hints", "jwk-no-kid"].contains(&name) {
            faults.push(format!("{name}: {found:?} beside {reason}"));
        }
    }
    assert_eq!((REASONS.len(), expected.as_object().unwrap().len()), (41, 41));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn what_others_made_well_is_taken() {
    let Some(corpus) = corpus("well-made documents of a federation") else { return };
    let valid = corpus.join("jose/made/valid");
    let mut keys = Vec::new();
    for name in ["ta-ec", "int-ec", "op-ec"] {
        let text = fs::read_to_string(valid.join(format!("{name}.jwt"))).unwrap();
        keys.extend(Statement::read(&text).unwrap().keys().unwrap().keys);
    }
    let owner = Statement::read(&fs::read_to_string(valid.join("ta-ec.jwt")).unwrap()).unwrap();
    let owner = &owner.get("trust_mark_owners").unwrap()["https://refeds.org/sirtfi"]["jwks"];
    keys.extend(JwkSet::read(owner).unwrap().keys);
    let (issuers, mut forms) = (JwkSet { keys, unused: vec![] }, BTreeSet::new());
    for path in files(&valid, ".jwt") {
        let text = fs::read_to_string(&path).unwrap();
        let found = refusals(&text, &issuers);
        assert!(found.is_empty(), "{}: {found:?}", path.display());
        let statement = Statement::read(&text).unwrap();
        let kid = statement.header().unwrap().kid().unwrap().to_owned();
        assert!(issuers.find(&kid).is_some(), "{}: nothing verified it", path.display());
        forms.insert(statement.form().name());
    }
    assert_eq!(forms.len(), Form::ALL.len(), "{forms:?}");
}

/// The printed figures of the standard: their keys are cut, they expired long ago, and a few are not complete.
#[test]
fn the_figures_of_the_standard_are_of_the_shape_we_know() {
    let Some(corpus) = corpus("the figures of the standard") else { return };
    let (mut read, mut policies) = (0, 0);
    for path in files(&corpus.join("jose/oidf-spec"), ".json") {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let value = load(&path).unwrap();
        let Some(claims) = value.as_object() else { continue };
        if let Some(policy) = claims.get("metadata_policy") {
            assert!(MetadataPolicy::read(policy).is_ok(), "{name}");
            policies += 1;
        }
        let Some(form) = form_of(&name, claims) else { continue };
        let at = Statement::new(form, claims.clone()).date("iat").unwrap();
        for found in Statement::new(form, claims.clone()).check(at) {
            let is_known = match found.rule {
                // Cut keys; warnings.
                "openid.jwks.malformed"
                | "openid.jwks.short"
                | "openid.trust-mark.exp"
                | "openid.jwk-set.exp"
                | "openid.jwks.weak"
                | "openid.organization-name.missing"
                | "openid.trust-mark.malformed" => true,
                // "crit": ["jti"] and "metadata_policy_crit": ["regexp"] of figure 1.
                "openid.crit.unknown" | "openid.policy-crit.unknown" => name.starts_with("01"),
                // Intermediates without a list endpoint; explicit registration has an audience.
                "openid.endpoint.missing" => ["16", "33", "35", "31"].iter().any(|own| name.starts_with(own)),
                // A part of a configuration.
                "openid.claim.missing" | "openid.iat.future" => name.starts_with("16"),
                "openid.claim.forbidden" => ["42", "43"].iter().any(|own| name.starts_with(own)),
                _ => false,
            };
            assert!(is_known, "{name}: {found}");
        }
        read += 1;
    }
    assert!(read >= 20 && policies >= 4, "{read} {policies}");
}

fn form_of(name: &str, claims: &Map<String, Value>) -> Option<Form> {
    if name.contains("header") || name.contains("resolve") || !claims.contains_key("iat") {
        return None;
    }
    let typ = match name {
        _ if name.contains("delegation-jwt") => "trust-mark-delegation+jwt",
        _ if name.contains("status-response") => "trust-mark-status-response+jwt",
        _ if claims.contains_key("keys") => "jwk-set+jwt",
        _ if claims.contains_key("trust_mark_type") => "trust-mark+jwt",
        _ if claims.contains_key("exp") => "entity-statement+jwt",
        _ => return None,
    };
    Form::of(typ, claims)
}
