//! IDX files, plain and in gzip.
//!
//! Bound of the memory: twice the content (in a vector that grows), of which gzip can make 1032 bytes of one, and a
//! mebibyte for the decoder.

use std::io::Write;

use bnn::data::{IdxImages, IdxLabels};
use flate2::{Compression, write::GzEncoder};

use crate::memory::{MIB, bounded};

/// Bytes that one byte of gzip can become: 258 for two bits.
const EXPANSION: usize = 1032;

pub(crate) fn idx(data: &[u8]) {
    let read = |data: &[u8]| {
        bounded(2 * EXPANSION * data.len() + MIB, || {
            let images = IdxImages::from_bytes(data).ok().map(|images| {
                let last =
                    images.len().checked_sub(1).map(|index| images.image(index).expect("the last image"));
                assert!(images.image(images.len()).is_err());
                (images.len(), last.map(|image| (image.width(), image.height(), image.pixels().to_vec())))
            });
            let labels = IdxLabels::from_bytes(data).ok().map(|labels| labels.as_slice().to_vec());
            assert!(images.is_none() || labels.is_none(), "images and labels at once");
            (images, labels)
        })
    };
    let plain = read(data);
    // What is compressed again is more than one file's content, read as one.
    if !data.starts_with(&[0x1f, 0x8b]) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(data).expect("memory");
        assert_eq!(read(&encoder.finish().expect("memory")), plain, "the same in gzip");
    }
}
