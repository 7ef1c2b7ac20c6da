//! Makes SAML aggregates of any size: entities as federations publish them, deterministic, with the things that make
//! canonicalisation work: several namespace prefixes, comments, references, certificates, attributes in any order.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use fedroot::base::bytes::{base64, from_base64};

const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"
    xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" xmlns:shibmd="urn:mace:shibboleth:metadata:1.0"
    Name="https://federation.example/aggregate">
"#;

/// A certificate as providers have them, signed by its own RSA key of 2048 bits: `openssl req -x509 -newkey rsa:2048
/// -days 7300 -subj /CN=idp.university.example -addext subjectAltName=DNS:...,URI:...`.
const CERTIFICATE: &str = "\
    MIIDdzCCAl+gAwIBAgIUFWwOf+/h8HRR1ZaoD0aTwQpjdW8wDQYJKoZIhvcNAQELBQAwITEfMB0GA1UEAwwWaWRwLnVuaXZlcnNp\
    dHkuZXhhbXBsZTAeFw0yNjExMjgxNDA3MDBaFw00NjExMjMxNDA3MDBaMCExHzAdBgNVBAMMFmlkcC51bml2ZXJzaXR5LmV4YW1w\
    bGUwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCkRYTGDrxL51wZS2K2fzYXZpRSb0sPiSOqfBrSmj+Yanpg/pJolwwA\
    F7H45PAnAIrxvyWp1Plo58IC8deFhJjFYvrlzYn7zgnI7kGJmQgifUJEm9OYA99lIvrAwrajOSG9n9qR/ZMpOkIYXRr1n85pA17a\
    gQRejN8Qynp6i3b+6lme38nVVL8U2M90FDD5RgFqsWXKP7zBhYkqa7h+LGSaH/8BQtiP7ssMD1CTQ1p0BGbRG8Wq2sqojMkFD6ny\
    1zKmnnuojx6dmxOWsgt2vVJ1KP6/JDOhRc+LvahASOUdmICyMobOyQUMPji+qEr5o4CLooG4sq7oGkbsm5tMX8k1AgMBAAGjgaYw\
    gaMwHQYDVR0OBBYEFBUo1mkPJZ58DMhTEmD3CewKT7WEMB8GA1UdIwQYMBaAFBUo1mkPJZ58DMhTEmD3CewKT7WEMA8GA1UdEwEB\
    /wQFMAMBAf8wUAYDVR0RBEkwR4IWaWRwLnVuaXZlcnNpdHkuZXhhbXBsZYYtaHR0cHM6Ly9pZHAudW5pdmVyc2l0eS5leGFtcGxl\
    L2lkcC9zaGliYm9sZXRoMA0GCSqGSIb3DQEBCwUAA4IBAQAfW6ncvtF7fop4F+g2H+mbqsvKVx02zEbGOMkjHUzYN7jB3HJx3FyA\
    bhFeNT/czgoNWzPH0Qf4eu5xuBGbqS8un9LyL6AslYpgBCqFfwl3lJixHza/EXqwxIWP4QNEyQnxolWwoP6FvQM+rgpCnBpKigfA\
    tlTmon2ygzQ7RZu4bJMn6gyMp6iX+s79qqi9vxZh1kX3qddGKoN5iugDYSyhZTjZN5b1Zj2ziDGBo4vUNilCZQ0N4/UhUNKl7Pbc\
    qyBmPs4MVHyWWBNkVk6Q/YgH8Yy4INfrrGXBPzc2tT/Mcx57g8cQu2RiAU3kIrtTQsue6bYslUd+ZRWUhxRHHSrB";

/// What stands before a modulus of 2048 bits in DER.
const MODULUS: &[u8] = &[0x02, 0x82, 0x01, 0x01, 0x00];

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
        certificate(seed)
    )
}

/// The certificate of a key that nobody else has: its modulus is made up, and its signature is that of another.
fn certificate(seed: usize) -> String {
    let mut der = from_base64(CERTIFICATE).unwrap();
    let modulus = der.windows(MODULUS.len()).position(|window| window == MODULUS).unwrap() + MODULUS.len();
    let mut state = seed as u64 * 2 + 1;
    for eight in der[modulus..modulus + 256].as_chunks_mut().0 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *eight = (state ^ state >> 32).to_be_bytes();
    }
    der[modulus] |= 0x80;
    der[modulus + 255] |= 1;
    let lines = base64(&der);
    lines.as_bytes().chunks(64).flat_map(|line| line.iter().chain(b"\n")).copied().map(char::from).collect()
}
