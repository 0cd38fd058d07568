//! `GET /assets/{hash}/{file}`: the files that pages load. They belong to no tenant, and a copy of one never grows old.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use pages::Asset;

use crate::failure::Failure;
use crate::page::passive;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, names_tag};

const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATED: HeaderValue = HeaderValue::from_static("no-cache");

pub(super) async fn asset(raw: RawRequest) -> Result<HttpResponse, OAuthError> {
    let asset = raw.place("file").and_then(Asset::named).ok_or(Failure::UnknownPath)?;
    // While replicas of two versions serve, a page may name a file of the other one. It gets ours, and keeps it for this time only.
    let lifetime = if raw.place("hash") == Some(asset.hash()) { FOREVER } else { REVALIDATED };
    let tag = format!("\"{}\"", asset.hash());
    let is_known = raw.list(&IF_NONE_MATCH).is_some_and(|tags| names_tag(&tags, &tag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    passive(&mut response).insert_header((CACHE_CONTROL, lifetime)).insert_header((ETAG, tag));
    if is_known {
        return Ok(response.finish());
    }
    Ok(response.insert_header((CONTENT_TYPE, asset.media_type())).body(asset.text()))
}
