//! Limits the size of a response body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

/// The maximum response of a secret store in bytes: a secret of 64 KiB whose characters are all escaped with
/// six characters, and some room.
pub(crate) const LONGEST: usize = 512 * 1024;

/// A body that ends after `left` bytes. The rest is not read.
pub(crate) struct Bounded<B> {
    body: B,
    left: usize,
}

impl<B> Bounded<B> {
    /// Allows one byte more than [`LONGEST`], to detect a larger body.
    pub(crate) const fn new(body: B) -> Self {
        Self { body, left: LONGEST + 1 }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Bounded<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &mut frame
            && let Some(data) = frame.data_mut()
        {
            data.truncate(self.left);
            self.left -= data.len();
        }
        Poll::Ready(frame)
    }
}
