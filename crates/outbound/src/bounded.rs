//! Reads no more of an answer than the caller can use.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};

/// The largest answer of a secret store in bytes: a secret of 64 KiB, each character escaped by six.
pub(crate) const LONGEST: usize = 512 * 1024;

/// A body that ends after a number of bytes. What follows is not read.
pub(crate) struct Bounded<B> {
    body: B,
    left: usize,
}

impl<B> Bounded<B> {
    /// Reads one byte more than [`LONGEST`], which shows that the body is larger.
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
