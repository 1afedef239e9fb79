//! A certificate authority of the test's own: it vouches for any host asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;

/// Signs certificates; the PEM of its own is what a client must trust.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    made: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "oauth-sync test authority");
        let key = KeyPair::generate().expect("ring makes a P-256 key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("the parameters are sound");
        Self { issuer, made: Mutex::default() }
    }

    /// Returns the authority's own certificate.
    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Returns what ends TLS in the name of `host`.
    pub(super) fn vouch(&self, host: &str) -> Arc<ServerConfig> {
        let mut made = self.made.lock().expect("no holder panics");
        let config = made.entry(host.to_owned()).or_insert_with(|| Arc::new(self.sign(host)));
        Arc::clone(config)
    }

    fn sign(&self, host: &str) -> ServerConfig {
        let mut names = vec![host.to_owned()];
        if host == "localhost" {
            // A host of Anthropic's too: where that name means loopback, no tunnel tells it.
            names.extend(["127.0.0.1", "::1", "platform.claude.com"].map(str::to_owned));
        }
        let mut params = CertificateParams::new(names).expect("host names are ASCII");
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.distinguished_name.push(DnType::CommonName, host);
        let key = KeyPair::generate().expect("ring makes a P-256 key");
        let leaf = params.signed_by(&key, &self.issuer).expect("the parameters are sound");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("rcgen writes PKCS #8");
        ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring serves TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .expect("key and certificate belong together")
    }
}
