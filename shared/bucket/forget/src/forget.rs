use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use modstream_ledger::{Entry, Ledger, LedgerError, List};
use modstream_platform::deliver::{DeliveryError, delete_version, get_version, list_versions, put_where};
use modstream_platform::table::Table;
use modstream_platform::{Clock, Condition, ObjectVersion, VersionCursor, VersionedObjects};

use crate::redact::{Verdict, is_theirs, redact};
use crate::{ForgetError, Person};

/// How long a call is tried.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How many objects are looked at at once.
const CONCURRENT_OBJECTS: usize = 8;
/// How often an object is looked at anew because it changed meanwhile.
const ROUNDS: usize = 10;

/// A place that holds comments: a part of the bucket, or the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// What the streams carried.
    Archive,
    /// Records that can never be handled.
    Quarantine,
    /// The alerts, in the table.
    Ledger,
    /// Batches that Lambda gave up.
    GivenUp,
    /// What others said that comments should have got.
    Feedback,
}

impl Area {
    /// All of them.
    pub const ALL: [Area; 5] = [Area::Archive, Area::Quarantine, Area::Ledger, Area::GivenUp, Area::Feedback];

    /// What its keys begin with in the bucket, and are named by where they lie elsewhere.
    pub fn prefix(self) -> &'static str {
        match self {
            Area::Archive => modstream_archive::PREFIX,
            Area::Quarantine => "quarantine/",
            Area::Ledger => "ledger",
            Area::GivenUp => "aws/lambda/",
            Area::Feedback => "feedback/",
        }
    }

    /// The place of an object's key; none where no comments lie below it.
    pub fn of_key(key: &str) -> Option<Self> {
        Area::ALL.into_iter().find(|area| *area != Area::Ledger && key.starts_with(area.prefix()))
    }
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The key of the bucket up to which all is looked at, places in the order of [`Area::ALL`]; none before the first.
    pub up_to: Option<String>,
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Remove the text.
    Remove,
    /// Say what would be removed.
    DryRun,
}

/// What was removed in one place, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that held some of the person's text.
    pub objects: u64,
    /// Records of theirs in what the objects hold now.
    pub records: u64,
    /// Versions that are gone for good.
    pub versions: u64,
}

/// A version that can't be read, so that nobody knows whether it holds some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// The object's key.
    pub key: String,
    /// The id of the version.
    pub version_id: String,
    /// What is wrong with it.
    pub why: String,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What was found, by place; places where nothing was found are left out.
    pub places: BTreeMap<Area, Counts>,
    /// What somebody must look at. It is as it was.
    pub unclear: Vec<Unclear>,
    /// How many versions were read.
    pub looked_at: u64,
}

