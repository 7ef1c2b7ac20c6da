//! Plans and their pictures.

use super::*;

/// A SAML line that has published for three weeks.
fn planned(kind: Kind, until: i64) -> Plan {
    let mut situation = situation(Channel::new(kind));
    let ends = kind.timing().validity.map_or(When::Never, |span| When::At(at(0)).later(span));
    let own = kind.method().has_own_files();
    let (by, lists) = (kind.method().is_anchor().then_some(1), if own { Lists::Own } else { keys(&[1]) });
    situation.inventory.add(&signature("first", kind, by, 0, ends, lists));
    plan(&line(), &situation, at(7 * DAY), at(until), None).unwrap()
}

fn when(plan: &Plan, act: Move, version: u32) -> Instant {
    plan.history.steps().iter().find(|step| (step.act, step.version) == (act, version)).unwrap().at
}

#[test]
fn a_plan_is_what_the_answers_allow_at_each_ceremony() {
    let plan = planned(Kind::SamlSigning, 60 * DAY);
    assert_eq!(when(&plan, Move::Publish, 2), at(7 * DAY));
    // Seen after D, activated at the first ceremony after T + 4 d and 5 minutes.
    assert_eq!(when(&plan, Move::Activate, 2), at(14 * DAY));
    assert_eq!(when(&plan, Move::Retire, 1), at(21 * DAY));
    assert!(!plan.is_unfinished());
    assert_eq!(plan.ceremonies.len(), 8, "one a week, half-open");
    let short = planned(Kind::SamlSigning, 9 * DAY);
    assert!(short.is_unfinished());
    let retired = &plan.ceremonies[2].moves[0];
    assert_eq!(*retired, (Move::Retire, 1, Some(at(15 * DAY + 600))), "and says since when it was time");
}

/// Of a federation: trust marks of a year, of which no plan of half a year sees the end, and one that never ends.
#[test]
fn a_plan_says_what_holds_the_old_key_and_until_when() {
    let mut situation = situation(Channel::new(Kind::OpenidAnchor));
    let name = situation.channels[0].name.clone();
    let first = signature("first", Kind::OpenidAnchor, Some(1), 0, When::At(at(30 * DAY)), keys(&[1]));
    situation.inventory.add(&first);
    situation.inventory.add_many(&name, 1, When::At(at(YEAR)), 40);
    situation.inventory.add_many(&name, 1, When::At(at(YEAR + DAY)), 2);
    situation.inventory.add_many(&name, 1, When::At(at(60 * DAY)), 500);
    let half = plan(&line(), &situation, at(DAY), at(YEAR / 2), None).unwrap();
    let held = Held {
        version: 1,
        channel: name.clone(),
        documents: 42,
        until: When::At(at(YEAR + DAY)),
        never: vec![],
    };
    assert_eq!(half.held, std::slice::from_ref(&held));
    assert!(half.is_unfinished());
    let text = Timeline::of(&half, &[]).to_text();
    let said = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(&format!(
            "#1 retires after what it signed has ended: 42 documents, the last until {}",
            at(YEAR + DAY)
        )),
        "{text}"
    );
    // It is held no longer than that, and the plan that looks so far says nothing more of it.
    let whole = plan(&line(), &situation, at(DAY), at(YEAR + 60 * DAY), None).unwrap();
    assert_eq!((whole.is_unfinished(), whole.held.len()), (false, 0));
    assert!(when(&whole, Move::Retire, 1) > at(YEAR + DAY));
    // What never ends holds it for good, and has its name.
    situation.inventory.add(&signature("mark", Kind::OpenidAnchor, Some(1), 1, When::Never, Lists::Nothing));
    let endless = plan(&line(), &situation, at(DAY), at(3 * YEAR), None).unwrap();
    assert_eq!(endless.held, [Held { documents: 1, until: When::Never, never: vec!["mark".into()], ..held }]);
}

#[test]
fn each_kind_finishes_its_rotation_in_a_year() {
    for kind in Kind::all() {
        let plan = planned(kind, 365 * DAY);
        assert!(!plan.is_unfinished(), "{kind}");
        assert_eq!(plan.history.active(), Some(2), "{kind}");
        assert_eq!(plan.history.next_version(), 3, "{kind}: one rotation");
    }
}

#[test]
fn a_plan_that_cannot_work_is_refused() {
    let with = |timing: Timing, life: Option<Span>, until: i64| {
        let mut situation = situation(Channel::new(Kind::SamlSigning));
        situation.channels[0].timing = timing;
        plan(&line(), &situation, at(0), at(until), life).unwrap_err()
    };
    let timing = Kind::SamlSigning.timing();
    for (timing, life, until) in [
        (Timing { period: days(30), ..timing }, None, 90 * DAY),
        (timing, Some(days(7)), 90 * DAY),
        (Timing { period: Span::of_seconds(1), ..timing }, None, 90 * DAY),
    ] {
        assert_eq!(with(timing, life, until).code(), &CADENCE);
    }
    let nothing = Situation::new(Vec::new(), History::default());
    assert_eq!(plan(&line(), &nothing, at(0), at(DAY), None).unwrap_err().code(), &CADENCE);
}

