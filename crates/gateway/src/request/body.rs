//! Reads the whole body of a request, with limits for size and time. A body may contain a secret,
//! so it is wiped on drop. The buffers of the HTTP library are not wiped.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::rt::time::timeout;
use administration::administrator::IMPORT_BYTES;
use futures_util::StreamExt as _;
use zeroize::Zeroizing;

/// The maximum size, and the time after the head in which the body must be complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyBounds {
    bytes: usize,
    time: Duration,
}

impl BodyBounds {
    /// For documents and forms.
    pub(crate) const ORDINARY: Self = Self { bytes: 64 * 1024, time: Duration::from_secs(10) };
    /// For a tenant with two logos in base64.
    pub(crate) const TENANT: Self = Self { bytes: 768 * 1024, time: Duration::from_secs(10) };
    /// For an import of accounts.
    pub(crate) const IMPORT: Self = Self { bytes: IMPORT_BYTES, time: Duration::from_secs(60) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("The request body is incomplete")]
    Incomplete,
    #[error("The request body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("The request body took too long to arrive")]
    TooSlow,
    #[error("The Content-Type header was sent more than once")]
    TwoTypes,
    /// The expected media types.
    #[error("The request body must be {0}")]
    MediaType(&'static str),
}

pub(crate) type WipedBody = Zeroizing<Vec<u8>>;

/// `announced` is the Content-Length. With `Upgrade: websocket` the library passes on everything up
/// to the end of the connection, so the body has to end at this length (`ends_at`, RFC 9112 §6.3).
pub(crate) async fn read(
    payload: &mut Payload,
    announced: Option<usize>,
    ends_at: Option<usize>,
    bounds: BodyBounds,
) -> Result<WipedBody, BodyError> {
    if announced.is_some_and(|length| length > bounds.bytes) {
        return Err(BodyError::TooLarge(bounds.bytes));
    }
    let mut body = pin!(collect(payload, ends_at, bounds.bytes));
    match with_its_head(body.as_mut()).await {
        Some(body) => body,
        None => timeout(bounds.time, body).await.map_err(|_| BodyError::TooSlow)?,
    }
}

/// Reads a body that arrived together with its head, without setting a timer. The library starts
/// the request before it passes the body on, so the body is complete at the second poll if it has
/// already arrived.
async fn with_its_head<F: Future>(mut body: Pin<&mut F>) -> Option<F::Output> {
    let mut is_polled = false;
    poll_fn(|cx| match body.as_mut().poll(cx) {
        Poll::Ready(body) => Poll::Ready(Some(body)),
        Poll::Pending if is_polled => Poll::Ready(None),
        Poll::Pending => {
            is_polled = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

impl BodyError {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Incomplete | Self::TwoTypes => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// Whether the connection must close, because the rest of the body would be read as the next
    /// request.
    pub(crate) const fn ends_connection(self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::TooSlow)
    }
}

async fn collect(
    payload: &mut Payload,
    ends_at: Option<usize>,
    limit: usize,
) -> Result<WipedBody, BodyError> {
    let mut body = WipedBody::default();
    while ends_at.is_none_or(|end| body.len() < end) {
        let Some(chunk) = payload.next().await else {
            return if ends_at.is_some() { Err(BodyError::Incomplete) } else { Ok(body) };
        };
        let mut chunk = chunk.map_err(|_| BodyError::Incomplete)?;
        chunk.truncate(ends_at.map_or(chunk.len(), |end| end - body.len()));
        let length = body.len() + chunk.len();
        if length > limit {
            return Err(BodyError::TooLarge(limit));
        }
        if length > body.capacity() {
            // A growing vector would leave an unwiped copy behind.
            let mut larger = WipedBody::new(Vec::with_capacity(length.max(2 * body.len())));
            larger.extend_from_slice(&body);
            body = larger;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use actix_http::BoxedPayloadStream;
    use actix_web::web::Bytes;
    use futures_util::stream;
    use grants::TokenRequest;
    use protocol::IntrospectionRequest;
    use testkit::{canary, leftovers};

    use super::*;

    /// The chunks are too short to contain a canary.
    async fn received(text: &str) -> WipedBody {
        let chunks: Vec<_> =
            text.as_bytes().chunks(16).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let stream: BoxedPayloadStream = Box::pin(stream::iter(chunks));
        let mut payload = Payload::Stream { payload: stream };
        read(&mut payload, None, None, BodyBounds::ORDINARY).await.unwrap()
    }

    fn form(parts: &[&str], tag: char) -> Zeroizing<String> {
        let mut form = Zeroizing::new(String::with_capacity(1024));
        for part in parts {
            form.push_str(part);
            form.push_str(&Zeroizing::new(canary(tag)));
        }
        form
    }

    // [found 27]: Bodies and headers with secrets were freed unwiped; the AWS and Vault libraries are in
    //   every build (since then: cargo features, off by default); PgBouncer drops the role; a leaked token
    //   with a long lifetime ends with its key only | stays | Fixed: buffers that held a secret are wiped
    //   where we own them: bodies, forms, Basic credentials, documents, passwords. The rest stays because it
    //   is in libraries or by design, and what an operator can do is in [known gaps](#known-gaps)
    #[actix_web::test]
    async fn a_form_leaves_no_secret_in_memory() {
        let grant = "grant_type=client_credentials&client_id=a";
        for (parts, tag) in [
            (["grant_type=client_credentials&client_id=a&client_secret=", "&scope=a&x="], 'A'),
            (["grant_type=client_credentials&client_id=a&client_secret=", "&client_secret="], 'B'),
            (["grant_type=client_credentials&client_id=a&client_secret=%ff", "&client_assertion="], 'C'),
            (["grant_type=password&password=", "&client_secret="], 'D'),
        ] {
            let body = received(&form(&parts, tag)).await;
            let _ = TokenRequest::parse(None, &body);
        }
        let body = received(&form(&["client_id=a&token=", "&client_secret="], 'E')).await;
        let _ = IntrospectionRequest::parse(None, &body);
        drop(body);
        let pair = form(&["a:", "+%20"], 'F');
        let header = format!("Basic {}", base64(pair.as_bytes()));
        let _ = TokenRequest::parse(Some(header.as_bytes()), grant.as_bytes());
        let broken = format!("Basic {}*", base64(pair.as_bytes()));
        drop(pair);
        let _ = TokenRequest::parse(Some(broken.as_bytes()), grant.as_bytes());
        let found = leftovers();
        assert!(!found.iter().any(|tag| "ABCDEF".contains(*tag)), "{found:?}");
    }

    fn base64(bytes: &[u8]) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }
}
