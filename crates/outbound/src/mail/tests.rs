//! Tests mail over SMTP with a server in this process.
