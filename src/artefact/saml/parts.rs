//! What single start tags say of an entity, as plain data.

use super::element::{REMD, XSI};
use crate::format::xml::StartTag;
use crate::policy::{Contact, Endpoint, Registration, Role};

/// What REFEDS calls the contact for incidents (Security Contact Metadata Extension Schema).
const SECURITY_CONTACT: &str = "http://refeds.org/metadata/contactType/security";

pub(super) fn owned(tag: StartTag<'_>, name: &str) -> Option<String> {
    tag.attribute(name).map(str::to_owned)
}

pub(super) fn role(tag: StartTag<'_>) -> Role {
    let name = tag.local();
    let protocols = match name {
        "AffiliationDescriptor" => Some("urn:oasis:names:tc:SAML:2.0:protocol".to_owned()),
        _ => owned(tag, "protocolSupportEnumeration"),
    };
    let is_setting = |namespace: &str, name: &str| {
        namespace.is_empty() && !["protocolSupportEnumeration", "ID"].contains(&name)
    };
    let settings = tag.said().filter(|(namespace, name, _)| is_setting(namespace, name));
    let settings = settings.map(|(_, name, value)| (name.to_owned(), value.to_owned())).collect();
    Role {
        name: name.to_owned(),
        kind: tag.attribute_ns(XSI, "type").map(str::to_owned),
        protocols,
        error_url: owned(tag, "errorURL"),
        signs_requests: matches!(tag.attribute("AuthnRequestsSigned").map(str::trim), Some("true" | "1")),
        settings,
        ..Role::default()
    }
}

/// An endpoint, if it says where.
pub(super) fn endpoint(tag: StartTag<'_>) -> Option<Endpoint> {
    Some(Endpoint {
        service: tag.local().to_owned(),
        binding: owned(tag, "Binding").unwrap_or_default(),
        location: owned(tag, "Location")?,
        response: owned(tag, "ResponseLocation"),
        index: owned(tag, "index"),
        is_default: owned(tag, "isDefault"),
    })
}

pub(super) fn registration(tag: StartTag<'_>) -> Registration {
    Registration {
        authority: owned(tag, "registrationAuthority"),
        instant: owned(tag, "registrationInstant"),
        policies: 0,
    }
}

pub(super) fn contact(tag: StartTag<'_>) -> Contact {
    Contact {
        purpose: owned(tag, "contactType").unwrap_or_default(),
        is_security: tag.attribute_ns(REMD, "contactType") == Some(SECURITY_CONTACT),
        ..Contact::default()
    }
}
