//! Randomness arrives as a value: the operating system's generator in the program, a fixed one in tests.

use std::convert::Infallible;

use rand_core::{CryptoRng, TryCryptoRng, TryRng, UnwrapErr};
use sha2::{Digest as _, Sha256};

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

/// A source that gives the same bytes each time it is begun with the same seed: SHA-256 over seed and counter. For what two
/// documents have to have in common, such as an ID; never for keys.
#[derive(Clone)]
pub struct Repeated {
    seed: [u8; 32],
    counter: u64,
}

impl Repeated {
    /// Begins.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0 }
    }
}

impl TryRng for Repeated {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            let block =
                Sha256::new().chain_update(self.seed).chain_update(self.counter.to_be_bytes()).finalize();
            self.counter += 1;
            chunk.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

impl TryCryptoRng for Repeated {}

/// The operating system's generator, asked anew for every byte: nothing is pooled in user space.
pub fn system() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}
