//! Windows: from when on a key may be activated, retired, forgotten, and how long a stolen one does harm. Integer seconds,
//! half-open: a window is open at its first second.
//!
//! Sources: RFC 7583 (timing of DNSSEC key rollover), RFC 5011 (hold-down), OpenID Federation 1.0 section 11.2 (rollover of a
//! trust anchor), SAML metadata section 2.2.1 (validUntil, cacheDuration), SPIFFE trust domain and bundle, section 4.1.4.

use std::fmt;

use super::inventory::{Inventory, Place, Shown, Track};
use super::{CADENCE, Channel, KeyState, Method, Outstanding, Stage};
use crate::base::clock::{Instant, Span};
use crate::base::fault::Fault;

/// A point in time that may never come. Never is later than everything.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum When {
    /// Then.
    At(Instant),
    /// Not at all.
    Never,
}

impl When {
    /// Later by a span; what lies beyond the calendar never comes.
    #[must_use]
    pub fn later(self, span: Span) -> Self {
        match self {
            Self::At(at) => at.after(span).map_or(Self::Never, Self::At),
            Self::Never => Self::Never,
        }
    }

    /// Whether it has come.
    pub fn has_come(self, now: Instant) -> bool {
        self <= Self::At(now)
    }

    /// The point in time, where there is one.
    pub const fn instant(self) -> Option<Instant> {
        match self {
            Self::At(at) => Some(at),
            Self::Never => None,
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "{at}"),
            Self::Never => f.write_str("never"),
        }
    }
}

/// When a window opens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Opening {
    /// It was never closed: there is nothing to wait for.
    Open,
    /// At this time.
    At(When),
    /// Nobody can say: these publication points were never seen to be up to date.
    Unseen(Vec<String>),
}

impl Opening {
    /// Whether the window is open.
    pub fn is_open(&self, now: Instant) -> bool {
        match self {
            Self::Open => true,
            Self::At(when) => when.has_come(now),
            Self::Unseen(_) => false,
        }
    }

    fn later(self, span: Span) -> Self {
        match self {
            Self::At(when) => Self::At(when.later(span)),
            other => other,
        }
    }

    /// When both are open.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unseen(mut points), Self::Unseen(more)) => {
                points.extend(more);
                points.dedup();
                Self::Unseen(points)
            }
            (Self::At(one), Self::At(other)) => Self::At(one.max(other)),
            (Self::Open, other) | (other, Self::Open) => other,
            (unseen @ Self::Unseen(_), _) | (_, unseen @ Self::Unseen(_)) => unseen,
        }
    }
}

/// When the last consumer has taken note: T + H at most, unless the artefacts that say otherwise end before that. Strict: when
/// they have ended, whatever consumers do. Never before T.
fn settled(channel: &Channel, seen: Instant, other: When) -> When {
    let ended = other.max(When::At(seen));
    let bound =
        if channel.timing.strict { ended } else { When::At(seen).later(channel.cache_bound()).min(ended) };
    bound.later(channel.timing.skew)
}

/// What has to be seen of a place.
fn wanted(place: Option<&Place>, how: &str) -> String {
    place.map_or_else(|| format!("an artefact {how} the key"), |place| format!("{place} {how} the key"))
}

/// T: since when a place is seen to be at its present state, and every publication point to be there, at whichever of the
/// places that are so; or what was never seen.
fn seen(
    channel: &Channel,
    (place, track): (Option<&Place>, &Track),
    same: &[&Track],
) -> Result<Instant, Vec<String>> {
    let at = |point: &String| same.iter().filter_map(|track| track.at(point)).min();
    let missing: Vec<_> = channel.points.iter().filter(|point| at(point).is_none()).cloned().collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let how = if track.listed { "with" } else { "without" };
    let unseen = || vec![place.map_or_else(|| "any publication point".to_owned(), |_| wanted(place, how))];
    let first = track.first().ok_or_else(unseen)?;
    Ok(channel.points.iter().filter_map(at).max().unwrap_or(first).max(first))
}

/// When every consumer has the key, whichever place it reads.
pub(super) fn known(channel: &Channel, inventory: &Inventory, version: u32, now: Instant) -> Opening {
    let places = inventory.in_use(channel, now);
    let tracks = places.iter().filter_map(|(_, shown)| shown.track(version));
    let listing: Vec<_> = tracks.filter(|track| track.listed).collect();
    let opening = |(place, shown): &(Option<&Place>, &Shown)| {
        let Some(track) = shown.track(version).filter(|track| track.listed) else {
            let blocks = Opening::Unseen(vec![wanted(*place, "with")]);
            return if shown.is_empty { Opening::Open } else { blocks };
        };
        let Some(lacking) = track.lacking else { return Opening::Open };
        match seen(channel, (*place, track), &listing) {
            Err(points) => Opening::Unseen(points),
            Ok(seen) if channel.kind.method().has_own_files() => {
                Opening::At(When::At(seen).later(channel.timing.distribution))
            }
            Ok(seen) => {
                let mut known = settled(channel, seen, lacking);
                // Whoever holds nothing valid any longer learns of the key only while one signs that it trusts already.
                if channel.kind.method() == Method::Chained {
                    let refreshed = When::At(seen).later(channel.cache_bound()).later(channel.timing.skew);
                    known = known.max(refreshed);
                }
                Opening::At(known.max(When::At(seen).later(channel.timing.distribution)))
            }
        }
    };
    places.iter().map(opening).fold(Opening::Open, Opening::and)
}

