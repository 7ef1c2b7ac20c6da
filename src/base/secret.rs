//! A value that is wiped when dropped and cannot be shown, copied or written by accident.

use zeroize::Zeroize;

/// Holds a secret. It has no `Debug`, `Display`, `Clone` or `Serialize`: whoever reads it says so with [`expose`](Self::expose).
///
/// ```compile_fail,E0277
/// let secret = fedroot::base::secret::Secret::new(vec![1u8]);
/// println!("{secret:?}");
/// ```
///
/// ```compile_fail,E0599
/// let secret = fedroot::base::secret::Secret::new(vec![1u8]);
/// let copy = secret.clone();
/// ```
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into care.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Shows the value to code that has a reason to see it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
