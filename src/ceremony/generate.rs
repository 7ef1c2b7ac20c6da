//! Making a key of a line, or adopting one: confirmed, recorded, sealed, with its certificate.

use rand_core::CryptoRng;
use serde_json::json;

use super::Approver;
use crate::base::bytes::Digest;
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;
use crate::custody::{
    Catalogue, Certificate, KEY_TAKEN, NewKey, Origin, Record, Sealing, Vault, channels, public_of,
};
use crate::format::x509::Unsigned;
use crate::key::{Hash, KeyId, Line, PublicKey, Scheme, Signature};
use crate::lifecycle::cadence;
use crate::policy::{Profile, Request};

/// Consumers of metadata ignore a certificate's dates, and many tools do not: so it should outlive its key.
const CERTIFICATE_LIFE: Span = Span::of_days(20 * 365);

/// What is to be made.
pub struct Making {
    /// The key: the first one of its line, or the next.
    pub key: KeyId,
    /// Where the key comes from.
    pub origin: Origin,
    /// What it is sealed to.
    pub sealing: Sealing,
    /// The line's profile.
    pub profile_text: String,
    /// Whether it is kept for an emergency.
    pub standby: bool,
    /// Why.
    pub reason: Option<String>,
}

/// What is asked for: the same for the same line, origin, seal and profile.
///
/// # Errors
/// The profile of a new line cannot be read, or ceremonies by it come too seldom.
pub fn generate_request(making: &Making) -> Result<Request, Fault> {
    if making.key.version == 1 {
        check_profile(&making.profile_text)?;
    }
    let (act, name, value) = match &making.origin {
        Origin::Generate(algorithm) => ("generate", "algorithm", algorithm.name().to_owned()),
        Origin::Adopt(pkcs8) => ("adopt", "public", public_of(pkcs8)?.fingerprint().to_string()),
    };
    let request = Request::new(act, making.key.line.environment())
        .with("key", &making.key)
        .with(name, value)
        .with("profile", Profile::digest(&making.profile_text));
    let request = if making.standby { request.with("kept as", "standby") } else { request };
    Ok(making.sealing.names().iter().fold(request, |request, name| request.with("sealed to", name)))
}

/// Refuses a profile by which nothing could be signed, or by whose own channels no key rotated.
fn check_profile(text: &str) -> Result<(), Fault> {
    let check = || {
        let profile = Profile::parse(text)?;
        // those that it names come first
        let mut named = channels(&profile)?.into_iter().take(profile.channels.len());
        named.try_for_each(|channel| cadence(&channel).map(drop))
    };
    check().map_err(|fault| fault.at("the profile"))
}

/// Makes or adopts the key. A refusal is recorded as a denied attempt.
pub fn generate(
    vault: &mut Vault<'_>,
    making: Making,
    approver: &mut dyn Approver,
    random: &mut dyn CryptoRng,
) -> Result<(Record, Digest), Fault> {
    let (line, now) = (making.key.line.clone(), vault.now());
    let reason = making.reason.clone();
    let serial = serial(random);
    let allowed = if making.key.version == 1 { vault.allow_new_line(&line) } else { Ok(()) };
    let confirmed = allowed
        .and_then(|()| allow_adopted(vault, &making.origin))
        .and_then(|()| generate_request(&making))
        .and_then(|request| request.confirm(&approver.confirm(&request)?))
        .map_err(|fault| refuse_key(vault, &line, reason.as_deref(), fault))?;
    let common_name = line.to_string();
    let certify = |public: &PublicKey| -> Result<Box<dyn Certificate>, Fault> {
        Ok(Box::new(SelfSigned::new(public, &common_name, &serial, now)?))
    };
    let new = NewKey {
        key: making.key,
        origin: making.origin,
        sealing: making.sealing,
        standby: making.standby,
        profile_text: making.profile_text,
        certify: &certify,
        confirmed,
        reason: making.reason,
    };
    let request = new.confirmed.request();
    Ok((vault.generate(new, approver)?, request))
}

/// Refuses a key that another line has: each trust relationship has its own.
fn allow_adopted(catalogue: &Catalogue, origin: &Origin) -> Result<(), Fault> {
    let Origin::Adopt(pkcs8) = origin else { return Ok(()) };
    let adopted = public_of(pkcs8)?;
    for line in catalogue.lines()? {
        for record in catalogue.records(&line)? {
            if record.public()? == adopted {
                return Err(KEY_TAKEN
                    .fault(format!("this key is {} already", record.key()?))
                    .hint("make another key for another trust relationship: `fedroot key generate`"));
            }
        }
    }
    Ok(())
}

/// The number of a certificate: positive and of full length (RFC 5280, section 4.1.2.2).
pub(super) fn serial(random: &mut dyn CryptoRng) -> [u8; 16] {
    let mut serial = [0; 16];
    random.fill_bytes(&mut serial);
    serial[0] = serial[0] & 0x7f | 0x40;
    serial
}

/// Records that no key was made, and why.
pub fn refuse_key(vault: &mut Vault<'_>, line: &Line, reason: Option<&str>, fault: Fault) -> Fault {
    let about = json!({"key": line.to_string(), "reason": reason});
    vault.deny("generate", &about, fault.but("no key was made"))
}

/// A certificate that its own key signs.
pub(super) struct SelfSigned {
    unsigned: Unsigned,
    scheme: &'static Scheme,
    until: Instant,
}

impl SelfSigned {
    pub(super) fn new(
        public: &PublicKey,
        common_name: &str,
        serial: &[u8],
        now: Instant,
    ) -> Result<Self, Fault> {
        let scheme = public.algorithm().scheme(Hash::Sha256);
        let until = now.after(CERTIFICATE_LIFE)?;
        let unsigned = Unsigned::new(public, scheme, common_name, serial, now, until)?;
        Ok(Self { unsigned, scheme, until })
    }
}

impl Certificate for SelfSigned {
    fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    fn octets(&self) -> &[u8] {
        self.unsigned.octets()
    }

    fn until(&self) -> Option<Instant> {
        Some(self.until)
    }

    fn finish(self: Box<Self>, signature: &Signature) -> Result<Vec<u8>, Fault> {
        self.unsigned.finish(signature).map(String::into_bytes)
    }
}
