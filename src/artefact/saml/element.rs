//! The elements that matter here, and what else there is to say of a start tag: looked up once for each that comes again.

use super::MD;
use super::bare::Number;
use super::oddities::Oddities;
use crate::format::xml::{StartTag, dsig};

pub(super) const MDRPI: &str = "urn:oasis:names:tc:SAML:metadata:rpi";
pub(super) const MDUI: &str = "urn:oasis:names:tc:SAML:metadata:ui";
pub(super) const MDATTR: &str = "urn:oasis:names:tc:SAML:metadata:attribute";
pub(super) const SHIBMD: &str = "urn:mace:shibboleth:metadata:1.0";
pub(super) const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(super) const IDPDISC: &str = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol";
pub(super) const INIT: &str = "urn:oasis:names:tc:SAML:profiles:SSO:request-init";
pub(super) const ALG: &str = "urn:oasis:names:tc:SAML:metadata:algsupport";
pub(super) const FED: &str = "http://docs.oasis-open.org/wsfed/federation/200706";
pub(super) const WSA: &str = "http://www.w3.org/2005/08/addressing";
pub(super) const REMD: &str = "http://refeds.org/metadata";
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// What an element is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Element {
    /// Nothing that is looked at.
    Other,
    /// An endpoint, if it has a location, or nothing that is looked at.
    Metadata,
    Group,
    Entity,
    Role,
    KeyDescriptor,
    RequestedAttribute,
    ContactPerson,
    EmailAddress,
    Organization,
    OrganizationText,
    /// A text that people read of a role.
    UiText,
    /// An element of a role that is one value.
    Setting,
    /// The address of a policy, of more metadata or of a place on the map.
    Address,
    Logo,
    Certificate,
    /// A certificate in the namespace of XML Signature 1.1, where there is no such element.
    StrayCertificate,
    KeyInfo,
    /// The address of a key that stands elsewhere.
    KeyReference,
    /// A key without a certificate.
    KeyValue,
    KeyNumber(Number),
    KeyAuthority,
    RegistrationInfo,
    RegistrationPolicy,
    PublicationInfo,
    Scope,
    EntityAttributes,
    Attribute,
    AttributeValue,
    GivenName,
    Extensions,
    UiInfo,
    DiscoHints,
    /// An extension of a name that its namespace does not have.
    Misspelt,
    /// An algorithm that the entity supports.
    Algorithm,
    /// An endpoint of WS-Federation, around its address.
    FederationEndpoint,
    FederationAddress,
}

use Element as E;

