//! What a small file can declare, and what it takes: the bounds that the targets state, at their worst.

use std::io::{Cursor, Write};

use bnn::{
    circuit::{BristolCircuit, Style},
    data::{Image, IdxImages, IdxLabels},
};
use flate2::{Compression, write::GzEncoder};
use fuzz::memory::{MIB, ROOM, bounded};
use sha2::{Digest, Sha256};
use tfhe_core::{
    ciphertext::CiphertextList,
    internals::Trial,
    keys::{CloudKey, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
    serial::{self, NO_CONTEXT},
};

/// One test, since memory is counted for the whole process.
#[test]
fn what_a_file_declares_takes_no_memory_that_it_does_not_fill() {
    // 64 MiB of labels in 64 KB of gzip, where ten are declared.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&[0, 0, 8, 1, 0, 0, 0, 10]).unwrap();
    (0..64).for_each(|_| encoder.write_all(&vec![0; MIB]).unwrap());
    let labels = encoder.finish().unwrap();
    assert!(labels.len() < 70_000);
    assert!(bounded(MIB, || IdxLabels::from_bytes(&labels)).is_err());
    // 256 MiB of pixels, which are not there; and more, which are not asked for.
    for count in [1_u32 << 28, u32::MAX] {
        let words = [0x803, count, 1, 1].map(u32::to_be_bytes);
        assert!(bounded(MIB, || IdxImages::from_bytes(words.as_flattened())).is_err());
    }

    // The largest picture, of the largest pixels, in a thousandth of its size.
    let mut picture = Cursor::new(Vec::new());
    image::DynamicImage::new_rgba16(4096, 4096).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    // All of it is transparent, which is found when it is decoded.
    let error = bounded(17 * (1 << 24) + MIB, || Image::decode(picture.get_ref(), None)).unwrap_err();
    assert!(error.to_string().contains("transparent"), "{error}");

    // 2^22 inputs and 2^26 wires.
    let text = b"1 67108864\n1 4194304\n1 1\n2 1 0 1 67108863 AND\n";
    assert!(bounded(MIB, || BristolCircuit::parse(text, Style::Optimized)).is_ok());
    let text = b"0 67108864\n0\n1 67108864\n";
    assert!(bounded(MIB, || BristolCircuit::parse(text, Style::Optimized)).is_err());

    for &set in Parameters::ALL {
        let key = SecretKey::generate(set, SecretSeed::deterministic_for_tests(1));
        let list = CiphertextList::new(set, key.id(), Vec::new()).unwrap();
        let mut file = serial::to_bytes(&list, NO_CONTEXT).unwrap().to_vec();
        let header = file[..100].to_vec();
        // A body of the greatest length that the set has, of which there are 40 bytes.
        let most = 4 + (1_u64 << 24) * (12 + 4 * set.wire_dimension() as u64);
        file[92..100].copy_from_slice(&most.to_le_bytes());
        let error = bounded(MIB, || serial::from_bytes::<CiphertextList>(&file)).unwrap_err();
        assert!(error.to_string().contains("truncated"), "{error}");

        // A cloud key, and one with its masks where the set can have it: of one byte over and over.
        let seeded = serial::cloud_key_bytes(set) - 132;
        // The word that a body of 32 bits takes, k + 1 times or n + 1 times.
        let Trial { lwe: (n, _), tlwe: (k, size), gadget: (_, levels), key_switch: (_, digits), .. } =
            Trial::of(set);
        let bootstrap_bodies = n * (k + 1) * levels as usize * size;
        let masked = 4 * ((k + 1) * bootstrap_bodies + (n + 1) * k * size * digits as usize);
        for (kind, length) in [(2, seeded), (7, masked)] {
            let mut file = header.clone();
            file[10] = kind;
            file[92..100].copy_from_slice(&(length as u64).to_le_bytes());
            file.resize(100 + length, 0xa5);
            let checksum = Sha256::digest(&file);
            file.extend_from_slice(&checksum);
            let bound = 5 * file.len() + MIB + ROOM;
            let stored = bounded(bound, || serial::from_bytes::<CloudKey>(&file));
            assert_eq!(
                stored.is_ok(),
                kind == 2 || set.name().starts_with("TFHE_LIB"),
                "{}, {kind}",
                set.name()
            );
            if let Ok(stored) = stored {
                assert!(*serial::to_bytes(&stored.content, NO_CONTEXT).unwrap() == *file);
            }
            file[100 + length] ^= 1;
            assert!(bounded(bound, || serial::from_bytes::<CloudKey>(&file)).is_err());
        }
    }
}
