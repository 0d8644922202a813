//! A connection whose client takes what is sent to it, if not at once.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::time::{Sleep, sleep};

/// For how long a client may take nothing of what is sent to it.
const SILENCE: Duration = Duration::from_secs(30);

/// A stream that fails when nothing can be written for a while: a client that reads no answer would keep its connection for ever.
pub(super) struct Patient<S> {
    stream: S,
    /// When patience ends, while something waits to be written.
    end: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, end: None }
    }
}

impl<S: Unpin> Patient<S> {
    /// What a write came to, or that it has waited for too long.
    fn write<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let written = write(Pin::new(&mut self.stream), context);
        if written.is_ready() {
            self.end = None;
            return written;
        }
        let end = self.end.get_or_insert_with(|| Box::pin(sleep(SILENCE)));
        end.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: Read + Unpin> Read for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |stream, context| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(context, |stream, context| stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(context, |stream, context| stream.poll_shutdown(context))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::future::poll_fn;

    use tokio::{runtime, time::Instant};

    use super::*;

    /// A stream of a client that takes so many writes, each after a while, and then nothing.
    struct Slow {
        writes: usize,
        pause: Pin<Box<Sleep>>,
    }

    const PAUSE: Duration = Duration::from_secs(20);

    impl Write for Slow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            if self.writes == 0 || self.pause.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.writes -= 1;
            self.pause.set(sleep(PAUSE));
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn who_takes_nothing_is_cut_off_and_who_is_slow_is_not() {
        // Its clock stands still, but for the pauses in which nothing else is to be done.
        let runtime =
            runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let start = Instant::now();
            let mut stream = Patient::new(Slow { writes: 3, pause: Box::pin(sleep(PAUSE)) });
            let mut write = async || poll_fn(|context| Pin::new(&mut stream).poll_write(context, b"x")).await;
            for _ in 0..3 {
                assert_eq!(write().await.unwrap(), 1);
            }
            assert_eq!(write().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            let slack = Duration::from_millis(10);
            assert!((start.elapsed() - 3 * PAUSE - SILENCE) < slack, "{:?}", start.elapsed());
        });
    }
}
