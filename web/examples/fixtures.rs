//! What the native library gives from fixed seeds, for the test in Node to compare with: `cargo run --release -p web --example fixtures
//! -- FOLDER`.
//!
//! For each model of `models/` the folder gets a folder with the client specification, and for each parameter set a file
//! `SET.image` with the encrypted picture of one digit, whose grey values are in `pixels`. The secret key is drawn from seed 1, the
//! picture is encrypted with seed 3. `scan` is a larger picture, 160 pixels wide, with dark ink on shaded paper, and `fitted` is what the
//! client makes of it. For one of the models there are `SET.scores`, which a server made with the cloud key of
//! seed 2, and `SET.json`, what the native client decrypts of them.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bnn::circuit::Style;
use bnn::client::{Change, Client, ClientSpecification, EncryptedImage, Preparation};
use bnn::data::Image;
use bnn::engine::{Engine, Server, client_specification};
use bnn::model::Model;
use tfhe_core::backend::Backend;
use tfhe_core::control::Control;
use tfhe_core::evaluator::Evaluator;
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::random::SecretSeed;

/// The model whose scores are computed, on the functional engine.
const COMPUTED: &str = "perceptron";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("a folder is needed")?);
    let models = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../models"));
    fs::create_dir_all(&folder)?;
    let digit = Image::decode(&fs::read(models.join("digits/7.png"))?, None)?;
    fs::write(folder.join("pixels"), digit.pixels())?;
    for entry in fs::read_dir(models)? {
        let entry = entry?;
        let (manifest, weights) =
            (entry.path().join("manifest.toml"), entry.path().join("weights.safetensors"));
        if manifest.exists() {
            let model = Model::from_bytes(&fs::read(manifest)?, &fs::read(weights)?)?;
            write(&folder.join(entry.file_name()), &Arc::new(model), &digit)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, model: &Arc<Model>, digit: &Image) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let specification = client_specification(model)?;
    fs::write(folder.join("specification.json"), specification.to_bytes())?;
    let specification = Arc::new(specification);
    for engine in [Engine::Functional, Engine::Gates] {
        for set in specification.parameter_sets(engine) {
            let key = Arc::new(SecretKey::generate(set, SecretSeed::deterministic_for_tests(1)));
            let client = Client::new(Arc::clone(&specification), key)?;
            let image = client.encrypt(&client.encode(digit)?, SecretSeed::deterministic_for_tests(3))?;
            fs::write(folder.join(format!("{}.image", set.name())), image.to_bytes()?)?;
        }
    }
    if specification.model_name() == COMPUTED {
        compute(folder, model, &specification)?;
        let scan = scan(digit)?;
        fs::write(folder.join("scan"), scan.pixels())?;
        let fitted =
            Preparation::checked([Change::Invert, Change::Fit]).apply(scan, specification.input())?;
        fs::write(folder.join("fitted"), fitted.pixels())?;
    }
    Ok(())
}

/// A digit as a scanner might give it: enlarged, off the middle, and dark on paper that becomes darker to the right.
fn scan(digit: &Image) -> Result<Image, Box<dyn Error>> {
    let (width, height) = (160, 119);
    let grey = |place: usize| {
        let (x, y) = (place % width, place / width);
        let ink = (20..132).contains(&x) && y < 112;
        let ink = if ink { digit.pixels()[y / 4 * digit.width() + (x - 20) / 4] } else { 0 };
        240 - (x / 8) as u8 - ink / 5 * 4
    };
    Ok(Image::grey(width, height, (0..width * height).map(grey).collect())?)
}

fn compute(
    folder: &Path,
    model: &Arc<Model>,
    specification: &Arc<ClientSpecification>,
) -> Result<(), Box<dyn Error>> {
    let set = specification.parameter_sets(Engine::Functional)[0];
    let key = Arc::new(SecretKey::generate(set, SecretSeed::deterministic_for_tests(1)));
    let cloud_key = CloudKey::generate(&key, SecretSeed::deterministic_for_tests(2))?;
    let evaluator = Evaluator::new(&cloud_key, Backend::fastest())?;
    let server = Server::new(Arc::clone(model), Arc::new(evaluator), Style::Optimized)?;
    let image = EncryptedImage::from_bytes(&fs::read(folder.join(format!("{}.image", set.name())))?)?;
    let encrypted = server.infer(&image, &Control::default())?;
    fs::write(folder.join(format!("{}.scores", set.name())), encrypted.to_bytes()?)?;
    let scores = Client::new(Arc::clone(specification), key)?.decrypt(&encrypted)?;
    let decision = format!("{{\"label\": {}, \"integers\": {:?}}}\n", scores.label(), scores.integers());
    fs::write(folder.join(format!("{}.json", set.name())), decision)?;
    Ok(())
}
