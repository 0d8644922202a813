//! The kinds of native files.

use std::fmt;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u16)]
pub enum Kind {
    /// A [`SecretKey`](crate::keys::SecretKey).
    SecretKey = 1,
    /// A [`CloudKey`](crate::keys::CloudKey).
    CloudKey = 2,
    /// [`SeededCiphertexts`](crate::ciphertext::SeededCiphertexts).
    SeededCiphertexts = 3,
    /// A [`PackedCiphertext`](crate::ciphertext::PackedCiphertext).
    // 4 was one without rows.
    PackedCiphertext = 6,
    /// A [`CiphertextList`](crate::ciphertext::CiphertextList).
    CiphertextList = 5,
    /// A [`CloudKey`](crate::keys::CloudKey) with its masks, as one of the TFHE library has them.
    CloudKeyWithMasks = 7,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::SecretKey,
        Self::CloudKey,
        Self::SeededCiphertexts,
        Self::PackedCiphertext,
        Self::CiphertextList,
        Self::CloudKeyWithMasks,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecretKey => "a secret key",
            Self::CloudKey | Self::CloudKeyWithMasks => "a cloud key",
            Self::SeededCiphertexts => "seeded ciphertexts",
            Self::PackedCiphertext => "a packed ciphertext",
            Self::CiphertextList => "a list of ciphertexts",
        })
    }
}
