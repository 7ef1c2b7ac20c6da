//! Makes SAML aggregates of any size: entities as federations publish them, deterministic, with the things that make
//! canonicalisation work: several namespace prefixes, comments, references, long base64, attributes in any order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"
    xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" xmlns:shibmd="urn:mace:shibboleth:metadata:1.0"
    Name="https://federation.example/aggregate">
"#;

/// Writes an aggregate of at least `bytes_min` bytes and returns the number of its entities.
pub(crate) fn write(path: &Path, bytes_min: usize) -> io::Result<usize> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(ROOT.as_bytes())?;
    let (mut written, mut count) = (ROOT.len(), 0);
    while written < bytes_min {
        let entity = if count % 3 == 0 { identity_provider(count) } else { service_provider(count) };
        file.write_all(entity.as_bytes())?;
        written += entity.len();
        count += 1;
    }
    file.write_all(b"</md:EntitiesDescriptor>\n")?;
    file.flush()?;
    Ok(count)
}

fn identity_provider(n: usize) -> String {
    let key = key_descriptor(n, "signing");
    format!(
        r#"  <md:EntityDescriptor entityID="https://idp{n}.university.example/idp/shibboleth">
    <md:Extensions>
      <mdrpi:RegistrationInfo registrationAuthority="https://federation{}.example" registrationInstant="2021-03-0{}T12:00:00Z"/>
    </md:Extensions>
    <!-- entity {n} -->
    <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
      <md:Extensions>
        <shibmd:Scope regexp="false">university{n}.example</shibmd:Scope>
        <mdui:UIInfo>
          <mdui:DisplayName xml:lang="en">University &amp; College No. {n}</mdui:DisplayName>
          <mdui:DisplayName xml:lang="el">Πανεπιστήμιο {n}</mdui:DisplayName>
          <mdui:Description xml:lang="en">Teaching &lt;and&gt; research since {}</mdui:Description>
        </mdui:UIInfo>
      </md:Extensions>
{key}      <md:SingleLogoutService Location="https://idp{n}.university.example/idp/profile/SAML2/Redirect/SLO" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"/>
      <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>
      <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp{n}.university.example/idp/profile/SAML2/Redirect/SSO"/>
      <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp{n}.university.example/idp/profile/SAML2/POST/SSO"/>
    </md:IDPSSODescriptor>
  </md:EntityDescriptor>
"#,
        n % 40,
        n % 9 + 1,
        1500 + n % 500,
    )
}

fn service_provider(n: usize) -> String {
    let (signing, encryption) = (key_descriptor(n, "signing"), key_descriptor(n + 7, "encryption"));
    format!(
        r#"  <md:EntityDescriptor entityID="https://service{n}.example/shibboleth">
    <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
{signing}{encryption}      <md:AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://service{n}.example/Shibboleth.sso/SAML2/POST"/>
      <md:AttributeConsumingService index="1">
        <md:ServiceName xml:lang="en">Service {n}</md:ServiceName>
        <md:RequestedAttribute FriendlyName="mail" Name="urn:oid:0.9.2342.19200300.100.1.3" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"/>
      </md:AttributeConsumingService>
    </md:SPSSODescriptor>
    <md:ContactPerson contactType="technical"><md:EmailAddress>mailto:admin@service{n}.example</md:EmailAddress></md:ContactPerson>
  </md:EntityDescriptor>
"#
    )
}

fn key_descriptor(seed: usize, purpose: &str) -> String {
    format!(
        "      <md:KeyDescriptor use=\"{purpose}\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\n",
        base64_noise(seed)
    )
}

/// 20 lines that look like a certificate.
fn base64_noise(seed: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = seed as u64 * 2 + 1;
    let mut text = String::with_capacity(20 * 65);
    for _ in 0..20 {
        for _ in 0..64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(char::from(LETTERS[(state >> 58) as usize]));
        }
        text.push('\n');
    }
    text
}
