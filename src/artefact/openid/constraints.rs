//! What superiors allow below them (OpenID Federation 1.0, section 6.2), and what their policies make of a subject's metadata.

use std::collections::HashSet;

use super::CHAIN;
use super::identifier::{is_address, is_within};
use super::metadata_policy::MetadataPolicy;
use super::statement::Statement;
use crate::base::fault::Fault;
use crate::format::json::{Map, Value};

/// The entity type that is always allowed.
const FEDERATION: &str = "federation_entity";

/// Checks the constraints of every statement, each for itself. `statements[n]` is by `entities[n + 1]` about `entities[n]`.
pub(super) fn check(statements: &[&Statement], entities: &[&str]) -> Result<(), Fault> {
    for (n, statement) in statements.iter().enumerate() {
        let Some(constraints) = statement.get("constraints") else { continue };
        let superior = statement.iss();
        let between = u64::try_from(n).unwrap_or(u64::MAX);
        if let Some(max) = constraints.get("max_path_length").and_then(Value::as_u64)
            && between > max
        {
            return Err(CHAIN.fault(format!(
                "{superior} allows {max} intermediates between itself and a subject, and there are {between}"
            )));
        }
        let Some(names) = constraints.get("naming_constraints") else { continue };
        let list = |part: &str| names.get(part).and_then(Value::as_array);
        let within = |list: &[Value], entity: &str| {
            list.iter().filter_map(Value::as_str).any(|constraint| is_within(entity, constraint))
        };
        for entity in entities.iter().take(n + 1) {
            // No name is within an address: it would slip past what is excluded (RFC 5280, section 4.2.1.10).
            if is_address(entity) {
                return Err(CHAIN.fault(format!("{superior} constrains names, and {entity} has an address")));
            }
            if list("excluded").is_some_and(|list| within(list, entity)) {
                return Err(CHAIN.fault(format!("{superior} excludes the name of {entity}")));
            }
            if list("permitted").is_some_and(|list| !within(list, entity)) {
                return Err(CHAIN.fault(format!("{superior} does not permit the name of {entity}")));
            }
        }
    }
    Ok(())
}

/// What comes of the subject's metadata: first what its superior states, then the types that all superiors allow, then the
/// policies of all superiors, merged from the anchor down (section 6.1.4.2).
pub(super) fn resolve(
    subject: &Statement,
    statements: &[&Statement],
) -> Result<(Map<String, Value>, MetadataPolicy), Fault> {
    let mut metadata = subject.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    let stated = statements.first().and_then(|superior| superior.get("metadata")?.as_object());
    for (entity_type, parameters) in stated.into_iter().flatten() {
        if let (Some(Value::Object(own)), Some(parameters)) =
            (metadata.get_mut(entity_type), parameters.as_object())
        {
            own.extend(parameters.clone());
        }
    }
    let mut policy = MetadataPolicy::default();
    for statement in statements.iter().rev() {
        let allowed = statement.get("constraints").and_then(|own| own.get("allowed_entity_types"));
        if let Some(allowed) = allowed.and_then(Value::as_array) {
            let allowed: HashSet<&str> = allowed.iter().filter_map(Value::as_str).collect();
            metadata
                .retain(|entity_type, _| entity_type == FEDERATION || allowed.contains(entity_type.as_str()));
        }
        if let Some(own) = statement.get("metadata_policy") {
            let at = |fault: Fault| fault.at(format!("the policy of {}", statement.iss()));
            policy = policy.merge(&MetadataPolicy::read(own).map_err(at)?).map_err(at)?;
        }
    }
    policy.apply(&mut metadata)?;
    Ok((metadata, policy))
}
