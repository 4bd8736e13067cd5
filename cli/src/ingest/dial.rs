//! Connections to servers of others: encrypted, and to public addresses, unless somebody says otherwise.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

/// How long a name may take to be looked up, and an address to accept a connection, encryption included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection, encrypted or not.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Why there is no connection. The system's own errors are texts here: one of a connection is none of standard output's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DialError {
    #[error("{0} is no address of a server: write one such as https://forum.example")]
    NoHost(String),
    #[error(
        "{0} would be asked without encryption: write https:// or wss://; for a server of your own network, name it with \
         --allow-private {0}"
    )]
    Plain(String),
    #[error(
        "{host} is {address}, which is no public address: it is not fetched; for a server of your own network, name it with \
         --allow-private {host}"
    )]
    Private { host: String, address: IpAddr },
    #[error("the address of {host} can't be looked up: {error}")]
    NotFound { host: String, error: String },
    #[error("{host} does not answer: {error}")]
    NoAnswer { host: String, error: String },
    #[error("{host} can't be trusted: {error}")]
    Untrusted { host: String, error: String },
    #[error("no certificates of this system's can be read: {0}; SSL_CERT_FILE names a file of them")]
    NoRoots(String),
}

impl DialError {
    /// Whether it would be the same again, so that a person must act.
    pub(super) fn is_final(&self) -> bool {
        match self {
            DialError::NoHost(_) | DialError::Plain(_) | DialError::Private { .. } | DialError::NoRoots(_) => true,
            // A name may point elsewhere for a while, and a certificate be renewed too late.
            DialError::NotFound { .. } | DialError::NoAnswer { .. } | DialError::Untrusted { .. } => false,
        }
    }
}

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Somebody else's: its name may come to point at anything, also at what only this machine reaches.
    Theirs,
    /// That of whoever runs this, wherever it is.
    Ours,
}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Dialer {
    whose: Whose,
    /// Hosts and addresses that may be private, and asked without encryption.
    allowed: Vec<String>,
    tls: Arc<OnceLock<TlsConnector>>,
}

impl Dialer {
    /// For servers of others. `allowed` are hosts and addresses that may be private.
    pub(super) fn of_others(allowed: &[String]) -> Self {
        Self::new(Whose::Theirs, allowed)
    }

    /// For the server that comments are sent to.
    pub(super) fn of_ours(allowed: &[String]) -> Self {
        Self::new(Whose::Ours, allowed)
    }

    fn new(whose: Whose, allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|host| host.trim_matches(['[', ']']).to_ascii_lowercase()).collect();
        Dialer { whose, allowed, tls: Arc::default() }
    }

    /// Connects to the server of an address. What counts is where its name points at that moment.
    pub(super) async fn connect(&self, url: &Url) -> Result<Box<dyn Io>, DialError> {
        let is_encrypted = matches!(url.scheme(), "https" | "wss");
        let no_host = || DialError::NoHost(url.as_str().to_owned());
        let host = url.host().map(|host| host.to_owned()).ok_or_else(no_host)?;
        let port = url.port().unwrap_or(if is_encrypted { 443 } else { 80 });
        let named = match &host {
            Host::Domain(name) => name.trim_end_matches('.').to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let is_named = self.allowed.contains(&named);
        if !is_encrypted && !is_named && self.whose == Whose::Theirs {
            return Err(DialError::Plain(named));
        }
        let addresses: Vec<IpAddr> = match host {
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
            Host::Domain(_) => look_up(&named).await?,
        };
        let mut last = DialError::NotFound { host: named.clone(), error: "it has no address".to_owned() };
        for address in addresses {
            let is_allowed = is_named || self.allowed.contains(&address.to_string());
            if self.whose == Whose::Theirs && !is_allowed && !is_public(address) {
                last = DialError::Private { host: named.clone(), address };
                continue;
            }
            if self.whose == Whose::Ours && !is_encrypted && !is_allowed && !address.is_loopback() {
                last = DialError::Plain(named.clone());
                continue;
            }
            match self.open(&named, SocketAddr::new(address, port), is_encrypted).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn open(&self, host: &str, address: SocketAddr, is_encrypted: bool) -> Result<Box<dyn Io>, DialError> {
        let no_answer = |error: String| DialError::NoAnswer { host: host.to_owned(), error };
        let late = || no_answer(format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()));
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        let connection = connected.map_err(|_| late())?.map_err(|error| no_answer(error.to_string()))?;
        // A request is small, and waited for.
        let _ = connection.set_nodelay(true);
        if !is_encrypted {
            return Ok(Box::new(connection));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|_| DialError::NoHost(host.to_owned()))?;
        let encrypted = tokio::time::timeout(CONNECT_TIMEOUT, self.tls()?.connect(name, connection)).await;
        match encrypted.map_err(|_| late())? {
            Ok(connection) => Ok(Box::new(connection)),
            Err(error) if is_of_certificate(&error) => {
                Err(DialError::Untrusted { host: host.to_owned(), error: error.to_string() })
            }
            Err(error) => Err(no_answer(error.to_string())),
        }
    }

    /// What encrypts, with the certificates that this system trusts, which are read once.
    fn tls(&self) -> Result<&TlsConnector, DialError> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls);
        }
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let error = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
            return Err(DialError::NoRoots(error));
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| DialError::NoRoots(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(self.tls.get_or_init(|| TlsConnector::from(Arc::new(config))))
    }
}