/// The elements by namespace and name; any of a namespace, where there is no name.
static ELEMENTS: &[(&str, &str, Element)] = &[
    (MD, "EntityDescriptor", E::Entity),
    (MD, "EntitiesDescriptor", E::Group),
    (MD, "IDPSSODescriptor", E::Role),
    (MD, "SPSSODescriptor", E::Role),
    (MD, "AttributeAuthorityDescriptor", E::Role),
    (MD, "AuthnAuthorityDescriptor", E::Role),
    (MD, "PDPDescriptor", E::Role),
    (MD, "AffiliationDescriptor", E::Role),
    (MD, "RoleDescriptor", E::Role),
    (MD, "KeyDescriptor", E::KeyDescriptor),
    (MD, "RequestedAttribute", E::RequestedAttribute),
    (MD, "ContactPerson", E::ContactPerson),
    (MD, "EmailAddress", E::EmailAddress),
    (MD, "Organization", E::Organization),
    (MD, "OrganizationName", E::OrganizationText),
    (MD, "OrganizationDisplayName", E::OrganizationText),
    (MD, "OrganizationURL", E::OrganizationText),
    (MD, "GivenName", E::GivenName),
    (MD, "ServiceName", E::UiText),
    (MD, "ServiceDescription", E::UiText),
    (MD, "NameIDFormat", E::Setting),
    (MD, "AffiliateMember", E::Setting),
    (MD, "AttributeProfile", E::Setting),
    (MD, "AdditionalMetadataLocation", E::Address),
    (MD, "Extensions", E::Extensions),
    (MD, "EncryptionMethod", E::Algorithm),
    (MD, "", E::Metadata),
    (IDPDISC, "DiscoveryResponse", E::Metadata),
    (INIT, "RequestInitiator", E::Metadata),
    (ALG, "DigestMethod", E::Algorithm),
    (ALG, "SigningMethod", E::Algorithm),
    (FED, "PassiveRequestorEndpoint", E::FederationEndpoint),
    (FED, "SecurityTokenServiceEndpoint", E::FederationEndpoint),
    (FED, "ApplicationServiceEndpoint", E::FederationEndpoint),
    (FED, "AttributeServiceEndpoint", E::FederationEndpoint),
    (FED, "PseudonymServiceEndpoint", E::FederationEndpoint),
    (FED, "SingleSignOutNotificationEndpoint", E::FederationEndpoint),
    (FED, "SingleSignOutSubscriptionEndpoint", E::FederationEndpoint),
    (WSA, "Address", E::FederationAddress),
    (MDUI, "UIInfo", E::UiInfo),
    (MDUI, "DiscoHints", E::DiscoHints),
    (MDUI, "Keywords", E::Other),
    (MDUI, "IPHint", E::Other),
    (MDUI, "DomainHint", E::Other),
    (MDUI, "GeolocationHint", E::Address),
    (MDUI, "DisplayName", E::UiText),
    (MDUI, "Description", E::UiText),
    (MDUI, "InformationURL", E::UiText),
    (MDUI, "PrivacyStatementURL", E::UiText),
    (MDUI, "Logo", E::Logo),
    (MDUI, "", E::Misspelt),
    (dsig::NS, "X509Certificate", E::Certificate),
    (dsig::NS_11, "X509Certificate", E::StrayCertificate),
    (dsig::NS, "KeyInfo", E::KeyInfo),
    (dsig::NS, "RetrievalMethod", E::KeyReference),
    (dsig::NS_11, "KeyInfoReference", E::KeyReference),
    (dsig::NS, "KeyValue", E::KeyValue),
    (dsig::NS, "Modulus", E::KeyNumber(Number::Modulus)),
    (dsig::NS, "Exponent", E::KeyNumber(Number::Exponent)),
    (dsig::NS, "Y", E::KeyNumber(Number::Dsa)),
    (dsig::NS_11, "NamedCurve", E::KeyNumber(Number::Curve)),
    (dsig::NS_11, "PublicKey", E::KeyNumber(Number::Point)),
    (dsig::NS_11, "DEREncodedKeyValue", E::KeyNumber(Number::Der)),
    (MDRPI, "RegistrationInfo", E::RegistrationInfo),
    (MDRPI, "RegistrationPolicy", E::RegistrationPolicy),
    (MDRPI, "PublicationInfo", E::PublicationInfo),
    (MDRPI, "UsagePolicy", E::Address),
    (MDRPI, "PublicationPath", E::Other),
    (MDRPI, "Publication", E::Other),
    (MDRPI, "", E::Misspelt),
    (SHIBMD, "Scope", E::Scope),
    (SHIBMD, "KeyAuthority", E::KeyAuthority),
    (MDATTR, "EntityAttributes", E::EntityAttributes),
    (MDATTR, "", E::Misspelt),
    (SAML, "Attribute", E::Attribute),
    (SAML, "AttributeValue", E::AttributeValue),
    ("", "", E::Other),
];

/// The bit of a note that says that something is odd about the tag.
const ODD: u8 = 0x80;

impl Element {
    /// Whether nothing but text belongs in it.
    pub(super) const fn is_value(self) -> bool {
        matches!(
            self,
            E::AttributeValue
                | E::Scope
                | E::Certificate
                | E::StrayCertificate
                | E::KeyNumber(_)
                | E::EmailAddress
                | E::GivenName
                | E::OrganizationText
                | E::UiText
                | E::Setting
                | E::Address
                | E::RegistrationPolicy
                | E::Logo
        )
    }

    /// Whether it is an address that no other rule looks at.
    pub(super) const fn is_address(self) -> bool {
        matches!(self, E::Address | E::RegistrationPolicy)
    }

    /// What the element is that begins with this tag, and whether something is odd about the tag.
    pub(super) fn of(tag: StartTag<'_>) -> (Self, bool) {
        let note = tag.noted(|tag| {
            let (own, local) = (tag.namespace(), tag.local());
            let is_it = |(namespace, name, _): &(&str, &str, Self)| {
                (name.is_empty() || *name == local) && *namespace == own
            };
            let row = ELEMENTS.iter().position(is_it).unwrap_or(ELEMENTS.len() - 1);
            let odd = if Oddities::tag(tag).is_empty() { 0 } else { ODD };
            u8::try_from(row + 1).unwrap_or_default() | odd
        });
        let row = usize::from(note & !ODD).saturating_sub(1);
        (ELEMENTS.get(row).map_or(E::Other, |(_, _, element)| *element), note & ODD != 0)
    }
}
