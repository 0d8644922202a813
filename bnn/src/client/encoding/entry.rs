//! A pixel encoding as files write it: in a model's manifest, and in a client specification.

use serde::{Deserialize, Serialize};

use super::input::PixelEncoding;

/// A table of the file.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(tag = "encoding", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum PixelEntry {
    Threshold { threshold: u8, max_active: usize },
    Grey { bits: u32 },
    SignAndScale { window: usize, fraction_bits: u32, bits: u32, largest: u32 },
}

impl From<PixelEntry> for PixelEncoding {
    fn from(entry: PixelEntry) -> Self {
        match entry {
            PixelEntry::Threshold { threshold, max_active } => Self::Threshold { threshold, max_active },
            PixelEntry::Grey { bits } => Self::Grey { bits },
            PixelEntry::SignAndScale { window, fraction_bits, bits, largest } => {
                Self::SignAndScale { window, fraction_bits, bits, largest }
            }
        }
    }
}

impl From<PixelEncoding> for PixelEntry {
    fn from(encoding: PixelEncoding) -> Self {
        match encoding {
            PixelEncoding::Threshold { threshold, max_active } => Self::Threshold { threshold, max_active },
            PixelEncoding::Grey { bits } => Self::Grey { bits },
            PixelEncoding::SignAndScale { window, fraction_bits, bits, largest } => {
                Self::SignAndScale { window, fraction_bits, bits, largest }
            }
        }
    }
}