/// From when on a listed key may be activated, as far as this channel goes.
pub(super) fn activate(channel: &Channel, inventory: &Inventory, version: u32, now: Instant) -> Opening {
    match channel.kind.method() {
        Method::Replace => Opening::Open,
        Method::Double | Method::OutOfBand => known(channel, inventory, version, now),
        Method::PrePublish | Method::Chained => {
            known(channel, inventory, version, now).later(channel.timing.publish_safety)
        }
    }
}

/// When no consumer has the key any longer, after artefacts ceased to list it, at every place.
pub(super) fn forgotten(channel: &Channel, inventory: &Inventory, version: u32, now: Instant) -> Opening {
    let places = inventory.in_use(channel, now);
    let tracks = places.iter().filter_map(|(place, shown)| Some((*place, shown.track(version)?)));
    let tracks: Vec<_> = tracks.collect();
    let without: Vec<_> = tracks.iter().map(|(_, track)| *track).filter(|track| !track.listed).collect();
    let opening = |(place, track): &(Option<&Place>, &Track)| {
        let Some(listing) = track.listing.filter(|_| !track.listed) else {
            return Opening::Unseen(vec![wanted(*place, "without")]);
        };
        match seen(channel, (*place, track), &without) {
            Ok(seen) => Opening::At(settled(channel, seen, listing)),
            // Nobody has seen the artefacts without it, and yet those with it end.
            Err(points) if listing == When::Never => Opening::Unseen(points),
            Err(_) => Opening::At(listing.later(channel.timing.skew)),
        }
    };
    tracks.iter().map(opening).fold(Opening::Open, Opening::and)
}

/// When no consumer has the key any longer, whatever became of it.
pub(super) fn hidden(
    channel: &Channel,
    inventory: &Inventory,
    (version, key): (u32, &KeyState),
    now: Instant,
) -> Opening {
    match inventory.listing(&channel.name, version) {
        None => Opening::Open,
        // Only a key that is hidden is destroyed: what goes on record about it later changes nothing of that.
        Some(_) if key.stage == Stage::Destroyed => Opening::Open,
        Some(_) if channel.kind.method().has_own_files() => match key.revoked {
            Some(revoked) => distrusted(channel, inventory, version, revoked.at),
            None => Opening::Open,
        },
        Some(_) => forgotten(channel, inventory, version, now),
    }
}

/// What the key signed in a channel and the inventory knows of.
pub(super) fn signed<'a>(
    channel: &Channel,
    inventory: &'a Inventory,
    version: u32,
) -> impl Iterator<Item = &'a Outstanding> {
    let own = inventory.listing(&channel.name, version).filter(|_| channel.kind.method() == Method::Double);
    inventory.signed(&channel.name, version).into_iter().chain(own)
}

/// When the last of that ends.
fn signed_end(channel: &Channel, inventory: &Inventory, version: u32) -> Option<When> {
    signed(channel, inventory, version).filter_map(Outstanding::end).max()
}

/// Until when a key that was active before may sign its own copies in a double publication.
pub(super) fn copies_until(channel: &Channel, key: &KeyState) -> Option<When> {
    let switched = key.last_use.filter(|_| channel.kind.method() == Method::Double)?;
    Some(When::At(switched).later(channel.timing.notice))
}

/// From when on the key may be retired, as far as this channel goes: nothing that it signed is outstanding.
pub(super) fn retire(
    channel: &Channel,
    inventory: &Inventory,
    (version, key): (u32, &KeyState),
    now: Instant,
) -> Opening {
    if channel.kind.method() == Method::Replace && key.last_use.is_some() {
        return match inventory.listing(&channel.name, version) {
            None => Opening::Unseen(vec![wanted(None, "without")]),
            Some(_) => forgotten(channel, inventory, version, now),
        };
    }
    let signed = signed_end(channel, inventory, version);
    let used = key.last_use.map(|last| When::At(last).later(channel.timing.objects));
    match signed.max(used).max(copies_until(channel, key)) {
        None => Opening::Open,
        Some(end) => Opening::At(end.later(channel.timing.skew).later(channel.timing.retire_safety)),
    }
}

