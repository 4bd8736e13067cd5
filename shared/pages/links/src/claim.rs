use jiff::Timestamp;
use modstream_events::Action;
use modstream_ledger::AlertKey;
use uuid::Uuid;

/// What a token proves that its holder may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The holder may see an alert and decide about it.
    Alert {
        /// The key of its comment.
        comment: Uuid,
        /// The alert's id.
        id: Uuid,
        /// What the link proposes, `Undo` for nothing; the page has all that is possible.
        action: Action,
    },
    /// The holder may see a digest and the alerts in it.
    Digest {
        /// When its window starts, a whole minute.
        start: Timestamp,
        /// How long the window is, in minutes.
        minutes: u16,
        /// The digest's position among those of its window, from 0.
        position: u16,
    },
    /// The holder may begin a session at the desk, once.
    SignIn {
        /// Tells links that are made in one minute for one moderator apart: each is used once.
        id: Uuid,
        /// The moderator's name.
        moderator: String,
    },
    /// The holder may be at the desk.
    Session {
        /// The moderator's name.
        moderator: String,
    },
    /// The holder may send a form of a page that was made for this moderator.
    Form {
        /// The moderator whose page it was.
        moderator: String,
    },
}

const ALERT: u8 = 1;
const DIGEST: u8 = 2;
const SIGN_IN: u8 = 3;
const SESSION: u8 = 4;
const FORM: u8 = 5;

impl Claim {
    /// The claim to an alert; none where its name is not as publishers make them.
    pub fn to_alert(key: &AlertKey, action: Action) -> Option<Self> {
        Some(Claim::Alert { comment: key.comment.parse().ok()?, id: key.id.parse().ok()?, action })
    }

    /// The alert that it is about, if it is about one.
    pub fn alert(&self) -> Option<AlertKey> {
        match self {
            Claim::Alert { comment, id, .. } => Some(AlertKey { comment: comment.to_string(), id: id.to_string() }),
            _ => None,
        }
    }

    /// Where a link with this claim leads, below a site's address. Sessions and forms travel otherwise.
    pub fn folder(&self) -> Option<&'static str> {
        match self {
            Claim::Alert { .. } => Some("a"),
            Claim::Digest { .. } => Some("d"),
            Claim::SignIn { .. } => Some("s"),
            Claim::Session { .. } | Claim::Form { .. } => None,
        }
    }

    pub(crate) fn payload(&self, expires: Timestamp) -> Vec<u8> {
        let start = |kind: u8| {
            let mut payload = vec![kind];
            payload.extend(minutes(expires).to_be_bytes());
            payload
        };
        let named = |kind: u8, name: &str| [start(kind), name.as_bytes().to_vec()].concat();
        match self {
            Claim::Alert { comment, id, action } => {
                [start(ALERT), comment.as_bytes().to_vec(), id.as_bytes().to_vec(), vec![byte_of(*action)]].concat()
            }
            Claim::Digest { start: window, minutes: length, position } => [
                start(DIGEST),
                minutes(*window).to_be_bytes().to_vec(),
                length.to_be_bytes().to_vec(),
                position.to_be_bytes().to_vec(),
            ]
            .concat(),
            Claim::SignIn { id, moderator } => {
                [start(SIGN_IN), id.as_bytes().to_vec(), moderator.as_bytes().to_vec()].concat()
            }
            Claim::Session { moderator } => named(SESSION, moderator),
            Claim::Form { moderator } => named(FORM, moderator),
        }
    }

    /// The claim, and until when it holds.
    pub(crate) fn read(payload: &[u8]) -> Option<(Self, Timestamp)> {
        let (&kind, rest) = payload.split_first()?;
        let (minutes, rest) = rest.split_first_chunk()?;
        let expires = time(*minutes)?;
        let named = |name| std::str::from_utf8(name).ok().filter(|name| !name.is_empty()).map(str::to_owned);
        let name = || named(rest);
        let claim = match kind {
            ALERT => {
                let (comment, rest) = rest.split_first_chunk()?;
                let (id, rest) = rest.split_first_chunk()?;
                let [action] = rest else { return None };
                let (comment, id) = (Uuid::from_bytes(*comment), Uuid::from_bytes(*id));
                Claim::Alert { comment, id, action: action_of(*action)? }
            }
            DIGEST => {
                let (start, rest) = rest.split_first_chunk()?;
                let (length, rest) = rest.split_first_chunk()?;
                let position = rest.try_into().ok()?;
                Claim::Digest {
                    start: time(*start)?,
                    minutes: u16::from_be_bytes(*length),
                    position: u16::from_be_bytes(position),
                }
            }
            SIGN_IN => {
                let (id, name) = rest.split_first_chunk()?;
                Claim::SignIn { id: Uuid::from_bytes(*id), moderator: named(name)? }
            }
            SESSION => Claim::Session { moderator: name()? },
            FORM => Claim::Form { moderator: name()? },
            _ => return None,
        };
        Some((claim, expires))
    }
}

fn time(minutes: [u8; 4]) -> Option<Timestamp> {
    Timestamp::from_second(i64::from(u32::from_be_bytes(minutes)) * 60).ok()
}

/// Rounded up: a link holds at least as long as it says.
fn minutes(time: Timestamp) -> u32 {
    let seconds = time.as_second() + i64::from(time.subsec_nanosecond() > 0);
    u32::try_from((seconds + 59).div_euclid(60).max(0)).unwrap_or(u32::MAX)
}

fn byte_of(action: Action) -> u8 {
    match action {
        Action::Remove => 1,
        Action::Keep => 2,
        Action::Undo => 3,
    }
}

fn action_of(byte: u8) -> Option<Action> {
    [Action::Remove, Action::Keep, Action::Undo].into_iter().find(|action| byte_of(*action) == byte)
}
