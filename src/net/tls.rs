//! The TLS configuration of all outgoing connections.

use std::sync::Arc;

use anyhow::Context;
use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The number of hosts whose TLS sessions are kept for resumption, which saves verifying their certificates again.
/// rustls keeps eight sessions per host.
const RESUMED_HOSTS: usize = 1000;

/// Returns a configuration that trusts the system's certificates and those in `extra_ca` (PEM).
pub(super) fn client_config(extra_ca: Option<&[u8]>) -> anyhow::Result<ClientConfig> {
    let extra: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(extra_ca.unwrap_or_default()).collect();
    let provider = Arc::new(default_provider());
    let verifier = Verifier::new_with_extra_roots(
        extra.context("could not read the extra certificates")?,
        Arc::clone(&provider),
    )
    .context("could not load the trusted certificates")?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(RESUMED_HOSTS * 8);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
