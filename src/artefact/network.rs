//! Networks in CIDR notation (RFC 4632, section 3.1; RFC 4291, section 2.3), read strictly.

use core::net::IpAddr;

/// A network.
pub(super) struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Reads `ADDRESS/PREFIX`; says why it is none.
pub(super) fn read(text: &str) -> Result<Network, &'static str> {
    let (address, prefix) = text.split_once('/').ok_or("it is not written ADDRESS/PREFIX")?;
    let address: IpAddr = address.parse().map_err(|_| "the address cannot be read")?;
    let is_plain =
        prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
    let prefix = prefix.parse().ok().filter(|_| is_plain).ok_or("the prefix is no plain number")?;
    let (bits, width): (u128, u8) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => {
            if address.to_ipv4_mapped().is_some() {
                return Err("it is an IPv4 address in IPv6: write it as IPv4");
            }
            (address.to_bits(), 128)
        }
    };
    if prefix > width {
        return Err("the prefix is longer than the address");
    }
    let host_bits = width - prefix;
    let mask = if host_bits == 128 { u128::MAX } else { (1_u128 << host_bits) - 1 };
    if bits & mask != 0 {
        return Err("bits behind the prefix are set");
    }
    Ok(Network { address, prefix })
}

impl Network {
    /// Whether it is wider than what one organisation comes from.
    pub(super) const fn is_wide(&self) -> bool {
        match self.address {
            IpAddr::V4(_) => self.prefix < 16,
            IpAddr::V6(_) => self.prefix < 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_strictly() {
        for good in ["192.0.2.0/24", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/32", "::/0", "2001:db8::1/128"]
        {
            assert!(read(good).is_ok(), "{good}");
        }
        for wrong in [
            "192.0.2.0",
            "192.0.2.1/24",
            "192.0.2/24",
            "192.0.2.0/33",
            "192.0.2.0/024",
            "192.0.2.0/+24",
            "192.0.2.0/24/1",
            "192.0.02.0/24",
            "0xc0.0.2.0/24",
            " 192.0.2.0/24",
            "192.0.2.0/ 24",
            "192.0.2.0/",
            "2001:db8::/129",
            "2001:db8::1/64",
            "::ffff:192.0.2.0/120",
            "fe80::1%eth0/128",
            "example.org/24",
            "",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for (network, is_wide) in
            [("10.0.0.0/8", true), ("10.1.0.0/16", false), ("2001::/16", true), ("2001:db8::/32", false)]
        {
            assert_eq!(read(network).unwrap().is_wide(), is_wide, "{network}");
        }
    }
}
