//! A digit is read without being seen: client and server in one process, which share nothing but bytes.

use std::{error::Error, fs, sync::Arc};

use bnn::client::{Client, ClientSpecification, EncryptedImage, EncryptedScores};
use bnn::engine::{Engine, Server, client_specification};
use bnn::{circuit::Style, data::Image, model::Model};
use tfhe_core::keys::{CloudKey, SecretKey};
use tfhe_core::{backend::Backend, control::Control, evaluator::Evaluator, random::SecretSeed};

fn main() -> Result<(), Box<dyn Error>> {
    let read = |name: &str| fs::read(format!("{}/../models/{name}", env!("CARGO_MANIFEST_DIR")));

    // The owner of the model publishes what clients need.
    let (manifest, weights) = (read("perceptron/manifest.toml")?, read("perceptron/weights.safetensors")?);
    let model = Arc::new(Model::from_bytes(&manifest, &weights)?);
    let published = client_specification(&model)?.to_bytes();

    // The client draws a key, keeps it, and sends the cloud key and an encrypted picture.
    let specification = Arc::new(ClientSpecification::from_bytes(&published)?);
    let parameters = specification.parameter_sets(Engine::Functional)[0];
    let key = Arc::new(SecretKey::generate(parameters, SecretSeed::from_os()?));
    let cloud_key = CloudKey::generate(&key, SecretSeed::from_os()?)?;
    let client = Client::new(specification, key)?;
    let digit = client.encode(&Image::decode(&read("digits/7.png")?, None)?)?;
    let sent = client.encrypt(&digit, SecretSeed::from_os()?)?.to_bytes()?;

    // The server runs the network on what it cannot read.
    let evaluator = Arc::new(Evaluator::new(&cloud_key, Backend::fastest())?);
    let server = Server::new(model, evaluator, Style::Optimized)?;
    let answer = server.infer(&EncryptedImage::from_bytes(&sent)?, &Control::default())?.to_bytes()?;

    let scores = client.decrypt(&EncryptedScores::from_bytes(&answer)?)?;
    println!("The digit is a {}.", scores.label());
    Ok(())
}