/// Until when somebody may accept what a key signs that was revoked at this time. Anchors that are pinned: until people have
/// taken them out everywhere, and what was signed just before has ended. Otherwise until the last artefact that lists the key,
/// or that it signed, has ended; where those never end, until every consumer has refreshed.
///
/// This supposes that consumers refuse a validity above V, and that whoever stole an anchor does not hold its publication
/// points as well.
pub(super) fn distrusted(
    channel: &Channel,
    inventory: &Inventory,
    version: u32,
    revoked: Instant,
) -> Opening {
    let signed = signed_end(channel, inventory, version);
    let timing = &channel.timing;
    if channel.kind.method().has_own_files() {
        let pinned =
            When::At(revoked).later(timing.distribution).later(timing.validity.unwrap_or(timing.objects));
        let ended = signed.filter(|_| channel.kind.method() == Method::Double);
        return Opening::At(ended.map_or(pinned, |ended| ended.max(pinned)).later(timing.skew));
    }
    let tracks = || {
        let places = inventory.places(&channel.name);
        places.filter_map(|(place, shown)| Some((place, shown.track(version)?)))
    };
    let without: Vec<_> = tracks().map(|(_, track)| track).filter(|track| !track.listed).collect();
    let opening = |(place, track): (Option<&Place>, &Track)| match track.listing {
        Some(When::Never) if !track.listed => match seen(channel, (place, track), &without) {
            Ok(seen) => Opening::At(When::At(seen).later(channel.cache_bound()).later(timing.skew)),
            Err(points) => Opening::Unseen(points),
        },
        Some(When::Never) => Opening::Unseen(vec![wanted(place, "without")]),
        end => end.map_or(Opening::Open, |end| Opening::At(end.later(timing.skew))),
    };
    let chained = signed.filter(|_| channel.kind.method() == Method::Chained);
    let chained = match chained {
        // What never ends outlives whatever is still to be seen.
        Some(When::Never) => return Opening::At(When::Never),
        chained => chained.map_or(Opening::Open, |end| Opening::At(end.later(timing.skew))),
    };
    tracks().map(opening).fold(chained, Opening::and)
}

/// What the times of a channel allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cadence {
    /// H: the cache bound.
    pub cache_bound: Span,
    /// V − (P + D): how late a ceremony may be; none where nothing expires.
    pub slack: Option<Span>,
    /// Whether one ceremony may be missed altogether: V ≥ 2P + D.
    pub survives_missed: bool,
    /// How long a stolen key does harm after the theft is known and the next artefact is out.
    pub exposure: Span,
}

fn sum(spans: &[Span]) -> Span {
    Span::of_seconds(spans.iter().fold(0, |total, span| total.saturating_add(span.seconds())))
}

/// Checks that ceremonies come often enough: V ≥ P + D + k·R.
///
/// # Errors
/// [`CADENCE`]: artefacts would expire at consumers before the next ones reach them.
pub fn cadence(channel: &Channel) -> Result<Cadence, Fault> {
    let timing = &channel.timing;
    timing.check().map_err(|fault| fault.at(&channel.name))?;
    let cache_bound = channel.cache_bound();
    let exposure = match (channel.kind.method(), timing.validity) {
        (Method::Double | Method::OutOfBand, validity) => {
            sum(&[timing.distribution, validity.unwrap_or(timing.objects)])
        }
        (_, Some(validity)) => validity,
        (_, None) => sum(&[timing.delay, cache_bound]),
    };
    let Some(validity) = timing.validity else {
        if timing.strict && !channel.kind.method().has_own_files() {
            return Err(CADENCE
                .fault(format!("{}: strict, and its artefacts never expire", channel.name))
                .hint("give them a validity, or choose the normal window"));
        }
        return Ok(Cadence { cache_bound, slack: None, survives_missed: true, exposure });
    };
    let retries = Span::of_seconds(timing.refresh.seconds().saturating_mul(i64::from(timing.failures)));
    let needed = sum(&[timing.period, timing.delay, retries]);
    if validity < needed {
        return Err(CADENCE
            .fault(format!(
                "{}: valid for {validity}, and the next artefact may take {needed}: {} between ceremonies, {} to \
                 publish, {retries} of failed refreshes",
                channel.name, timing.period, timing.delay
            ))
            .hint(format!(
                "hold ceremonies more often, and say so in the profile ([[channels]] period, delay), or sign for at least {needed}"
            )));
    }
    let slack = validity.seconds().saturating_sub(sum(&[timing.period, timing.delay]).seconds());
    Ok(Cadence {
        cache_bound,
        slack: Some(Span::of_seconds(slack)),
        survives_missed: validity >= sum(&[timing.period, timing.period, timing.delay]),
        exposure,
    })
}
