//! The paper's system: its protocol, in files of the TFHE library, and the parameters that its authors released.
//!
//! | file | from | ciphertexts |
//! |---|---|---|
//! | `secret_cloud.data` | client | the signs of the picture, row by row: 784 |
//! | `K_cloud.data` | client | the mean magnitudes K of the windows, row by row, in 20 bits each, least significant first: 576 x 20 |
//! | `answer.data` | server | the scores, in as many bits as the model's last layer gives (the paper's: 10 x 25), least significant first |
//!
//! beside the key sets `secret.key` and `cloud.key`. The files say nothing of model, picture or key: client and server
//! agree on them. An answer of another key is refused by what its bits decrypt to. One of another model, or to another
//! picture, is not refused. The network runs on the gate engine. (Zhou, Li, Panaousis, Liang, "Deep binarized convolutional
//! neural network inferences over encrypted data", CSCloud 2020.)
//!
//! ```
//! use std::sync::Arc;
//! use bnn::{client::Client, data::Image, engine::client_specification, model::Model, paper};
//! use tfhe_core::{keys::SecretKey, parameters::TFHE_LIB_V1_0_1, random::SecretSeed};
//! // A model that reads what the paper's does.
//! # let read = |name| std::fs::read(format!("{}/../models/binarized-cnn/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
//! # let (manifest, weights) = (read("manifest.toml"), read("weights.safetensors"));
//! let model = Arc::new(Model::from_bytes(&manifest, &weights)?);
//! let key = Arc::new(SecretKey::generate(&TFHE_LIB_V1_0_1, SecretSeed::from_os()?));
//! let client = Client::new(Arc::new(client_specification(&model)?), key)?;
//! let black = client.encode(&Image::grey(28, 28, vec![0; 28 * 28])?)?;
//! let [signs, magnitudes] = paper::encrypt(&client, &black, SecretSeed::from_os()?)?;
//! assert_eq!((signs.ciphertexts().len(), magnitudes.ciphertexts().len()), (784, 576 * 20));
//! # Ok::<(), bnn::Error>(())
//! ```

mod client;
pub(crate) mod fault;
mod lengths;
#[cfg(feature = "server")]
mod parameters;
#[cfg(feature = "server")]
mod server;

pub use self::{
    client::{encrypt, read_answer},
    fault::{PaperFault, PaperFile},
};
#[cfg(feature = "server")]
pub use self::{
    parameters::import_paper,
    server::{answer_to_bytes, join_image, read_part},
};
