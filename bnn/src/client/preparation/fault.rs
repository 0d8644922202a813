//! Why a picture is refused by its looks.

/// What a picture looks like that no network was trained on.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppearanceFault {
    /// There is nothing on the picture.
    #[error("the picture is blank: its grey values go from {least} to {greatest}, of 0 to 255")]
    Blank {
        /// The least grey value.
        least: u8,
        /// The greatest.
        greatest: u8,
    },

    /// The ink is dark and the paper bright.
    #[error(
        "the picture looks inverted: {bright} of the {border} pixels along its border are bright, where networks read bright \
         ink on dark paper"
    )]
    Inverted {
        /// Pixels along the border that are nearer to the greatest grey value than to the least.
        bright: usize,
        /// Pixels along the border.
        border: usize,
    },

    /// The ink is not white, or the paper not black.
    #[error(
        "the picture is dim: its paper has the grey value {paper} and its ink {ink}, where networks read 0 and 255"
    )]
    Dim {
        /// The grey value in the middle of those along the border.
        paper: u8,
        /// The greatest grey value.
        ink: u8,
    },
}
