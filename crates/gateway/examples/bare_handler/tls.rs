//! Serves the handlers over TLS: rustls with its defaults and aws-lc-rs, as in `bind_rustls` of
//! actix-web. That function needs a cargo feature that the platform does not use.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_server::Server;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::{State, app};

pub(crate) fn serve(
    address: &str,
    certificate: &Path,
    key: &Path,
    state: Data<State>,
) -> Result<Server, Box<dyn Error>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth();
    let mut config = config.with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::build().workers(1).bind("tls", address, move || {
        let app = app(state.clone()).into_factory().map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build().finish(map_config(app, |()| AppConfig::default()));
        let acceptor = acceptor.clone();
        fn_service(move |socket: TcpStream| {
            let (acceptor, peer) = (acceptor.clone(), socket.peer_addr().ok());
            async move {
                // Session tickets and response are two writes. Without this option the second write
                // would wait for the acknowledgement of the first.
                socket.set_nodelay(true).map_err(DispatchError::Io)?;
                let stream = acceptor.accept(socket).await.map_err(DispatchError::Io)?;
                Ok((stream, Protocol::Http1, peer))
            }
        })
        .and_then(http)
    })?;
    Ok(server.run())
}
