//! Pictures: PNG, BMP, or one of an IDX file.

use std::path::Path;

use bnn::data::{IdxImages, Picture};

use crate::{
    error::{About, Result},
    files::{
        data_set::{LIMIT, images_of},
        input::Input,
        named::Named,
    },
};

/// Reads a picture's file and its header, or the picture with an index of an IDX file. Its name has the index.
///
/// # Errors
/// [`Error::Network`](crate::error::Error::Network), about the file, where it is none.
pub(crate) fn picture(path: &Path, index: Option<usize>) -> Result<Named<Picture<'static>>> {
    let input = Input::open(path)?;
    let name = input.name().to_owned();
    let bytes = input.bytes(LIMIT)?;
    let content = match index {
        Some(index) if IdxImages::recognise(&bytes) => {
            images_of(&bytes, &name)?.image(index).about(&name)?.into()
        }
        _ => Picture::open(bytes, index).about(&name)?,
    };
    let name = match index {
        None => name,
        Some(index) => format!("{}, image {index}", name.display()).into(),
    };
    Ok(Named { name, content })
}
