//! The backends: one way to compute on one instruction set each.
//!
//! [`Backend::Portable`] runs everywhere, [`Backend::Avx2`] and [`Backend::Avx512`] where the CPU has the instructions.
//! The backend is chosen once, at run time, from what the CPU has, or by name. Asking for what the CPU lacks is an error,
//! never an illegal instruction.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A way to compute transforms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// `rustfft`, on any machine.
    Portable,
    /// 256-bit vectors with fused multiply-add (Haswell and later, Zen).
    Avx2,
    /// 512-bit vectors (AVX-512 F and DQ: Skylake-X and later, Zen 4 and later).
    Avx512,
}

impl Backend {
    /// Every backend, the fastest last; not all are [available](Self::is_available) on every machine.
    pub const ALL: &'static [Self] = &[Self::Portable, Self::Avx2, Self::Avx512];

    /// Whether this CPU can run the backend.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            // With AVX2, whose kernels it takes for small rings.
            Self::Avx512 => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The fastest backend that this CPU can run.
    pub fn fastest() -> Self {
        Self::ALL.iter().copied().rfind(|backend| backend.is_available()).unwrap_or(Self::Portable)
    }

    /// The backends this machine can test; the others are named, not passed over in silence.
    #[cfg(test)]
    pub(crate) fn testable() -> Vec<Self> {
        let (here, absent): (Vec<_>, Vec<_>) = Self::ALL.iter().copied().partition(|b| b.is_available());
        for backend in absent {
            println!("not run: this CPU lacks the backend {backend}");
        }
        here
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// This backend if the CPU can run it.
    ///
    /// # Errors
    /// [`Error::BackendUnavailable`] if it cannot.
    pub fn checked(self) -> Result<Self> {
        if self.is_available() { Ok(self) } else { Err(Error::BackendUnavailable { backend: self.name() }) }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|b| b.to_string() == name)
            .ok_or_else(|| Error::UnknownBackend { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_named_or_refused() {
        for &backend in Backend::ALL {
            assert_eq!(backend.to_string().parse::<Backend>().unwrap(), backend);
        }
        assert!(matches!("sse9".parse::<Backend>(), Err(Error::UnknownBackend { .. })));
        assert!(Backend::Portable.is_available());
    }
}
