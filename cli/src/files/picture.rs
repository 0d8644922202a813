//! Pictures: PNG, BMP, or one of an IDX file.

use std::path::Path;

use bnn::data::GreyImage;

use crate::{
    error::{About, Result},
    files::{input, named::Named, spool},
};

/// Reads a picture, or the one with an index of an IDX file. Its name has the index.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network) where it is none.
pub(crate) fn picture(path: &Path, index: Option<usize>) -> Result<Named<GreyImage>> {
    let name = input::name(path);
    let image = spool::load(path, |path| GreyImage::load(path, index))?;
    let origin = match index {
        None => name.display().to_string(),
        Some(index) => format!("{}, image {index}", name.display()),
    };
    let (width, height, pixels) = (image.width(), image.height(), image.pixels().to_vec());
    let content = GreyImage::new(origin.clone(), width, height, pixels).about(&name)?;
    Ok(Named { name: origin.into(), content })
}
