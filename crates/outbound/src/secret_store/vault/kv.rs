//! The two requests to a KV engine. The library has them too, but these keep the exact JSON text of the data,
//! so that a write does not change other members.

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError as HttpError;
use serde::Deserialize;
use serde_json::value::RawValue;

/// `GET <mount>/data/<path>`.
pub(super) struct ReadRequest<'a> {
    pub(super) mount: &'a str,
    pub(super) path: &'a str,
    pub(super) version: Option<u64>,
}

/// `POST <mount>/data/<path>`.
pub(super) struct WriteRequest<'a> {
    pub(super) mount: &'a str,
    pub(super) path: &'a str,
    /// The expected current version; 0 if the secret does not exist.
    pub(super) onto: u64,
    pub(super) object: &'a str,
}

#[derive(Deserialize)]
pub(super) struct VersionAnswer {
    pub(super) data: Option<Box<RawValue>>,
    pub(super) metadata: VersionMetadata,
}

/// The metadata of a version, which may be deleted.
#[derive(Deserialize)]
pub(super) struct VersionMetadata {
    pub(super) version: u64,
    pub(super) created_time: String,
    #[serde(default)]
    pub(super) destroyed: bool,
}

impl Endpoint for ReadRequest<'_> {
    type Response = VersionAnswer;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!("{}/data/{}", self.mount, self.path)
    }

    fn method(&self) -> RequestMethod {
        RequestMethod::GET
    }

    fn query(&self) -> Result<Option<String>, HttpError> {
        Ok(self.version.map(|version| format!("version={version}")))
    }
}

impl Endpoint for WriteRequest<'_> {
    type Response = VersionMetadata;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!("{}/data/{}", self.mount, self.path)
    }

    fn method(&self) -> RequestMethod {
        RequestMethod::POST
    }

    fn body(&self) -> Result<Option<Vec<u8>>, HttpError> {
        let body = format!(r#"{{"options":{{"cas":{}}},"data":{}}}"#, self.onto, self.object);
        Ok(Some(body.into_bytes()))
    }
}

/// Whether the path can be used in a URL without escaping. The library does not check it.
pub(super) fn is_path(path: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte);
    path.len() <= 512
        && path.split('/').all(|segment| {
            !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(fits)
        })
}
