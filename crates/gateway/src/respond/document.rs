//! Responses of the admin API: a document, its entity tag and its location. No cache stores them, because
//! they may contain a secret.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, ContentType, ETAG, HeaderName, LOCATION};
use actix_web::{HttpResponse, HttpResponseBuilder};
use administration::{Created, EntityTag, as_answer};
use serde::Serialize;

use super::Problem;
use super::no_store::no_store;
use crate::request::{NDJSON, RawRequest};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A response under construction.
pub(crate) struct ResponseDocument(HttpResponseBuilder);

impl ResponseDocument {
    /// A response with a status.
    pub(crate) fn from_status(status: StatusCode) -> Self {
        Self(no_store(status))
    }

    /// Adds the entity tag (RFC 9110 §8.8.3).
    pub(crate) fn tagged(mut self, tag: &EntityTag) -> Self {
        self.0.insert_header((ETAG, tag.to_string()));
        self
    }

    /// Adds the location of a new resource, and whether the response is a repetition.
    pub(crate) fn made(mut self, location: &str, replayed: bool) -> Self {
        self.0.insert_header((LOCATION, location));
        self.replayed(replayed)
    }

    /// Adds whether the response is a repetition.
    pub(crate) fn replayed(mut self, replayed: bool) -> Self {
        if replayed {
            self.0.insert_header((REPLAYED, "true"));
        }
        self
    }

    /// A JSON body.
    pub(crate) fn body(mut self, body: &impl Serialize) -> Result<HttpResponse, Problem> {
        let body = as_answer(|| serde_json::to_vec(body)).map_err(|error| Problem::fault(&error))?;
        Ok(self.0.insert_header(ContentType::json()).body(body))
    }

    /// A line of JSON for each item.
    pub(crate) fn lines(mut self, items: &[impl Serialize]) -> Result<HttpResponse, Problem> {
        let mut body = Vec::new();
        for item in items {
            serde_json::to_writer(&mut body, item).map_err(|error| Problem::fault(&error))?;
            body.push(b'\n');
        }
        Ok(self.0.insert_header((CONTENT_TYPE, NDJSON)).body(body))
    }

    /// A text of a media type.
    fn text(mut self, media_type: &'static str, text: String) -> HttpResponse {
        self.0.insert_header((CONTENT_TYPE, media_type)).body(text)
    }

    /// No body.
    pub(crate) fn empty(mut self) -> HttpResponse {
        self.0.finish()
    }
}

/// The response to a GET: the document, or 304 if the caller has it already (RFC 9110 §13.1.2).
pub(crate) fn looked_at(raw: &RawRequest, view: &impl Serialize) -> Result<HttpResponse, Problem> {
    let tag = EntityTag::from_document(view);
    if raw.knows(tag.to_string()) {
        return Ok(ResponseDocument::from_status(StatusCode::NOT_MODIFIED).tagged(&tag).empty());
    }
    ResponseDocument::from_status(StatusCode::OK).tagged(&tag).body(view)
}

/// The response to a GET of a text of another media type.
pub(crate) fn looked_at_as(raw: &RawRequest, media_type: &'static str, text: String) -> HttpResponse {
    let tag = EntityTag::from_document(&text);
    if raw.knows(tag.to_string()) {
        return ResponseDocument::from_status(StatusCode::NOT_MODIFIED).tagged(&tag).empty();
    }
    ResponseDocument::from_status(StatusCode::OK).tagged(&tag).text(media_type, text)
}

/// The response to a creation, or to its repetition: the created row at this location, with the entity tag of
/// this view.
pub(crate) fn created<T: Serialize>(
    view: &impl Serialize,
    location: &str,
    made: &Created<T>,
) -> Result<HttpResponse, Problem> {
    let answer = ResponseDocument::from_status(StatusCode::CREATED).tagged(&EntityTag::from_document(view));
    answer.made(location, made.replayed).body(&made.value)
}

/// The response to a change: the document as it is now.
pub(crate) fn changed(view: &impl Serialize) -> Result<HttpResponse, Problem> {
    ResponseDocument::from_status(StatusCode::OK).tagged(&EntityTag::from_document(view)).body(view)
}
