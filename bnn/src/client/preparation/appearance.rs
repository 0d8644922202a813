//! Whether a picture looks like what networks read: bright ink on dark paper.
//!
//! The limits refuse none of the 70,000 images of MNIST, from whose extremes they are far: there, the greatest grey value is
//! 254 or 255 and the least 0 on every image, and 4 of the 108 pixels along the border are bright at most. What networks of
//! other pictures read may look otherwise. Such pictures are taken [as they are](super::Preparation::AsIs).

use super::fault::AppearanceFault;
use crate::{
    data::image::Image,
    error::{Error, Result},
};

/// A picture whose grey values differ by less than this is blank. The noise of a scanner on empty paper is less.
const INK_CONTRAST: u8 = 16;

/// The least that is taken for white. On the first 2,000 test images of MNIST, dimmed so that they go to 208, none of the
/// shipped models is right less often by more than 0.7 percent; at 192 one loses 3.5, at 160 it loses 6, at 128 half or more
/// of them know nothing (2026-11-29).
const LEAST_WHITE: u8 = 208;

/// The most that is taken for black. On the same images over paper of grey 16, no model is right less often; over paper of
/// grey 32, the first value with a bit in a model that reads three bits, that model knows nothing.
const MOST_BLACK: u8 = 31;

/// Refuses a picture without ink, and one whose paper is brighter than its ink. The paper is what is along the border.
pub(super) fn check_ink(image: &Image) -> Result<()> {
    let (least, greatest) = image.range();
    if greatest - least < INK_CONTRAST {
        return refused(AppearanceFault::Blank { least, greatest });
    }
    let (border, middle) = (image.border(), image.middle());
    let bright = border.iter().filter(|&&grey| grey > middle).count();
    if 2 * bright > border.len() {
        return refused(AppearanceFault::Inverted { bright, border: border.len() });
    }
    Ok(())
}

/// Refuses a picture whose ink is far from white, or whose paper is far from black.
pub(super) fn check_range(image: &Image) -> Result<()> {
    let (paper, (_, ink)) = (image.paper(), image.range());
    if ink < LEAST_WHITE || paper > MOST_BLACK {
        return refused(AppearanceFault::Dim { paper, ink });
    }
    Ok(())
}

fn refused(fault: AppearanceFault) -> Result<()> {
    Err(Error::Appearance(fault))
}
