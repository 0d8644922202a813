//! Evaluations for which the client waits, and what is checked before any evaluation.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, response::IntoResponse};
use bnn::{client::EncryptedImage, engine::Cost};
use tfhe_core::parameters::Parameters;
use tokio::sync::oneshot;

use super::{
    Context, away,
    body::ImageBody,
    caller::Caller,
    file::{BINARY, File},
    models,
    request::Path,
};
use crate::{
    access::tokens::Scope,
    fault::{Fault, FaultView, Result},
    models::Served,
    store::{
        OverQuota,
        keys::{KeyName, KeyRecord},
    },
    work::{
        admission::Ticket,
        order::{Live, Order, Purpose},
        residents::EXPANSION,
    },
};

/// The most bootstraps of an evaluation for which a client waits on its connection: some minutes.
const MOST_WAITED: usize = 200_000;

/// An image that fits a model and a key that is there.
pub(super) struct Fitting {
    pub(super) served: Arc<Served>,
    pub(super) key: KeyName,
    pub(super) set: &'static Parameters,
    pub(super) cost: Cost,
    pub(super) image: EncryptedImage,
}

impl Fitting {
    /// Reads an image, and refuses what cannot be evaluated, before any work.
    pub(super) async fn check(
        context: &Arc<Context>,
        caller: &Caller,
        model: &str,
        body: &Bytes,
    ) -> Result<Self> {
        caller.needs(Scope::Infer)?;
        context.check_running()?;
        let served = Arc::clone(models::find(context, model)?);
        let image = EncryptedImage::from_bytes(body).map_err(|error| Fault::bad(error.to_string()))?;
        served.model.check_image(&image).map_err(|error| Fault::unfit(error.to_string()))?;
        let name = image.parameters().name();
        let unfit = || {
            Fault::unfit(format!("the model {} is not run under the parameter set {name} here", served.name))
        };
        let set = served.set(name).ok_or_else(unfit)?;
        let key = KeyName::new(&caller.owner, image.key_id());
        let (wanted, id) = (key.clone(), image.key_id());
        let record = context.with_store(move |store| store.key(&wanted)).await?;
        let record = record.filter(KeyRecord::is_complete).ok_or_else(|| {
            Fault::unfit(format!("the cloud key {id}, under which this image is encrypted, was not uploaded"))
        })?;
        if record.parameters.as_deref() != Some(name) {
            return Err(Fault::unfit(format!(
                "the cloud key {id} is not of the image's parameter set {name}"
            )));
        }
        // One counts the gates of a circuit, and those who come meanwhile wait for it.
        let one = Arc::clone(&served.counting).lock_owned().await;
        let of_model = Arc::clone(&served);
        let cost = away(move || {
            // Until the end, also where the client goes away meanwhile.
            let _one = one;
            of_model.cost(set)
        });
        let cost = cost.await?.map_err(|error| Fault::unfit(error.to_string()))?;
        let (needed, most) = (
            EXPANSION * record.bytes + cost.ciphertext_bytes as u64,
            context.work.shared.bounds.memory_bytes,
        );
        if needed > most {
            let line = format!(
                "this needs about {} MB of memory, of which the service may use {} MB",
                needed / 1_000_000,
                most / 1_000_000
            );
            return Err(Fault::unfit(line));
        }
        Ok(Self { served, key, set, cost, image })
    }

    /// Lets the evaluation in, if the queue is not full.
    pub(super) fn admit(&self, context: &Context) -> Result<Ticket> {
        let admitted = context.work.shared.admission.admit(self.cost.bootstraps as u64);
        admitted.map_err(|busy| Fault::too_much("too much is queued here; ask again later", busy.wait))
    }
}

/// Stops the work when the client has gone, with whom the handler goes.
struct StopWhenGone(Arc<Live>);

impl Drop for StopWhenGone {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Evaluates a model on an encrypted image
#[utoipa::path(post, path = "/v2/models/{name}/infer", params(("name" = String, Path)),
    request_body(content = inline(File), content_type = "application/octet-stream"),
    responses((status = 200, body = inline(File), content_type = "application/octet-stream"), (status = 400, body = FaultView),
    (status = 401, body = FaultView), (status = 403, body = FaultView), (status = 404, body = FaultView), (status = 408, body = FaultView), (status = 409, body = FaultView),
    (status = 413, body = FaultView), (status = 422, body = FaultView), (status = 429, body = FaultView), (status = 503, body = FaultView),
    (status = 507, body = FaultView)))]
pub(crate) async fn infer(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(name): Path,
    // Its room is kept until the answer is there.
    ImageBody(body, _room): ImageBody,
) -> Result<impl IntoResponse> {
    let fitting = Fitting::check(&context, &caller, &name, &body).await?;
    if fitting.cost.bootstraps > MOST_WAITED {
        let line = format!(
            "{} bootstraps take too long to wait for: POST the image to /v2/models/{name}/jobs",
            fitting.cost.bootstraps
        );
        return Err(Fault::unfit(line));
    }
    let ticket = fitting.admit(&context)?;
    let (owner, count, quota) = (caller.owner, fitting.cost.bootstraps as u64, caller.quota);
    let of_day = quota.bootstraps_a_day;
    if !context.with_store(move |store| store.use_bootstraps(&owner, count, of_day)).await? {
        return Err(Fault::over_quota(OverQuota::Bootstraps, quota));
    }
    let Fitting { served, key, cost, image, .. } = fitting;
    let (answer, answered) = oneshot::channel();
    let live = Live::new(0);
    let _stop = StopWhenGone(Arc::clone(&live));
    let purpose = Purpose::Request { image: Box::new(image), answer };
    context.work.submit(Order { key, served, cost, ticket, live, purpose });
    // A worker that ends without an answer does so because the service stops.
    let scores = answered.await.map_err(|_| Fault::stopping())??;
    Ok((BINARY, scores))
}
