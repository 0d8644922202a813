//! Pictures: PNG and BMP.
//!
//! Bound of the memory: twice what the decoder may take (2^24 pixels of 8 bytes), once for it and once for the
//! picture it gives, the grey picture, and a mebibyte.

use std::io::Cursor;

use bnn::data::{Image, Picture};
use image::{GrayImage, ImageFormat};

use crate::memory::{MIB, bounded};

const LARGEST: usize = 1 << 24;
/// The most pixels of a picture that is written again.
const WRITTEN: usize = 64 * 64;
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

pub(crate) fn image(data: &[u8]) {
    read(data);
    if data.starts_with(SIGNATURE) {
        read(&sealed(data));
    }
}

fn read(data: &[u8]) {
    let colours = || Picture::open(data, None).and_then(|picture| picture.decode(3));
    if let Ok(image) = bounded(17 * LARGEST + MIB, colours) {
        assert_eq!(image.pixels().len(), 3 * image.width() * image.height());
    }
    let image = match bounded(17 * LARGEST + MIB, || Image::decode(data, None)) {
        Ok(image) => image,
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    assert!(image.pixels().len() <= LARGEST);
    assert_eq!(image.pixels().len(), image.width() * image.height());
    if image.pixels().len() > WRITTEN {
        return;
    }
    let grey = GrayImage::from_raw(image.width() as u32, image.height() as u32, image.pixels().to_vec());
    for format in [ImageFormat::Png, ImageFormat::Bmp] {
        let mut file = Cursor::new(Vec::new());
        grey.as_ref().expect("as many pixels").write_to(&mut file, format).expect("a picture is written");
        let again = Image::decode(file.get_ref(), None).expect("and read");
        assert_eq!(again.pixels(), image.pixels());
    }
}

/// The file with the checksum of each chunk as its content calls for.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut file = data.to_vec();
    let mut at = SIGNATURE.len();
    while let Some(&length) = file.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let content = at + 4..at.saturating_add(8).saturating_add(u32::from_be_bytes(length) as usize);
        let Some(sum) = file.get(content.clone()).map(crc32fast::hash) else { break };
        let Some(place) = file.get_mut(content.end..content.end + 4) else { break };
        place.copy_from_slice(&sum.to_be_bytes());
        at = content.end + 4;
    }
    file
}