impl Summary {
    /// Whether the person has no text in what could be read.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Removes what a person wrote from every place, in all versions. What others write meanwhile is not overwritten; what they
/// write behind it is not seen, so run it again once the streams' own copies have expired.
///
/// What lies before where `progress` has come to is not looked at, and `progress` moves on with the work: who keeps it goes on from
/// there after an error. In memory is a page of a listing, and what a key's versions are read into.
///
/// # Errors
/// At the first object or item that can't be listed, read, rewritten or deleted. Running it again finishes the work.
pub async fn forget<B: Table, O: VersionedObjects, C: Clock>(
    (table, objects): (&B, &O),
    clock: &C,
    person: &Person,
    mode: Mode,
    progress: &mut Progress,
) -> Result<Summary, ForgetError> {
    let mut summary = Summary::default();
    let begun = progress.up_to.as_deref().and_then(Area::of_key);
    for place in Area::ALL.into_iter().skip_while(|place| begun.is_some_and(|begun| *place != begun)) {
        if place == Area::Ledger {
            in_ledger(table, clock, person, mode, &mut summary).await?;
        } else {
            Work { objects, clock, person, mode, place }.clear_all(progress, &mut summary).await?;
        }
    }
    Ok(summary)
}

/// Removes from the alerts. The index of all of them is walked, which says in a few bytes whose one may be; these alone are read.
async fn in_ledger<B: Table, C: Clock>(
    table: &B,
    clock: &C,
    person: &Person,
    mode: Mode,
    summary: &mut Summary,
) -> Result<(), ForgetError> {
    let ledger = || Ledger::new(table, clock, clock.now().saturating_add(CALL_TIMEOUT).unwrap_or(Timestamp::MAX));
    let failed = |error: LedgerError| ForgetError::Ledger { error };
    let whose = match person {
        Person::Author(name) => (Some(name.as_str()), None),
        Person::Comment(id) => (None, Some(id.as_str())),
    };
    let mut counts = Counts::default();
    for list in [List::Standing, List::Superseded] {
        let mut after = None;
        loop {
            let page = ledger().maybe_of(whose, list, after).await.map_err(|error| failed(error.into()))?;
            let (entries, unreadable) = ledger().entries(&page.found).await.map_err(failed)?;
            summary.looked_at += page.found.len() as u64;
            for error in unreadable {
                if let LedgerError::Unreadable { key, detail } = error {
                    let key = format!("{} {}", key.partition, key.sort);
                    summary.unclear.push(Unclear { key, version_id: String::new(), why: detail });
                }
            }
            let theirs: Vec<&Entry> = entries.values().filter(|entry| is_theirs(person, &entry.event)).collect();
            counts.objects += theirs.len() as u64;
            counts.records += theirs.len() as u64;
            if mode == Mode::Remove {
                let ledger = ledger();
                let redacting = theirs.into_iter().map(|entry| ledger.redact(entry));
                let mut redacting = stream::iter(redacting).buffer_unordered(CONCURRENT_OBJECTS);
                while redacting.try_next().await.map_err(|error| failed(error.into()))?.is_some() {}
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    if counts != Counts::default() {
        summary.places.insert(Area::Ledger, counts);
    }
    Ok(())
}

struct Work<'a, O, C> {
    objects: &'a O,
    clock: &'a C,
    person: &'a Person,
    mode: Mode,
    place: Area,
}

/// What became of one key.
#[derive(Default)]
struct Cleared {
    records: u64,
    versions: u64,
    looked_at: u64,
    unclear: Vec<Unclear>,
}

impl<O: VersionedObjects, C: Clock> Work<'_, O, C> {
    fn deadline(&self) -> Timestamp {
        self.clock.now().saturating_add(CALL_TIMEOUT).unwrap_or(Timestamp::MAX)
    }

    /// Clears every key of the place, a page of them after the other.
    async fn clear_all(&self, progress: &mut Progress, summary: &mut Summary) -> Result<(), ForgetError> {
        let prefix = self.place.prefix();
        let mut counts = Counts::default();
        let begun = progress.up_to.clone().filter(|key| key.starts_with(prefix));
        let mut after = begun.map(|key| VersionCursor { key, version_id: None });
        // Of a page's last key more versions may follow.
        let mut versions: Vec<ObjectVersion> = Vec::new();
        loop {
            let page = list_versions(self.objects, self.clock, self.deadline(), prefix, after.as_ref()).await;
            let page = page.map_err(|error| ForgetError::List { prefix: prefix.to_owned(), error })?;
            versions.extend(page.versions);
            let is_of_last = |version: &ObjectVersion| versions.last().is_some_and(|last| last.key == version.key);
            let whole = match page.next {
                Some(_) => versions.iter().position(is_of_last).unwrap_or_default(),
                None => versions.len(),
            };
            let rest = versions.split_off(whole);
            let keys = versions.chunk_by(|one, other| one.key == other.key);
            let looks = keys.filter_map(|versions| Some(self.clear(&versions.first()?.key, versions)));
            let mut looks = stream::iter(looks).buffered(CONCURRENT_OBJECTS);
            while let Some((key, cleared)) = looks.try_next().await? {
                counts.objects += u64::from(cleared.records + cleared.versions > 0);
                counts.records += cleared.records;
                counts.versions += cleared.versions;
                summary.looked_at += cleared.looked_at;
                summary.unclear.extend(cleared.unclear);
                progress.up_to = Some(key.to_owned());
            }
            drop(looks);
            (versions, after) = (rest, page.next);
            if after.is_none() {
                break;
            }
        }
        if counts != Counts::default() {
            summary.places.insert(self.place, counts);
        }
        Ok(())
    }

    /// Clears all versions of a key, and looks again until there is nothing left to clear.
    async fn clear<'k>(&self, key: &'k str, versions: &[ObjectVersion]) -> Result<(&'k str, Cleared), ForgetError> {
        let failed = |error: DeliveryError| ForgetError::Object { key: key.to_owned(), error };
        let mut cleared = Cleared::default();
        let mut versions = Cow::Borrowed(versions);
        for _ in 0..ROUNDS {
            cleared.unclear.clear();
            let mut found = false;
            for version in versions.iter() {
                found |= self.clear_version(version, &mut cleared).await.map_err(failed)?;
            }
            if !found || self.mode == Mode::DryRun {
                return Ok((key, cleared));
            }
            versions = Cow::Owned(self.versions_of(key).await.map_err(failed)?);
        }
        Err(ForgetError::Contended { key: key.to_owned() })
    }

    /// All versions of one key.
    async fn versions_of(&self, key: &str) -> Result<Vec<ObjectVersion>, DeliveryError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = list_versions(self.objects, self.clock, self.deadline(), key, after.as_ref()).await?;
            // Keys that begin with this one come behind it.
            let is_last = page.next.is_none() || page.versions.iter().any(|version| version.key != key);
            all.extend(page.versions.into_iter().filter(|version| version.key == key));
            after = page.next;
            if is_last {
                return Ok(all);
            }
        }
    }

    /// Whether the version held some of the person's text.
    async fn clear_version(&self, version: &ObjectVersion, cleared: &mut Cleared) -> Result<bool, DeliveryError> {
        let Work { objects, clock, person, mode, place } = *self;
        let ObjectVersion { key, version_id, is_latest, etag } = version;
        let Some(etag) = etag else { return Ok(false) };
        let Some(bytes) = get_version(objects, clock, self.deadline(), version).await? else {
            return Ok(false);
        };
        cleared.looked_at += 1;
        let (records, rest) = match redact(place, key, person, clock.now(), &bytes) {
            Verdict::Clean => return Ok(false),
            Verdict::Unclear(why) => {
                cleared.unclear.push(Unclear { key: key.clone(), version_id: version_id.clone(), why });
                return Ok(false);
            }
            Verdict::Holds { records, rest } => (records, rest),
        };
        if mode == Mode::Remove && *is_latest {
            // First what stays, then away with what was: the other way round a crash would lose others' records.
            let unchanged = Condition::Matches(etag.clone());
            if put_where(objects, clock, self.deadline(), key, rest, &unchanged).await?.is_none() {
                return Ok(true);
            }
        }
        if mode == Mode::Remove {
            delete_version(objects, clock, self.deadline(), version).await?;
        }
        if *is_latest {
            cleared.records += records;
        }
        cleared.versions += 1;
        Ok(true)
    }
}
