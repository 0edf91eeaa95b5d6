//! One connection: what it waits for, and since when.
//!
//! All of it is written without locks by the tasks of the connection, and read by the table. Times are milliseconds of the
//! table's clock.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio::sync::Notify;

/// Bytes that a client must read within the wait for writes while a response is being sent, or its connection is closed.
const MIN_PROGRESS: u64 = 16 * 1024;

/// The time of the table's clock, in milliseconds since it was created. It advances each time that connections are checked.
#[derive(Debug, Default)]
pub(super) struct CoarseClock(AtomicU64);

impl CoarseClock {
    /// The time. It is never 0, which stands for 'never' in a connection.
    pub(super) fn now(&self) -> u64 {
        self.0.load(Relaxed) + 1
    }

    pub(super) fn advance(&self, millis: u64) {
        self.0.fetch_max(millis, Relaxed);
    }
}

/// What all connections of one address share.
#[derive(Debug, Default)]
pub(super) struct AddressUsage {
    /// Requests that are being handled.
    pub(super) requests: AtomicUsize,
    /// Whether it is the address of a proxy, behind which there are many clients.
    pub(super) is_proxy: AtomicBool,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It does not.
    None,
    /// After the requests that it already sent.
    Graceful,
    /// At once.
    Abrupt,
}

/// A connection of a client.
#[derive(Debug)]
pub(super) struct ClientConnection {
    pub(super) id: u64,
    pub(super) peer: SocketAddr,
    /// The address or network that it is charged to.
    pub(super) network: IpAddr,
    pub(super) usage: Arc<AddressUsage>,
    pub(super) clock: Arc<CoarseClock>,
    is_http2: AtomicBool,
    /// Requests that are being handled.
    handled: AtomicUsize,
    /// Requests whose response has not been handed over completely, with those that are being handled.
    open: AtomicUsize,
    /// When the head that is being received began; 0 if there is none.
    head_since: AtomicU64,
    /// When the last request ended, or the connection was opened.
    idle_since: AtomicU64,
    /// Since when the client has not taken what we write; 0 if it has.
    blocked_since: AtomicU64,
    written: AtomicU64,
    /// The bytes written at the time below, which is when the client had last read enough.
    progress: AtomicU64,
    progress_at: AtomicU64,
    ending: AtomicU8,
    ending_since: AtomicU64,
    ended: Notify,
}

/// How long a connection may wait, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    pub(super) head: u64,
    pub(super) idle: u64,
    pub(super) write: u64,
}

impl ClientConnection {
    pub(super) fn new(
        id: u64,
        peer: SocketAddr,
        network: IpAddr,
        usage: Arc<AddressUsage>,
        clock: Arc<CoarseClock>,
    ) -> Self {
        let now = clock.now();
        // Proxies open connections before they need them.
        let head_since = if usage.is_proxy.load(Relaxed) { 0 } else { now };
        Self {
            id,
            peer,
            network,
            usage,
            clock,
            is_http2: AtomicBool::new(false),
            handled: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            head_since: AtomicU64::new(head_since),
            idle_since: AtomicU64::new(now),
            blocked_since: AtomicU64::new(0),
            written: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            progress_at: AtomicU64::new(now),
            ending: AtomicU8::new(0),
            ending_since: AtomicU64::new(0),
            ended: Notify::new(),
        }
    }

    /// Records that bytes arrived. `is_preface` says whether they begin like a connection of HTTP/2, which has frames that
    /// belong to no request.
    pub(super) fn record_read(&self, is_preface: bool) {
        if is_preface {
            self.is_http2.store(true, Relaxed);
        }
        if self.head_since.load(Relaxed) == 0 && self.open.load(Relaxed) == 0 && !self.is_http2.load(Relaxed)
        {
            self.head_since.store(self.clock.now(), Relaxed);
        }
    }

    /// Records that the socket took `bytes`, and whether it took all that it was given.
    pub(super) fn record_write(&self, bytes: usize, is_all: bool) {
        self.written.fetch_add(bytes as u64, Relaxed);
        if is_all && self.blocked_since.load(Relaxed) != 0 {
            self.blocked_since.store(0, Relaxed);
        }
    }

