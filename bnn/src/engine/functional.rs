//! The functional engine: linear layers are free on ciphertexts, and an activation is one bootstrap through a table.
//!
//! A value is carried as a multiple of a *unit* of the torus, one unit a layer. A network is cut into stages (a linear
//! map, maxima, an activation); what a stage's table brings out is at the unit that the next stage's sums need, and the last
//! sums are decrypted by the client:
//!
//! ```text
//! encrypted values --linear--> sums --|a - b|--> maxima --table--> values at the next unit ... --linear--> scores
//! ```
//!
//! Stages form a graph: a stage may read what any before it gave, and add what others gave to its sums.
//!
//! [`Plan::new`] chooses units from ranges and noise formulas, and refuses a network whose sums would leave the torus or be
//! lost in noise, by the layer's name; [`Plan::cheapest`] chooses the parameter set as well. One set serves all layers of a
//! network: another set for one layer is a second cloud key of as many megabytes, and the sets here differ by less than
//! a half in time.
//!
//! The result is approximate: noise turns the sign of a sum near 0 now and then, and moves other values a little.
//! [`Plan::predict`] says how often that changes a label, by evaluating the same plan on phases in the clear. (Linear
//! layer and sign on the torus: Bourse, Minelli, Minihold, Paillier, "Fast homomorphic evaluation of deep discretized
//! neural networks", CRYPTO 2018; other tables: Chillotti, Joye, Paillier, "Programmable bootstrapping", CSCML 2021.)
//!
//! Two liberties are taken with the integer meaning: a layer's `bits`, at which sums would wrap, are not kept (they hold
//! the sums of every real picture), and rectifiers behind the scores are the client's.
//!
//! ```
//! use std::sync::Arc;
//! use bnn::{data::Image, engine::functional::Plan, model::Model};
//! # let read = |name| std::fs::read(format!("{}/../models/binarized-perceptron/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
//! # let (manifest, weights) = (read("manifest.toml"), read("weights.safetensors"));
//! let model = Arc::new(Model::from_bytes(&manifest, &weights)?);
//! let plan = Plan::cheapest(Arc::clone(&model))?;
//! assert_eq!((plan.parameters().name(), plan.bootstraps()), ("FUNCTIONAL_1024", 384));
//! // How likely noise leaves the label of this picture as it is: by ten evaluations in the clear.
//! let black = model.input().encode(&Image::grey(28, 28, vec![0; 28 * 28])?)?;
//! assert!((0.0..=1.0).contains(&plan.predict(&black, 10, 1)?));
//! # Ok::<(), bnn::Error>(())
//! ```

pub(super) mod inference;
mod machine;
pub(crate) mod plan;
mod scale;
mod scores;
mod stage;
pub(super) mod state;
mod units;
mod walk;

pub use self::plan::{Margin, Plan};
