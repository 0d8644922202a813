//! Connections: how they are taken, bounded and ended, with TLS where it is wanted.
//!
//! * [`patience`]: clients that take nothing of what is sent to them.

mod patience;

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use self::patience::Patient;

/// Connections at a time.
const MOST_CONNECTIONS: usize = 1024;
/// How long a client may take for a handshake, and for the headers of a request.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEADERS: Duration = Duration::from_secs(30);
/// Bytes of a connection's buffer. A request whose headers are not whole when it is full is refused; as what comes is read in pieces of up to this
/// length, headers have less than twice as many.
const BUFFER_BYTES: usize = 32 << 10;
/// How long requests may go on once the service stops.
const GRACE: Duration = Duration::from_secs(30);
/// A pause where the system has no more connections to give.
const PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until `stop` changes; then lets their requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            _ = stop.wait_for(|&stop| stop) => break,
        };
        let Ok((stream, permit)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (acceptor, router, watcher) = (acceptor.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _permit = permit;
            // What goes wrong on a connection is its client's to notice.
            match acceptor {
                None => drop(watcher.watch(connection(TokioIo::new(stream), router)).await),
                Some(acceptor) => {
                    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        drop(watcher.watch(connection(TokioIo::new(stream), router)).await);
                    }
                }
            }
        });
    }
    drop(listener);
    let _ = timeout(GRACE, graceful.shutdown()).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

fn connection<S>(stream: S, router: Router) -> http1::Connection<Patient<S>, TowerToHyperService<Router>>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + 'static,
{
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(Patient::new(stream), TowerToHyperService::new(router))
}