    /// Records that the socket takes nothing more for now.
    pub(super) fn record_blocked(&self) {
        if self.blocked_since.load(Relaxed) == 0 {
            self.blocked_since.store(self.clock.now(), Relaxed);
        }
    }

    /// Records that a request was received.
    pub(super) fn begin_request(&self) {
        self.head_since.store(0, Relaxed);
        self.open.fetch_add(1, Relaxed);
        self.handled.fetch_add(1, Relaxed);
    }

    /// Records that the head of its response is ready.
    pub(super) fn begin_response(&self) {
        self.handled.fetch_sub(1, Relaxed);
        self.idle_since.store(self.clock.now(), Relaxed);
    }

    /// Records that its response was handed over.
    pub(super) fn end_response(&self) {
        self.open.fetch_sub(1, Relaxed);
        self.idle_since.store(self.clock.now(), Relaxed);
    }

    /// Since when no request is in flight; `None` if one is.
    pub(super) fn idle_since(&self) -> Option<u64> {
        let is_idle = self.open.load(Relaxed) == 0 && self.blocked_since.load(Relaxed) == 0;
        is_idle.then(|| self.idle_since.load(Relaxed))
    }

    /// Whether it has been asked to end.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Relaxed) != 0
    }

    /// Asks it to end.
    pub(super) fn end(&self, ending: Ending) {
        let level = match ending {
            Ending::None => return,
            Ending::Graceful => 1,
            Ending::Abrupt => 2,
        };
        if self.ending.fetch_max(level, Relaxed) == 0 {
            self.ending_since.store(self.clock.now(), Relaxed);
        }
        self.ended.notify_one();
    }

    /// Asks an idle connection to end, because another one needs its place. What it sent of a head is lost.
    pub(super) fn give_way(&self) {
        let has_head = self.head_since.load(Relaxed) != 0;
        self.end(if has_head { Ending::Abrupt } else { Ending::Graceful });
    }

    /// Waits until it is asked to end.
    pub(super) async fn asked_to_end(&self) -> Ending {
        self.ended.notified().await;
        match self.ending.load(Relaxed) {
            0 => Ending::None,
            1 => Ending::Graceful,
            _ => Ending::Abrupt,
        }
    }

    /// Ends it if it has waited too long for its client. Only one task may call this at a time.
    pub(super) fn end_if_overdue(&self, waits: Waits) {
        let now = self.clock.now();
        if self.written.load(Relaxed) - self.progress.load(Relaxed) >= MIN_PROGRESS {
            self.progress.store(self.written.load(Relaxed), Relaxed);
            self.progress_at.store(now, Relaxed);
        }
        let progress_at = self.progress_at.load(Relaxed);
        let is_over = |since: u64, wait: u64| now.saturating_sub(since) > wait;
        let ending = match self.ending.load(Relaxed) {
            0 => None,
            1 => Some(self.ending_since.load(Relaxed)),
            _ => return,
        };
        let (head, blocked) = (self.head_since.load(Relaxed), self.blocked_since.load(Relaxed));
        let idle_since = self.idle_since.load(Relaxed);
        let (open, handled) = (self.open.load(Relaxed), self.handled.load(Relaxed));
        if blocked != 0 && is_over(blocked.max(progress_at), waits.write)
            || open > 0 && handled == 0 && is_over(idle_since.max(progress_at), waits.write)
            || head != 0 && is_over(head, waits.head)
            || open == 0
                && ending.is_some_and(|since| is_over(since.max(idle_since).max(progress_at), waits.head))
        {
            self.end(Ending::Abrupt);
        } else if ending.is_none()
            && open == 0
            && blocked == 0
            && is_over(idle_since.max(progress_at), waits.idle)
        {
            self.end(Ending::Graceful);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits { head: 10, idle: 60, write: 30 };

    fn connection(is_proxy: bool) -> ClientConnection {
        let usage = AddressUsage { requests: AtomicUsize::new(0), is_proxy: AtomicBool::new(is_proxy) };
        let peer: SocketAddr = "192.0.2.1:1".parse().unwrap();
        ClientConnection::new(1, peer, peer.ip(), Arc::new(usage), Arc::default())
    }

    /// How the connection ends if it is checked then.
    fn ending(connection: &ClientConnection, at: u64) -> Ending {
        connection.clock.advance(at);
        connection.end_if_overdue(WAITS);
        match connection.ending.load(Relaxed) {
            0 => Ending::None,
            1 => Ending::Graceful,
            _ => Ending::Abrupt,
        }
    }

    fn request(connection: &ClientConnection) {
        connection.begin_request();
        connection.begin_response();
        connection.end_response();
    }

    #[test]
    fn a_head_must_be_whole_in_time_however_its_bytes_arrive() {
        let empty = connection(false);
        assert_eq!(ending(&empty, 10), Ending::None);
        assert_eq!(ending(&empty, 11), Ending::Abrupt);
        let trickled = connection(false);
        for at in 1..=10 {
            trickled.record_read(false);
            assert_eq!(ending(&trickled, at), Ending::None);
        }
        assert_eq!(ending(&trickled, 11), Ending::Abrupt);
        let second = connection(false);
        request(&second);
        second.clock.advance(50);
        second.record_read(false);
        assert_eq!(ending(&second, 60), Ending::None);
        assert_eq!(ending(&second, 61), Ending::Abrupt);
        let http2 = connection(false);
        http2.record_read(true);
        assert_eq!(ending(&http2, 11), Ending::Abrupt, "the first request of HTTP/2 has no more time");
    }

    #[test]
    fn an_idle_connection_ends_gracefully_and_then_at_once() {
        let idle = connection(false);
        request(&idle);
        assert_eq!(ending(&idle, 60), Ending::None);
        assert_eq!(ending(&idle, 61), Ending::Graceful);
        assert_eq!(ending(&idle, 71), Ending::Graceful);
        assert_eq!(ending(&idle, 72), Ending::Abrupt, "its client does not close it");
    }

    #[test]
    fn frames_between_requests_neither_begin_a_head_nor_keep_http_2_open() {
        let idle = connection(false);
        idle.record_read(true);
        request(&idle);
        for at in 1..=60 {
            idle.record_read(false);
            idle.record_write(17, true);
            assert_eq!(ending(&idle, at), Ending::None);
        }
        assert_eq!(ending(&idle, 61), Ending::Graceful);
    }

    #[test]
    fn a_proxy_may_open_connections_before_it_needs_them() {
        let spare = connection(true);
        assert_eq!(ending(&spare, 60), Ending::None);
        assert_eq!(ending(&spare, 61), Ending::Graceful);
        let half = connection(true);
        half.record_read(false);
        assert_eq!(ending(&half, 11), Ending::Abrupt);
    }

    #[test]
    fn a_request_that_is_being_handled_keeps_its_connection() {
        let busy = connection(false);
        busy.begin_request();
        assert_eq!(ending(&busy, 1000), Ending::None, "handlers have a time limit of their own");
        assert_eq!(busy.idle_since(), None);
        busy.begin_response();
        assert_eq!(ending(&busy, 1030), Ending::None);
        assert_eq!(ending(&busy, 1031), Ending::Abrupt, "nothing of the response was read");
    }

    #[test]
    fn a_response_must_be_read_at_some_speed() {
        let chunk = usize::try_from(MIN_PROGRESS).unwrap();
        let slow = connection(false);
        slow.begin_request();
        slow.begin_response();
        for round in 1..10 {
            slow.record_write(chunk, false);
            slow.record_blocked();
            assert_eq!(ending(&slow, round * 30), Ending::None, "{round}");
        }
        for at in 271..=300 {
            slow.record_write(1, false);
            slow.record_blocked();
            assert_eq!(ending(&slow, at), Ending::None);
        }
        assert_eq!(ending(&slow, 301), Ending::Abrupt, "a few bytes are no progress");
        let unread = connection(false);
        request(&unread);
        unread.record_blocked();
        assert_eq!(unread.idle_since(), None);
        assert_eq!(ending(&unread, 31), Ending::Abrupt, "the response is in our buffers");
        let read = connection(false);
        request(&read);
        read.record_blocked();
        read.record_write(1, true);
        assert_eq!(ending(&read, 31), Ending::None);
    }
}