#[test]
fn keys_that_live_for_a_while_are_rotated_again_and_again() {
    let mut situation = situation(Channel::new(Kind::OpenidAnchor));
    situation.retention = days(30);
    let plan = plan(&line(), &situation, at(0), at(YEAR), Some(days(90))).unwrap();
    let activated: Vec<_> = plan
        .history
        .steps()
        .iter()
        .filter(|step| step.act == Move::Activate)
        .map(|step| step.version)
        .collect();
    assert_eq!(activated, [2, 3, 4]);
    assert_eq!(plan.history.at_stage(Stage::Destroyed).collect::<Vec<_>>(), [1, 2, 3]);
}

const YEAR: i64 = 365 * DAY;

/// Compares with a timeline that somebody looked at.
fn same(text: &str, expected: &str) {
    for (line, (got, wanted)) in text.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, wanted, "line {}\n{text}", line + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "\n{text}");
}

#[test]
fn the_timeline_is_readable_without_colour() {
    let text = Timeline::of(&planned(Kind::SamlSigning, 60 * DAY), &[]).to_text();
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    same(&text, include_str!("timeline.txt"));
}

#[test]
fn the_life_of_a_line_is_drawn_until_now_and_what_is_valid_beyond() {
    let plan = planned(Kind::SamlAnchor, 90 * DAY);
    let fortnight = |at| (at, When::At(at).later(days(14)));
    let signed: Vec<_> = plan.ceremonies.iter().map(|held| fortnight(held.at)).collect();
    let now = plan.ceremonies.last().unwrap().at;
    let timeline = Timeline::lived(&plan.line, &plan.history, &signed, now);
    assert_eq!(timeline.frame.to, now.after(days(14)).unwrap());
    let ends = timeline.keys.iter().flat_map(|(_, bands)| bands).map(|(_, band)| band.to);
    assert_eq!(
        ends.max().unwrap(),
        now.after(Span::of_seconds(1)).unwrap(),
        "nobody knows the stages to come"
    );
    let text = timeline.to_text();
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= 80), "{text}");
    let row = |name: &str| {
        let row =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{text}"));
        row.trim_end().to_owned()
    };
    let (active, ruler) = (row("#2"), row("now"));
    assert!(active.ends_with('A') && active.len() == ruler.len() && ruler.ends_with('|'), "{text}");
    assert!(row("valid artefacts").len() > active.len(), "{text}");
    for told in ["generate #1", "activate #2", "= both valid", "the last of what is signed ends: 20"] {
        assert!(text.contains(told), "{told}\n{text}");
    }
    assert!(!Timeline::lived(&plan.line, &History::default(), &[], now).to_text().contains("both valid"));
}

#[test]
fn a_very_short_life_has_times_where_a_date_would_stand_twice() {
    let told = |seconds: i64| {
        let history = History::replay([Step::new(at(0), 1, Move::Generate)]).unwrap();
        let ends = [(at(0), When::At(at(seconds)))];
        let life = Timeline::lived(&line(), &history, &ends, at(0));
        life.chart().lines().next().unwrap().trim().to_owned()
    };
    assert_eq!(told(1), "|2026-11-22");
    assert_eq!(told(50), "|2026-11-22 |00:00:10   |00:00:20    |00:00:30   |00:00:40");
    assert_eq!(told(4 * DAY), "|2026-11-22 |19:12:00   |2026-11-23  |2026-11-24 |2026-11-25");
}

#[test]
fn the_picture_is_one_svg_that_loads_nothing() {
    let svg = picture(&Timeline::of(&planned(Kind::OpenidAnchor, 120 * DAY), &[]));
    for loads in ["href", "<script", "<image", "@import", "onload", "<foreignObject"] {
        assert!(!svg.contains(loads), "{loads}");
    }
    assert_eq!(svg.matches("http").count(), 1, "the name of SVG and nothing else");
    for shown in
        ["published", "active", "retiring", "key #2", "#1 and #2 valid", "ceremonies", "role=\"img\"", "P14D"]
    {
        assert!(svg.contains(shown), "{shown}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("width=\"-"));
}

#[test]
fn the_calendar_folds_its_lines_and_keeps_its_names() {
    let first = calendar(&planned(Kind::SamlAnchor, 200 * DAY));
    assert_eq!(first, calendar(&planned(Kind::SamlAnchor, 200 * DAY)));
    assert!(first.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && first.ends_with("END:VCALENDAR\r\n"));
    let lines: Vec<_> = first.split("\r\n").collect();
    assert!(lines.iter().all(|line| line.len() <= 75 && !line.contains('\n')));
    assert!(lines.iter().any(|line| line.starts_with(' ')), "something is long enough to be folded");
    let unfolded = first.replace("\r\n ", "");
    assert!(unfolded.contains("\r\nDTSTART:20261129T000000Z\r\n"));
    assert!(unfolded.contains("activate #2 (not before 2026-12-31T00:00:00Z)\\, sign 2"), "{unfolded}");
    let names = |text: &str| {
        let uids = text.split("\r\n").filter(|line| line.starts_with("UID:"));
        uids.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let longer = names(&calendar(&planned(Kind::SamlAnchor, 230 * DAY)));
    let all = names(&first);
    assert_eq!(all.len(), 28);
    assert!(all.is_subset(&longer), "a longer plan names the same ceremonies the same way");
}
