//! Randomness arrives as a value: the operating system's generator in the program, a fixed one in tests.

use rand_core::{CryptoRng, UnwrapErr};

/// A cryptographic source of random bytes; the operating system's never fails once it has been seeded.
pub trait Random: CryptoRng {
    /// Fills an array.
    fn array<const N: usize>(&mut self) -> [u8; N]
    where
        Self: Sized,
    {
        let mut bytes = [0; N];
        self.fill_bytes(&mut bytes);
        bytes
    }
}

impl<T: CryptoRng> Random for T {}

/// The operating system's generator, asked anew for every byte: nothing is pooled in user space.
pub fn system() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}
