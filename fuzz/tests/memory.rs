//! What a small file can declare, and what it takes: the bounds that the targets state, at their worst.

use std::{fs, io::Write, path::Path};

use bnn::{
    circuit::{bristol::BristolCircuit, netlist::Style},
    data::{GreyImage, IdxImages, IdxLabels},
};
use flate2::{Compression, write::GzEncoder};
use fuzz::memory::{MIB, bounded};
use sha2::{Digest, Sha256};
use tfhe_core::{
    keys::{CloudKey, SecretKey},
    parameters::Parameters,
    random::SecretSeed,
    serial::{self, CiphertextList, NO_CONTEXT},
};

/// One test, since memory is counted for the whole process.
#[test]
fn what_a_file_declares_takes_no_memory_that_it_does_not_fill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let here = Path::new("file");

    // 64 MiB of labels in 64 KB of gzip, where ten are declared.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&[0, 0, 8, 1, 0, 0, 0, 10]).unwrap();
    (0..64).for_each(|_| encoder.write_all(&vec![0; MIB]).unwrap());
    fs::write(&path, encoder.finish().unwrap()).unwrap();
    assert!(path.metadata().unwrap().len() < 70_000);
    assert!(bounded(MIB, || IdxLabels::open(&path)).is_err());
    // 256 MiB of pixels, which are not there; and more, which are not asked for.
    for count in [1_u32 << 28, u32::MAX] {
        let words = [0x803, count, 1, 1].map(u32::to_be_bytes);
        fs::write(&path, words.as_flattened()).unwrap();
        assert!(bounded(MIB, || IdxImages::open(&path)).is_err());
    }

    // The largest picture, of the largest pixels, in 130 KB.
    let path = folder.path().join("picture.png");
    image::DynamicImage::new_rgba16(2048, 2048).save(&path).unwrap();
    assert!(bounded(17 * 2048 * 2048 + MIB, || GreyImage::load(&path, None)).is_ok());

    // 2^22 inputs and 2^26 wires.
    let text = b"1 67108864\n1 4194304\n1 1\n2 1 0 1 67108863 AND\n";
    assert!(bounded(MIB, || BristolCircuit::parse(here, text, Style::Optimized)).is_ok());
    let text = b"0 67108864\n0\n1 67108864\n";
    assert!(bounded(MIB, || BristolCircuit::parse(here, text, Style::Optimized)).is_err());

    for set in Parameters::ALL {
        let key = SecretKey::generate(set, SecretSeed::deterministic_for_tests(1));
        let list = CiphertextList::new(set, key.id(), Vec::new()).unwrap();
        let mut file = serial::to_bytes(&list, NO_CONTEXT).to_vec();
        let header = file[..100].to_vec();
        // A body of the greatest length that the set has, of which there are 40 bytes.
        let most = 4 + (1_u64 << 24) * (12 + 4 * set.wire_dimension() as u64);
        file[92..100].copy_from_slice(&most.to_le_bytes());
        let error = bounded(MIB, || serial::from_bytes::<CiphertextList>(&file, here)).unwrap_err();
        assert!(error.to_string().contains("truncated"), "{error}");

        // A cloud key, and one with its masks where the set can have it: of one byte over and over.
        let torus_bytes = set.accumulator.bits() as usize / 8;
        let seeded = 32 + torus_bytes * set.bootstrap_bodies() + 4 * set.key_switch_bodies();
        let masked = 4
            * ((set.tlwe_dimension + 1) * set.bootstrap_bodies()
                + (set.lwe_dimension + 1) * set.key_switch_bodies());
        for (kind, length) in [(2, seeded), (7, masked)] {
            let mut file = header.clone();
            file[10] = kind;
            file[92..100].copy_from_slice(&(length as u64).to_le_bytes());
            file.resize(100 + length, 0xa5);
            let checksum = Sha256::digest(&file);
            file.extend_from_slice(&checksum);
            let bound = 5 * file.len() + MIB;
            let stored = bounded(bound, || serial::from_bytes::<CloudKey>(&file, here));
            assert_eq!(stored.is_ok(), kind == 2 || set.name.starts_with("TFHE_LIB"), "{}, {kind}", set.name);
            if let Ok(stored) = stored {
                assert!(*serial::to_bytes(&stored.content, NO_CONTEXT) == *file);
            }
            file[100 + length] ^= 1;
            assert!(bounded(bound, || serial::from_bytes::<CloudKey>(&file, here)).is_err());
        }
    }
}
