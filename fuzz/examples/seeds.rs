//! Writes the files from which the corpora began, `corpus/TARGET/seed-*`: `cargo run --no-default-features --example seeds`.

use std::{fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use fuzz::{client_specification, saved_run, tfhe_lib, toy};
use image::{DynamicImage, GrayImage, ImageFormat};
use tfhe_core::{
    ciphertext::CiphertextList,
    keys::SecretKey,
    parameters::{FUNCTIONAL_1024, GATES_DEFAULT, Parameters, TFHE_LIB_V1_0_1},
    random::SecretSeed,
    serial::{FileContent, NO_CONTEXT, to_bytes},
    torus::Torus32,
};

fn main() -> std::io::Result<()> {
    native()?;
    let models = [toy::perceptron(), toy::hybrid(), toy::binarized()];
    seeds(
        "model_folder",
        models.iter().map(|files| [files.manifest.as_bytes(), &[0], &files.weights()].concat()),
    )?;
    seeds("saved_run", saved_run::states(40).into_iter().step_by(5))?;
    seeds("tfhe_lib", tfhe_lib::files())?;
    seeds("client_specification", client_specification::files())?;
    seeds("bristol", bristol())?;
    seeds("idx", idx())?;
    seeds("onnx", onnx()?)?;
    seeds("image", images())
}

/// Writes the seeds of a target.
fn seeds(name: &str, contents: impl IntoIterator<Item = Vec<u8>>) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    fs::create_dir_all(&folder)?;
    for (number, content) in contents.into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), content)?;
    }
    Ok(())
}

fn file<C: FileContent>(content: &C) -> Vec<u8> {
    to_bytes(content, NO_CONTEXT).expect("of a named set").to_vec()
}

fn native() -> std::io::Result<()> {
    let seed = SecretSeed::deterministic_for_tests;
    let sets: [&Parameters; 3] = [&GATES_DEFAULT, &FUNCTIONAL_1024, &TFHE_LIB_V1_0_1];
    let keys = sets.map(|set| SecretKey::generate(set, seed(1)));
    let secret: Vec<Vec<u8>> = keys.iter().map(|key| file(key)).collect();
    // A cloud key's header, with a short body for the target to repeat.
    seeds(
        "native_cloud_key",
        secret.iter().map(|file| {
            let mut file = [&file[..140], &[0; 32]].concat();
            file[10] = 2;
            file
        }),
    )?;
    seeds("native_secret_key", secret)?;
    let encrypt = |key: &SecretKey| key.encrypt(&[true, false, true], seed(2));
    seeds("native_seeded", keys.iter().map(|key| file(&encrypt(key))))?;
    let messages: Vec<Torus32> = (0..6).map(|i| Torus32(i << 24)).collect();
    let packed = keys[..2]
        .iter()
        .map(|key| key.encrypt_packed(&messages, 3, seed(3)).expect("it switches keys first"));
    seeds("native_packed", packed.map(|packed| file(&packed)))?;
    let list = |key: &SecretKey| {
        CiphertextList::new(key.parameters(), key.id(), encrypt(key).expand()).expect("one key")
    };
    seeds("native_list", [&keys[0], &keys[2]].map(|key| file(&list(key))))
}

fn bristol() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bnn/tests/data/bristol");
    let files = ["kinds.txt", "adder8.txt"].map(|name| fs::read(folder.join(name)).expect("test data"));
    // The old format.
    files.into_iter().chain([b"2 4\n1 1 1\n\n1 1 0 2 INV\n2 1 2 1 3 AND\n".to_vec()]).collect()
}

fn idx() -> Vec<Vec<u8>> {
    let file = |words: &[u32], content: &[u8]| -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).chain(content.iter().copied()).collect()
    };
    let images = file(&[0x803, 3, 2, 3], &(0..18).collect::<Vec<u8>>());
    let labels = file(&[0x801, 4], &[7, 2, 1, 0]);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&images).expect("memory");
    let mut qmnist = vec![0; 32];
    qmnist[3] = 7;
    vec![images, labels, encoder.finish().expect("memory"), file(&[0xc02, 1, 8], &qmnist)]
}

fn images() -> Vec<Vec<u8>> {
    let grey = DynamicImage::from(GrayImage::from_fn(5, 4, |x, y| image::Luma([(x * 50 + y) as u8])));
    let kinds = [
        grey.clone(),
        grey.to_rgb8().into(),
        grey.to_rgba8().into(),
        grey.to_luma16().into(),
        grey.to_rgba16().into(),
        grey.to_luma_alpha8().into(),
    ];
    let written = |image: &DynamicImage, format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("memory");
        bytes.into_inner()
    };
    let mut files: Vec<Vec<u8>> = kinds.iter().map(|image| written(image, ImageFormat::Png)).collect();
    files.extend(kinds[..3].iter().map(|image| written(image, ImageFormat::Bmp)));
    files
}

/// The networks of the tests.
fn onnx() -> std::io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bnn/tests/fixtures/onnx");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "onnx") {
            files.push(path);
        }
    }
    files.sort();
    files.into_iter().map(fs::read).collect()
}