fn is_of_certificate(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

async fn look_up(host: &str) -> Result<Vec<IpAddr>, DialError> {
    let not_found = |error: String| DialError::NotFound { host: host.to_owned(), error };
    let found = tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::lookup_host((host, 0))).await;
    let found = found.map_err(|_| not_found(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())))?;
    Ok(found.map_err(|error| not_found(error.to_string()))?.map(|address| address.ip()).collect())
}

/// Whether an address is one of the internet: neither of this machine, nor of a network of one's own, nor one that stands for
/// another ([IANA's registry](https://www.iana.org/assignments/iana-ipv4-special-registry)).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // Carriers' own networks, protocols' own addresses, relays to IPv6, and measurements.
        || (first == 100 && second & 0b1100_0000 == 64)
        || (first == 192 && second == 0 && third == 0)
        || (first == 192 && second == 88 && third == 99)
        || (first == 198 && second & 0b1111_1110 == 18))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, fourth, fifth, sixth, seventh, eighth] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (first, second, third, fourth, fifth, sixth) {
        // An IPv4 address in another form is as public as that.
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => is_public_v4(v4(seventh, eighth)),
        (0x2002, ..) => is_public_v4(v4(second, third)),
        // Teredo, protocols' own addresses, documentation.
        (0x2001, 0..=0x1ff | 0xdb8, ..) | (0x3fff, 0..=0xfff, ..) => false,
        // All that is given out is of 2000::/3.
        _ => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_of_the_internet_is_known_in_every_form() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "100::1",
            "4000::1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
        ] {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
    }

    async fn refused(dialer: &Dialer, url: &str) -> Option<DialError> {
        dialer.connect(&Url::parse(url).expect("a URL")).await.err()
    }

    #[tokio::test]
    async fn a_private_address_is_reached_only_where_it_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("known").port();
        let others = Dialer::of_others(&[]);
        let is_plain = |error: Option<DialError>| matches!(error, Some(DialError::Plain(_)));
        let is_private = |error: Option<DialError>| matches!(error, Some(DialError::Private { .. }));
        assert!(is_plain(refused(&others, &format!("ws://127.0.0.1:{port}/")).await));
        // A name that points there, and each way to write the address.
        for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"] {
            assert!(is_private(refused(&others, &format!("wss://{host}:{port}/")).await), "{host}");
        }
        for (allowed, host) in [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("LocalHost", "localhost")] {
            let named = Dialer::of_others(&[allowed.to_owned()]);
            assert_eq!(refused(&named, &format!("ws://{host}:{port}/")).await, None, "{allowed}");
        }
        let other = Dialer::of_others(&["forum.example".to_owned()]);
        assert!(is_private(refused(&other, &format!("https://127.0.0.1:{port}/")).await));
        assert_eq!(refused(&Dialer::of_ours(&[]), &format!("http://127.0.0.1:{port}/")).await, None);
        assert!(is_plain(refused(&Dialer::of_ours(&[]), "http://192.0.2.1/").await));
        assert!(matches!(refused(&others, "https://nowhere.invalid/").await, Some(DialError::NotFound { .. })));
    }
}
