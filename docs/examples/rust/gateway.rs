//! A gateway, in actix-web: it checks the tokens of its callers, and calls the service behind it
//! with a token of its own.

use actix_web::error::ErrorBadGateway;
use actix_web::{App, HttpResponse, HttpServer, web};
use latchkey_client::{Secret, SendWith as _, TokenSource};
use latchkey_verifier::{Bearer, Trusted, Verifier};

#[derive(Clone)]
pub struct Gateway {
    verifier: Verifier,
    tokens: TokenSource,
    http: reqwest::Client,
    orders: String,
}

impl Gateway {
    /// `orders` is where the service is.
    pub fn new(issuer: &str, secret: Secret, orders: &str) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self {
            verifier: Verifier::builder().issuer(Trusted::issuer(issuer)).audience("shop-api").build()?,
            tokens: TokenSource::builder()
                .issuer(issuer)
                .client_id("gateway")
                .credential(secret)
                .scope("orders:read")
                .origin(orders)
                .build()?,
            http: reqwest::Client::new(),
            orders: orders.to_owned(),
        })
    }

    pub fn routes(&self, config: &mut web::ServiceConfig) {
        config.app_data(self.verifier.clone()).app_data(web::Data::new(self.clone()));
        config.route("/shop/orders", web::get().to(orders));
    }
}

async fn orders(caller: Bearer, gateway: web::Data<Gateway>) -> actix_web::Result<HttpResponse> {
    caller.require("shop:read")?;
    // The caller's token stays here: it is for this API, and the service does not accept it.
    let request =
        gateway.http.get(format!("{}/orders", gateway.orders)).header("x-caller", caller.client_id());
    let answer = request.send_with(&gateway.tokens).await.map_err(ErrorBadGateway)?;
    let answer = answer.error_for_status().map_err(ErrorBadGateway)?;
    Ok(HttpResponse::Ok().body(answer.bytes().await.map_err(ErrorBadGateway)?))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = "http://localhost:3000/api/v1/tenant/globex";
    let gateway = Gateway::new(issuer, Secret::env("CLIENT_SECRET"), "http://localhost:4001")?;
    HttpServer::new(move || App::new().configure(|config| gateway.routes(config)))
        .bind("127.0.0.1:4000")?
        .run()
        .await?;
    Ok(())
}
