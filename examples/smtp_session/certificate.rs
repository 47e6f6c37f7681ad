//! A certificate for the example, made anew each time.

use std::error::Error;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use statem::net::{Tls, TlsAcceptor};

/// A server that can prove to be `name`, and a client that trusts nobody else.
///
/// # Errors
///
/// What rustls has to say about the name.
pub fn pair(name: &str) -> Result<(TlsAcceptor, Tls), Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed([name.to_owned()])?;
    let certificate = CertificateDer::from(made.cert);
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone())?;
    let client = ClientConfig::builder()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let server = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok((
        TlsAcceptor::new(Arc::new(server)),
        Tls::new(Arc::new(client)).name(name),
    ))
}
