use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use crate::http::{read, write};
use crate::{Reply, Request, WAIT_TIMEOUT, lock};

/// A server on a free port of 127.0.0.1. It records requests in the order of their arrival.
#[derive(Debug)]
pub struct StubServer {
    address: SocketAddr,
    arrivals: Arc<Arrivals>,
}

#[derive(Debug, Default)]
struct Arrivals {
    requests: Mutex<Vec<Request>>,
    more: Condvar,
}

impl StubServer {
    /// Starts a server that answers with `reply`, on a thread a connection. It serves until the process ends.
    ///
    /// # Errors
    /// An error of the system's where no port is free.
    pub fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::serving(reply, true)
    }

    /// Starts a server that records no requests, however many there are.
    ///
    /// # Errors
    /// An error of the system's where no port is free.
    pub fn unrecorded(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::serving(reply, false)
    }

    fn serving(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static, recorded: bool) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let arrivals = Arc::new(Arrivals::default());
        let (shared, reply) = (Arc::clone(&arrivals), Arc::new(reply));
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (arrivals, reply) = (Arc::clone(&shared), Arc::clone(&reply));
                // A connection that ends badly is the client's to notice.
                thread::spawn(move || serve(connection, recorded.then_some(&arrivals), &*reply));
            }
        });
        Ok(StubServer { address, arrivals })
    }

    /// Starts a server that gives these replies in turn, and after the last one hangs up.
    ///
    /// # Errors
    /// An error of the system's where no port is free.
    pub fn with_replies(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let replies = Mutex::new(replies.into_iter().collect::<std::collections::VecDeque<_>>());
        Self::start(move |_| lock(&replies).pop_front().unwrap_or(Reply::HangUp))
    }

    /// The server's host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server's address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.arrivals.requests).clone()
    }

    /// Waits until a request has arrived for which `is` is true.
    ///
    /// # Panics
    /// Panics where no such request arrives within [`WAIT_TIMEOUT`].
    pub fn wait_for(&self, is: impl Fn(&Request) -> bool) {
        let requests = lock(&self.arrivals.requests);
        let waited = self.arrivals.more.wait_timeout_while(requests, WAIT_TIMEOUT, |all| !all.iter().any(&is));
        let (requests, end) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!end.timed_out(), "no such request within {WAIT_TIMEOUT:?}; there were {}", requests.len());
    }
}

fn serve(connection: TcpStream, arrivals: Option<&Arc<Arrivals>>, reply: &dyn Fn(&Request) -> Reply) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reading = BufReader::new(connection.try_clone()?);
    let mut writing = connection;
    while let Some(request) = read(&mut reading)? {
        if let Some(arrivals) = arrivals {
            lock(&arrivals.requests).push(request.clone());
            arrivals.more.notify_all();
        }
        if !write(&mut writing, &reply(&request))? {
            break;
        }
    }
    Ok(())
}
